"""Reads markup tag by tag, the plain ones without the standard library's detours.

It knows tags without attributes, which are most, and in which line one stands; everything else is
`html.parser`'s. It does not know what a tag means.
"""

import re
from html.parser import HTMLParser

_START = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)>")
_END = re.compile(r"</([a-zA-Z][a-zA-Z0-9]*)>")
_RAW = frozenset(
    "script style textarea title xmp iframe noembed noframes noscript plaintext".split()
)
"""What is inside of these may be no markup (HTML Standard 13.2.5)."""


class TagReader(HTMLParser):
    """Calls `handle_starttag` and its like for each part of a text."""

    def __init__(self, markup: str) -> None:
        """Make ready to read a text."""
        super().__init__(convert_charrefs=True)
        self._markup = markup
        self._at = 0  # in what the parser still holds of the text
        self._counted = (0, 1)  # a place and its line

    def line(self) -> int:
        """Return the line of the tag that is read, from 1."""
        at = len(self._markup) - len(self.rawdata) + self._at
        before, line = self._counted
        self._counted = at, line + self._markup.count("\n", before, at)
        return self._counted[1]

    def updatepos(self, i: int, j: int) -> int:
        """Go on from `i` to `j`; lines are counted when they are asked for."""
        self._at = j
        return j

    def parse_starttag(self, i: int) -> int:
        """Read the start tag at `i`; return where it ends."""
        found = _START.match(self.rawdata, i)
        tag = found[1].lower() if found else ""
        if found is None or tag in _RAW:
            return super().parse_starttag(i)
        self.handle_starttag(tag, [])
        return found.end()

    def parse_endtag(self, i: int) -> int:
        """Read the end tag at `i`; return where it ends."""
        found = _END.match(self.rawdata, i) if self.cdata_elem is None else None
        if found is None:
            return super().parse_endtag(i)
        self.handle_endtag(found[1].lower())
        return found.end()

"""The links of a page: their words, and the address that is written after them.

It knows which link is open and whose page it is; which addresses are written is in
`knowledge.parsing.words.links`.
"""

import re

from knowledge.parsing.html.lists import Attributes
from knowledge.parsing.words.links import address_beside, host_of

_SAVED = re.compile(r"\s*saved from url=\(\d+\)(\S+)")


class Links:
    """The link that is open, and the site of the page."""

    def __init__(self) -> None:
        """Begin with none, of no site."""
        self.is_open = False
        self._site = ""
        self._target = ""
        self._words: list[str] = []

    def tell_site(self, tag: str, attributes: Attributes) -> None:
        """Take what a tag says of the page's own address."""
        if tag == "base" or attributes.get("rel") == "canonical":
            address = attributes.get("href")
        else:
            address = attributes.get("content") if attributes.get("property") == "og:url" else ""
        self._site = self._site or host_of(address or "")

    def tell_comment(self, words: str) -> None:
        """Take where a browser saved the page from."""
        if found := _SAVED.match(words):
            self._site = self._site or host_of(found[1])

    def begin(self, attributes: Attributes) -> None:
        """Begin a link."""
        self._target = attributes.get("href") or ""
        self.is_open = bool(self._target)

    def add(self, words: str) -> None:
        """Add words of the open link."""
        self._words.append(words)

    def drop(self) -> None:
        """Forget the open link: it leads to a note."""
        self.is_open = False
        self._words.clear()

    def end(self) -> str:
        """End the link; return the address to write after its words, or nothing."""
        words = "".join(self._words)
        self._words.clear()
        self.is_open = False
        return address_beside(words, self._target, site=self._site) if words.strip() else ""

"""Links of Office files: elements around words, and fields between two marks.

It knows relationships and `HYPERLINK` fields (ECMA-376 17.16.5.25); which addresses are written
beside the words is in `knowledge.parsing.words.links`.
"""

import re
from collections.abc import Mapping

from knowledge.parsing.words.links import address_beside

_HYPERLINK = re.compile(r"\s*HYPERLINK\s+(?:\"([^\"]*)\"|([^\s\\\"]\S*))", re.IGNORECASE)


class Links:
    """The links that are open in a part, in each other."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        """Begin with none; `addresses`: relationship id → where it leads."""
        self._addresses = addresses
        self._open: list[tuple[str, list[str]]] = []  # where it leads, its words
        self._fields: list[tuple[list[str], bool]] = []  # instructions, whether a link is open

    def begin(self, relation: str) -> list[str]:
        """Begin a link; return the list that its words are added to."""
        return self._begin(self._addresses.get(relation, ""))

    def end(self) -> str:
        """End the innermost link; return the address to write after its words, or nothing."""
        target, words = self._open.pop()
        shown = "".join(words)
        return address_beside(shown, target) if shown.strip() else ""

    def instruct(self, words: str) -> None:
        """Take words of a field's instructions."""
        if self._fields:
            self._fields[-1][0].append(words)

    def begin_field(self) -> None:
        """Begin a field."""
        self._fields.append(([], False))

    def begin_result(self) -> list[str] | None:
        """Begin what a field shows; return the list of its words where it is a link."""
        if not self._fields:
            return None
        instructions, _ = self._fields[-1]
        target = hyperlink_of("".join(instructions))
        if target is None:
            return None
        self._fields[-1] = instructions, True
        return self._begin(target)

    def end_field(self) -> bool:
        """End a field; say whether it was a link, which is to be ended as well."""
        return bool(self._fields) and self._fields.pop()[1]

    def _begin(self, target: str) -> list[str]:
        self._open.append((target, []))
        return self._open[-1][1]


def hyperlink_of(instructions: str) -> str | None:
    """Return where a field leads; nothing within the document, None: it is no link."""
    found = _HYPERLINK.match(instructions)
    if found is None:
        return None
    return found[1] or found[2] or ""

"""Fields of a Word form that have no text of their own: boxes to check, lists to choose from.

It knows form fields (ECMA-376 17.16); it does not know where they stand.
"""

from collections.abc import Mapping

CHECKED, EMPTY = "☑", "☐"


class FormField:
    """A form field that is open."""

    def __init__(self) -> None:
        """Begin unchecked, with nothing to choose from."""
        self._is_checked = False
        self._entries: list[str] = []
        self._chosen = 0

    def check(self, *, is_on: bool) -> None:
        """Tell whether the box is checked."""
        self._is_checked = is_on

    def offer(self, attributes: Mapping[str, str]) -> None:
        """Add an entry of the list."""
        self._entries.append(attributes.get("val", ""))

    def choose(self, attributes: Mapping[str, str]) -> None:
        """Tell which entry is chosen, from 0."""
        value = attributes.get("val", "")
        self._chosen = int(value) if value.isdecimal() and len(value) < 6 else 0

    def box(self) -> str:
        """Return the box as a reader sees it."""
        return CHECKED if self._is_checked else EMPTY

    def entry(self) -> str:
        """Return the chosen entry."""
        return self._entries[self._chosen] if self._chosen < len(self._entries) else ""

"""Fields of forms in web pages: boxes to check, words filled in, lists to choose from.

It knows what a reader sees in a field; it does not know where it stands.
"""

from knowledge.parsing.html.lists import Attributes

MOST_CHOICES = 30  # of a form's list; longer ones (countries, years) are told as left out
FILLED_IN = frozenset((None, "text", "number", "email", "tel", "url", "date", "time", "month"))
CHECKED, EMPTY, PARTIAL = "[x]", "[ ]", "[-]"
_BOXES = frozenset(("checkbox", "radio", "switch", "menuitemcheckbox", "menuitemradio"))
_CHECKED_BY_ROLE = {"true": CHECKED, "false": EMPTY, "mixed": PARTIAL}


def words_of_field(attributes: Attributes) -> str:
    """Return what an `input` shows."""
    kind = attributes.get("type")
    kind = kind and kind.strip().lower()
    if kind in _BOXES:
        if "indeterminate" in attributes or attributes.get("aria-checked") == "mixed":
            return PARTIAL
        return CHECKED if "checked" in attributes else EMPTY
    return (attributes.get("value") or "") if kind in FILLED_IN else ""


def box_by_role(attributes: Attributes) -> str:
    """Return the box that an element shows whose role is one; empty: it is none."""
    if attributes.get("role") not in _BOXES:
        return ""
    return _CHECKED_BY_ROLE.get(attributes.get("aria-checked") or "", "")


class Choices:
    """The entries of a list to choose from."""

    def __init__(self) -> None:
        """Begin with none."""
        self._count = 0
        self._begins = False
        self._is_selected = False

    @property
    def are_too_many(self) -> bool:
        """Whether what comes is no longer read."""
        return self._count > MOST_CHOICES

    @property
    def are_open(self) -> bool:
        """Whether there are any."""
        return self._count > 0

    def begin(self, attributes: Attributes) -> None:
        """Begin an entry."""
        self._begins, self._is_selected = True, "selected" in attributes

    def opening(self, words: str) -> str:
        """Return what stands before the first words of an entry."""
        if not (self._begins and words.strip()):
            return ""
        self._begins = False
        self._count += 1
        if self.are_too_many:
            return ""
        mark = f"{CHECKED} " if self._is_selected else ""
        return f", {mark}" if self._count > 1 else mark

    def end(self) -> int:
        """End the list; return how many of its entries were not read."""
        more = max(0, self._count - MOST_CHOICES)
        self._count, self._begins = 0, False
        return more

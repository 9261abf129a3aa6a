"""The open elements of a web page that do something to the words in them.

It knows how elements begin and end, also where an end is missing or stands too late; it does not
know what the effects are.
"""

from dataclasses import dataclass
from typing import get_args

from knowledge.parsing.html.lists import LISTS
from knowledge.parsing.html.marks import BLOCKS, Effect

GROUPS = ("thead", "tbody", "tfoot")
ENDED_BY_START = {
    "li": ("li",),
    **dict.fromkeys(("dt", "dd"), ("dt", "dd")),
    "option": ("option", "optgroup"),
    **dict.fromkeys(("td", "th"), ("td", "th", "tr", *GROUPS)),
    "tr": ("tr", *GROUPS),
    **dict.fromkeys(GROUPS, GROUPS),
    "p": tuple(BLOCKS),
}
ENDED_BY_END = {
    "li": tuple(LISTS),
    **dict.fromkeys(("dt", "dd"), ("dl",)),
    "option": ("select", "optgroup"),
    **dict.fromkeys(("td", "th"), ("tr", "table", *GROUPS)),
    "tr": ("table", *GROUPS),
    **dict.fromkeys(GROUPS, ("table",)),
    "p": tuple(BLOCKS),
}
HOLDING = (*LISTS, "dl", "select", "table")


@dataclass(slots=True)
class Scope:
    """An element; `open`: how many of its name are, in each other."""

    tag: str
    effects: set[Effect]
    open: int = 1
    is_told: bool = False  # that something in it is not read
    inside: int = 0  # lists and tables open in it

    def ends_before(self, tag: str) -> bool:
        """Say whether its own end may be missing before such a start (HTML Standard 13.1.2.4)."""
        return not self.inside and tag in ENDED_BY_START.get(self.tag, ())

    def ends_with(self, tag: str) -> bool:
        """Say whether its own end may be missing before such an end."""
        return not self.inside and tag in ENDED_BY_END.get(self.tag, ())


@dataclass(frozen=True, slots=True)
class _Around:
    """What is open around a cell, whose own elements begin and end inside."""

    scopes: int
    named: dict[str, int]


class Scopes:
    """Elements in each other, the innermost last."""

    def __init__(self) -> None:
        """Begin with none."""
        self.effects = dict.fromkeys(get_args(Effect), 0)  # how many elements do this
        self._scopes: list[Scope] = []
        self._named: dict[str, int] = {}  # how many have this name, in the cell
        self._around: list[_Around] = []  # the open cells

    @property
    def innermost(self) -> Scope | None:
        """The innermost one."""
        return self._scopes[-1] if self._scopes else None

    def has(self, tag: str) -> bool:
        """Say whether one of this name is open in the cell."""
        return self._named.get(tag, 0) > 0

    def open(self, tag: str, effects: set[Effect]) -> None:
        """Open an element."""
        self._scopes.append(Scope(tag, effects))
        self._named[tag] = self._named.get(tag, 0) + 1
        for effect in effects:
            self.effects[effect] += 1

    def open_again(self, tag: str) -> None:
        """Open an element without effects: its end is not that of one with the same name."""
        if self._scopes and self._scopes[-1].tag == tag:
            self._scopes[-1].open += 1

    def close(self, tag: str) -> list[set[Effect]]:
        """Close the innermost of this name and what was left open in it; return what ends."""
        ended: list[set[Effect]] = []
        if not self.has(tag):
            return ended
        while self._scopes[-1].tag != tag:
            ended.append(self._pop())
        self._scopes[-1].open -= 1
        if not self._scopes[-1].open:
            ended.append(self._pop())
        return ended

    def close_small(self) -> list[set[Effect]]:
        """Close raised and lowered words that were left open; return what ends."""
        lowest = self._around[-1].scopes if self._around else 0
        ended: list[set[Effect]] = []
        while self.effects["raised"] + self.effects["lowered"] and len(self._scopes) > lowest:
            ended.append(self._pop())
        return ended

    def end(self) -> list[set[Effect]]:
        """End the page and what was left open; return what ends."""
        return [self._pop() for _ in self._scopes[:]]

    def begin_cell(self) -> None:
        """Begin a cell."""
        self._around.append(_Around(len(self._scopes), self._named))
        self._named = {}

    def end_cell(self) -> list[set[Effect]]:
        """End the cell and what was left open in it; return what ends."""
        around = self._around.pop()
        ended = [self._pop() for _ in range(len(self._scopes) - around.scopes)]
        self._named = around.named
        return ended

    def _pop(self) -> set[Effect]:
        scope = self._scopes.pop()
        self._named[scope.tag] -= 1
        for effect in scope.effects:
            self.effects[effect] -= 1
        return scope.effects

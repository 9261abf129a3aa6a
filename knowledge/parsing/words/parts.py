"""A text without some of its parts, and what is told of those.

It knows lines; it does not know why a part is left out.
"""

from collections.abc import Iterable, Sequence

from knowledge.parsing.blocks import NotRead

NAMED_PLACES = 5  # one by one; who looks there finds the others


class Remainder:
    """What is left of a text whose parts are dropped from first to last."""

    def __init__(self, text: str) -> None:
        """Begin with nothing dropped."""
        self.lines: list[int] = []  # in which a part began that was dropped
        self.place = 0  # behind the last of them
        self._text = text
        self._pieces: list[str] = []
        self._line = 1

    def drop(self, start: int, end: int) -> None:
        """Drop a part; it begins behind those that were dropped before."""
        self._line += self._text.count("\n", self.place, start)
        self.lines.append(self._line)
        self._line += self._text.count("\n", start, end)
        self._pieces.append(self._text[self.place : start])
        self.place = end

    def text(self) -> str:
        """Return what is left."""
        return "".join([*self._pieces, self._text[self.place :]])


def lines_of(lines: Iterable[int]) -> list[str]:
    """Return these lines as places."""
    return [f"line {line}" for line in lines]


def told(what: str, places: Sequence[str], why: str) -> list[NotRead]:
    """Return what is told of things at these places: nothing where there are none."""
    if not places:
        return []
    named = list(dict.fromkeys(places))
    more = len(named) - NAMED_PLACES
    where = ", ".join(named[:NAMED_PLACES]) + (f" and {more} more" if more > 0 else "")
    return [NotRead(what if len(places) == 1 else f"{what} ({len(places)})", where, why)]

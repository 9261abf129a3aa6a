"""The shapes of a slide that are open: which are hidden, or stand outside of what is shown.

It knows places and sizes (ECMA-376 20.1.7); it does not know what a shape says. Shapes inside a
group are measured with their group.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

OUTSIDE = "text outside of the slide"
HIDDEN_SHAPE = "text of a hidden shape"
WHY_UNSEEN = "who sees the slide does not see it"


@dataclass(slots=True)
class Shape:
    """A shape; `begins`: how many blocks were there before it."""

    begins: int
    unseen: str = ""  # what it is called in what is told; empty: it is shown
    is_told: bool = False
    place: tuple[int, int] | None = None
    relation: str = ""  # of its link
    words: list[str] = field(default_factory=list)  # of a shape that is a link


class Shapes:
    """Shapes in each other."""

    def __init__(self, width: int, height: int) -> None:
        """Begin with none, on a slide of this size; 0: it is not known."""
        self._width, self._height = width, height
        self._open: list[Shape] = []

    @property
    def innermost(self) -> Shape | None:
        """The innermost one."""
        return self._open[-1] if self._open else None

    @property
    def unseen(self) -> Shape | None:
        """The outermost one that nobody sees."""
        return next((shape for shape in self._open if shape.unseen), None)

    def begin(self, blocks: int) -> None:
        """Begin a shape behind so many blocks."""
        self._open.append(Shape(blocks))

    def end(self) -> Shape | None:
        """End the innermost one and return it."""
        return self._open.pop() if self._open else None

    def set_place(self, attributes: Mapping[str, str]) -> None:
        """Take where the innermost one stands."""
        if len(self._open) == 1:
            self._open[-1].place = _number(attributes, "x"), _number(attributes, "y")

    def set_size(self, attributes: Mapping[str, str]) -> bool:
        """Take how large it is; say whether it stands outside."""
        shape = self.innermost
        if len(self._open) != 1 or shape is None or shape.place is None:
            return False
        width, height = size_of(attributes)
        (left, top), shape.place = shape.place, None
        if not (width > 0 and height > 0 and self._width and self._height):
            return False
        is_beside = left >= self._width or left + width <= 0
        if is_beside or top >= self._height or top + height <= 0:
            shape.unseen = OUTSIDE
        return bool(shape.unseen)


def size_of(attributes: Mapping[str, str]) -> tuple[int, int]:
    """Return width and height."""
    return _number(attributes, "cx"), _number(attributes, "cy")


def _number(attributes: Mapping[str, str], name: str) -> int:
    value = attributes.get(name, "")
    return int(value) if value.removeprefix("-").isdecimal() and len(value) < 12 else 0

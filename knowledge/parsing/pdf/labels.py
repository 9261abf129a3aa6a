"""Values of a form put among the words of its page, each after the words that ask for it.

It knows where words and fields stand; it does not know how a field is read. A value goes to what
stands on its left, else above it; where nothing asks for it, it is a line of its own with the name
of its field. In a table it keeps its place, for the columns to be told by it.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from knowledge.parsing.pdf.breaks import HAN
from knowledge.parsing.pdf.fields import EMPTY, Field
from knowledge.parsing.pdf.lines import Line, Word, median, merge
from knowledge.parsing.pdf.places import Box
from knowledge.parsing.pdf.rules import RuledGrid

MOST_PLACED = 500  # fields of a page that are placed; a full tax form has 250
LABEL_REACH = 260.0  # points from a label to its field on the same line: half of a page
BOX_REACH = 40.0  # points from a box to the words on its right
ABOVE_REACH = 1.2  # of the height of a label: it stands so near above its field
SAME_SIDE = 5.0  # points between the sides of fields that stand in one column
NEAR = 3.0  # points by which a field reaches over the words around it
WORD_HEIGHT = 12.0  # points; of a value on a page without words
_BLANK = r"[_＿]{2,}|[.…·]{4,}"
_GLYPHS = "□☐❏❑▢○◯〇"
_NO_SPACE = ("：", "（", "(", "＿", "￥", "¥")
_HAN_END = f"[{HAN}]$"


def labelled(label: str, value: str) -> str:
    """Return a value with what it is called before it."""
    if not label:
        return value
    return f"{label}：{value}" if re.search(_HAN_END, label) else f"{label}: {value}"


class _Spot(NamedTuple):
    """A word of a line, and how far it is from a field."""

    line: Line
    number: int
    gap: float

    @property
    def word(self) -> Word:
        return self.line.words[self.number]


class FormLines:
    """The lines of a page, into which values are put."""

    def __init__(self, lines: list[Line], grids: Sequence[RuledGrid]) -> None:
        """Begin with the lines of the page, each word with its place; they are changed."""
        self._lines = lines
        self._grids = grids
        heights = [word.top - word.bottom for line in lines for word in line.words]
        self._height = median(heights) if heights else WORD_HEIGHT
        self._placed: list[Field] = []
        self._all: Sequence[Field] = ()
        self._near: list[tuple[Line, int, Word]] = []  # the words around a field
        self._whole: list[Line] = []  # that are words and values, no cells

    def place(self, fields: Sequence[Field]) -> list[str]:
        """Put the values of fields among the lines.

        Returns:
            Values with their names, for which the page has no place.
        """
        flat = [one._replace(value=one.value.replace("\n", " ")) for one in fields]
        order = sorted(flat, key=lambda one: (-round(one.box.middle[1] / NEAR), one.box.left))
        self._all = order[:MOST_PLACED] if any(line.words for line in self._lines) else ()
        for one in self._all:
            self._look_at(one.box)
            if not (self._is_written(one) or self._fills_blank(one)):
                self._put(one)
            self._placed.append(one)
        for line in self._whole:
            line.words = [merge(line.words)]
        return [labelled(one.name, one.value) for one in order[len(self._all) :]]

    def takes(self, box: Box, words: str) -> bool:
        """Put words typed onto the page after what asks for them; tell whether anything does."""
        one = Field("", words.replace("\n", " "), box)
        self._look_at(box)
        if self._is_written(one) or self._fills_blank(one):
            return True
        left = self._beside(one, LABEL_REACH, on_left=True)
        if not left or not left.word.text.endswith((":", "：")):
            return False
        self._join(one, left)
        self._placed.append(one)
        return True

    def _look_at(self, box: Box) -> None:
        """Look at the words as high on the page as a box, and right above and below it."""
        reach = max(box.top - box.bottom, 2 * self._height) + NEAR
        low, high = box.bottom - reach, box.top + reach
        self._near = [
            (line, number, word)
            for line in self._lines
            if line.words and line.words[0].bottom < high and line.words[0].top > low
            for number, word in enumerate(line.words)
        ]

    def _is_written(self, one: Field) -> bool:
        """Whether the page itself says what a field does: a form that was printed into it."""
        found = [w.text for _, _, w in self._near if one.box.holds(w.middle, NEAR / 2)]
        return not one.is_box and "".join(one.value.split()) in "".join("".join(found).split())

    def _fills_blank(self, one: Field) -> bool:
        """Put a value where the page has a line or box to be filled in; tell whether it has."""
        for line, number, word in self._near:
            at = _blank(word, one, self._height) if _overlaps(one.box, _box(word), NEAR) else None
            if at is None:
                continue
            before, after = word.text[: at[0]], word.text[at[1] :]
            if not one.is_box:
                before = before if not before or re.search(_HAN_END, before) else f"{before} "
                after = f" {after}" if after[:1].isalnum() and after.isascii() else after
            _change(line, number, word._replace(text=f"{before}{one.value}{after}"))
            return True
        return False

    def _put(self, one: Field) -> None:
        left = self._beside(one, LABEL_REACH, on_left=True)
        right = self._beside(one, BOX_REACH, on_left=False) if one.is_box else None
        is_chained = left is not None and self._is_value(left.word, one)
        is_cell = (is_chained or self._begins_row(one)) and self._is_stacked(one)
        if right and (not left or right.gap <= left.gap):
            self._join(one, right, is_before=True)
        elif left and is_cell:
            self._insert(one, left)
        elif left and not is_chained:
            self._join(one, left)
        elif not is_cell and (above := self._above(one)):
            self._join(one, above, is_above=True)
        elif left:
            self._insert(one, left)
        elif one.name or one.value != EMPTY:
            self._put_alone(one, is_cell=is_cell)

    def _beside(self, one: Field, reach: float, *, on_left: bool) -> _Spot | None:
        """Return the nearest word on the line of a field, its first line before the others."""
        box = one.box
        first_line = box._replace(bottom=max(box.bottom, box.top - 2 * self._height))
        for band in (first_line, box):
            best: _Spot | None = None
            for line, number, word in self._near:
                is_level = word.bottom < band.middle[1] < word.top
                if not is_level and not band.bottom - NEAR < word.middle[1] < band.top + NEAR:
                    continue
                gap = box.left - word.right if on_left else word.left - box.right
                begins = word.left < box.left if on_left else word.right > box.right
                if begins and -self._height < gap < (best.gap if best else reach):
                    best = _Spot(line, number, gap)
            if best:
                return best
        return None

    def _is_value(self, word: Word, one: Field) -> bool:
        """Whether a word ends with what another field says."""
        return any(
            other is not one
            and other.box.right >= word.right - NEAR
            and other.box.left < word.right
            and _overlaps(other.box, _box(word), 0.0)
            for other in self._placed
        )

    def _is_stacked(self, one: Field) -> bool:
        """Whether fields stand closely below each other, as the cells of a column do."""
        for other in self._all:
            if (
                other is one
                or other.is_box != one.is_box
                or abs(other.box.left - one.box.left) > SAME_SIDE
            ):
                continue
            upper, lower = sorted((one.box, other.box), key=lambda box: -box.top)
            gap = upper.bottom - lower.top
            between = Box(one.box.left, lower.top, one.box.right, upper.bottom)
            if gap < one.box.top - one.box.bottom and not any(
                between.bottom < word.middle[1] < between.top and _overlaps(between, _box(word), 0)
                for _, _, word in self._near
            ):
                return True
        return False

    def _begins_row(self, one: Field) -> bool:
        """Whether another field follows on the same line, with no words between."""
        right = self._beside(one, float("inf"), on_left=False)
        end = right.word.left if right else float("inf")
        y = one.box.middle[1]
        return any(
            other.box.bottom < y < other.box.top and one.box.right <= other.box.middle[0] < end
            for other in self._all
            if other is not one
        )

    def _above(self, one: Field) -> _Spot | None:
        """Return the last word of the label right above a field, or in the upper part of it."""
        box = one.box
        best: _Spot | None = None
        for line, number, word in self._near:
            height = word.top - word.bottom
            gap = word.bottom - box.top
            is_near = -0.6 * (box.top - box.bottom) - NEAR < gap < ABOVE_REACH * height
            if not is_near or word.middle[1] < box.middle[1] or self._is_value(word, one):
                continue
            if word.left > box.right or word.right < box.left - SAME_SIDE:
                continue
            if best is None or (-round(abs(gap)), word.right) > (
                -round(abs(best.gap)),
                best.word.right,
            ):
                best = _Spot(line, number, gap)
        return best

    def _join(
        self, one: Field, spot: _Spot, *, is_before: bool = False, is_above: bool = False
    ) -> None:
        """Put a value beside a word: as one with it, but in a table of its own."""
        word = spot.word
        if self._cell(word.middle) != self._cell(one.box.middle):
            if is_above:
                self._put_alone(one, is_cell=True)
            else:
                self._insert(one, spot, is_before=is_before)
            return
        self._whole.append(spot.line)
        left, right = word.left, word.right
        if is_before:
            text, left = f"{one.value} {word.text}", min(left, one.box.left)
        elif is_above:
            text = labelled(word.text.rstrip(":： ") if word.text else "", one.value)
        else:
            text = word.text + ("" if word.text.endswith(_NO_SPACE) else " ") + one.value
            after = spot.line.words[spot.number + 1 :]
            right = max(right, min([one.box.right, *(w.left for w in after if w.left > right)]))
        _change(spot.line, spot.number, word._replace(text=text, left=left, right=right))

    def _insert(self, one: Field, spot: _Spot, *, is_before: bool = False) -> None:
        """Put a value beside a word, at its own place."""
        spot.line.words.insert(spot.number + (not is_before), self._word(one, one.value))
        _change(spot.line)

    def _cell(self, point: tuple[float, float]) -> tuple[int, int, int] | None:
        """Return in which cell of which grid a point lies."""
        for number, grid in enumerate(self._grids):
            down = bisect_right([-at for at in grid.across], -point[1]) - 1
            across = bisect_right(grid.down, point[0]) - 1
            if 0 <= down < len(grid.across) - 1 and 0 <= across < len(grid.down) - 1:
                return number, down, across
        return None

    def _word(self, one: Field, text: str) -> Word:
        box = one.box
        top = min(box.top, max(box.middle[1], box.top - self._height) + self._height / 2)
        return Word(text, box.left, box.right, max(box.bottom, top - self._height), top)

    def _put_alone(self, one: Field, *, is_cell: bool) -> None:
        """Put a value on a line of its own, after the words above it."""
        is_cell = is_cell or self._cell(one.box.middle) is not None
        text = one.value if is_cell else labelled(one.name, one.value)
        line = Line(text, [self._word(one, text)])
        x, y = one.box.middle
        at, least = 0, float("inf")
        for number, other in enumerate(self._lines):
            if not other.words:
                continue
            ends = other.words[0].left, other.words[-1].right
            gap = other.words[0].middle[1] - y
            is_aside = ends[0] > one.box.right or ends[1] < one.box.left
            gap += 1_000 * is_aside
            if 0 <= gap < least:
                at, least = number + 1, gap
        self._lines.insert(at, line)


def _box(word: Word) -> Box:
    return Box(word.left, word.bottom, word.right, word.top)


def _overlaps(one: Box, other: Box, margin: float) -> bool:
    return (
        one.left - margin < other.right
        and other.left < one.right + margin
        and one.bottom < other.top
        and other.bottom < one.top
    )


def _blank(word: Word, one: Field, height: float) -> tuple[int, int] | None:
    """Return which letters of a word are the line or box that a field fills, if any are."""
    if one.is_box:
        spans = [(n, n + 1) for n, sign in enumerate(word.text) if sign in _GLYPHS]
    else:
        spans = [found.span() for found in re.finditer(_BLANK, word.text)]
    letter = (word.right - word.left) / len(word.text)
    x = one.box.middle[0]
    far = [abs(word.left + (start + end) / 2 * letter - x) for start, end in spans]
    if not spans or (one.is_box and min(far) > 2 * height):
        return None
    return spans[far.index(min(far))]


def _change(line: Line, number: int = 0, word: Word | None = None) -> None:
    """Change a word of a line, and what the line says."""
    if word is not None:
        line.words[number] = word
    line.text = " ".join([one.text for one in line.words])

"""The order in which a reader takes the lines of a page: columns, and cells of one row together.

It knows rectangles; it does not know pictures or letters. A table and two columns of prose both
have a gap from top to bottom: beside that of prose stand whole lines, one below the other.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from knowledge.parsing.pdf.lines import median

WHOLE = 0.6  # of the width of its column: a line of prose
LONG = 8.0  # times as wide as high: 8 Han letters, 16 of the alphabet
FEWEST = 3  # lines of a column
CROSSING = 0.1  # of the rows of a page, or two, may go over the gap between columns: titles
BINS = 400  # places across the page where a gap is looked for
SAME_ROW = 0.5  # of the lower of two heights


class Placed(NamedTuple):
    """Words and where they stand, made level; y grows downwards."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        """How high it is."""
        return self.bottom - self.top


def reading_order(pieces: Sequence[Placed]) -> list[list[Placed]]:
    """Return the rows of a page, in order; the pieces of a row from left to right."""
    gap = _gap(pieces)
    if gap is None:
        return _rows(pieces)
    ordered: list[list[Placed]] = []
    sides: tuple[list[Placed], list[Placed]] = ([], [])
    for piece in [*sorted(pieces, key=lambda one: one.top), None]:
        if piece is not None and (piece.right <= gap or piece.left >= gap):
            sides[piece.left >= gap].append(piece)
            continue
        for side in sides:
            ordered += reading_order(side)
            side.clear()
        ordered += [[piece]] if piece is not None else []
    return ordered


def _gap(pieces: Sequence[Placed]) -> float | None:
    """Return where the first of two columns ends, if there are columns."""
    if len(pieces) < 2 * FEWEST:
        return None
    start, end = min(one.left for one in pieces), max(one.right for one in pieces)
    step = (end - start) / BINS
    covered = np.zeros(BINS + 1, int)
    for one in pieces:
        covered[int((one.left - start) / step)] += 1
        covered[min(BINS, int((one.right - start) / step) + 1)] -= 1
    crossing = np.cumsum(covered)[:BINS]
    is_free = crossing <= max(2, CROSSING * len(_rows(pieces)))
    least = median(one.height for one in pieces) * SAME_ROW / step
    for first, after in _runs(is_free):
        if first == 0 or after == BINS or after - first < least:
            continue
        gap = start + (first + after) / 2 * step
        left = [one for one in pieces if one.right <= gap]
        right = [one for one in pieces if one.left >= gap]
        if _is_prose(left) and _is_prose(right) and _share_height(left, right):
            return gap
    return None


def _runs(is_free: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_free.astype(int), [0]])))
    return [(int(first), int(after)) for first, after in edges.reshape(-1, 2)]


def _is_prose(pieces: Sequence[Placed]) -> bool:
    """Whether most lines of a column are whole ones, or whole ones side by side."""
    if len(pieces) < FEWEST:
        return False
    if _gap(pieces) is not None:
        return True
    width = max(one.right for one in pieces) - min(one.left for one in pieces)
    whole = [one.right - one.left >= max(WHOLE * width, LONG * one.height) for one in pieces]
    return sum(whole) * 2 > len(whole)


def _share_height(left: Sequence[Placed], right: Sequence[Placed]) -> bool:
    """Whether two columns stand side by side, not one above the other."""
    top = max(min(one.top for one in side) for side in (left, right))
    bottom = min(max(one.bottom for one in side) for side in (left, right))
    return bottom - top > 2 * median(one.height for one in left)


def _rows(pieces: Sequence[Placed]) -> list[list[Placed]]:
    rows: list[list[Placed]] = []
    for piece in sorted(pieces, key=lambda one: one.top + one.bottom):
        if rows and _is_same_row(rows[-1], piece):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda one: one.left) for row in rows]


def _is_same_row(row: Sequence[Placed], piece: Placed) -> bool:
    """Whether a piece stands beside those of a row, overlapping none of them."""
    if any(min(one.right, piece.right) - max(one.left, piece.left) > one.height for one in row):
        return False
    last = row[-1]
    shared = min(last.bottom, piece.bottom) - max(last.top, piece.top)
    return shared > SAME_ROW * min(last.height, piece.height)

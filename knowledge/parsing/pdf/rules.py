"""The lines drawn on a page, and the grids of cells they make.

It knows paths and where they are drawn; it does not know text.
"""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pypdfium2
from pypdfium2 import raw

MOST_OBJECTS = 20_000  # of a page that are looked at: a page of words has 3,000 at most
MOST_LINES = 400  # across, and down, of a page: more are a drawing
THIN = 3.0  # points; a wider bar is a box
SHORT = 5.0  # points; a shorter line is a dash
NEAR = 3.0  # points between lines that are meant to meet


class Rule(NamedTuple):
    """A line across or down: its place on the other axis, and from where to where."""

    at: float
    start: float
    end: float


class Cell(NamedTuple):
    """A cell of a grid: its first row and column, and how many it spans."""

    row: int
    column: int
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class RuledGrid:
    """Lines that make cells; `across` from the top of the page, `down` from the left."""

    across: tuple[float, ...]
    down: tuple[float, ...]
    cells: tuple[Cell, ...]


def read_grids(page: pypdfium2.PdfPage) -> list[RuledGrid]:
    """Return the grids drawn on a page that have at least two columns and two rows."""
    across: list[Rule] = []
    down: list[Rule] = []
    for left, bottom, right, top in _boxes(page):
        wide, high = right - left >= SHORT, top - bottom >= SHORT
        is_bar = right - left <= THIN or top - bottom <= THIN
        if wide and not is_bar and high:
            across += [Rule(bottom, left, right), Rule(top, left, right)]
            down += [Rule(left, bottom, top), Rule(right, bottom, top)]
        elif wide and top - bottom <= THIN:
            across.append(Rule((top + bottom) / 2, left, right))
        elif high and right - left <= THIN:
            down.append(Rule((left + right) / 2, bottom, top))
    across, down = _joined(across), _joined(down)
    if len(across) > MOST_LINES or len(down) > MOST_LINES:
        return []
    groups = _groups(across, down)
    return [grid for group in groups if (grid := _grid(*group)) is not None]


def _boxes(page: pypdfium2.PdfPage) -> Iterator[tuple[float, float, float, float]]:
    """Yield where each path of a page is drawn."""
    sides = [ctypes.c_float() for _ in range(4)]
    find, kind_of, handle, path = (
        raw.FPDFPage_GetObject,
        raw.FPDFPageObj_GetType,
        page.raw,
        raw.FPDF_PAGEOBJ_PATH,
    )
    for number in range(min(raw.FPDFPage_CountObjects(page), MOST_OBJECTS)):
        found = find(handle, number)
        if kind_of(found) != path:
            continue
        if raw.FPDFPath_CountSegments(found) > 5:
            yield from _segments(found)
        elif raw.FPDFPageObj_GetBounds(found, *sides):
            left, bottom, right, top = (side.value for side in sides)
            yield left, bottom, right, top


def _segments(path: raw.FPDF_PAGEOBJECT) -> Iterator[tuple[float, float, float, float]]:
    """Yield the straight lines of a path that draws many."""
    matrix = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(path, matrix)
    x, y = ctypes.c_float(), ctypes.c_float()
    before = start = None
    for number in range(min(raw.FPDFPath_CountSegments(path), MOST_OBJECTS)):
        segment = raw.FPDFPath_GetPathSegment(path, number)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        point = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        kind = raw.FPDFPathSegment_GetType(segment)
        if kind == raw.FPDF_SEGMENT_LINETO and before is not None:
            yield _box(before, point)
        if kind == raw.FPDF_SEGMENT_MOVETO:
            start = point
        if raw.FPDFPathSegment_GetClose(segment) and start is not None:
            yield _box(point, start)
        before = point


def _box(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float, float, float]:
    return (
        min(one[0], other[0]),
        min(one[1], other[1]),
        max(one[0], other[0]),
        max(one[1], other[1]),
    )


def _joined(rules: list[Rule]) -> list[Rule]:
    """Return the rules, those joined that lie on one line and touch."""
    joined: list[Rule] = []
    clusters: list[list[Rule]] = []
    for rule in sorted(rules):
        if clusters and rule.at - clusters[-1][-1].at < NEAR / 2:
            clusters[-1].append(rule)
        else:
            clusters.append([rule])
    for cluster in clusters:
        at = sum(rule.at for rule in cluster) / len(cluster)
        start, end = None, 0.0
        for rule in sorted(cluster, key=lambda rule: rule.start):
            if start is not None and rule.start <= end + NEAR:
                end = max(end, rule.end)
                continue
            joined += [Rule(at, start, end)] if start is not None else []
            start, end = rule.start, rule.end
        joined += [Rule(at, start, end)] if start is not None else []
    return joined


def _groups(across: Sequence[Rule], down: Sequence[Rule]) -> list[tuple[list[Rule], list[Rule]]]:
    """Return the rules that hang together, those across and those down."""
    groups: list[tuple[list[Rule], list[Rule]]] = []
    left = list(across)
    while left:
        group: tuple[list[Rule], list[Rule]] = ([], [])
        waiting = [(0, left.pop())]
        free = [left, [rule for rule in down if not any(rule in g[1] for g in groups)]]
        while waiting:
            kind, rule = waiting.pop()
            group[kind].append(rule)
            met = [other for other in free[1 - kind] if _meet(rule, other)]
            free[1 - kind][:] = [other for other in free[1 - kind] if other not in met]
            waiting += [(1 - kind, other) for other in met]
        groups.append(group)
    return groups


def _meet(one: Rule, other: Rule) -> bool:
    return (
        one.start - NEAR <= other.at <= one.end + NEAR
        and other.start - NEAR <= one.at <= other.end + NEAR
    )


def _grid(across: Sequence[Rule], down: Sequence[Rule]) -> RuledGrid | None:
    if len(across) < 2 or not down:
        return None
    ends = [min(rule.start for rule in across), max(rule.end for rule in across)]
    columns = _places([*ends, *(rule.at for rule in down)])
    ends = [min(rule.start for rule in down), max(rule.end for rule in down)]
    rows = _places([*ends, *(rule.at for rule in across)])[::-1]
    if len(columns) < 3 or len(rows) < 3:
        return None
    return RuledGrid(tuple(rows), tuple(columns), tuple(_cells(across, down, rows, columns)))


def _places(values: Sequence[float]) -> list[float]:
    places: list[float] = []
    for value in sorted(values):
        if not places or value - places[-1] > NEAR:
            places.append(value)
    return places


def _cells(
    across: Sequence[Rule], down: Sequence[Rule], rows: Sequence[float], columns: Sequence[float]
) -> Iterator[Cell]:
    """Yield the cells; where no line parts two, they are one."""
    beside = [[rule for rule in down if abs(rule.at - at) <= NEAR] for at in columns]
    above = [[rule for rule in across if abs(rule.at - at) <= NEAR] for at in rows]

    def is_parted(rules: Sequence[Rule], middle: float) -> bool:
        return any(rule.start <= middle <= rule.end for rule in rules)

    middles = [(a + b) / 2 for a, b in zip(rows, rows[1:], strict=False)]
    centres = [(a + b) / 2 for a, b in zip(columns, columns[1:], strict=False)]
    taken: set[tuple[int, int]] = set()
    for row, middle in enumerate(middles):
        for column, centre in enumerate(centres):
            if (row, column) in taken:
                continue
            wide = high = 1
            while column + wide < len(centres) and not is_parted(beside[column + wide], middle):
                wide += 1
            while row + high < len(middles) and not is_parted(above[row + high], centre):
                high += 1
            taken |= {(row + y, column + x) for y in range(high) for x in range(wide)}
            yield Cell(row, column, high, wide)

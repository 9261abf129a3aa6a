"""The cells of a sheet, cut into tables and what stands above them as their title.

It knows rows, columns, merged and named areas; it does not know how a file tells them, nor what the
text of a cell means.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

from knowledge.parsing.grid import HEADER_CHARS, guess_header_rows, is_figure
from knowledge.parsing.writer import BlockWriter, too_much_text

TITLE_LINES = 3  # more lines above a table are text of their own
MOST_HEADER_ROWS = 5  # a pane may be frozen further down, but not because it names columns
MOST_GAPS = 16  # empty columns at which a band is tried to be cut
TITLE_ABOVE = 2  # rows: one blank row may part a title from its table


class Area(NamedTuple):
    """Cells from corner to corner; rows count from 1 as in Excel, columns from 0."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(slots=True)
class SheetRow:
    """A row and the text of its cells by column.

    Attributes:
        number: As the sheet has it.
        place: Among the rows that are shown: a row that is hidden parts no table.
        is_bold: All of its cells are.
    """

    number: int
    cells: dict[int, str]
    place: int
    is_bold: bool = True


@dataclass(slots=True)
class Sheet:
    """What a file tells of a sheet.

    Attributes:
        most_chars: It may have, merged cells filled.
        rows: Those with any text, in order.
        merged: Areas that are one cell; its text stands in the first.
        tables: Areas that are a table by name, and how many of their rows name the columns.
        header_ends: Rows at which the part that names columns may end: frozen, or with a filter.
        hidden_columns: Not shown.
        left_out_columns: Those of them that hold text.
    """

    most_chars: int
    rows: list[SheetRow] = field(default_factory=list)
    merged: list[Area] = field(default_factory=list)
    tables: list[tuple[Area, int]] = field(default_factory=list)
    header_ends: list[int] = field(default_factory=list)
    hidden_columns: set[int] = field(default_factory=set)
    left_out_columns: set[int] = field(default_factory=set)


@dataclass(slots=True)
class _Region:
    """Rows that belong together; `header_end`: the row at which the file says its header ends."""

    rows: list[SheetRow]
    header_end: int = 0
    is_named: bool = False

    @property
    def columns(self) -> tuple[int, int]:
        """Return its first column and the one after its last."""
        return (
            min(min(row.cells) for row in self.rows),
            max(max(row.cells) for row in self.rows) + 1,
        )


def write_tables(writer: BlockWriter, sheet: Sheet) -> None:
    """Add the tables of a sheet and the lines between them.

    Raises:
        ParseLimitExceeded: Filling merged cells makes more text than allowed.
    """
    sheet.rows.sort(key=lambda row: row.number)  # they are in order, but for broken writers
    wide_rows = _fill_merged(sheet)
    regions = [*_take_named(sheet), *_cut(sheet.rows)]
    regions.sort(key=lambda region: (region.rows[0].number, region.columns))
    lines: list[SheetRow] = []  # the last of them may be the title of what follows
    for region in _join(regions):
        ends = (e for e in sheet.header_ends if region.rows[0].number <= e < region.rows[-1].number)
        region.header_end = region.header_end or max(ends, default=0)
        if lines and region.rows[0].place - lines[-1].place > TITLE_ABOVE:
            _write_lines(writer, lines)
            lines = []
        count = _lines_above(region)
        lines += region.rows[:count]
        region.rows = region.rows[count:]
        if region.rows:
            _write(writer, region, _take_title(writer, lines), sheet=sheet, wide_rows=wide_rows)
            lines = []
    _write_lines(writer, lines)


def _fill_merged(sheet: Sheet) -> set[int]:
    """Fill merged cells with their text; return the rows in which one spans several columns.

    A cell that stands alone in its row is a title: it is not repeated to the right.
    """
    numbers = [row.number for row in sheet.rows]
    last = max((max(row.cells) for row in sheet.rows), default=0)
    left = sheet.most_chars
    wide: set[int] = set()
    for area in sorted(sheet.merged):
        rows = sheet.rows[bisect_left(numbers, area.top) : bisect_right(numbers, area.bottom)]
        text = rows[0].cells.get(area.left) if rows and rows[0].number == area.top else None
        if not text:
            continue
        columns = [
            column
            for column in range(area.left, min(area.right, last) + 1)
            if column not in sheet.hidden_columns
        ]
        if len(columns) > 1 and len(rows[0].cells) > 1:
            wide.add(area.top)
        elif len(columns) > 1:
            columns = [area.left]
        left -= len(text) * len(columns) * len(rows)
        if left < 0:
            raise too_much_text(sheet.most_chars)
        for row in rows:
            row.cells = {**dict.fromkeys(columns, text), **row.cells}
    return wide


def _take_named(sheet: Sheet) -> Iterator[_Region]:
    """Yield the areas that are tables by name; their cells are taken out of the sheet."""
    for area, header_rows in sheet.tables:
        found: list[SheetRow] = []
        for row in sheet.rows:
            if not area.top <= row.number <= area.bottom:
                continue
            inside = {c: text for c, text in row.cells.items() if area.left <= c <= area.right}
            if inside:
                found.append(replace(row, cells=inside))
                row.cells = {c: text for c, text in row.cells.items() if c not in inside}
        sheet.rows = [row for row in sheet.rows if row.cells]
        if found:
            yield _Region(found, area.top + header_rows - 1, is_named=True)


def _cut(rows: Sequence[SheetRow]) -> Iterator[_Region]:
    """Yield what blank rows part, and tables that stand side by side."""
    left = [list(rows)]
    while left:
        bands = list(_bands(left.pop()))
        if len(bands) > 1:
            left += reversed(bands)
            continue
        for band in bands:
            halves = _side_by_side(band)
            left += reversed(halves)
            if not halves:
                yield _Region(band)


def _bands(rows: Sequence[SheetRow]) -> Iterator[list[SheetRow]]:
    start = 0
    for at in range(1, len(rows) + 1):
        if at == len(rows) or rows[at].place > rows[at - 1].place + 1:
            yield list(rows[start:at])
            start = at


def _side_by_side(band: Sequence[SheetRow]) -> list[list[SheetRow]]:
    """Return two tables that an empty column parts, or nothing.

    They are two where each has whole rows and columns of its own, and the two differ in their rows,
    have a title each, or a column of the same name. Else it is one table with an empty column.
    """
    used = sorted(set().union(*(row.cells for row in band)))
    gaps = [after for before, after in pairwise(used) if after > before + 1]
    for gap in gaps[:MOST_GAPS]:
        halves = [_within(band, 0, gap), _within(band, gap, used[-1] + 1)]
        if all(_is_block(half) for half in halves) and _differ(*halves):
            return halves
    return []


def _within(band: Sequence[SheetRow], first: int, end: int) -> list[SheetRow]:
    parts = (
        replace(row, cells={c: t for c, t in row.cells.items() if first <= c < end}) for row in band
    )
    return [part for part in parts if part.cells]


def _is_block(rows: Sequence[SheetRow]) -> bool:
    has_all_rows = rows[-1].place - rows[0].place + 1 == len(rows) > 1
    return has_all_rows and max(len(row.cells) for row in rows) > 1


def _differ(one: Sequence[SheetRow], other: Sequence[SheetRow]) -> bool:
    extents = {(half[0].number, half[-1].number) for half in (one, other)}
    have_titles = len(one[0].cells) == len(other[0].cells) == 1
    if len(extents) > 1 or have_titles:
        return True
    return not set(one[0].cells.values()).isdisjoint(other[0].cells.values())


def _join(regions: Iterable[_Region]) -> list[_Region]:
    """Return the regions, those joined that are one table with a blank row inside."""
    joined: list[_Region] = []
    for region in regions:
        if joined and _goes_on(joined[-1], region):
            joined[-1].rows += region.rows
        else:
            joined.append(region)
    return joined


def _goes_on(before: _Region, region: _Region) -> bool:
    """Whether a region has the columns of the one before, and no header of its own."""
    first, last = region.rows[0], before.rows[-1]
    if before.is_named or region.is_named or first.place != last.place + 2:
        return False
    (left, right), (its_left, its_right) = before.columns, region.columns
    is_inside = left <= its_left and its_right <= right and len(first.cells) > 1
    if not is_inside or len(last.cells) < 2 or _is_bold_header(region.rows):
        return False
    shared = first.cells.keys() & last.cells.keys()
    return all(is_figure(first.cells[c]) == is_figure(last.cells[c]) for c in shared)


def _is_bold_header(rows: Sequence[SheetRow]) -> bool:
    return len(rows) > 1 and rows[0].is_bold and not rows[1].is_bold


def _lines_above(region: _Region) -> int:
    """Return how many rows at the top of a region are lines and no part of its table."""
    rows = region.rows
    lines = next((at for at, row in enumerate(rows) if len(row.cells) > 1), len(rows))
    if lines > TITLE_LINES and lines < len(rows) and not _header_rows(region, lines, set()):
        return 0  # a list in which some rows say more
    return lines


def _header_rows(region: _Region, above: int, wide_rows: set[int]) -> int:
    """Return how many rows name the columns, of those below the lines above the table."""
    rows = region.rows[above:]
    known = bisect_right([row.number for row in rows[: MOST_HEADER_ROWS + 1]], region.header_end)
    if 0 < known <= min(MOST_HEADER_ROWS, len(rows) - 1):
        return known
    bold = next((at for at, row in enumerate(rows) if not row.is_bold), 0)
    if 0 < bold <= MOST_HEADER_ROWS:
        return bold
    left, right = region.columns
    top = [[row.cells.get(c, "") for c in range(left, right)] for row in rows[:3]]
    return guess_header_rows(top, two=rows[0].number in wide_rows)


def _take_title(writer: BlockWriter, lines: list[SheetRow]) -> str:
    """Return the lines right above a table as its title; those further up are written."""
    group = list(_bands(lines))[-1] if lines else []
    texts = [text for row in group for text in row.cells.values()]
    if len(texts) > TITLE_LINES or any(len(text) > HEADER_CHARS for text in texts):
        group, texts = [], []
    _write_lines(writer, lines[: len(lines) - len(group)])
    return " – ".join(" ".join(text.split()) for text in texts)


def _write_lines(writer: BlockWriter, lines: Iterable[SheetRow]) -> None:
    for row in lines:
        for text in row.cells.values():
            writer.text(text)
            writer.end_paragraph()


def _write(
    writer: BlockWriter, region: _Region, title: str, *, sheet: Sheet, wide_rows: set[int]
) -> None:
    left, right = region.columns
    shown = (column for column in range(left, right) if column not in sheet.hidden_columns)
    places = {column: place for place, column in enumerate(shown)}
    header_rows = _header_rows(region, 0, wide_rows)
    writer.begin_table()
    for number, row in enumerate(region.rows):
        writer.begin_row(is_header=number < header_rows)
        for column in sorted(row.cells):
            writer.skip_to(places[column])
            writer.cell(row.cells[column])
        writer.end_row()
    writer.end_table(title)

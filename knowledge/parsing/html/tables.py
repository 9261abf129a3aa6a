"""Tables of web pages: those that hold data, and those that only lay a page out.

It knows rows, header cells and spans; what a cell holds was read before (`page`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile

from knowledge.parsing.blocks import Block, Caption, Code, Heading, ListItem, Paragraph, Table
from knowledge.parsing.grid import guess_header_rows
from knowledge.parsing.html.lists import Attributes, number_of
from knowledge.parsing.writer import BlockWriter

MOST_COLUMNS = 1_000  # of one cell, as browsers cut it (HTML Standard 4.9.11)
MOST_ROWS = 65_534  # … and its rows
MAX_DEPTH = 32  # of tables in cells; mail is laid out ten deep. Deeper ones are running text


@dataclass(slots=True)
class Cell:
    """A cell that was read."""

    blocks: Sequence[Block]
    is_header: bool = False
    columns: int = 1
    rows: int = 1

    @property
    def words(self) -> str:
        """What it says, where that is short."""
        return " ".join(block.text for block in self.blocks if isinstance(block, Paragraph))


@dataclass(slots=True)
class Row:
    """A row that was read; `begins_group`: no cell spans from above into it."""

    cells: list[Cell]
    is_in_head: bool = False
    begins_group: bool = False

    @property
    def is_header(self) -> bool:
        """Whether it names the columns: header cells, and more than the name of one row."""
        filled = [cell for cell in self.cells if cell.blocks]
        if self.is_in_head or not all(cell.is_header for cell in filled):
            return self.is_in_head
        has_corner = self.cells[:1] != filled[:1]
        return has_corner or len(self.cells) == 1 or sum(cell.columns for cell in filled) > 1


@dataclass(slots=True)
class OpenTable:
    """A table whose rows are read."""

    is_layout: bool = False  # the page says so
    title: str = ""
    rows: list[Row] = field(default_factory=list)
    is_row_open: bool = False
    is_cell_open: bool = False
    is_in_head: bool = False
    begins_group: bool = False

    def begin_group(self, *, is_head: bool) -> None:
        """Begin a head, body or foot."""
        self.is_in_head = is_head
        self.begins_group = True

    def begin_row(self) -> None:
        """Begin a row."""
        self.rows.append(Row([], self.is_in_head, self.begins_group))
        self.begins_group = False
        self.is_row_open = True

    def begin_cell(self, attributes: Attributes, *, is_header: bool) -> None:
        """Begin a cell of the row."""
        columns = min(max(1, number_of(attributes.get("colspan"), 1)), MOST_COLUMNS)
        rows = min(max(0, number_of(attributes.get("rowspan"), 1)), MOST_ROWS)
        self.rows[-1].cells.append(Cell((), is_header, columns, rows))
        self.is_cell_open = True

    def end_cell(self, blocks: Sequence[Block]) -> None:
        """End the cell, which holds these blocks."""
        self.rows[-1].cells[-1].blocks = blocks
        self.is_cell_open = False


class OpenTables:
    """The tables that are read, in each other; those that are too deep are running text."""

    def __init__(self) -> None:
        """Begin with none."""
        self._tables: list[OpenTable] = []
        self._deeper = 0  # than are told apart

    @property
    def innermost(self) -> OpenTable | None:
        """The innermost one; None outside, and in one that is too deep."""
        return self._tables[-1] if self._tables and not self._deeper else None

    def begin(self, attributes: Attributes) -> None:
        """Begin a table."""
        if len(self._tables) == MAX_DEPTH:
            self._deeper += 1
            return
        role = attributes.get("role") or ""
        self._tables.append(OpenTable(is_layout=role in ("presentation", "none")))

    def end(self) -> OpenTable | None:
        """End the innermost table and return it."""
        if self._deeper:
            self._deeper -= 1
            return None
        return self._tables.pop() if self._tables else None

    @property
    def are_open(self) -> bool:
        """Whether there is any."""
        return bool(self._tables)


def write_table(writer: BlockWriter, table: OpenTable) -> None:
    """Write a table that was read: as data, or what its cells hold one after the other."""
    has_header = any(cell.is_header for row in table.rows for cell in row.cells)
    has_head = any(row.is_in_head for row in table.rows)
    is_data = has_header or has_head or bool(table.title)
    if table.is_layout or _is_one_column(table.rows) or not is_data and _is_layout(table.rows):
        blocks = writer.blocks_of_frame()
        if table.title:
            blocks.append(Caption(table.title))
        blocks.extend(block for cell in _cells(table.rows) for block in cell.blocks)
        return
    _write_data(writer, table)
    blocks = writer.blocks_of_frame()
    if blocks and isinstance(blocks[-1], Table) and (has_header or has_head):
        most = _header_rows(table.rows)
        blocks[-1] = replace(blocks[-1], header_rows=min(blocks[-1].header_rows, most))


def _header_rows(rows: Sequence[Row]) -> int:
    """Return how many rows may name the columns of a table that has header cells."""
    is_header = [row.is_header for row in rows if any(cell.blocks for cell in row.cells)]
    if not any(is_header[:1]) and any(cell.is_header for cell in rows[0].cells):
        return 0  # they name rows
    return max(1, len(list(takewhile(bool, is_header))))


def _write_data(writer: BlockWriter, table: OpenTable) -> None:
    is_all_head = all(row.is_in_head for row in table.rows)  # a head that was never closed
    writer.begin_table()
    for row in table.rows:
        if row.begins_group:
            writer.begin_group()
        row.is_in_head = row.is_in_head and not is_all_head
        writer.begin_row(is_header=row.is_header)
        for cell in row.cells:
            writer.cell_of(cell.blocks, columns=cell.columns, rows=cell.rows)
        writer.end_row()
    writer.end_table(table.title)


def _cells(rows: Sequence[Row]) -> Iterator[Cell]:
    return (cell for row in rows for cell in row.cells)


def _is_one_column(rows: Sequence[Row]) -> bool:
    """Say whether no row has two cells with words, nor one beside a cell that spans rows."""
    below = 0  # rows that a cell from above still spans
    for row in rows:
        filled = [cell for cell in row.cells if cell.blocks]
        if len(filled) > 1 or (filled and below > 0):
            return False
        below = max([below - 1, *((cell.rows or MOST_ROWS) - 1 for cell in filled)])
    return True


def _is_layout(rows: Sequence[Row]) -> bool:
    """Say whether a table without header cells holds parts of a page rather than data."""
    cells = list(_cells(rows))
    if any(isinstance(block, Heading | Code | Table) for cell in cells for block in cell.blocks):
        return True
    has_parts = any(
        len(cell.blocks) > 1 or isinstance(block, ListItem)
        for cell in cells
        for block in cell.blocks
    )
    words = [[cell.words for cell in row.cells] for row in rows]
    return has_parts and not (len(rows) > 2 and guess_header_rows(words))

"""A table on its way to a block: merged cells filled, header rows and a title row told apart.

It knows rows, columns and spans; it does not know formats nor how a table is written.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from knowledge.parsing.blocks import Table

MAX_COLUMNS = 16_384  # Excel's own
HEADER_CHARS = 80  # a longer cell is a sentence, not the name of a column
_NUMBER = re.compile(r"[^\w%]*[\d.,:/\s\-+%–]*\d[\d.,:/\s\-+%–]*\D{0,4}")
_YEAR = re.compile(r"(19|20)\d\d(年)?")

Rows = Sequence[Sequence[str]]


class Grid:
    """Rows of cells in the order in which a file tells them."""

    def __init__(self, charge: Callable[[str], None]) -> None:
        """Begin an empty grid; `charge` is told every cell that a merged one fills besides."""
        self._charge = charge
        self._rows: list[list[str]] = []
        self._header_rows = 0
        self._hanging: dict[int, tuple[int, str]] = {}  # column → (rows left, text) from above
        self._is_header = True
        self._has_wide_cells = False  # in the first row: names over several columns
        self._starts: set[int] = set()  # columns in which a cell begins
        self._spanned: set[int] = set()  # … over which a wider one reaches
        self._wide_rows: dict[int, int] = {}  # row of one wide cell → columns of that

    def begin_group(self) -> None:
        """Let no cell from above reach further down: a body or foot begins."""
        self._hanging.clear()

    def begin_row(self, *, is_header: bool = False) -> None:
        """Begin a row; `is_header`: the file calls it a header."""
        self._rows.append([])
        self._is_header = is_header

    @property
    def is_empty(self) -> bool:
        """It has no cell yet."""
        return not any(self._rows)

    def mark_header(self) -> None:
        """Tell that the row names the columns."""
        self._is_header = True

    def above(self) -> str:
        """Return what the next cell of the row above says; empty where there is none."""
        before, column = self._rows[-2:-1], len(self._rows[-1])
        return before[0][column] if before and column < len(before[0]) else ""

    def left(self) -> str:
        """Return what the last cell of the row says, whose name then spans several columns."""
        self._has_wide_cells |= len(self._rows) == 1
        return self._rows[-1][-1] if self._rows[-1] else ""

    def add(
        self, text: str, *, columns: int = 1, rows: int = 1, is_header: bool | None = None
    ) -> None:
        """Add the next cell of the row.

        Args:
            text: What it says.
            columns: How many it spans; each says the same.
            rows: How many it spans; 0: to the end of the table.
            is_header: False takes the row's name of a header away, True leaves it.
        """
        row = self._rows[-1]
        self._fill_from_above(row)
        self._is_header = self._is_header and is_header is not False
        self._has_wide_cells |= columns > 1 and len(self._rows) == 1
        self._starts.add(len(row))
        if columns > 1 and not row and rows == 1:
            self._wide_rows[len(self._rows) - 1] = columns
        for number in range(max(1, min(columns, MAX_COLUMNS - len(row)))):
            if number:
                self._charge(text or " ")
                self._spanned.add(len(row))
            if rows != 1:
                self._hanging[len(row)] = (rows - 1 if rows else MAX_COLUMNS, text)
            row.append(text)

    def skip_to(self, column: int) -> None:
        """Leave the cells before `column` (from 0) empty."""
        row = self._rows[-1]
        self._fill_from_above(row)
        while len(row) < min(column, MAX_COLUMNS):
            row.append("")
            self._fill_from_above(row)

    def end_row(self) -> None:
        """End the row."""
        row = self._rows[-1]
        self.skip_to(1 + max(self._hanging, default=-1))
        if self._is_header and len(self._rows) == self._header_rows + 1 and any(row):
            self._header_rows += 1

    def table(self, title: str = "") -> Table:
        """Return the table, its first row as its title where that is one cell over all columns."""
        rows = [tuple(row) for row in self._narrowed() if any(row)]
        header_rows = min(self._header_rows, len(rows))
        first = [cell for cell in rows[0] if cell] if rows else []
        is_one = len(first) == 1 or (self._has_wide_cells and len(set(first)) == 1)
        if len(rows) > 2 and is_one and max(map(len, rows)) > 1 and not title:
            title = first[0]
            rows = rows[1:]
            header_rows = max(0, header_rows - 1)
            self._has_wide_cells = False
        guessed = guess_header_rows(rows, two=self._has_wide_cells)
        return Table(tuple(rows), max(header_rows, guessed), title)

    def _narrowed(self) -> Iterator[Sequence[str]]:
        """Yield the rows without columns in which no cell begins; one over all of them once."""
        dropped = self._spanned - self._starts
        width = len(self._starts)
        for number, row in enumerate(self._rows):
            if number and self._wide_rows.get(number, 0) >= width and len(set(row)) == 1:
                yield row[:1]
            elif dropped:
                yield [cell for column, cell in enumerate(row) if column not in dropped]
            else:
                yield row

    def _fill_from_above(self, row: list[str]) -> None:
        while (above := self._hanging.get(len(row))) is not None:
            left, text = above
            column = len(row)
            if left <= 1:
                del self._hanging[column]
            else:
                self._hanging[column] = (left - 1, text)
            self._charge(text or " ")
            row.append(text)


def guess_header_rows(rows: Rows, *, two: bool = False) -> int:
    """Return how many rows name the columns, of a table whose file does not say.

    The first one does where it is filled, short and without figures (years may be) and another row
    follows.

    Args:
        rows: All rows.
        two: The first row has names over several columns: the second names each of them.
    """
    if len(rows) < 2 or not _is_header_row(rows[0], max(map(len, rows))):
        return 0
    return 2 if two and len(rows) > 2 and _is_header_row(rows[1], len(rows[0])) else 1


def _is_header_row(row: Sequence[str], width: int) -> bool:
    filled = [cell for cell in row if cell]
    if width < 2 or len(filled) * 2 < width:
        return False
    return all(len(cell) <= HEADER_CHARS and not is_figure(cell) for cell in filled)


def is_figure(cell: str) -> bool:
    """Whether a cell holds a number, and perhaps its unit; a year may name a column."""
    return _NUMBER.fullmatch(cell) is not None and _YEAR.fullmatch(cell) is None

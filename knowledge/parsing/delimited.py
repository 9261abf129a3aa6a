"""The rows of a text whose cells a sign parts, quotes that are wrong among them.

It knows how cells are quoted, and what people write instead: a quote for inches, one that is never
closed, a quoted word at the start of a cell. It does not know what the rows say (`tables`).
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from knowledge.errors import DamagedFile
from knowledge.parsing.blocks import NotRead

MAX_FIELD_CHARS = 1_000_000
_WORD = re.compile(r"[^\W\d_]+")
_DIGITS = re.compile(r"\d+")

Rows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Delimited:
    """Rows with white space folded in their cells, and what is told of their quotes."""

    rows: Rows
    not_read: tuple[NotRead, ...] = ()


def read_rows(filename: str, text: str, separator: str) -> Delimited:
    """Return the rows; a quote that is none is a letter, and takes no rows into its cell.

    Raises:
        DamagedFile: A cell is longer than any cell is.
    """
    csv.field_size_limit(MAX_FIELD_CHARS)
    if _Quotes(separator).are_well_placed(text):
        return Delimited(_read(filename, text, separator))
    reader = _Reader(text, separator)
    rows = reader.rows()
    if any(len(cell) > MAX_FIELD_CHARS for row in rows for cell in row):
        raise _too_long(filename)
    return Delimited(_folded(rows), reader.told())


class _Quotes:
    """Knows cells in quotes that open, close and end in one line."""

    def __init__(self, separator: str) -> None:
        cut = re.escape(separator)
        opens = rf"(?:(?<=\n)|(?<={cut})|(?<={cut} )|\A) ?"
        self._cell = re.compile(rf'{opens}"(?:[^"\n]|"")*"(?= *(?:{cut}|\n|\Z))')

    def are_well_placed(self, text: str) -> bool:
        """Say whether a text has no quotes but theirs."""
        return '"' not in text or '"' not in self._cell.sub("", text)


def _read(filename: str, text: str, separator: str) -> Rows:
    file = io.StringIO(text, newline="")
    try:
        return _folded(csv.reader(file, delimiter=separator, skipinitialspace=True))
    except csv.Error as exc:
        raise _too_long(filename) from exc


def _folded(rows: Iterable[Sequence[str]]) -> Rows:
    return [[" ".join(cell.split()) for cell in row] for row in rows]


def _too_long(filename: str) -> DamagedFile:
    why = f"a cell has more than {MAX_FIELD_CHARS:,} characters, or a quote is never closed"
    return DamagedFile(f"{filename!r} is not a table: {why}")


class _Reader:
    """Cuts a text by hand where a quote is out of place."""

    def __init__(self, text: str, separator: str) -> None:
        self._text = text
        self._separator = separator
        self._quotes = _Quotes(separator)
        self._stray: list[int] = []  # where quotes stand that are letters

    def rows(self) -> Rows:
        """Return the rows, cells as they stand."""
        rows: Rows = []
        at = 0
        while at < len(self._text):
            end = self._line_end(at)
            line = self._text[at:end]
            if '"' not in line:
                rows.append(line.split(self._separator))
                at = end + 1
            elif len(line) < MAX_FIELD_CHARS and self._quotes.are_well_placed(line):
                rows += csv.reader([line], delimiter=self._separator, skipinitialspace=True)
                at = end + 1
            else:
                row, at = self._row(at)
                rows.append(row)
        return rows

    def told(self) -> tuple[NotRead, ...]:
        """Return what is told of quotes out of place."""
        if not self._stray:
            return ()
        line = self._text.count("\n", 0, self._stray[0]) + 1
        more = len(self._stray) - 1
        where = f"line {line} and {more} more" if more else f"line {line}"
        return (NotRead("quotes", where, "a quote is not closed or doubled; read as a letter"),)

    def _row(self, at: int) -> tuple[list[str], int]:
        """Return the row that begins here, and where the next begins."""
        row: list[str] = []
        while True:
            start = at + len(self._text[at : at + 80]) - len(self._text[at : at + 80].lstrip(" "))
            closing = self._closing(start + 1) if self._text.startswith('"', start) else -1
            if closing >= 0:
                row.append(self._text[start + 1 : closing].replace('""', '"').replace('\\"', '"'))
                end = self._cell_end(closing + 1)
            else:
                end = self._cell_end(at)
                row.append(self._text[at:end])
                if self._text.startswith('"', start):
                    self._stray.append(start)
            at = end + 1
            if end >= len(self._text) or self._text[end] == "\n":
                return row, at

    def _closing(self, start: int) -> int:
        """Return where the quote stands that closes a cell; -1: none does."""
        at = self._text.find('"', start)
        has_escapes = False  # a quote after a backslash is one of the cell's letters
        while 0 <= at <= start + MAX_FIELD_CHARS:
            is_escaped = self._text[at - 1] == "\\"
            if self._ends_cell(at + 1) and not (is_escaped and has_escapes):
                return -1 if self._takes_rows(start, at) else at
            if self._text.startswith('""', at):
                at += 1
            elif "\n" in self._text[start:at]:
                return -1  # a cell that opens in a later line
            elif not is_escaped:
                self._stray.append(at)
            has_escapes = has_escapes or is_escaped
            at = self._text.find('"', at + 1)
        return -1

    def _takes_rows(self, start: int, closing: int) -> bool:
        """Say whether all lines inside a cell look like rows of the table that it stands in."""
        first, *lines = self._text[start:closing].split("\n")
        if not lines:
            return False
        before = self._text.rfind("\n", 0, start) + 1
        rows = [line.split(self._separator) for line in [self._text[before:start] + first, *lines]]
        shapes = {(len(row), _shape(row[0])) for row in rows}
        return len(shapes) == 1 and len(rows[0]) > 1

    def _ends_cell(self, at: int) -> bool:
        while self._text.startswith(" ", at):
            at += 1
        return at >= len(self._text) or self._text[at] in ("\n", self._separator)

    def _cell_end(self, at: int) -> int:
        end = self._line_end(at)
        found = self._text.find(self._separator, at, end)
        return end if found < 0 else found

    def _line_end(self, at: int) -> int:
        found = self._text.find("\n", at)
        return len(self._text) if found < 0 else found


def _shape(cell: str) -> str:
    """Return a cell with its words and figures told apart only: `E0-a`."""
    return _DIGITS.sub("0", _WORD.sub("a", cell.strip()))

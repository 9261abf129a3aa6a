"""Tables in text files: CSV and its relatives, one line for each row.

It knows separators and what people write above a table; quotes are `delimited`'s business and
encodings `text`'s.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import dropwhile, islice

from knowledge.parsing.blocks import Block, NotRead, Paragraph, Table
from knowledge.parsing.delimited import Rows, read_rows
from knowledge.parsing.grid import guess_header_rows
from knowledge.parsing.writer import too_much_text

SEPARATORS = "\t;|,"
"""Where two cut all rows alike the first is right: a comma also stands in figures."""
SAMPLE_CHARS = 20_000
SAMPLE_ROWS = 50
_NAMED = re.compile(r'"?sep=(.)"?\n', re.IGNORECASE)  # how Excel is told the separator
_DATE = re.compile(r"(19|20)\d\d\s?[-/.年]\s?\d{1,2}月?|\d{1,2}[-/.](19|20)\d\d")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a file with the remarks above them, and what is told of it."""

    blocks: Sequence[Block]
    not_read: Sequence[NotRead]


def read_table(filename: str, text: str, chars: int) -> Tables:
    """Return the tables of a file, and the remarks above them, as blocks.

    Raises:
        DamagedFile: A cell is longer than any cell is.
        ParseLimitExceeded: It has more than `chars` characters.
    """
    if len(text) > chars:
        raise too_much_text(chars)
    named = _NAMED.match(text)
    separator = named[1] if named else _separator(text)
    read = read_rows(filename, text[named.end() :] if named else text, separator)
    blocks = [block for part in _parts(read.rows) for block in _blocks(part, separator)]
    return Tables(blocks, read.not_read)


def _separator(text: str) -> str:
    """Return the separator that cuts most of the first rows into the same number of cells."""
    lines = [line for line in text[:SAMPLE_CHARS].split("\n")[:SAMPLE_ROWS] if line.strip()]
    best, best_rank = ",", 0.0
    for separator in SEPARATORS:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator))
        width = _most_common(widths)
        rank = widths[width] / max(1, len(lines))
        if width > 1 and rank > best_rank:
            best, best_rank = separator, rank
    return best


def _parts(rows: Rows) -> Iterator[Rows]:
    """Yield the tables of a file: a blank line parts two where a title or header follows it."""
    part: Rows = []
    is_parted = False
    for row in rows:
        if not any(row):
            is_parted = bool(part)
            continue
        if is_parted and _width(part) > 1 and (_is_lone(row) or _is_names(row, _width(part))):
            yield part
            part = []
        part.append(row)
        is_parted = False
    if part:
        yield part


def _blocks(rows: Rows, separator: str) -> Iterator[Block]:
    """Yield the remarks above a table, and the table."""
    remarks: list[str] = []
    width = _width(rows)
    start = 0
    for start, row in enumerate(rows):
        is_comment = row[0].startswith("#")
        if is_comment and width > 1 and len(row) == width and not _is_lone(row):
            rows[start] = [row[0].lstrip("# "), *row[1:]]  # names of the columns
            break
        if not (is_comment or _is_lone(row)) or width == 1:
            break
        remarks.append(f"{separator} ".join(filter(None, row)).lstrip("# "))
    else:
        start = len(rows)
    table = rows[start:]
    title = remarks.pop() if remarks and table else ""
    yield from (Paragraph(remark) for remark in remarks if remark)
    if table:
        yield Table(tuple(map(tuple, table)), int(_has_header(table)), title)


def _width(rows: Rows) -> int:
    """Return how many cells most rows have, below the remarks that stand above them."""
    table = dropwhile(lambda row: _is_lone(row) or row[0].startswith("#"), rows)
    return _most_common(Counter(len(row) for row in islice(table, SAMPLE_ROWS)))


def _most_common(widths: Counter[int]) -> int:
    return max(widths, key=widths.__getitem__, default=1)


def _is_lone(row: Sequence[str]) -> bool:
    return sum(map(bool, row)) == 1


def _has_header(rows: Rows) -> bool:
    """Say whether the first row names the columns."""
    first, below = rows[0], rows[1 : SAMPLE_ROWS + 1]
    width = _width(rows)
    if width < 2 or not below or not _is_names(first, width):
        return False
    columns = ([row[column] for row in below if column < len(row)] for column in range(len(first)))
    return not any(_is_alike(cell, column) for cell, column in zip(first, columns, strict=True))


def _is_names(row: Sequence[str], width: int) -> bool:
    """Say whether a row could name columns: filled, short, without figures but years and months."""
    words = ["date" if _DATE.fullmatch(cell) else cell for cell in row[:width]]
    words += [""] * (width - len(words))
    return guess_header_rows([words, words]) > 0


def _is_alike(cell: str, column: Iterable[str]) -> bool:
    """Say whether most cells of a column have figures where this one does: `E149`, `2026-03`."""
    if not _DIGIT.search(cell):
        return False
    shape = _DIGIT.sub("0", cell)
    alike = [_DIGIT.sub("0", below) == shape for below in column]
    return sum(alike) * 2 > len(alike)

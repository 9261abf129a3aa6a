"""Tables in text files: CSV and its relatives, one line for each row.

It knows separators and quotes; encodings are `text`'s business.
"""

import csv
import io
from collections.abc import Sequence

from knowledge.errors import DamagedFile
from knowledge.parsing.blocks import Block
from knowledge.parsing.writer import BlockWriter

SEPARATORS = ",;\t|"
SAMPLE_CHARS = 20_000
MAX_FIELD_CHARS = 1_000_000


def read_table(filename: str, text: str, chars: int) -> Sequence[Block]:
    """Return the table as a block.

    Raises:
        DamagedFile: A quote opens and never closes within a reasonable length.
        ParseLimitExceeded: It has more than `chars` characters.
    """
    csv.field_size_limit(MAX_FIELD_CHARS)
    writer = BlockWriter(chars)
    writer.begin_table()
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text)):
            writer.begin_row()
            for cell in row:
                writer.cell(cell)
            writer.end_row()
    except csv.Error as exc:
        raise DamagedFile(f"{filename!r} is not a table: {exc}") from exc
    writer.end_table()
    return writer.blocks


def _separator(text: str) -> str:
    """Return the separator that cuts the first rows into the same number of cells, most of all."""
    lines = [line for line in text[:SAMPLE_CHARS].split("\n")[:50] if line.strip()]
    best, best_rank = ",", (0.0, 0)
    for separator in SEPARATORS:
        widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
        if not widths or widths[0] < 2:
            continue
        rank = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
        if rank > best_rank:
            best, best_rank = separator, rank
    return best

"""Exact copies: rows with one question and one answer, once folded.

The first of them stays. The same question with another answer is no copy; whether such answers
agree is judged by the check of agreement.
"""

import hashlib
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing

from pydantic import BaseModel, ConfigDict

from adapters.data.cleaning.folded import fold_row
from adapters.data.rows import Row
from adapters.data.steps import Result, drop, keep


class DeduplicateSettings(BaseModel):
    """Settings of `deduplicate`; it has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Deduplicate:
    """Drops rows that stood before, with the reason `duplicate`.

    System turn, every turn and the rejected answer of a pair count; metadata do not. Memory does
    not grow with the rows: digests stand in a temporary file (SQLite), about 60 bytes a row.
    """

    name = "deduplicate"

    def __init__(self, settings: DeduplicateSettings | None = None) -> None:
        self.settings: Mapping[str, object] = (settings or DeduplicateSettings()).model_dump()

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row."""
        with closing(sqlite3.connect("", isolation_level=None)) as seen:  # "": a temporary file
            seen.execute("PRAGMA journal_mode = OFF")
            seen.execute("PRAGMA synchronous = OFF")
            seen.execute(
                "CREATE TABLE seen (digest BLOB PRIMARY KEY, file TEXT, line INTEGER) WITHOUT ROWID"
            )
            seen.execute("BEGIN")
            for row in rows:
                digest = digest_row(row)
                place = (digest, row.file.name, row.line)
                if seen.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", place).rowcount:
                    yield keep(row)
                else:
                    found = seen.execute("SELECT file, line FROM seen WHERE digest = ?", (digest,))
                    file, line = found.fetchone()
                    yield drop(row, "duplicate", f"copy of {file}:{line}")


def digest_row(row: Row) -> bytes:
    """Return 16 bytes that are equal for copies alone."""
    folded = fold_row(row)
    text = "\0".join((folded.system, folded.question, folded.answer, folded.operators))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()

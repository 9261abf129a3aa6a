"""Reads files of rows: all of them or none, or one after the other with what was refused.

JSON Lines, JSON, CSV, Excel and Parquet; which of them a file is, its content says. Knows files
and what reads one object; knows nothing of tokens or training.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from adapters.data.formats.json_values import read_values
from adapters.data.formats.pairs import read_any, read_pair
from adapters.data.formats.refusals import BadRow, Refusal, UnreadableFile
from adapters.data.formats.rows import read_row
from adapters.data.formats.sources import Source, recognise
from adapters.data.formats.tables import READERS
from adapters.data.recency import read_date
from adapters.data.rows import Pair, Row
from adapters.errors import InvalidTrainingData

RECENT_IDS = 50_000  # in a set, before they are sorted in with the others
MAX_PROBLEMS = 20  # rows named in one refusal: enough to see a pattern, short enough to read

_Read = TypeVar("_Read")
Read = Callable[[dict[str, Any], Path, int], _Read]


def load_rows(files: Sequence[Path]) -> list[Row]:
    """Read every row of `files`, in order.

    Args:
        files: JSON Lines, JSON, CSV, Excel or Parquet, whatever their names.

    Returns:
        At least one row.

    Raises:
        InvalidTrainingData: A file cannot be read, holds nothing, or holds bad rows; up to
            `MAX_PROBLEMS` of them are named with file and line.
    """
    return _collect(_of_files(files), read_row)


def load_pairs(files: Sequence[Path]) -> list[Pair]:
    """Read every preference pair of `files`, in order; see `load_rows`."""
    return _collect(_of_files(files), read_pair)


def parse_any_rows(content: bytes, name: str) -> list[Row]:
    """Read rows of any format, preference pairs as rows with the preferred answer.

    Args:
        content: A whole file.
        name: Its name.

    Raises:
        InvalidTrainingData: It holds nothing, is no file of rows, or holds bad rows.
    """
    return _collect([Source.of_content(content, name)], read_any)


def iter_rows(
    files: Sequence[Path], *, today: date | None = None, unique_ids: bool = True
) -> Iterator[Row | Refusal]:
    """Yield every row of `files` in order, and in its place why one cannot be used.

    Rows may have any format, preference pairs become rows with the preferred answer and the other
    one in their metadata as `rejected`. One row is held at a time, and eight bytes of each id.

    Args:
        files: As for `load_rows`.
        today: Rows dated later are refused; None asks no dates.
        unique_ids: Refuse a row whose id an earlier row of the file has.
    """
    for source in _of_files(files):
        known = _Ids() if unique_ids else None
        for one in _read([source], read_any):
            yield one if isinstance(one, Refusal) else _check(one, known, today)


def _check(row: Row, known: "_Ids | None", today: date | None) -> Row | Refusal:
    """Return a row, or why it cannot be one among others: an id twice, a date to come."""
    given = row.meta.get("id")
    if known is not None and given is not None and not known.add(str(given)):
        return Refusal(row.file, row.line, f"the id {given} is that of an earlier row")
    if today is not None:
        dated = read_date(row)
        if dated is not None and dated > today + timedelta(days=1):  # of other time zones
            return Refusal(row.file, row.line, f"dated {dated}, which is in the future")
    return row


class _Ids:
    """The ids of a file's rows, in eight bytes each, so that millions of them can be known."""

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._sorted = np.empty(0, np.int64)  # (ids before the recent ones,)

    def add(self, name: str) -> bool:
        """Add an id; says whether it is new."""
        digest = hash(name)
        if digest in self._recent:
            return False
        if self._sorted.size:
            at = int(np.searchsorted(self._sorted, digest))
            if at < self._sorted.size and self._sorted[at] == digest:
                return False
        self._recent.add(digest)
        if len(self._recent) >= RECENT_IDS:
            recent = np.fromiter(self._recent, np.int64, len(self._recent))
            self._sorted = np.sort(np.concatenate((self._sorted, recent)))
            self._recent.clear()
        return True


def _of_files(files: Iterable[Path]) -> Iterator[Source]:
    return (Source.of_file(file) for file in files)


def _collect(sources: Iterable[Source], read: Read[_Read]) -> list[_Read]:
    rows: list[_Read] = []
    refused: list[Refusal] = []
    names: list[str] = []
    for source in sources:
        names.append(str(source.file))
        for one in _read([source], read):
            if isinstance(one, Refusal):
                refused.append(one)
            else:
                rows.append(one)
    refuse(refused, len(refused) + len(rows))
    if not rows:
        raise InvalidTrainingData(f"no training rows in {', '.join(names)}")
    return rows


def refuse(refused: Sequence[Refusal], rows: int) -> None:
    """Raise InvalidTrainingData if any of so many rows is refused; the first ones are named."""
    if not refused:
        return
    named = [str(one) for one in refused[:MAX_PROBLEMS]]
    more = len(refused) - len(named)
    rest = f"\n… and {more} more" if more else ""
    summary = f"{len(refused)} of {rows} rows cannot be used:\n"
    raise InvalidTrainingData(summary + "\n".join(named) + rest, tuple(named))


def _read(sources: Iterable[Source], read: Read[_Read]) -> Iterator[_Read | Refusal]:
    for source in sources:
        file, line = source.file, 0
        try:
            kind = recognise(source)
            for line, value in READERS.get(kind.kind, read_values)(source, kind):
                if isinstance(value, dict):
                    try:
                        one: _Read | Refusal = read(value, file, line)
                    except BadRow as exc:
                        one = Refusal(file, line, str(exc))
                    yield one
                elif isinstance(value, BadRow):
                    yield Refusal(file, line, str(value))
                else:
                    yield Refusal(file, line, "a row must be an object")
        except UnreadableFile as exc:
            yield Refusal(file, line and line + 1, str(exc))

"""Which rows share a bucket: keys and rows, sorted, in temporary files.

Knows numbers; does not know what they stand for.
"""

from tempfile import TemporaryFile
from typing import TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt

Keys: TypeAlias = npt.NDArray[np.uint64]
Places: TypeAlias = npt.NDArray[np.int64]
_Array = TypeVar("_Array", Keys, Places)

MAX_RUN = 1 << 20  # entries sorted together: 16 MB, and some times as much while they are
_ROW_BITS = 40  # of a pair in one number: place, then row
MAX_BUCKET = 16  # rows of one bucket that are found: more share a set form, not a content


class Buckets:
    """Rows by the keys of their buckets; memory does not grow with them.

    Entries are 16 bytes in sorted runs, which are joined up to `MAX_RUN` entries; the system
    keeps of the files what memory there is.
    """

    def __init__(self) -> None:
        self._runs: list[tuple[Keys, Places]] = []

    def add(self, keys: Keys, rows: Places) -> None:
        """Add rows.

        Args:
            keys: (n, b) uint64, the buckets of each row.
            rows: (n,) int64, their numbers; greater than those added before.
        """
        run = _sort(keys.ravel(), np.repeat(rows, keys.shape[1]))
        while self._runs and len(self._runs[-1][0]) <= min(2 * len(run[0]), MAX_RUN):
            before = self._runs.pop()
            run = _sort(*(np.concatenate(both) for both in zip(before, run, strict=True)))
        self._runs.append((_to_file(run[0]), _to_file(run[1])))

    def find(self, keys: Keys) -> tuple[Places, Places]:
        """Return which rows share buckets with others.

        Args:
            keys: (n, b) uint64.

        Returns:
            For each pair its place in `keys` and the row; each pair once.
        """
        asked, places = _sort(keys.ravel(), np.repeat(np.arange(len(keys)), keys.shape[1]))
        none = np.empty(0, np.int64)
        found = np.concatenate([none, *(_look_up(asked, places, run) for run in self._runs)])
        pairs = np.unique(found)
        return pairs >> _ROW_BITS, pairs & ((1 << _ROW_BITS) - 1)


def _look_up(asked: Keys, places: Places, run: tuple[Keys, Places]) -> Places:
    """Return pairs of place and row as one number, once for each bucket that they share."""
    keys, rows = run
    begin = np.searchsorted(keys, asked)
    is_there = keys[np.minimum(begin, len(keys) - 1)] == asked
    begin, asked, places = begin[is_there], asked[is_there], places[is_there]
    sizes = np.minimum(np.searchsorted(keys, asked, side="right") - begin, MAX_BUCKET)
    offsets = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    found = rows[np.repeat(begin, sizes) + offsets]
    pairs: Places = np.repeat(places, sizes) << _ROW_BITS | found
    return pairs


def _sort(keys: Keys, rows: Places) -> tuple[Keys, Places]:
    order = np.argsort(keys, kind="stable")
    return keys[order], rows[order]


def _to_file(values: _Array) -> _Array:
    """Return an array that stands in a file; the file goes with it."""
    with TemporaryFile() as file:
        file.write(values.tobytes())
        file.flush()
        return cast(_Array, np.memmap(file, values.dtype, "r"))

"""Near copies: rows whose question and answer differ from an earlier row's by a few letters.

Candidates are found by MinHash of n-grams of letters (never of words: Chinese has no spaces), and
each is compared letter by letter. It knows spellings; it does not know what words mean.
"""

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from operator import attrgetter
from tempfile import TemporaryFile
from typing import IO, Annotated, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from adapters.data.cleaning.buckets import Buckets, Keys, Places
from adapters.data.cleaning.edits import differs_by_numbers, is_within
from adapters.data.cleaning.folded import FoldedRow, fold_row, must_be_equal
from adapters.data.rows import Row
from adapters.data.steps import Result, drop, keep

BATCH = 1_000  # rows looked up together
# Two texts of which every seventh letter was edited share 0.35 of their n-grams or more; three
# equal values in one of 40 bands find 83 % of such pairs, and 99 % from 0.5 on.
BANDS, BAND_VALUES = 40, 3
HAN_GRAM, LATIN_GRAM = 2, 4  # letters; two letters of Latin script stand in every text
CACHED = 512  # n-grams hashed together
PAIRS = 10_000  # compared together: 2 MB
MIN_SHARED = 0.25  # of the n-grams, as estimated: 0.35 where every seventh letter was edited
MOST_COMPARED = 2  # candidates, those that share the most n-grams first
Hashes: TypeAlias = npt.NDArray[np.uint32]
Marks: TypeAlias = npt.NDArray[np.uint8]
"""(n, BANDS * BAND_VALUES), the last byte of each value of a MinHash."""

_fields = attrgetter(*(field.name for field in fields(FoldedRow)))
_HAN = "\u2e80"  # from here on scripts of many letters: Chinese, Japanese, Korean


class NearSettings(BaseModel):
    """Settings of `near`.

    Attributes:
        max_difference: Share of the letters by which questions, and answers, may differ
            (0.17: 15 % of edits are more of the letters that count, without spaces and signs).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_difference: Annotated[float, Field(ge=0, le=0.3)] = 0.17


class Near:
    """Drops rows that are nearly an earlier one, with the reason `near_duplicate`.

    Question and answer must both be near. Equal must be: the system turn, JSON, an answer of one
    word or of up to ten letters. Rows that differ in numbers above all are not near: they tell of
    other things. Memory does not grow with the rows but for eight bytes each; 800 bytes a row and
    the folded texts stand in temporary files.
    """

    name = "near"

    def __init__(self, settings: NearSettings | None = None) -> None:
        given = settings or NearSettings()
        self.settings: Mapping[str, object] = given.model_dump()
        self._max_difference = given.max_difference
        from datasketch import MinHash  # loads scipy, which other commands need not wait for

        self._permutations = MinHash(BANDS * BAND_VALUES, scheme="affine32").permutations

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row, a thousand rows at a time."""
        left = iter(rows)
        with TemporaryFile() as texts, TemporaryFile() as marks:
            buckets, kept = Buckets(), _KeptRows(texts, marks)
            while batch := list(islice(left, BATCH)):
                yield from self._run_batch(batch, buckets, kept)

    def _run_batch(
        self, batch: Sequence[Row], buckets: Buckets, kept: "_KeptRows"
    ) -> Iterator[Result]:
        folded = [fold_row(row) for row in batch]
        least = np.stack([self._least_hashes(one) for one in folded])
        keys, marks = _keys(least, folded), least.astype(np.uint8)
        candidates = _candidates(buckets.find(keys), marks, kept.marks())
        alike = Buckets()
        alike.add(keys, np.arange(len(batch)))
        alike_here = _candidates(alike.find(keys), marks, marks)
        numbers: dict[int, int] = {}  # of the kept rows of this batch, by their place
        for place, (row, one) in enumerate(zip(batch, folded, strict=True)):
            here = [numbers[other] for other in alike_here.get(place, ()) if other in numbers]
            copy = self._find(one, [*here, *candidates.get(place, ())], kept)
            if copy is None:
                numbers[place] = kept.add(row, one, marks[place])
                yield keep(row)
            else:
                yield drop(row, "near_duplicate", f"nearly the same as {copy}")
        places = list(numbers)
        buckets.add(keys[places], np.fromiter(numbers.values(), np.int64, len(numbers)))

    def _find(self, one: FoldedRow, candidates: Sequence[int], kept: "_KeptRows") -> str | None:
        """Return where the first near copy among the candidates stands."""
        for number in candidates:
            place, other = kept.read(number)
            if is_near(one, other, self._max_difference):
                return place
        return None

    def _least_hashes(self, one: FoldedRow) -> Hashes:
        """Return the MinHash of a row, (BANDS * BAND_VALUES,) uint32."""
        text = one.question if one.is_label else f"{one.question}\n{one.answer}"
        return _least_hashes(_grams(text), *self._permutations)


def is_near(one: FoldedRow, other: FoldedRow, max_difference: float) -> bool:
    """Return whether two rows say the same but for a few letters; see `Near`."""
    if must_be_equal(one) != must_be_equal(other) or one.is_label != other.is_label:
        return False
    if not is_within(one.question, other.question, max_difference):
        return False
    if one.is_label and any(map(str.isdecimal, one.answer)):  # it says which numbers are meant
        return True
    return is_within(
        one.answer,
        other.answer,
        max_difference,
        least=1,  # 不客气, 别客气
    ) and not differs_by_numbers(
        f"{one.question}\n{one.answer}", f"{other.question}\n{other.answer}"
    )


def _keys(least: Hashes, rows: Sequence[FoldedRow]) -> Keys:
    """Return the buckets of rows, (n, BANDS); rows that must not be near have none in common."""
    equal = ["\0".join(must_be_equal(one)) for one in rows]
    digests = [hashlib.blake2b(text.encode("utf-8", "surrogatepass")).digest() for text in equal]
    first = np.frombuffer(b"".join(digest[:8] for digest in digests), np.uint64)
    keys = first[:, None] + np.arange(BANDS, dtype=np.uint64)
    bands = least.reshape(len(rows), BANDS, BAND_VALUES).astype(np.uint64)
    for at in range(BAND_VALUES):
        keys = (keys ^ bands[:, :, at]) * np.uint64(0x9E3779B97F4A7C15)  # spreads the bits
        keys ^= keys >> np.uint64(29)
    return keys


def _candidates(found: tuple[Places, Places], marks: Marks, of_rows: Marks) -> dict[int, list[int]]:
    """Return for each place the rows that share the most n-grams with it, best first."""
    places, rows = found
    shared = np.empty(len(places), np.float32)  # of the n-grams, 0..1
    for begin in range(0, len(places), PAIRS):
        part = slice(begin, begin + PAIRS)
        shared[part] = (marks[places[part]] == of_rows[rows[part]]).mean(axis=1)
    order = np.lexsort((-shared, places))
    order = order[shared[order] >= MIN_SHARED]
    places, rows = places[order], rows[order]
    best = np.arange(len(places)) - np.searchsorted(places, places) < MOST_COMPARED
    candidates: dict[int, list[int]] = {}
    for place, row in zip(places[best].tolist(), rows[best].tolist(), strict=True):
        candidates.setdefault(place, []).append(row)
    return candidates


def _grams(text: str) -> Hashes:
    """Return hashes of the n-grams of a text; of all of it where it is shorter."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    size = HAN_GRAM if 2 * np.count_nonzero(codes >= ord(_HAN)) >= len(codes) else LATIN_GRAM
    size = max(1, min(size, len(codes)))
    grams = np.zeros(len(codes) - size + 1, np.uint32)
    for at in range(size):
        grams = grams * np.uint32(0x01000193) ^ codes[at : at + len(grams)]  # FNV
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):  # MurmurHash3's last step
        grams = (grams ^ (grams >> np.uint32(shift))) * np.uint32(factor)
    return grams


def _least_hashes(grams: Hashes, factors: Hashes, summands: Hashes) -> Hashes:
    """Return the least value of each permutation over all n-grams, (permutations,).

    As datasketch's `MinHash.update_batch`, which takes one Python call for each n-gram; some
    n-grams at a time, so that what is computed stays in the processor's cache.
    """
    least = np.full(len(factors), np.iinfo(np.uint32).max, np.uint32)
    for begin in range(0, len(grams), CACHED):
        values = grams[begin : begin + CACHED, None] * factors
        values += summands
        np.minimum(least, values.min(axis=0), out=least)
    return least


class _KeptRows:
    """The rows that others are compared with, in temporary files."""

    def __init__(self, texts: IO[bytes], marks: IO[bytes]) -> None:
        self._file, self._marks = texts, marks
        self._offsets = array("Q")

    def add(self, row: Row, folded: FoldedRow, marks: Marks) -> int:
        """Add a row; return its number."""
        self._offsets.append(self._file.seek(0, 2))
        said = [f"{row.file.name}:{row.line}", *_fields(folded)]
        self._file.write(json.dumps(said).encode() + b"\n")
        self._marks.write(marks.tobytes())
        return len(self._offsets) - 1

    def marks(self) -> Marks:
        """Return what estimates the similarity to each row, (n, BANDS * BAND_VALUES) uint8."""
        shape = (len(self._offsets), BANDS * BAND_VALUES)
        self._marks.flush()
        if not shape[0]:
            return np.empty(shape, np.uint8)
        return np.memmap(self._marks, np.uint8, "r", shape=shape)

    def read(self, number: int) -> tuple[str, FoldedRow]:
        """Return where a row stands and what it says."""
        self._file.seek(self._offsets[number])
        place, *said = json.loads(self._file.readline())
        return place, FoldedRow(*said)

"""Near copies: rows whose question and answer differ from an earlier row's by a few letters.

Candidates are found by MinHash of n-grams of letters (never of words: Chinese has no spaces), and
each is compared letter by letter. It knows spellings; it does not know what words mean.
"""

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from tempfile import TemporaryFile
from typing import Annotated, Any, cast

import numpy as np
from datasketch import MinHash
from pydantic import BaseModel, ConfigDict, Field

from adapters.data.cleaning.buckets import Buckets, Keys
from adapters.data.cleaning.edits import differs_by_numbers, is_within
from adapters.data.cleaning.folded import FoldedRow, fold_row
from adapters.data.rows import Row
from adapters.data.steps import Result, drop, keep

BATCH = 1_000  # rows looked up together
# Two texts of which every seventh letter was edited share 0.35 of their n-grams or more; three
# equal values in one of 40 bands find 83 % of such pairs, and 99 % from 0.5 on.
BANDS, BAND_VALUES = 40, 3
HAN_GRAM, LATIN_GRAM = 2, 4  # letters; two letters of Latin script stand in every text
MOST_COMPARED = 8  # candidates, those with the most common bands first
_HAN = "\u2e80"  # from here on scripts of many letters: Chinese, Japanese, Korean


class NearSettings(BaseModel):
    """Settings of `near`.

    Attributes:
        max_difference: Share of the letters by which questions, and answers, may differ
            (0.2: texts with 15 % of edits differ by up to 19 % of the letters that count).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_difference: Annotated[float, Field(ge=0, le=0.3)] = 0.2


class Near:
    """Drops rows that are nearly an earlier one, with the reason `near_duplicate`.

    Question and answer must both be near. Equal must be: the system turn, JSON, an answer of one
    word or of up to ten letters. Rows that differ in numbers above all are not near: they tell of
    other things. Memory does not grow with the rows but for eight bytes each; 700 bytes a row and
    the folded texts stand in temporary files.
    """

    name = "near"

    def __init__(self, settings: NearSettings | None = None) -> None:
        given = settings or NearSettings()
        self.settings: Mapping[str, object] = given.model_dump()
        self._max_difference = given.max_difference
        self._minhash = MinHash(BANDS * BAND_VALUES, hashfunc=_as_is, scheme="affine32")

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row, a thousand rows at a time."""
        buckets, kept = Buckets(), _KeptRows()
        left = iter(rows)
        while batch := list(islice(left, BATCH)):
            yield from self._run_batch(batch, buckets, kept)

    def _run_batch(
        self, batch: Sequence[Row], buckets: Buckets, kept: "_KeptRows"
    ) -> Iterator[Result]:
        folded = [fold_row(row) for row in batch]
        keys = np.stack([self._keys(one) for one in folded])  # (n, BANDS)
        candidates = _by_place(buckets, keys)
        alike = Buckets()
        alike.add(keys, np.arange(len(batch)))
        alike_here = _by_place(alike, keys)
        numbers: dict[int, int] = {}  # of the kept rows of this batch, by their place
        for place, (row, one) in enumerate(zip(batch, folded, strict=True)):
            here = [numbers[other] for other in alike_here.get(place, ()) if other in numbers]
            copy = self._find(one, [*here, *candidates.get(place, ())], kept)
            if copy is None:
                numbers[place] = kept.add(row, one)
                yield keep(row)
            else:
                yield drop(row, "near_duplicate", f"nearly the same as {copy}")
        places = list(numbers)
        buckets.add(keys[places], np.fromiter(numbers.values(), np.int64, len(numbers)))

    def _find(self, one: FoldedRow, candidates: Sequence[int], kept: "_KeptRows") -> str | None:
        """Return where the first near copy among the candidates stands."""
        for number in candidates[: 2 * MOST_COMPARED]:
            place, other = kept.read(number)
            if is_near(one, other, self._max_difference):
                return place
        return None

    def _keys(self, one: FoldedRow) -> Keys:
        """Return the buckets of a row, (BANDS,); rows that must not be near have none in common."""
        text = one.question if one.is_label else f"{one.question}\n{one.answer}"
        minhash = self._minhash.copy()
        minhash.update_batch(_grams(text))
        bands = cast(Keys, minhash.hashvalues).reshape(BANDS, BAND_VALUES).astype(np.uint64)
        must_be_equal = one.system + "\0" + (one.answer if one.is_label else "")
        equal = hashlib.blake2b(must_be_equal.encode("utf-8", "surrogatepass"), digest_size=8)
        keys = np.arange(BANDS, dtype=np.uint64) + np.uint64(int.from_bytes(equal.digest()))
        for value in bands.T:
            keys = (keys ^ value) * np.uint64(0x9E3779B97F4A7C15)  # golden ratio: spreads the bits
            keys ^= keys >> np.uint64(29)
        return keys


def is_near(one: FoldedRow, other: FoldedRow, max_difference: float) -> bool:
    """Return whether two rows say the same but for a few letters; see `Near`."""
    if (one.system, one.is_label) != (other.system, other.is_label):
        return False
    if one.is_label and one.answer != other.answer:
        return False
    return (
        is_within(one.question, other.question, max_difference)
        and is_within(one.answer, other.answer, max_difference)
        and not differs_by_numbers(
            f"{one.question}\n{one.answer}", f"{other.question}\n{other.answer}"
        )
    )


def _by_place(buckets: Buckets, keys: Keys) -> dict[int, list[int]]:
    """Return the rows that share the most buckets with each place."""
    found: dict[int, list[int]] = {}
    places, rows, _ = buckets.find(keys)
    for place, row in zip(places.tolist(), rows.tolist(), strict=True):
        best = found.setdefault(place, [])
        if len(best) < MOST_COMPARED:
            best.append(row)
    return found


def _grams(text: str) -> list[int]:
    """Return the n-grams of a text as 32-bit numbers; one of the whole text if it is shorter."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    size = HAN_GRAM if 2 * np.count_nonzero(codes >= ord(_HAN)) >= len(codes) else LATIN_GRAM
    size = max(1, min(size, len(codes)))
    grams = np.zeros(len(codes) - size + 1, np.uint32)
    for at in range(size):
        grams = grams * np.uint32(0x01000193) ^ codes[at : at + len(grams)]  # FNV
    return cast(list[int], grams.tolist())


def _as_is(gram: Any) -> Any:
    return gram


class _KeptRows:
    """The rows that others are compared with, in a temporary file."""

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115  # closed with this value
        self._offsets = array("Q")

    def add(self, row: Row, folded: FoldedRow) -> int:
        """Add a row; return its number."""
        self._offsets.append(self._file.seek(0, 2))
        said = (folded.system, folded.question, folded.answer, folded.is_label)
        self._file.write(json.dumps([f"{row.file.name}:{row.line}", *said]).encode() + b"\n")
        return len(self._offsets) - 1

    def read(self, number: int) -> tuple[str, FoldedRow]:
        """Return where a row stands and what it says."""
        self._file.seek(self._offsets[number])
        place, system, question, answer, is_label = json.loads(self._file.readline())
        return place, FoldedRow(system, question, answer, is_label)

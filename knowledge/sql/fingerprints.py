"""How a text is known again in another file: a hash of its letters, and a sample of its pieces.

It knows texts and the pieces kept of guarded documents; it does not know what follows from two
texts being alike (`knowledge.access`). Line ends, white space, case and punctuation do not count,
so that a text is the same in Markdown, plain text and Word.

A sample is the 64 smallest hashes of all pieces of 8 letters (a bottom-k sketch: Broder, "On the
resemblance and containment of documents", 1997): how many of the smallest of two samples together
stand in both estimates the share of their pieces that two texts have in common.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, bindparam, delete, func, insert, select

from knowledge.sql.bases import Base
from knowledge.sql.tables import guarded_pieces

PIECE_LETTERS = 8  # two English pages of other subjects share under 3 % of such pieces
SAMPLE_PIECES = 64  # the estimate is off by 6 points at most in two of three cases
ALIKE = 0.4  # one text in another of twice its length has 0.5; pages of one handbook at most 0.24
ASKED_PIECES = 16  # of the sample; a text of likeness 0.4 shares 9 of them, under 4 once in 500
CANDIDATES = 16  # guarded documents compared: they share 4 of these or more, the most first
_NO_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What is kept of a text: the hash of its letters and the sample of its pieces."""

    text_hash: str
    sample: tuple[int, ...]


def fingerprint(text: str) -> Fingerprint:
    """Return the fingerprint of a text; one without letters and digits is taken as it is."""
    letters = _NO_LETTERS.sub("", unicodedata.normalize("NFKC", text).casefold()) or text
    digest = hashlib.sha256(letters.encode("utf-8", "surrogatepass")).hexdigest()
    pieces = _smallest(_pieces(letters))
    return Fingerprint(digest, tuple(pieces.tolist()))


def likeness(one: Sequence[int], other: Sequence[int]) -> float:
    """Return the share of pieces that two sampled texts have in common, 0 to 1."""
    smallest = sorted({*one, *other})[:SAMPLE_PIECES]
    both = set(one).intersection(other)
    return sum(piece in both for piece in smallest) / len(smallest) if smallest else 0.0


def keep_samples(connection: Connection, base: Base, samples: Mapping[int, Sequence[int]]) -> None:
    """Keep the samples of guarded documents by document pk; an open one has none, an empty one.

    They stay when the document is deleted: whoever adds it again, changed, does not open it.
    """
    connection.execute(_FORGET, {"document_pks": list(samples)})
    rows = [
        {"document_pk": document_pk, "base_pk": base.pk, "piece": piece}
        for document_pk, sample in samples.items()
        for piece in sample
    ]
    if rows:
        connection.execute(insert(guarded_pieces), rows)


def find_alike(connection: Connection, base: Base, sample: Sequence[int]) -> int | None:
    """Return the pk of the guarded document, live or deleted, that is most like a text."""
    pieces = list(sample[:ASKED_PIECES])
    asked = {"base_pk": base.pk, "pieces": pieces, "fewest": len(pieces) / 4}
    candidates = list(connection.scalars(_SHARING, asked))
    samples: dict[int, list[int]] = {}
    for row in connection.execute(_SAMPLES, {"document_pks": candidates}):
        samples.setdefault(row.document_pk, []).append(row.piece)
    alike = {pk: likeness(sample, pieces) for pk, pieces in samples.items()}
    nearest = max(alike, key=lambda pk: (alike[pk], pk), default=None)
    return nearest if nearest is not None and alike[nearest] >= ALIKE else None


def _pieces(letters: str) -> npt.NDArray[np.int64]:
    """Return the hash of every run of 8 letters; a shorter text is one piece."""
    codes = np.frombuffer(letters.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    width = min(PIECE_LETTERS, len(codes))
    hashes = np.zeros(len(codes) - width + 1, np.uint64)
    for offset in range(width):  # a polynomial over the code points, modulo 2**64
        hashes = hashes * _FACTOR + codes[offset : offset + len(hashes)]
    for shift, factor in _MIXING:
        hashes = (hashes ^ (hashes >> shift)) * factor
    return (hashes >> np.uint64(1)).astype(np.int64)  # SQL has no unsigned numbers


def _smallest(hashes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the 64 smallest of different hashes; found among few, where that is enough."""
    most = 16 * SAMPLE_PIECES
    few = np.partition(hashes, most)[:most] if len(hashes) > most else hashes
    smallest = np.unique(few)[:SAMPLE_PIECES]
    return smallest if len(smallest) == SAMPLE_PIECES else np.unique(hashes)[:SAMPLE_PIECES]


_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2**64 divided by the golden ratio, odd
_MIXING = (  # of splitmix64 (Steele, Lea, Flood, 2014): neighbours get hashes far apart
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
# built once: putting a statement together costs more than SQLite takes to run it
_FORGET = delete(guarded_pieces).where(
    guarded_pieces.c.document_pk.in_(bindparam("document_pks", expanding=True))
)
_SHARING = (
    select(guarded_pieces.c.document_pk)
    .where(guarded_pieces.c.base_pk == bindparam("base_pk"))
    .where(guarded_pieces.c.piece.in_(bindparam("pieces", expanding=True)))
    .group_by(guarded_pieces.c.document_pk)
    .having(func.count() >= bindparam("fewest"))
    .order_by(func.count().desc(), guarded_pieces.c.document_pk.desc())
    .limit(CANDIDATES)
)
_SAMPLES = select(guarded_pieces.c.document_pk, guarded_pieces.c.piece).where(
    guarded_pieces.c.document_pk.in_(bindparam("document_pks", expanding=True))
)

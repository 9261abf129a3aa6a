"""Similar rows: question and answer mean nearly the same as an earlier row's, by an embedder.

What embeds is passed in, and with it the minimum similarity: another embedder needs another one.
It knows vectors; it does not know what is similar by chance.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from adapters.data.cleaning.folded import fold_row, must_be_equal
from adapters.data.relevance import Embed
from adapters.data.rows import Row
from adapters.data.steps import Result, drop, keep

Floats: TypeAlias = npt.NDArray[Any]
"""float32, or float16 where rows are kept."""

BATCH = 256  # rows embedded together
MAX_CHARS = 2_000  # of a text: more than common embedders read (256 to 512 tokens)
COMPARED = 8_192  # earlier rows at a time, so that memory does not grow with their product


class SimilarSettings(BaseModel):
    """Settings of `similar`.

    Attributes:
        min_similarity: Cosine of questions, and of answers, from which rows are similar. No
            default: it depends on the embedder (0.95 is a careful start; look at the samples).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_similarity: Annotated[float, Field(gt=0, le=1)]


class Similar:
    """Drops rows that mean nearly the same as an earlier one, with the reason `similar`.

    Questions and answers must both be similar; JSON, answers of one word or of up to ten letters
    must be equal. Memory grows with the rows that stay: two vectors each, of two bytes a value
    (1.5 kB for 384). Every row is compared with all before it.
    """

    name = "similar"

    def __init__(self, settings: SimilarSettings, embed: Embed, *, embedder_id: str = "") -> None:
        self.settings: Mapping[str, object] = {**settings.model_dump(), "embedder": embedder_id}
        self._min_similarity = settings.min_similarity
        self._embed = embed

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row, some hundred at a time."""
        left, kept, places = iter(rows), list[_Vectors](), list[str]()
        groups: dict[str, int] = {}
        while batch := list(islice(left, BATCH)):
            names = [_group_of(row) for row in batch]
            numbers = np.array([groups.setdefault(name, len(groups)) for name in names])
            vectors = _Vectors(*self._embed_rows(batch), numbers)
            best, rows_found = vectors.find(kept)
            here = vectors.compare(vectors)
            staying: list[int] = []
            for at, row in enumerate(batch):
                cosine, place = float(best[at]), places[rows_found[at]] if places else ""
                nearest = max(staying, key=here[at].__getitem__, default=at)
                if nearest != at and here[at, nearest] > cosine:
                    cosine, place = float(here[at, nearest]), _place_of(batch[nearest])
                if cosine >= self._min_similarity:
                    told = f"means the same as {place} (similarity {cosine:.2f})"
                    yield drop(row, "similar", told, similarity=cosine)
                else:
                    staying.append(at)
                    yield keep(row)
            places += [_place_of(batch[at]) for at in staying]
            _append(kept, vectors.take(staying))

    def _embed_rows(self, rows: Sequence[Row]) -> tuple[Floats, Floats]:
        """Return vectors of questions and answers, each (n, d); every text is embedded once."""
        asked = ["\n".join(t.content for t in r.messages[:-1] if t.role != "system") for r in rows]
        said = [row.messages[-1].content for row in rows]
        texts = [text[-MAX_CHARS:] for text in asked] + [text[:MAX_CHARS] for text in said]
        places = {text: at for at, text in enumerate(dict.fromkeys(texts))}
        vectors = self._embed(list(places))[[places[text] for text in texts]]
        return vectors[: len(rows)], vectors[len(rows) :]


def _group_of(row: Row) -> str:
    """Return what must be equal in rows that are similar."""
    return "\0".join(must_be_equal(fold_row(row)))


def _place_of(row: Row) -> str:
    return f"{row.file.name}:{row.line}"


@dataclass(frozen=True, slots=True)
class _Vectors:
    """Rows as vectors: questions and answers (n, d), L2-normalised; their groups (n,)."""

    questions: Floats
    answers: Floats
    groups: npt.NDArray[np.int64]

    def compare(self, others: "_Vectors") -> Floats:
        """Return the lesser cosine of questions and answers, (n, m); -1 between groups."""
        q, a = others.questions.astype(np.float32), others.answers.astype(np.float32)
        cosines = np.minimum(self.questions @ q.T, self.answers @ a.T)
        return np.where(self.groups[:, None] == others.groups, cosines, np.float32(-1))

    def find(self, kept: "Sequence[_Vectors]") -> tuple[Floats, npt.NDArray[np.int64]]:
        """Return the greatest cosine with any kept row, (n,), and that row's number."""
        best = np.full(len(self.groups), -1, np.float32)
        rows, first = np.zeros(len(self.groups), np.int64), 0
        for block in kept:
            cosines = self.compare(block)
            at = cosines.argmax(axis=1)
            found = cosines[np.arange(len(at)), at]
            rows = np.where(found > best, first + at, rows)
            best = np.maximum(best, found)
            first += len(block.groups)
        return best, rows

    def take(self, places: list[int]) -> "_Vectors":
        """Return some of the rows, in half the memory."""
        return _Vectors(
            self.questions[places].astype(np.float16),
            self.answers[places].astype(np.float16),
            self.groups[places],
        )


def _append(kept: list[_Vectors], more: _Vectors) -> None:
    """Add rows to the last block, or begin another."""
    if kept and len(kept[-1].groups) < COMPARED:
        last = kept.pop()
        more = _Vectors(
            np.concatenate((last.questions, more.questions)),
            np.concatenate((last.answers, more.answers)),
            np.concatenate((last.groups, more.groups)),
        )
    if len(more.groups):
        kept.append(more)

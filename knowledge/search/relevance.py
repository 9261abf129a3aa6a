"""How likely is it that a passage answers the question at all? One scale, 0 to 1.

It knows cosines, shares of words and the numbers fitted for them; it does not know ranks.
Relevance says "is this collection about the question", not "which passage is first": that is the
fused rank. One minimum serves all kinds (`KnowledgeConfig.min_relevance`).
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from knowledge.languages import detect_language, reads
from knowledge.search.dense import DenseList, IndexSwapped
from knowledge.search.passages import FoundRow, text_of
from knowledge.search.query import JOINT_PASSAGES
from knowledge.sql.chunks import vector_of
from knowledge.sql.terms import WeightedTerms
from knowledge.types import RelevanceKind


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic function of one passage's cosine and of the shares of the words that are found."""

    cosine: float
    coverage: float
    joint_coverage: float
    bias: float

    def apply(self, cosine: float, coverage: float, joint_coverage: float) -> float:
        """Return the relevance, 0 to 1; it grows with each argument."""
        words = self.coverage * coverage + self.joint_coverage * joint_coverage
        return 1.0 / (1.0 + math.exp(-(self.cosine * cosine + words + self.bias)))


WEIGHTS: Mapping[RelevanceKind, Weights] = {
    "cosine_and_coverage": Weights(22.0, 2.0, 2.5, -12.5),
    "cosine": Weights(22.0, 0.0, 0.0, -9.9),
    "coverage": Weights(0.0, 19.5, 0.0, -6.0),
}
"""For MiniLM. The ratio of cosine to words was chosen on the developers' questions of rag_en,
rag_en_multihop and support_en, each asked of its own corpus and of another: 0 to 6 for the
passage's words, 0 to 5 for those of three or five passages together; 2 and 2.5 let one minimum
serve all. The slopes are those of scikit-learn's `LogisticRegression` (C = 100, classes and sources
weighted alike), the biases put the shipped minimum where 1 to 4 % of the answerable questions lie
below (cosine alone: 4 % of rag_en at 0.5; words alone: of rag_zh). `fingerpost kb eval` checks
them on other questions and prints the minimum that these need."""


CERTAIN = 0.9
"""Least relevance of a passage that holds all that is asked, or a rare code of the question."""


def relevance_by_chunk(
    rows: Mapping[int, FoundRow], dense: Iterable[DenseList], terms: WeightedTerms | None
) -> dict[int, float]:
    """Return how relevant each chunk is, 0 to 1.

    A heading cut off from its text names a subject and answers nothing: 0.

    Args:
        rows: The chunks, best first.
        dense: How each embedder read the question.
        terms: The question's words; None where words were not searched.

    Raises:
        IndexSwapped: A chunk's vector is of a generation that was not asked.
    """
    by_index = {index_pk: each for each in dense for index_pk in each.group.index_pks}
    joint = 0.0 if terms is None else terms.joint_coverage(list(rows)[:JOINT_PASSAGES])
    found: dict[int, float] = {}
    for pk, row in rows.items():
        if row.index_pk not in by_index:
            raise IndexSwapped
        if is_heading(row):
            found[pk] = 0.0
            continue
        read_by = by_index[row.index_pk]
        vector, languages = read_by.vector, read_by.group.embedder.languages
        cosine = None if vector is None else float(vector_of(row.vector) @ vector)
        coverage = None if terms is None else terms.coverage(pk)
        reads_passage = cosine is None or reads(languages, detect_language(row.text))
        found[pk] = relevance(cosine, coverage, joint, reads_passage=reads_passage)
        if terms is not None and terms.is_answered_by(pk):
            found[pk] = max(found[pk], CERTAIN)
    return found


def relevance(
    cosine: float | None,
    coverage: float | None,
    joint_coverage: float = 0.0,
    *,
    reads_passage: bool,
) -> float:
    """Return how relevant a passage is, 0 to 1.

    Args:
        cosine: Of question and passage, -1 to 1; None where no vector reads the question.
        coverage: Share of the question's information that the passage holds, 0 to 1; None where
            words were not searched.
        joint_coverage: Share of it that the best passages hold between them, 0 to 1: a question
            that needs several passages is near none of them.
        reads_passage: Whether the embedder reads the passage's language. A vector of a text it
            does not read can only take away: names alone make a cosine.
    """
    kind = kind_of(cosine is not None, coverage is not None)
    whole = WEIGHTS[kind].apply(cosine or 0.0, coverage or 0.0, joint_coverage)
    if reads_passage or kind != "cosine_and_coverage":
        return whole
    return min(whole, WEIGHTS["coverage"].apply(0.0, coverage or 0.0, joint_coverage))


def kind_of(has_cosine: bool, has_coverage: bool) -> RelevanceKind:
    """Return what relevance was computed from."""
    if has_cosine:
        return "cosine_and_coverage" if has_coverage else "cosine"
    return "coverage"


def is_heading(row: FoundRow) -> bool:
    """Return whether a chunk is a heading cut off from its text."""
    lines = [line for line in text_of(row).split("\n") if line.strip()]
    return row.version_chunks > 1 and all(line.startswith("#") for line in lines)

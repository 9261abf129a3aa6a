"""How likely is it that a passage answers the question at all? One scale, 0 to 1.

It knows nearness, shares of words and the numbers fitted for them; it does not know ranks.
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
    """A logistic function of one passage's nearness and of the shares of the words found."""

    nearness: float
    coverage: float
    joint_coverage: float
    bias: float

    def apply(self, nearness: float, coverage: float, joint_coverage: float) -> float:
        """Return the relevance, 0 to 1; it grows with each argument."""
        words = self.coverage * coverage + self.joint_coverage * joint_coverage
        return 1.0 / (1.0 + math.exp(-(self.nearness * nearness + words + self.bias)))


WEIGHTS: Mapping[RelevanceKind, Weights] = {
    "cosine_and_coverage": Weights(10.6, 0.1, 3.2, -9.1),
    "cosine": Weights(11.6, 0.0, 0.0, -7.3),
    "coverage": Weights(0.0, 19.5, 0.0, -6.0),
}
"""Of a passage's nearness (`embedding/similarity.py`), of the question's words that it holds and of
those that three passages hold together. The first are fitted by search: with MiniLM and with e5, on
rag_en, rag_en_multihop, support_en and (e5) rag_zh, few of the answerable questions below the
shipped minimum and few of another corpus's above. "cosine" and "coverage" put 4 % of rag_en and of
rag_zh below 0.5. `fingerpost kb eval` checks them on other questions and prints the minimum that
these need."""


MOST_WORDS = Weights(0.0, 20.0, 0.0, -13.4)
"""A passage that holds two thirds of what is asked is relevant whatever the vector: one line of a
long list is a small part of its passage's. Lists of 18 Chinese lines with e5: 8 of 15 questions
counted as relevant without it. Of another corpus's questions at most 1.7 % reach two thirds."""

CERTAIN = 0.9
"""Least relevance of a passage that holds all that is asked, or a rare code of the question."""


def relevance_by_chunk(
    rows: Mapping[int, FoundRow],
    dense: Iterable[DenseList],
    terms: WeightedTerms | None,
    *,
    question_language: str,
) -> dict[int, float]:
    """Return how relevant each chunk is, 0 to 1.

    A heading cut off from its text names a subject and answers nothing: 0.

    Args:
        rows: The chunks, best first.
        dense: How each embedder read the question.
        terms: The question's words; None where words were not searched.
        question_language: By its script.

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
        embedder, vector = by_index[row.index_pk].group.embedder, by_index[row.index_pk].vector
        language, near = detect_language(row.text), None
        if vector is not None:
            cosine = float(vector_of(row.vector) @ vector)
            near = embedder.similarity.nearness(vector, cosine, of=question_language, to=language)
        coverage = None if terms is None else terms.coverage(pk)
        reads_passage = near is None or reads(embedder.languages, language)
        found[pk] = relevance(near, coverage, joint, reads_passage=reads_passage)
        is_alike = language == question_language
        if terms is not None and terms.is_answered_by(pk, in_its_language=is_alike):
            found[pk] = max(found[pk], CERTAIN)
    return found


def relevance(
    nearness: float | None,
    coverage: float | None,
    joint_coverage: float = 0.0,
    *,
    reads_passage: bool,
) -> float:
    """Return how relevant a passage is, 0 to 1.

    Args:
        nearness: Of question and passage, 0 unrelated, 1 related; None where no vector reads the
            question.
        coverage: Share of the question's information that the passage holds, 0 to 1; None where
            words were not searched.
        joint_coverage: Share of it that the best passages hold between them, 0 to 1: a question
            that needs several passages is near none of them.
        reads_passage: Whether the embedder reads the passage's language. A vector of a text it
            does not read can only take away: names alone make a cosine.
    """
    kind = kind_of(nearness is not None, coverage is not None)
    whole = WEIGHTS[kind].apply(nearness or 0.0, coverage or 0.0, joint_coverage)
    if kind != "cosine_and_coverage":
        return whole
    if reads_passage:
        return max(whole, MOST_WORDS.apply(0.0, coverage or 0.0, 0.0))
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

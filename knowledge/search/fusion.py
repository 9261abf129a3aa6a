"""Several ranked lists into one, by reciprocal rank fusion (RRF).

It knows ranks only; it does not know scores, texts or who made the lists.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from knowledge.types import RetrieverName

FIRST = 1.0  # more than all rankings together give: a score keeps the order of its passages


@dataclass(frozen=True, slots=True)
class Ranking:
    """One retriever's live hits, best first; `best` is the first one's cosine, where it has one."""

    retriever: RetrieverName
    chunk_pks: tuple[int, ...]
    best: float = 0.0


@dataclass(frozen=True, slots=True)
class FusedRanking:
    """All rankings in one: the best chunks, the score of each, and which retrievers found it."""

    best: tuple[int, ...]
    scores: Mapping[int, float]
    retrievers: Mapping[int, tuple[RetrieverName, ...]]


def fuse(
    rankings: Iterable[Ranking], *, rrf_k: int, limit: int, first: Collection[int] = ()
) -> FusedRanking:
    """Fuse rankings: each gives a chunk `1 / (rrf_k + rank)`; equal scores go by chunk.

    The chunks in `first` stand before all others: two rankings of what is about the subject would
    outvote the one chunk that holds the code asked for.

    Source: Cormack, Clarke and Büttcher 2009; `rrf_k`: `KnowledgeConfig.rrf_k`.
    """
    scores: dict[int, float] = {}
    retrievers: dict[int, tuple[RetrieverName, ...]] = {}
    for ranking in rankings:
        for rank, pk in enumerate(ranking.chunk_pks, start=1):
            scores[pk] = scores.get(pk, 0.0) + 1.0 / (rrf_k + rank)
            if ranking.retriever not in retrievers.get(pk, ()):
                retrievers[pk] = (*retrievers.get(pk, ()), ranking.retriever)
    scores |= {pk: scores[pk] + FIRST for pk in first if pk in scores}
    best = sorted(scores, key=lambda pk: (-scores[pk], pk))[:limit]
    return FusedRanking(tuple(best), scores, retrievers)

"""From a question to passages: search both lists, fuse them, read the best, mark their relevance.

It knows the order of the steps; each step is in a file of its own. Words are searched while the
question is embedded; one snapshot of SQL then decides what of all that was found is live.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from knowledge.errors import StoreUnavailable
from knowledge.resources import Resources
from knowledge.search.dense import (
    DenseList,
    DenseQuery,
    EmbedderGroup,
    IndexSwapped,
    dense_list,
    embedder_groups,
    start_dense,
)
from knowledge.search.fusion import FusedRanking, Ranking, fuse
from knowledge.search.lexical import (
    LexicalList,
    LexicalLists,
    chosen_texts,
    lexical_list,
    start_lexical,
)
from knowledge.search.passages import (
    FoundRow,
    count_within_budget,
    distinct_rows,
    passage_of,
    read_rows,
    text_of,
)
from knowledge.search.query import PreparedQuery, SearchQuery, check_query, prepare_queries
from knowledge.search.relevance import is_heading, kind_of, relevance_by_chunk
from knowledge.search.turns import Found, in_turns
from knowledge.types import RETRIEVERS, LeftOut, Passage, Retrieval, RetrieverName

logger = logging.getLogger(__name__)

SPARE_FACTOR = 2  # chunks looked at for each passage wanted: repetitions are left out
MAX_ATTEMPTS = 3  # a re-index may swap the index between a question and its answer


def retrieve(resources: Resources, query: SearchQuery) -> Retrieval:
    """Return the passages for a question, best first, and how they were found.

    Raises:
        InvalidQuery: The caller's mistake.
        CollectionNotFound: A knowledge base named does not exist in this tenant.
        EmbedderMismatch: A base was indexed by another embedder than those at hand.
    """
    check_query(query)
    for _ in range(MAX_ATTEMPTS):
        try:
            return _retrieve(resources, query)
        except IndexSwapped:
            logger.info("a re-index swapped while a question was answered; it is asked again")
    raise StoreUnavailable("the index was replaced repeatedly during the search")


def _retrieve(resources: Resources, query: SearchQuery) -> Retrieval:
    prepared = prepare_queries(resources, query)
    groups = embedder_groups(resources, prepared[0].bases)
    started = [_start(resources, each, groups) for each in prepared]
    with resources.database.connect() as connection:  # one snapshot checks all that is found
        found = [_find(resources, connection, each) for each in started]
    rows = {pk: row for each in found for pk, row in each.rows.items()}
    order = in_turns([each.best for each in found], rows)
    best = sorted(order, key=lambda pk: is_heading(rows[pk]))[: query.top_k]
    fitting = count_within_budget(resources, [rows[pk] for pk in best], query.max_tokens)
    dense = [every for each in found for every in each.dense]
    minimum = _min_relevance(resources, query, dense)
    passages = tuple(
        _passage(pk, rows[pk], found, min_relevance=minimum[rows[pk].index_pk])
        for pk in best[:fitting]
    )
    left_out = _left_out(query, dense)
    return Retrieval(
        passages=passages,
        best_relevance=max((passage.relevance for passage in passages), default=None),
        relevant_passages=sum(passage.is_relevant for passage in passages),
        degraded=any(entry.reason == "unavailable" for entry in left_out),
        retrievers=_took_part(dense, left_out),
        left_out=left_out,
        query="\n".join(each.text for each in found),
        language=prepared[0].language,
        relevance_kind=kind_of(
            any(each.vector is not None for each in dense), "lexical" in query.retrievers
        ),
        min_relevance=min(minimum.values(), default=resources.config.min_relevance),
        passages_over_budget=len(best) - fitting,
    )


@dataclass(frozen=True, slots=True)
class _Started:
    """One question under way: asked of the vector index, its words found."""

    prepared: PreparedQuery
    dense: Sequence[DenseQuery]
    lexical: LexicalLists


def _start(
    resources: Resources, prepared: PreparedQuery, groups: Sequence[EmbedderGroup]
) -> _Started:
    """Search one question's words while it is embedded; embed it anew where it was misspelt."""
    text = prepared.asked.text
    searches = start_lexical(resources, prepared)
    dense = [start_dense(resources, prepared, group, text=text) for group in groups]
    lexical = {text: search.result() for text, search in searches.items()}
    words = lexical[text]
    meant = text if words is None else words.terms.as_meant(text)
    if meant != text:
        dense = [start_dense(resources, prepared, group, text=meant) for group in groups]
    return _Started(prepared, dense, lexical)


def _find(resources: Resources, connection: Connection, started: _Started) -> Found:
    """Return what was found for one question: the lists fused, read and judged."""
    prepared, lexical = started.prepared, started.lexical
    access = prepared.query.access
    lists = [dense_list(resources, connection, each) for each in started.dense]
    texts = chosen_texts(prepared, lists)
    words = lexical[texts[-1]]
    fused = _fuse(resources, prepared, _rankings(lists, lexical, texts), words)
    rows = read_rows(connection, fused.best, access)
    if len(rows) < len(fused.best):  # a document changed since its words were searched
        lexical = {text: lexical_list(resources, connection, prepared, text) for text in texts}
        words = lexical[texts[-1]]
        fused = _fuse(resources, prepared, _rankings(lists, lexical, texts), words)
        rows = read_rows(connection, fused.best, access)
    order = sorted((pk for pk in fused.best if pk in rows), key=lambda pk: is_heading(rows[pk]))
    rows = distinct_rows(rows, order, prepared.wanted)
    terms = None if words is None else words.terms
    relevance = relevance_by_chunk(rows, lists, terms, question_language=prepared.language)
    scores, best = fused.scores, list(rows)
    if resources.reranker:
        scores = _rerank(resources, prepared, rows)
        best.sort(key=lambda pk: (is_heading(rows[pk]), -scores[pk]))
    return Found(texts[-1], lists, rows, tuple(best), relevance, scores, fused.retrievers)


def _passage(pk: int, row: FoundRow, found: Sequence[Found], *, min_relevance: float) -> Passage:
    """Return a chunk as a passage, by the question that it answers best."""
    of = max((each for each in found if pk in each.rows), key=lambda each: each.relevance[pk])
    return passage_of(
        row,
        score=of.scores[pk],
        relevance=of.relevance[pk],
        min_relevance=min_relevance,
        retrievers=of.retrievers[pk],
    )


def _rankings(
    dense: Iterable[DenseList], lexical: LexicalLists, texts: Iterable[str]
) -> list[Ranking]:
    """Return the rankings there are, the dense ones first."""
    by_words = (lexical[text] for text in texts)
    return [
        *(each.ranking for each in dense if each.ranking is not None),
        *(each.ranking for each in by_words if each is not None),
    ]


def _fuse(
    resources: Resources,
    prepared: PreparedQuery,
    rankings: Sequence[Ranking],
    words: LexicalList | None,
) -> FusedRanking:
    limit = prepared.wanted * SPARE_FACTOR
    named = frozenset[int]() if words is None else words.terms.named(words.ranking.chunk_pks)
    nearest = prepared.conversation is None
    return fuse(
        rankings, rrf_k=resources.config.rrf_k, limit=limit, first=named, keeps_nearest=nearest
    )


def _min_relevance(
    resources: Resources, query: SearchQuery, dense: Iterable[DenseList]
) -> dict[int, float]:
    """Return the relevance that a passage needs, by the generation of its base."""
    return {
        index_pk: resources.min_relevance_of(each.group.embedder)
        if query.min_relevance is None
        else query.min_relevance
        for each in dense
        for index_pk in each.group.index_pks
    }


def _rerank(
    resources: Resources, prepared: PreparedQuery, rows: Mapping[int, FoundRow]
) -> dict[int, float]:
    """Return the reranker's score of each passage; the conversation's last turns are left out."""
    assert resources.reranker is not None
    texts = [text_of(row) for row in rows.values()]
    return dict(zip(rows, resources.reranker.score(prepared.asked.text, texts), strict=True))


def _left_out(query: SearchQuery, dense: Iterable[DenseList]) -> tuple[LeftOut, ...]:
    left_out = list(dict.fromkeys(each.left_out for each in dense if each.left_out))
    if "lexical" not in query.retrievers:
        left_out.append(LeftOut("lexical", "not_asked", "the caller asked for others"))
    return tuple(left_out)


def _took_part(
    dense: Iterable[DenseList], left_out: Sequence[LeftOut]
) -> tuple[RetrieverName, ...]:
    absent = {entry.retriever for entry in left_out}
    if any(each.ranking is not None for each in dense):
        absent.discard("dense")
    return tuple(name for name in RETRIEVERS if name not in absent)

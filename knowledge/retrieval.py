"""From a question to passages: ask the retrievers that can read it, check, fuse, mark.

It knows which retriever takes part and what to do when one is away; it does not know how a
vector or a word index works. A dense hit counts only if SQL says it is live: its tenant, its
base, the active version. Lexical rows change in the same transaction as the truth.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Row, func, select

from knowledge import bases as base_rows
from knowledge import lexical
from knowledge.bases import Base, check_embedder
from knowledge.conversation import blend, with_context
from knowledge.errors import InvalidFilter, InvalidQuery, StoreUnavailable, VectorsMissing
from knowledge.ingest import MAX_ATTRIBUTES, Stores
from knowledge.languages import detect_language, reads
from knowledge.stored_chunks import IS_LIVE, attribute_key, live_chunks, vector_of
from knowledge.tables import bases as base_table
from knowledge.tables import chunks, documents, versions
from knowledge.types import (
    RETRIEVERS,
    Attributes,
    BaseId,
    ChunkId,
    DocumentId,
    LeftOut,
    Passage,
    RelevanceKind,
    Retrieval,
    RetrieverName,
    Turn,
)

logger = logging.getLogger(__name__)
Vectors = npt.NDArray[np.float32]

EXACT_CHUNKS = 2_000  # a filter that leaves fewer is searched exactly: 12 ms on a busy machine
GROWTH = (1, 4, 16)  # how far past `candidates` to look while hits are rejected as not live


@dataclass(frozen=True, slots=True)
class Search:
    """What the caller asks for."""

    question: str
    history: tuple[Turn, ...]
    tenant: str
    base_ids: tuple[str, ...]
    top_k: int
    filters: Attributes
    min_relevance: float | None
    retrievers: tuple[RetrieverName, ...] = RETRIEVERS


@dataclass(frozen=True, slots=True)
class _Ranking:
    """One retriever's live hits, best first."""

    retriever: RetrieverName
    chunk_pks: tuple[int, ...]
    best: float = 0.0


@dataclass(frozen=True, slots=True)
class _Dense:
    """What the dense retriever brought: a ranking for the vector that was chosen, or a reason."""

    ranking: _Ranking | None = None
    vector: Vectors | None = None
    with_history: bool = False
    left_out: LeftOut | None = None


def retrieve(stores: Stores, search: Search) -> Retrieval:
    """Return the passages for a question, best first, and how they were found.

    Raises:
        InvalidQuery, InvalidFilter: The caller's mistake.
        CollectionNotFound: A knowledge base named does not exist in this tenant.
        EmbedderMismatch: A base was indexed by another embedder than the one at hand.
    """
    _check(stores, search)
    config = stores.config
    language = detect_language(search.question)
    together = with_context(search.question, search.history, turns=config.history_turns)
    with stores.engine.connect() as connection:
        bases = base_rows.get_bases(connection, search.base_ids, tenant=search.tenant)
    for base in bases:
        check_embedder(base, stores.embedder)
    dense = _search_dense(stores, bases, search, together, language)
    base_pks = [base.pk for base in bases]
    with stores.engine.connect() as connection:  # one snapshot for all that follows
        checked = _recheck(connection, dense.ranking, base_pks, search.filters)
        texts = _lexical_texts(search.question, together, dense)
        words = [
            _search_words(stores, connection, text, base_pks, search.filters)
            for text in texts
            if "lexical" in search.retrievers
        ]
        scores, finders = _fuse([*checked, *words], rrf_k=config.rrf_k)
        best = sorted(scores, key=lambda pk: (-scores[pk], pk))[: search.top_k]
        kind: RelevanceKind = "coverage" if dense.vector is None else "cosine"
        relevance = _relevance(connection, dense.vector, texts[-1], base_pks, best)
        rows = _rows(connection, best)
    floor = _floor(stores, kind) if search.min_relevance is None else search.min_relevance
    passages = tuple(
        _passage(rows[pk], scores[pk], relevance[pk], floor, finders[pk])
        for pk in best
        if pk in rows
    )
    left_out = _left_out(dense, words)
    return Retrieval(
        passages=passages,
        best_relevance=max((passage.relevance for passage in passages), default=None),
        above_floor=sum(passage.above_floor for passage in passages),
        degraded=any(entry.reason == "unavailable" for entry in left_out),
        retrievers=_took_part(left_out),
        left_out=left_out,
        query=texts[-1],
        language=language,
        relevance_kind=kind,
        min_relevance=floor,
    )


def _check(stores: Stores, search: Search) -> None:
    limit = stores.config.max_question_chars
    if not search.question.strip():
        raise InvalidQuery("the question is empty")
    if len(search.question) > limit:
        raise InvalidQuery(f"the question has {len(search.question)} characters; at most {limit}")
    if search.top_k < 1:
        raise InvalidQuery(f"top_k is {search.top_k}; at least 1")
    if not set(search.retrievers) & set(RETRIEVERS):
        raise InvalidQuery(f"no such retriever; choose among {', '.join(RETRIEVERS)}")
    if len(search.filters) > MAX_ATTRIBUTES:
        raise InvalidFilter(f"{len(search.filters)} filters; at most {MAX_ATTRIBUTES}")
    for value in search.filters.values():
        attribute_key(value)


def _search_dense(
    stores: Stores, bases: Sequence[Base], search: Search, together: str | None, language: str
) -> _Dense:
    """Ask by the question alone and with the conversation; keep the one that came nearer."""
    embedder, config = stores.embedder, stores.config
    if "dense" not in search.retrievers:
        return _Dense(left_out=LeftOut("dense", "not_asked", "the caller asked for others"))
    if not reads(embedder.languages, language):
        detail = f"{embedder.model_id} does not read {language!r}"
        return _Dense(left_out=LeftOut("dense", "language_not_read", detail))
    vector = embedder.embed_query(search.question)
    try:
        alone = _nearest(stores, bases, vector, search.filters)
        if together is None:
            return _Dense(ranking=alone, vector=vector)
        mixed = blend(
            vector, embedder.embed_query(together), question_weight=config.question_weight
        )
        both = _nearest(stores, bases, mixed, search.filters)
    except (StoreUnavailable, VectorsMissing) as exc:
        logger.warning("answering without the dense retriever: %s", exc)
        return _Dense(vector=vector, left_out=LeftOut("dense", "unavailable", str(exc)))
    if alone.best - both.best > config.follow_up_margin:
        return _Dense(ranking=alone, vector=vector)
    return _Dense(ranking=both, vector=mixed, with_history=True)


def _nearest(
    stores: Stores, bases: Sequence[Base], vector: Vectors, filters: Attributes
) -> _Ranking:
    """Return the nearest live chunks; looks further while hits turn out not to be live."""
    base_pks = [base.pk for base in bases]
    if filters:
        with stores.engine.connect() as connection:
            exact = _exact(connection, vector, base_pks, filters)
        if exact is not None:
            return _cut(exact, stores.config.candidates)
    wanted = stores.config.candidates
    live: list[tuple[int, float]] = []
    for growth in GROWTH:
        hits, full = _ask_index(stores, bases, vector, wanted * growth)
        with stores.engine.connect() as connection:
            known = _live_by_id(connection, [chunk_id for chunk_id, _ in hits], base_pks, filters)
        live = [(known[chunk_id], score) for chunk_id, score in hits if chunk_id in known]
        rejected = len(hits) - len(live)
        if not rejected or len(live) >= wanted or (not full and growth > 1):
            break
    return _cut(live, wanted)


def _cut(hits: Iterable[tuple[int, float]], wanted: int) -> _Ranking:
    best = sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:wanted]
    return _Ranking("dense", tuple(pk for pk, _ in best), best[0][1] if best else 0.0)


def _ask_index(
    stores: Stores, bases: Sequence[Base], vector: Vectors, top_k: int
) -> tuple[list[tuple[str, float]], bool]:
    """Return (chunk id, cosine) over all bases, and whether a collection may hold more."""
    hits: list[tuple[str, float]] = []
    full = False
    for base in bases:
        found = _ask_collection(stores, base, vector, top_k)
        full = full or len(found) == top_k
        hits.extend(found)
    return hits, full


def _ask_collection(
    stores: Stores, base: Base, vector: Vectors, top_k: int
) -> list[tuple[str, float]]:
    """Ask one collection; its generation may have been swapped a moment ago."""
    try:
        found = stores.index.query(base.index.collection, vector, top_k=top_k)
    except VectorsMissing:
        with stores.engine.connect() as connection:
            now = base_rows.get_base(connection, base.base_id, tenant=base.tenant)
            if not base_rows.has_chunks(connection, base.pk):
                return []  # no document yet: the collection is made with the first one
        if now.index.collection == base.index.collection:
            raise
        found = stores.index.query(now.index.collection, vector, top_k=top_k)
    return [(hit.chunk_id, hit.score) for hit in found]


def _live_by_id(
    connection: Connection, chunk_ids: Sequence[str], base_pks: Sequence[int], filters: Attributes
) -> dict[str, int]:
    """Return the pks of those chunks that SQL says may be found."""
    if not chunk_ids:
        return {}
    query = live_chunks(base_pks, filters).add_columns(chunks.c.chunk_id)
    rows = connection.execute(query.where(chunks.c.chunk_id.in_(list(chunk_ids))))
    return {row.chunk_id: row.pk for row in rows}


def _exact(
    connection: Connection, vector: Vectors, base_pks: Sequence[int], filters: Attributes
) -> list[tuple[int, float]] | None:
    """Return the cosine of every chunk the filter leaves; None if that is too many."""
    query = live_chunks(base_pks, filters).add_columns(chunks.c.vector).limit(EXACT_CHUNKS + 1)
    rows = connection.execute(query).all()
    if len(rows) > EXACT_CHUNKS:
        return None
    return [(row.pk, float(vector_of(row.vector) @ vector)) for row in rows]


def _recheck(
    connection: Connection,
    ranking: _Ranking | None,
    base_pks: Sequence[int],
    filters: Attributes,
) -> list[_Ranking]:
    """Return the dense ranking without what died since it was made; no ranking, none."""
    if ranking is None:
        return []
    query = live_chunks(base_pks, filters).where(chunks.c.pk.in_(ranking.chunk_pks))
    live = set(connection.scalars(query))
    return [_Ranking("dense", tuple(pk for pk in ranking.chunk_pks if pk in live), ranking.best)]


def _lexical_texts(question: str, together: str | None, dense: _Dense) -> list[str]:
    """Return what to search words for; without a dense verdict, both readings are fused."""
    if together is None:
        return [question]
    if dense.ranking is None:
        return [question, together]
    return [together if dense.with_history else question]


def _search_words(
    stores: Stores, connection: Connection, text: str, base_pks: Sequence[int], filters: Attributes
) -> _Ranking:
    hits = lexical.search(
        connection,
        lexical.query_tokens(text),
        base_pks=base_pks,
        top_k=stores.config.candidates,
        among=live_chunks(base_pks, filters) if filters else None,
    )
    return _Ranking("lexical", tuple(hit.chunk_pk for hit in hits))


def _fuse(
    rankings: Sequence[_Ranking], *, rrf_k: int
) -> tuple[dict[int, float], dict[int, tuple[RetrieverName, ...]]]:
    """Return the reciprocal rank score of every hit, and who found it."""
    scores: dict[int, float] = {}
    finders: dict[int, tuple[RetrieverName, ...]] = {}
    for ranking in rankings:
        for rank, pk in enumerate(ranking.chunk_pks, start=1):
            scores[pk] = scores.get(pk, 0.0) + 1.0 / (rrf_k + rank)
            if ranking.retriever not in finders.get(pk, ()):
                finders[pk] = (*finders.get(pk, ()), ranking.retriever)
    return scores, finders


def _relevance(
    connection: Connection,
    vector: Vectors | None,
    text: str,
    base_pks: Sequence[int],
    chunk_pks: Sequence[int],
) -> dict[int, float]:
    """Return how well each chunk fits, 0..1: cosine, or coverage where no vector reads the text."""
    if vector is None:
        total = connection.scalar(
            select(func.count()).select_from(chunks).where(chunks.c.base_pk.in_(list(base_pks)))
        )
        tokens = lexical.query_tokens(text)
        return lexical.coverage(
            connection, tokens, base_pks=base_pks, chunk_pks=chunk_pks, total=total or 0
        )
    query = select(chunks.c.pk, chunks.c.vector).where(chunks.c.pk.in_(list(chunk_pks)))
    cosine: Callable[[bytes], float] = lambda blob: float(vector_of(blob) @ vector)  # noqa: E731
    return {pk: min(max(cosine(blob), 0.0), 1.0) for pk, blob in connection.execute(query)}


def _rows(connection: Connection, chunk_pks: Sequence[int]) -> dict[int, Row[*tuple[Any, ...]]]:
    query = (
        select(
            chunks.c.pk,
            chunks.c.chunk_id,
            chunks.c.ordinal,
            chunks.c.text,
            chunks.c.start,
            chunks.c.end,
            chunks.c.page,
            chunks.c.heading,
            documents.c.document_id,
            documents.c.external_id,
            versions.c.version,
            versions.c.filename,
            versions.c.attributes,
            base_table.c.base_id,
        )
        .join(documents, IS_LIVE)
        .join(versions, versions.c.pk == chunks.c.version_pk)
        .join(base_table, base_table.c.pk == chunks.c.base_pk)
        .where(chunks.c.pk.in_(list(chunk_pks)))
    )
    return {row.pk: row for row in connection.execute(query)}


def _passage(
    row: Row[*tuple[Any, ...]],
    score: float,
    relevance: float,
    floor: float,
    finders: tuple[RetrieverName, ...],
) -> Passage:
    values = row._mapping
    return Passage(
        chunk_id=ChunkId(values["chunk_id"]),
        knowledge_base=BaseId(values["base_id"]),
        document_id=DocumentId(values["document_id"]),
        external_id=values["external_id"],
        version=values["version"],
        filename=values["filename"],
        page=values["page"],
        start=values["start"],
        end=values["end"],
        score=score,
        text=values["text"],
        ordinal=values["ordinal"],
        relevance=relevance,
        above_floor=relevance >= floor,
        heading=values["heading"],
        attributes=values["attributes"],
        retrievers=finders,
    )


def _floor(stores: Stores, kind: RelevanceKind) -> float:
    config = stores.config
    return config.min_relevance_cosine if kind == "cosine" else config.min_relevance_coverage


def _left_out(dense: _Dense, words: Sequence[_Ranking]) -> tuple[LeftOut, ...]:
    left_out = [dense.left_out] if dense.left_out else []
    if not words:
        left_out.append(LeftOut("lexical", "not_asked", "the caller asked for others"))
    return tuple(left_out)


def _took_part(left_out: Sequence[LeftOut]) -> tuple[RetrieverName, ...]:
    absent = {entry.retriever for entry in left_out}
    return tuple(name for name in RETRIEVERS if name not in absent)

"""From a question to passages: ask the retrievers that can read it, check, fuse, mark.

It knows which retriever takes part and what to do when one is away; it does not know how a
vector or a word index works. A dense hit counts only if SQL says it is live: its tenant, its
base, the active version. Lexical rows change in the same transaction as the truth.
"""

import json
import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Row, bindparam, case, func, select

from knowledge.config import KnowledgeConfig
from knowledge.embedding import Embedder
from knowledge.errors import (
    InvalidFilter,
    InvalidQuery,
    StoreRefused,
    StoreUnavailable,
    VectorsMissing,
)
from knowledge.index.vectors import VectorHit
from knowledge.languages import detect_language, reads
from knowledge.resources import Resources
from knowledge.search.conversation import blend, with_context
from knowledge.search.relevance import kind_of, relevance
from knowledge.sql import bases as base_rows
from knowledge.sql import full_text
from knowledge.sql.bases import Base
from knowledge.sql.chunks import (
    IS_LIVE,
    VECTOR,
    AnySelect,
    asks_for_labels,
    attribute_key,
    count_chunks,
    filtered,
    in_bases,
    live_chunks,
    readable,
    vector_of,
    with_vector,
)
from knowledge.sql.full_text import WeighedWords
from knowledge.sql.tables import bases as base_table
from knowledge.sql.tables import chunks, documents, indexes, versions
from knowledge.types import (
    MAX_ATTRIBUTES,
    RETRIEVERS,
    Attributes,
    BaseId,
    ChunkId,
    DocumentId,
    LeftOut,
    Passage,
    Retrieval,
    RetrieverName,
    Turn,
)

logger = logging.getLogger(__name__)
Vectors = npt.NDArray[np.float32]
_Found = Row[*tuple[Any, ...]]  # a chunk with its document, version and base

_WHITE = re.compile(r"\s+")
EXACT_CHUNKS = 2_000  # a filter that leaves fewer is searched exactly: 12 ms on a busy machine
TOGETHER = 3  # best passages whose words count together; 5: multihop the same, support_en less
SPARE = 2  # chunks looked at for each passage wanted: repetitions are left out
SWAPS = 3  # of a re-index, that may come between one question and its answer
GROWTH = (1, 4, 16)  # how far past `candidates` to look while hits are rejected as not live

# built once: building a statement takes as long as running it
_ASKED = func.json_each(bindparam("ids")).table_valued("value")  # one parameter: fifty take longer
_LIVE_BY_ID = (
    select(chunks.c.pk, chunks.c.chunk_id)
    .join(documents, IS_LIVE)
    .where(
        in_bases(bindparam("bases", expanding=True)),
        chunks.c.chunk_id.in_(select(_ASKED.c.value)),
    )
)
_FOUND = readable(
    with_vector(
        select(
            chunks.c.pk,
            chunks.c.chunk_id,
            chunks.c.ordinal,
            chunks.c.text,
            VECTOR,
            chunks.c.start,
            chunks.c.end,
            chunks.c.page,
            chunks.c.heading,
            chunks.c.tokens,
            chunks.c.version_pk,
            chunks.c.parent_start,
            chunks.c.parent_end,
            case(
                (
                    chunks.c.parent_start.is_not(None),
                    func.substr(
                        versions.c.text,
                        chunks.c.parent_start + 1,
                        chunks.c.parent_end - chunks.c.parent_start,
                    ),
                )
            ).label("parent_text"),
            documents.c.document_id,
            documents.c.external_id,
            versions.c.version,
            versions.c.filename,
            versions.c.attributes,
            versions.c.chunks.label("version_chunks"),
            base_table.c.base_id,
            indexes.c.pk.label("index_pk"),
        )
        .join(documents, IS_LIVE)
        .join(versions, versions.c.pk == chunks.c.version_pk)
        .join(base_table, base_table.c.pk == chunks.c.base_pk)
    ).where(chunks.c.pk.in_(bindparam("pks", expanding=True))),
    bindparam("labels", expanding=True),
)


@dataclass(frozen=True, slots=True)
class Search:
    """What the caller asks for."""

    question: str
    history: tuple[Turn, ...]
    tenant: str
    base_ids: tuple[str, ...]
    top_k: int
    filters: Attributes
    access: frozenset[str]
    min_relevance: float | None
    retrievers: tuple[RetrieverName, ...] = RETRIEVERS
    max_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the reader may find: the bases, and who he is where a document there asks for it."""

    base_pks: tuple[int, ...]
    filters: Attributes
    access: frozenset[str] | None

    @property
    def is_narrow(self) -> bool:
        """Whether it holds less than every live chunk of the bases."""
        return bool(self.filters) or self.access is not None

    def narrow(self, query: AnySelect) -> AnySelect:
        """Return `query` for the chunks in this scope only."""
        query = filtered(query, self.filters)
        return query if self.access is None else readable(query, sorted(self.access))


@dataclass(frozen=True, slots=True)
class _Ranking:
    """One retriever's live hits, best first."""

    retriever: RetrieverName
    chunk_pks: tuple[int, ...]
    best: float = 0.0


@dataclass(frozen=True, slots=True)
class _Words:
    """What the words of a text brought: a ranking, and the words weighed for relevance."""

    ranking: _Ranking
    weighed: WeighedWords


@dataclass(frozen=True, slots=True)
class _Ranked:
    """All rankings in one: the best chunks, their scores, and who found them."""

    best: tuple[int, ...]
    scores: Mapping[int, float]
    finders: Mapping[int, tuple[RetrieverName, ...]]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read the question, and the index's answer to it, waited for by `hits`."""

    vector: Vectors
    with_history: bool
    hits: "Callable[[], _Hits]"


@dataclass(frozen=True, slots=True)
class _Hits:
    """(chunk id, cosine) over all bases, and whether a collection may hold more."""

    pairs: tuple[tuple[str, float], ...]
    may_hold_more: bool


@dataclass(frozen=True, slots=True)
class _Part:
    """The bases whose vectors one embedder made, and how it reads the question."""

    embedder: Embedder
    bases: tuple[Base, ...]
    readings: list[_Reading] | LeftOut


@dataclass(frozen=True, slots=True)
class _Dense:
    """What a part's vectors brought: a ranking for the reading that was chosen, or a reason."""

    part: _Part
    ranking: _Ranking | None = None
    vector: Vectors | None = None
    with_history: bool = False
    left_out: LeftOut | None = None


class _Swapped(Exception):
    """A re-index put vectors of another embedder in the place of those that were asked."""


def retrieve(resources: Resources, search: Search) -> Retrieval:
    """Return the passages for a question, best first, and how they were found.

    Raises:
        InvalidQuery, InvalidFilter: The caller's mistake.
        CollectionNotFound: A knowledge base named does not exist in this tenant.
        EmbedderMismatch: A base was indexed by another embedder than those at hand.
    """
    _check(resources, search)
    for _ in range(SWAPS):
        try:
            return _retrieve(resources, search)
        except _Swapped:
            logger.info("a re-index swapped while a question was answered; it is asked again")
    raise StoreUnavailable("the index was replaced again and again while it was asked")


def _retrieve(resources: Resources, search: Search) -> Retrieval:
    config = resources.config
    language = detect_language(search.question)
    together = with_context(search.question, search.history, turns=config.history_turns)
    with resources.engine.connect() as connection:
        bases = base_rows.get_bases(connection, search.base_ids, tenant=search.tenant)
        base_pks = tuple(base.pk for base in bases)
        guarded = asks_for_labels(connection, base_pks)
    made_by = _by_embedder(resources, bases)
    scope = _Scope(base_pks, search.filters, search.access if guarded else None)
    texts = [search.question] if together is None else [search.question, together]
    beside = partial(_search_words_beside, resources, search, scope)
    early = {text: resources.threads.submit(beside, text) for text in texts}  # beside embedding
    read = partial(_read, resources, search, together, language)
    parts = [_Part(embedder, made, read(embedder, made)) for embedder, made in made_by]
    words = {text: future.result() for text, future in early.items()}
    wanted = _wanted(resources, search)
    with resources.engine.connect() as connection:  # one snapshot judges all that is found
        dense = [_search_dense(resources, connection, scope, part) for part in parts]
        texts = _lexical_texts(search.question, together, dense)
        ranked = _rank(config, wanted, dense, [words[text] for text in texts])
        rows = _rows(connection, ranked.best, search.access)
        if len(rows) < len(ranked.best):  # a document changed since the early search
            find = partial(_search_words, resources, connection, search, scope)
            words = {text: find(text) for text in texts}
            ranked = _rank(config, wanted, dense, [words[text] for text in texts])
            rows = _rows(connection, ranked.best, search.access)
    rows = _distinct(rows, ranked.best, wanted)
    last = words[texts[-1]]
    weighed = None if last is None else last.weighed
    by_index = {base.index.pk: each for each in dense for base in each.part.bases}
    judged = _relevance(by_index, weighed, rows)
    floors = {pk: _floor(resources, search, each.part) for pk, each in by_index.items()}
    scores = _read_again(resources, search, rows) if resources.reranker else ranked.scores
    best = sorted(rows, key=lambda pk: -scores[pk])[: search.top_k]
    fitting = _fitting(resources, search, rows, best)
    passages = tuple(
        _passage(rows[pk], scores[pk], judged[pk], floors[rows[pk].index_pk], ranked.finders[pk])
        for pk in best[:fitting]
    )
    left_out = _left_out(dense, search)
    return Retrieval(
        passages=passages,
        best_relevance=max((passage.relevance for passage in passages), default=None),
        above_floor=sum(passage.above_floor for passage in passages),
        degraded=any(entry.reason == "unavailable" for entry in left_out),
        retrievers=_took_part(dense, left_out),
        left_out=left_out,
        query=texts[-1],
        language=language,
        relevance_kind=kind_of(any(d.vector is not None for d in dense), weighed is not None),
        min_relevance=min(floors.values(), default=config.min_relevance),
        passages_over_budget=len(best) - fitting,
    )


def _check(resources: Resources, search: Search) -> None:
    limit = resources.config.max_question_chars
    if not search.question.strip():
        raise InvalidQuery("the question is empty")
    if len(search.question) > limit:
        raise InvalidQuery(f"the question has {len(search.question)} characters; at most {limit}")
    if search.top_k < 1:
        raise InvalidQuery(f"top_k is {search.top_k}; at least 1")
    if search.max_tokens is not None and search.max_tokens < 1:
        raise InvalidQuery(f"max_tokens is {search.max_tokens}; at least 1, or leave it out")
    if not set(search.retrievers) & set(RETRIEVERS):
        raise InvalidQuery(f"no such retriever; choose among {', '.join(RETRIEVERS)}")
    if len(search.filters) > MAX_ATTRIBUTES:
        raise InvalidFilter(f"{len(search.filters)} filters; at most {MAX_ATTRIBUTES}")
    for value in search.filters.values():
        attribute_key(value)


def _by_embedder(
    resources: Resources, bases: Sequence[Base]
) -> list[tuple[Embedder, tuple[Base, ...]]]:
    """Return the bases of each embedder: of one, but while bases are re-indexed to another."""
    made: dict[int, tuple[Embedder, tuple[Base, ...]]] = {}
    for base in bases:
        embedder = resources.embedder_of(base)
        made[id(embedder)] = embedder, (*made.get(id(embedder), (embedder, ()))[1], base)
    return list(made.values())


def _read(
    resources: Resources,
    search: Search,
    together: str | None,
    language: str,
    embedder: Embedder,
    bases: Sequence[Base],
) -> list[_Reading] | LeftOut:
    """Embed the question, alone and with the conversation, and ask the index for each."""
    config = resources.config
    if "dense" not in search.retrievers:
        return LeftOut("dense", "not_asked", "the caller asked for others")
    if not reads(embedder.languages, language):
        return LeftOut(
            "dense", "language_not_read", f"{embedder.model_id} does not read {language!r}"
        )
    ask = partial(_ask_index, resources, bases, top_k=config.candidates)
    alone = embedder.embed_query(search.question)
    readings = [_Reading(alone, False, ask(alone))]
    if together is not None:
        context = embedder.embed_query(together)
        mixed = blend(alone, context, question_weight=config.question_weight)
        readings.append(_Reading(mixed, True, ask(mixed)))
    return readings


def _search_dense(
    resources: Resources, connection: Connection, scope: _Scope, part: _Part
) -> _Dense:
    """Return the ranking of the reading that came nearer to a passage."""
    readings = part.readings
    if isinstance(readings, LeftOut):
        return _Dense(part, left_out=readings)
    scope = replace(scope, base_pks=tuple(base.pk for base in part.bases))
    try:
        rankings = [_nearest(resources, connection, part.bases, scope, r) for r in readings]
    except (StoreUnavailable, VectorsMissing) as exc:
        logger.warning("answering without the dense retriever: %s", exc)
        left_out = LeftOut("dense", "unavailable", str(exc))
        return _Dense(part, vector=readings[0].vector, left_out=left_out)
    lead = rankings[0].best - rankings[-1].best
    chosen = 0 if lead > resources.config.follow_up_margin else len(readings) - 1
    reading = readings[chosen]
    return _Dense(part, rankings[chosen], reading.vector, reading.with_history)


def _nearest(
    resources: Resources,
    connection: Connection,
    bases: Sequence[Base],
    scope: _Scope,
    reading: _Reading,
) -> _Ranking:
    """Return the nearest live chunks; looks further while hits turn out not to be live."""
    if scope.is_narrow:
        exact = _exact(connection, reading.vector, scope, {base.index.pk for base in bases})
        if exact is not None:
            return _cut(exact, resources.config.candidates)
    wanted = resources.config.candidates
    live: list[tuple[int, float]] = []
    for growth in GROWTH:
        wait = reading.hits
        if growth > 1:
            wait = _ask_index(resources, bases, reading.vector, top_k=wanted * growth)
        hits = wait()
        known = _live_by_id(connection, [name for name, _ in hits.pairs], scope)
        live = [(known[name], score) for name, score in hits.pairs if name in known]
        rejected = len(hits.pairs) - len(live)
        if not rejected or len(live) >= wanted or (not hits.may_hold_more and growth > 1):
            break
    return _cut(live, wanted)


def _cut(hits: Iterable[tuple[int, float]], wanted: int) -> _Ranking:
    best = sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:wanted]
    return _Ranking("dense", tuple(pk for pk, _ in best), best[0][1] if best else 0.0)


def _ask_index(
    resources: Resources, bases: Sequence[Base], vector: Vectors, *, top_k: int
) -> Callable[[], _Hits]:
    """Ask every base's collection at once; the call returned waits for all."""
    waits = [_ask_collection(resources, base, vector, top_k) for base in bases]

    def wait() -> _Hits:
        found = [each() for each in waits]
        pairs = tuple((hit.chunk_id, hit.score) for hits in found for hit in hits)
        return _Hits(pairs, may_hold_more=any(len(hits) == top_k for hits in found))

    return wait


def _ask_collection(
    resources: Resources, base: Base, vector: Vectors, top_k: int
) -> Callable[[], list[VectorHit]]:
    """Ask one collection; its generation may have been swapped a moment ago."""
    ask = partial(resources.index.start_query, vector=vector, top_k=top_k)
    try:
        answer = ask(base.index.collection)
    except StoreUnavailable as exc:
        return partial(_fail, exc)

    def wait() -> list[VectorHit]:
        try:
            return answer()
        except (VectorsMissing, StoreRefused):  # Chroma refuses while a collection is dropped
            with resources.engine.connect() as connection:  # as it is now, not in the snapshot
                now = base_rows.get_base(connection, base.base_id, tenant=base.tenant)
                if not base_rows.has_chunks(connection, base.pk):
                    return []  # no document yet: the collection is made with the first one
            if now.index.collection == base.index.collection:
                raise
            if now.index.made_by != base.index.made_by:
                raise _Swapped from None
            return ask(now.index.collection)()

    return wait


def _fail(exc: StoreUnavailable) -> list[VectorHit]:
    raise exc


def _live_by_id(connection: Connection, chunk_ids: Sequence[str], scope: _Scope) -> dict[str, int]:
    """Return the pks of those chunks that SQL says may be found."""
    if not chunk_ids:
        return {}
    asked = {"bases": list(scope.base_pks), "ids": json.dumps(chunk_ids)}
    rows = connection.execute(scope.narrow(_LIVE_BY_ID), asked).all()
    return {chunk_id: pk for pk, chunk_id in rows}


def _exact(
    connection: Connection, vector: Vectors, scope: _Scope, index_pks: set[int]
) -> list[tuple[int, float]] | None:
    """Return the cosine of every chunk in a narrow scope; None if that is too many."""
    if base_rows.serving(connection, scope.base_pks) != index_pks:
        raise _Swapped
    whole = with_vector(live_chunks(scope.base_pks)).add_columns(VECTOR)
    query = scope.narrow(whole).limit(EXACT_CHUNKS + 1)
    rows = connection.execute(query).all()
    if len(rows) > EXACT_CHUNKS:
        return None
    return [(row.pk, float(vector_of(row.vector) @ vector)) for row in rows]


def _lexical_texts(question: str, together: str | None, dense: Sequence[_Dense]) -> list[str]:
    """Return what to search words for; without one dense verdict, both readings are fused."""
    if together is None:
        return [question]
    verdicts = {each.with_history for each in dense if each.ranking is not None}
    if len(verdicts) != 1:
        return [question, together]
    return [together if verdicts.pop() else question]


def _search_words_beside(
    resources: Resources, search: Search, scope: _Scope, text: str
) -> _Words | None:
    with resources.engine.connect() as connection:
        return _search_words(resources, connection, search, scope, text)


def _search_words(
    resources: Resources, connection: Connection, search: Search, scope: _Scope, text: str
) -> _Words | None:
    """Return the chunks that hold the text's words; None where the caller wants none."""
    if "lexical" not in search.retrievers:
        return None
    is_alone = text == search.question
    tokens = full_text.query_tokens(search.question, "" if is_alone else text)
    hits = full_text.search(
        connection,
        tokens,
        base_pks=scope.base_pks,
        top_k=resources.config.candidates,
        title_weight=full_text.TITLE_WEIGHT if is_alone else full_text.CONVERSATION_TITLE_WEIGHT,
        among=scope.narrow(live_chunks(scope.base_pks)) if scope.is_narrow else None,
    )
    total = count_chunks(connection, scope.base_pks)
    weighed = full_text.weigh(connection, tokens, base_pks=scope.base_pks, total=total)
    return _Words(_Ranking("lexical", tuple(hit.chunk_pk for hit in hits)), weighed)


def _rank(
    config: KnowledgeConfig,
    wanted: int,
    dense: Sequence[_Dense],
    words: Sequence[_Words | None],
) -> _Ranked:
    """Fuse the rankings by reciprocal rank."""
    scores: dict[int, float] = {}
    finders: dict[int, tuple[RetrieverName, ...]] = {}
    by_vectors = [each.ranking for each in dense if each.ranking is not None]
    by_words = [found.ranking for found in words if found is not None]
    for ranking in by_vectors + by_words:
        for rank, pk in enumerate(ranking.chunk_pks, start=1):
            scores[pk] = scores.get(pk, 0.0) + 1.0 / (config.rrf_k + rank)
            if ranking.retriever not in finders.get(pk, ()):
                finders[pk] = (*finders.get(pk, ()), ranking.retriever)
    best = sorted(scores, key=lambda pk: (-scores[pk], pk))[: wanted * SPARE]
    return _Ranked(tuple(best), scores, finders)


def _wanted(resources: Resources, search: Search) -> int:
    """Return how many passages the retrievers are asked for: enough to judge them together."""
    again = resources.config.rerank_candidates if resources.reranker else 0
    return max(search.top_k, again, TOGETHER)


def _read_again(
    resources: Resources, search: Search, rows: Mapping[int, _Found]
) -> dict[int, float]:
    """Return the reranker's score of each passage; the conversation's last turns are left out."""
    assert resources.reranker is not None
    texts = [row.text if row.parent_text is None else row.parent_text for row in rows.values()]
    return dict(zip(rows, resources.reranker.score(search.question, texts), strict=True))


def _floor(resources: Resources, search: Search, part: _Part) -> float:
    asked = search.min_relevance
    return resources.floor_of(part.embedder) if asked is None else asked


def _relevance(
    dense: Mapping[int, _Dense], weighed: WeighedWords | None, rows: Mapping[int, _Found]
) -> dict[int, float]:
    """Return how well each chunk fits the question, 0..1.

    A heading cut off from its text names a subject and answers nothing: 0.

    Args:
        dense: By the pk of a base's generation: how its embedder read the question.
        weighed: The question's words.
        rows: The chunks, best first.
    """
    found: dict[int, float] = {}
    together = 0.0 if weighed is None else weighed.together(list(rows)[:TOGETHER])
    for pk, row in rows.items():
        if row.index_pk not in dense:
            raise _Swapped
        vector = dense[row.index_pk].vector
        languages = dense[row.index_pk].part.embedder.languages
        if row.version_chunks > 1 and _is_heading(row.text):
            found[pk] = 0.0
            continue
        cosine = None if vector is None else float(vector_of(row.vector) @ vector)
        coverage = None if weighed is None else weighed.coverage(pk)
        reads_passage = cosine is None or reads(languages, detect_language(row.text))
        found[pk] = relevance(cosine, coverage, together, reads_passage=reads_passage)
    return found


def _is_heading(text: str) -> bool:
    return all(line.startswith("#") for line in text.split("\n") if line.strip())


def _rows(
    connection: Connection, chunk_pks: Sequence[int], labels: frozenset[str]
) -> dict[int, _Found]:
    """Return what is live and may be read by who holds `labels`: the last gate, always passed."""
    asked = {"pks": list(chunk_pks), "labels": sorted(labels)}
    found = connection.execute(_FOUND, asked).all()
    return {row.pk: row for row in found}


def _distinct(rows: Mapping[int, _Found], best: Sequence[int], top_k: int) -> dict[int, _Found]:
    """Return the best rows without repetitions: the same parent, or the same words elsewhere."""
    chosen: dict[int, _Found] = {}
    seen: set[object] = set()
    for pk in best:
        if pk not in rows or len(chosen) == top_k:
            continue
        row = rows[pk]
        has_parent = row.parent_start is not None
        mark = (row.version_pk, row.parent_start) if has_parent else _letters(row.text)
        if mark not in seen:
            chosen[pk] = row
        seen.add(mark)
    return chosen


def _fitting(
    resources: Resources, search: Search, rows: Mapping[int, _Found], best: Sequence[int]
) -> int:
    """Return how many of the best, one after the other, fit into the token budget."""
    if search.max_tokens is None:
        return len(best)
    left = search.max_tokens
    for place, row in enumerate(rows[pk] for pk in best):
        whole = row.parent_text
        left -= row.tokens if whole is None else resources.embedder.count_tokens(whole)
        if left < 0:
            if place == 0:
                logger.warning("the best passage alone is over max_tokens=%d", search.max_tokens)
            return place
    return len(best)


def _letters(text: str) -> str:
    return _WHITE.sub("", text).casefold()


def _passage(
    row: _Found,
    score: float,
    relevance: float,
    floor: float,
    finders: tuple[RetrieverName, ...],
) -> Passage:
    values = row._mapping
    whole = values["parent_text"]
    return Passage(
        chunk_id=ChunkId(values["chunk_id"]),
        knowledge_base=BaseId(values["base_id"]),
        document_id=DocumentId(values["document_id"]),
        external_id=values["external_id"],
        version=values["version"],
        filename=values["filename"],
        page=values["page"],
        start=values["start"] if whole is None else values["parent_start"],
        end=values["end"] if whole is None else values["parent_end"],
        score=score,
        text=values["text"] if whole is None else whole,
        ordinal=values["ordinal"],
        relevance=relevance,
        above_floor=relevance >= floor,
        heading=values["heading"],
        attributes=values["attributes"],
        retrievers=finders,
    )


def _left_out(dense: Sequence[_Dense], search: Search) -> tuple[LeftOut, ...]:
    left_out = list(dict.fromkeys(each.left_out for each in dense if each.left_out))
    if "lexical" not in search.retrievers:
        left_out.append(LeftOut("lexical", "not_asked", "the caller asked for others"))
    return tuple(left_out)


def _took_part(dense: Sequence[_Dense], left_out: Sequence[LeftOut]) -> tuple[RetrieverName, ...]:
    absent = {entry.retriever for entry in left_out}
    if any(each.ranking is not None for each in dense):
        absent.discard("dense")
    return tuple(name for name in RETRIEVERS if name not in absent)

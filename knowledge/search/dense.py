"""The dense list: embed the question, ask the vector index, drop what SQL does not call live.

It knows which embedder reads which bases, and what to do when the index is away or was swapped;
it does not know words. A hit counts only if SQL says so: its tenant, its base, the active version.
"""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, bindparam, func, select

from knowledge.embedding import Embedder
from knowledge.errors import StoreRefused, StoreUnavailable, VectorsMissing
from knowledge.index.vectors import PendingHits, VectorHit
from knowledge.languages import reads
from knowledge.resources import Resources
from knowledge.search.conversation import blend
from knowledge.search.fusion import Ranking
from knowledge.search.query import PreparedQuery, Scope
from knowledge.search.questions import names_nothing
from knowledge.sql.bases import Base, get_base, has_chunks, serving
from knowledge.sql.chunks import IS_LIVE, VECTOR, in_bases, live_chunks, vector_of, with_vector
from knowledge.sql.tables import chunks, documents
from knowledge.types import LeftOut

logger = logging.getLogger(__name__)
Vectors = npt.NDArray[np.float32]

EXACT_CHUNKS = 2_000
"""A filter that leaves fewer is searched exactly (12 ms on a busy machine); one that leaves more,
where the nearest of all hold too few of them."""
EXPANSIONS = (1, 4, 16)  # how far past `candidates` to look while hits are rejected as not live

# built once: building a statement takes as long as running it
_IDS = func.json_each(bindparam("ids")).table_valued("value")  # one parameter: fifty take longer
_LIVE_BY_ID = (
    select(chunks.c.pk, chunks.c.chunk_id)
    .join(documents, IS_LIVE)
    .where(
        in_bases(bindparam("bases", expanding=True)),
        chunks.c.chunk_id.in_(select(_IDS.c.value)),
    )
)


class IndexSwapped(Exception):
    """A re-index put vectors of another embedder in the place of those that were asked."""


@dataclass(frozen=True, slots=True)
class _IndexHits:
    """(chunk id, cosine) over all bases, and whether a collection may hold more."""

    pairs: tuple[tuple[str, float], ...]
    may_hold_more: bool


@dataclass(frozen=True, slots=True)
class _QueryVector:
    """The question's vector, alone or with the conversation, and the index's pending answer."""

    vector: Vectors
    with_history: bool
    hits: Callable[[], _IndexHits]


@dataclass(frozen=True, slots=True)
class EmbedderGroup:
    """The bases whose vectors one embedder made."""

    embedder: Embedder
    bases: tuple[Base, ...]

    @property
    def index_pks(self) -> set[int]:
        """The generations of these bases."""
        return {base.index.pk for base in self.bases}


@dataclass(frozen=True, slots=True)
class DenseQuery:
    """A question under way to the vector index, or the reason why it is not asked."""

    group: EmbedderGroup
    scope: Scope
    language: str
    vectors: tuple[_QueryVector, ...] = ()
    left_out: LeftOut | None = None


@dataclass(frozen=True, slots=True)
class DenseList:
    """What a group's vectors brought: a ranking for the vector that was chosen, or a reason."""

    group: EmbedderGroup
    ranking: Ranking | None = None
    vector: Vectors | None = None
    with_history: bool = False
    left_out: LeftOut | None = None


def embedder_groups(resources: Resources, bases: Iterable[Base]) -> list[EmbedderGroup]:
    """Return the bases by embedder: one group, except while bases are re-indexed to another.

    Raises:
        EmbedderMismatch: A base was indexed by another embedder than those at hand.
    """
    groups: dict[int, EmbedderGroup] = {}
    for base in bases:
        embedder = resources.embedder_of(base)
        before = groups.get(id(embedder), EmbedderGroup(embedder, ()))
        groups[id(embedder)] = EmbedderGroup(embedder, (*before.bases, base))
    return list(groups.values())


def start_dense(
    resources: Resources, prepared: PreparedQuery, group: EmbedderGroup, *, text: str
) -> DenseQuery:
    """Embed the question, alone and with the conversation, and start asking the index for each.

    Args:
        resources: Embedder and index.
        prepared: The question.
        group: The bases to ask.
        text: The question's own words, or what was meant by them.
    """
    config, query, embedder = resources.config, prepared.query, group.embedder
    scope = prepared.scope.within(group.bases)
    if "dense" not in query.retrievers:
        reason = LeftOut("dense", "not_asked", "the caller asked for others")
        return DenseQuery(group, scope, prepared.language, left_out=reason)
    if not reads(embedder.languages, prepared.language):
        detail = f"{embedder.model_id} does not read {prepared.language!r}"
        left_out = LeftOut("dense", "language_not_read", detail)
        return DenseQuery(group, scope, prepared.language, left_out=left_out)
    ask = partial(_start_query, resources, group.bases, top_k=config.candidates)
    alone = embedder.embed_query(text)
    vectors: list[_QueryVector] = []
    if prepared.conversation is None or not names_nothing(prepared.asked.question):
        vectors.append(_QueryVector(alone, False, ask(alone)))
    if prepared.conversation is not None:
        context = embedder.embed_query(f"{prepared.conversation} {text}")
        mixed = blend(alone, context, question_weight=config.question_weight)
        vectors.append(_QueryVector(mixed, True, ask(mixed)))
    return DenseQuery(group, scope, prepared.language, tuple(vectors))


def dense_list(resources: Resources, connection: Connection, query: DenseQuery) -> DenseList:
    """Return the ranking of the query vector that came nearer to a passage."""
    if query.left_out is not None:
        return DenseList(query.group, left_out=query.left_out)
    try:
        rankings = [_nearest(resources, connection, query, each) for each in query.vectors]
    except (StoreUnavailable, VectorsMissing) as exc:
        logger.warning("answering without the dense retriever: %s", exc)
        left_out = LeftOut("dense", "unavailable", str(exc))
        return DenseList(query.group, vector=query.vectors[0].vector, left_out=left_out)
    similarity = query.group.embedder.similarity
    lead = similarity.lead(rankings[0].best, rankings[-1].best, language=query.language)
    place = 0 if lead > resources.config.follow_up_margin else len(rankings) - 1
    chosen = query.vectors[place]
    return DenseList(query.group, rankings[place], chosen.vector, chosen.with_history)


def _nearest(
    resources: Resources, connection: Connection, query: DenseQuery, vector: _QueryVector
) -> Ranking:
    """Return the nearest live chunks; looks further while hits turn out not to be live."""
    wanted = resources.config.candidates
    if query.scope.is_narrow:
        exact = _exact(connection, query, vector.vector, at_most=EXACT_CHUNKS)
        if exact is not None:
            return _best(exact, wanted)
    live: list[tuple[int, float]] = []
    for expansion in EXPANSIONS:
        wait = vector.hits
        if expansion > 1:
            top_k = wanted * expansion
            wait = _start_query(resources, query.group.bases, vector.vector, top_k=top_k)
        hits = wait()
        pks = _live_by_id(connection, [name for name, _ in hits.pairs], query.scope)
        live = [(pks[name], score) for name, score in hits.pairs if name in pks]
        rejected = len(hits.pairs) - len(live)
        if not rejected or len(live) >= wanted or (not hits.may_hold_more and expansion > 1):
            break
    else:
        if query.scope.is_narrow:  # all that may be found is far from the question
            live = _exact(connection, query, vector.vector, at_most=None) or []
    return _best(live, wanted)


def _best(hits: Iterable[tuple[int, float]], wanted: int) -> Ranking:
    best = sorted(hits, key=lambda hit: (-hit[1], hit[0]))[:wanted]
    return Ranking("dense", tuple(pk for pk, _ in best), best[0][1] if best else 0.0)


def _start_query(
    resources: Resources, bases: Sequence[Base], vector: Vectors, *, top_k: int
) -> Callable[[], _IndexHits]:
    """Ask every base's collection at once; the call returned waits for all."""
    pending = [_query_collection(resources, base, vector, top_k) for base in bases]

    def wait() -> _IndexHits:
        found = [each() for each in pending]
        pairs = tuple((hit.chunk_id, hit.score) for hits in found for hit in hits)
        return _IndexHits(pairs, may_hold_more=any(len(hits) == top_k for hits in found))

    return wait


def _query_collection(resources: Resources, base: Base, vector: Vectors, top_k: int) -> PendingHits:
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
            with resources.database.connect() as connection:  # as it is now, not in the snapshot
                now = get_base(connection, base.base_id, tenant=base.tenant)
                if not has_chunks(connection, base.pk):
                    return []  # no document yet: the collection is made with the first one
            if now.index.collection == base.index.collection:
                raise
            if now.index.made_by != base.index.made_by:
                raise IndexSwapped from None
            return ask(now.index.collection)()

    return wait


def _fail(exc: StoreUnavailable) -> list[VectorHit]:
    raise exc


def _live_by_id(connection: Connection, chunk_ids: Sequence[str], scope: Scope) -> dict[str, int]:
    """Return the pks of those chunks that SQL says may be found."""
    if not chunk_ids:
        return {}
    values = {"bases": list(scope.base_pks), "ids": json.dumps(chunk_ids)}
    rows = connection.execute(scope.narrow(_LIVE_BY_ID), values).all()
    return {chunk_id: pk for pk, chunk_id in rows}


def _exact(
    connection: Connection, query: DenseQuery, vector: Vectors, *, at_most: int | None
) -> list[tuple[int, float]] | None:
    """Return the cosine of every chunk in a narrow scope; None if these are more than `at_most`."""
    scope = query.scope
    if serving(connection, scope.base_pks) != query.group.index_pks:
        raise IndexSwapped
    whole = with_vector(live_chunks(scope.base_pks)).add_columns(VECTOR)
    limit = None if at_most is None else at_most + 1
    found: list[tuple[int, float]] = []
    for part in connection.execute(scope.narrow(whole).limit(limit)).partitions(EXACT_CHUNKS + 1):
        vectors = vector_of(b"".join(row.vector for row in part)).reshape(len(part), -1)
        found += zip((row.pk for row in part), (vectors @ vector).tolist(), strict=True)
    return None if at_most is not None and len(found) > at_most else found

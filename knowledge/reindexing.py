"""Embeds a knowledge base again while its old vectors serve, then swaps once.

It knows a re-index from its start, or from where an interrupted one stopped, to the swap; it does
not know how passages are found. Until the swap the new vectors are seen by nobody: they wait in
`kb_next_vectors` and in a collection that no question asks. Documents come and go meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    exists,
    func,
    insert,
    select,
)

from knowledge import bases as base_rows
from knowledge import stored_chunks
from knowledge.bases import Base, EmbedderMark, Generation
from knowledge.chunking import embedded_text
from knowledge.embedding import Progress, Vectors
from knowledge.errors import CollectionNotFound
from knowledge.ingest import Stores
from knowledge.reconcile import drop_quietly, reconcile, settle
from knowledge.tables import chunks, next_vectors
from knowledge.types import ReconcileReport
from knowledge.vectors import put
from knowledge.writing import writing

BATCH = 256  # chunks embedded and committed together: what a killed re-index has to do again


@dataclass(frozen=True, slots=True)
class _ChunkText:
    """A stored chunk, live or staged, as it is embedded."""

    pk: int
    chunk_id: str
    text: str


def reindex(stores: Stores, base: Base, progress: Progress | None = None) -> ReconcileReport:
    """Embed every stored chunk again with the embedder that is to serve, then swap once.

    With Chroma away the swap is made all the same: the vectors are right in SQL, and reconcile
    adds them when Chroma is back.

    Raises:
        CollectionNotFound: The base was deleted meanwhile.
        IndexReplaced: Another re-index of the base was quicker.
    """
    generation = _begin(stores, base)
    before = None
    try:
        while before is None:
            _embed_missing(stores, base, generation, progress)
            before = _swap(stores, base, generation)
    except CollectionNotFound:
        drop_quietly(stores, [generation.collection])
        raise
    drop_quietly(stores, [before.index.collection])
    now = replace(before, index=generation)
    report = reconcile(stores, [now], whole_store=False)
    with stores.engine.connect() as connection:
        live, pending = stored_chunks.count_pending(connection, now)
    return replace(report, missing_added=live - pending, collections_rebuilt=1)


def _begin(stores: Stores, base: Base) -> Generation:
    settle(stores, base)
    with writing(stores.engine) as connection:
        now = base_rows.get_base(connection, base.base_id, tenant=base.tenant)
        made_by = EmbedderMark.of(stores.target)
        generation, given_up = base_rows.continue_reindex(connection, now, made_by)
    drop_quietly(stores, given_up)
    return generation


def _embed_missing(
    stores: Stores, base: Base, generation: Generation, progress: Progress | None
) -> None:
    """Embed what has no new vector yet, in batches that a later attempt need not do again."""
    while batch := _without_vector(stores, generation):
        ids = [item.chunk_id for item in batch]
        vectors = stores.target.embed_passages([item.text for item in batch])
        is_indexed = put(stores.index, generation.collection, ids, vectors)
        with writing(stores.engine) as connection:
            base_rows.get_base(connection, base.base_id, tenant=base.tenant)
            base_rows.hold_reindex(connection, generation)
            _keep(connection, generation, batch, vectors, is_indexed=is_indexed)
        if progress is not None:
            progress(*_count(stores, generation))


def _swap(stores: Stores, base: Base, generation: Generation) -> Base | None:
    """Let the new vectors count in the place of the old ones, unless a chunk came in meanwhile.

    Only the generation's row changes: `reconcile` moves the vectors afterwards, in short writes.

    Returns:
        The base as it was; None: not yet.
    """
    with writing(stores.engine) as connection:
        now = base_rows.get_base(connection, base.base_id, tenant=base.tenant)
        base_rows.hold_reindex(connection, generation)
        if connection.scalar(select(exists().where(_lacks_vector(generation)))):
            return None
        base_rows.activate_generation(connection, generation, replaces=now.index)
    return now


def _without_vector(stores: Stores, generation: Generation) -> list[_ChunkText]:
    query = select(chunks.c.pk, chunks.c.chunk_id, chunks.c.heading, chunks.c.text)
    query = query.where(_lacks_vector(generation)).order_by(chunks.c.pk).limit(BATCH)
    with stores.engine.connect() as connection:
        rows = connection.execute(query).all()
    return [_ChunkText(pk, name, embedded_text(heading, text)) for pk, name, heading, text in rows]


def _keep(
    connection: Connection,
    generation: Generation,
    batch: Sequence[_ChunkText],
    vectors: Vectors,
    *,
    is_indexed: bool,
) -> None:
    """Write the new vectors of those chunks that are still there."""
    pks = chunks.c.pk.in_([item.pk for item in batch])
    wanted = set(connection.scalars(select(chunks.c.pk).where(pks, _lacks_vector(generation))))
    rows = [
        {
            "chunk_pk": item.pk,
            "index_pk": generation.pk,
            "vector": half.tobytes(),
            "is_indexed": is_indexed,
        }
        for item, half in zip(batch, vectors.astype(np.float16), strict=True)
        if item.pk in wanted
    ]
    if rows:
        connection.execute(insert(next_vectors), rows)


def _count(stores: Stores, generation: Generation) -> tuple[int, int]:
    """Return (chunks that have a new vector, all chunks of the base)."""
    total = select(func.count()).where(chunks.c.base_pk == generation.base_pk)
    lacking = select(func.count()).where(_lacks_vector(generation))
    with stores.engine.connect() as connection:
        all_chunks = int(connection.scalar(total) or 0)
        return all_chunks - int(connection.scalar(lacking) or 0), all_chunks


def _lacks_vector(generation: Generation) -> ColumnElement[bool]:
    """Return the condition that a chunk of the base waits to be embedded."""
    mine = next_vectors.c.index_pk == generation.pk
    embedded = select(next_vectors.c.chunk_pk).where(mine)  # read off its index: rows are large
    return and_(chunks.c.base_pk == generation.base_pk, chunks.c.pk.not_in(embedded))

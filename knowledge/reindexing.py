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

from knowledge.chunking import embedded_text
from knowledge.embedding import Progress, Vectors
from knowledge.errors import CollectionNotFound
from knowledge.index.vectors import upsert_if_available
from knowledge.reconcile import drop_collections, move_reindexed_vectors, reconcile
from knowledge.resources import Resources
from knowledge.sql import bases as base_rows
from knowledge.sql.bases import Base, EmbedderIdentity, Generation
from knowledge.sql.chunks import count_pending
from knowledge.sql.tables import chunks, documents, next_vectors, versions
from knowledge.sql.transaction import write_transaction
from knowledge.types import ReconcileReport, searched_title

BATCH_CHUNKS = 256  # chunks embedded and committed together: what a killed re-index has to do again


@dataclass(frozen=True, slots=True)
class _ChunkText:
    """A stored chunk, live or staged, as it is embedded."""

    pk: int
    chunk_id: str
    text: str


def reindex(resources: Resources, base: Base, progress: Progress | None = None) -> ReconcileReport:
    """Embed every stored chunk again with the embedder that is to serve, then swap once.

    With Chroma away the swap is made all the same: the vectors are right in SQL, and reconcile
    adds them when Chroma is back.

    Raises:
        CollectionNotFound: The base was deleted meanwhile.
        IndexReplaced: Another re-index of the base finished first.
    """
    generation = _begin(resources, base)
    before = None
    try:
        while before is None:
            _embed_missing(resources, base, generation, progress)
            before = _swap(resources, base, generation)
    except CollectionNotFound:
        drop_collections(resources, [generation.collection])
        raise
    drop_collections(resources, [before.index.collection])
    now = replace(before, index=generation)
    report = reconcile(resources, [now], whole_store=False)
    with resources.database.connect() as connection:
        live, pending = count_pending(connection, now)
    return replace(report, missing_added=live - pending, collections_rebuilt=1)


def _begin(resources: Resources, base: Base) -> Generation:
    move_reindexed_vectors(resources, base)
    with write_transaction(resources.database) as connection:
        now = base_rows.get_base(connection, base.base_id, tenant=base.tenant)
        made_by = EmbedderIdentity.of(resources.target)
        generation, abandoned = base_rows.continue_reindex(connection, now, made_by)
    drop_collections(resources, abandoned)
    return generation


def _embed_missing(
    resources: Resources, base: Base, generation: Generation, progress: Progress | None
) -> None:
    """Embed what has no new vector yet, in batches that a later attempt need not do again."""
    while batch := _without_vector(resources, generation):
        ids = [item.chunk_id for item in batch]
        vectors = resources.target.embed_passages([item.text for item in batch])
        is_indexed = upsert_if_available(resources.index, generation.collection, ids, vectors)
        with write_transaction(resources.database) as connection:
            base_rows.get_base(connection, base.base_id, tenant=base.tenant)
            base_rows.refresh_reindex(connection, generation)
            _insert_vectors(connection, generation, batch, vectors, is_indexed=is_indexed)
        if progress is not None:
            progress(*_count(resources, generation))


def _swap(resources: Resources, base: Base, generation: Generation) -> Base | None:
    """Let the new vectors count in the place of the old ones, unless a chunk came in meanwhile.

    Only the generation's row changes: `reconcile` moves the vectors afterwards, in short writes.

    Returns:
        The base as it was; None: not yet.
    """
    with write_transaction(resources.database) as connection:
        now = base_rows.get_base(connection, base.base_id, tenant=base.tenant)
        base_rows.refresh_reindex(connection, generation)
        if connection.scalar(select(exists().where(_lacks_vector(generation)))):
            return None
        base_rows.activate_generation(connection, generation, replaces=now.index)
    return now


def _without_vector(resources: Resources, generation: Generation) -> list[_ChunkText]:
    lacking = _lacks_vector(generation)
    with resources.database.connect() as connection:
        rows = connection.execute(_TEXTS.where(lacking).limit(BATCH_CHUNKS)).all()
    return [
        _ChunkText(
            row.pk,
            row.chunk_id,
            embedded_text(
                searched_title(row.external_id, row.filename), row.heading, row.text, row.lead or ""
            ),
        )
        for row in rows
    ]


_TEXTS = (
    select(
        chunks.c.pk,
        chunks.c.chunk_id,
        chunks.c.heading,
        chunks.c.text,
        chunks.c.lead,
        documents.c.external_id,
        versions.c.filename,
    )
    .join(documents, documents.c.pk == chunks.c.document_pk)
    .join(versions, versions.c.pk == chunks.c.version_pk)
    .order_by(chunks.c.pk)
)


def _insert_vectors(
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


def _count(resources: Resources, generation: Generation) -> tuple[int, int]:
    """Return (chunks that have a new vector, all chunks of the base)."""
    total = select(func.count()).where(chunks.c.base_pk == generation.base_pk)
    lacking = select(func.count()).where(_lacks_vector(generation))
    with resources.database.connect() as connection:
        all_chunks = int(connection.scalar(total) or 0)
        return all_chunks - int(connection.scalar(lacking) or 0), all_chunks


def _lacks_vector(generation: Generation) -> ColumnElement[bool]:
    """Return the condition that a chunk of the base waits to be embedded."""
    mine = next_vectors.c.index_pk == generation.pk
    embedded = select(next_vectors.c.chunk_pk).where(mine)  # read off its index: rows are large
    return and_(chunks.c.base_pk == generation.base_pk, chunks.c.pk.not_in(embedded))

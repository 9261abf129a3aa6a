"""Makes the vector index agree with SQL: adds what it lost, removes what SQL no longer holds.

It knows that SQL is right and that vectors are stored there, so nothing is embedded again; it
does not know how to find passages. Safe beside ingest in any process: ids of staged versions
are in SQL before their vectors are in Chroma, so a vector that SQL does not know is an orphan.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from knowledge.embedding import Progress
from knowledge.errors import (
    IndexReplaced,
    KnowledgeError,
    StoreRefused,
    StoreUnavailable,
    VectorsMissing,
)
from knowledge.resources import Resources
from knowledge.sql import bases as base_rows
from knowledge.sql import chunks as stored_chunks
from knowledge.sql import versions
from knowledge.sql.bases import COLLECTION_PREFIX, Base, EmbedderIdentity, Generation
from knowledge.sql.chunks import ID_BATCH, LiveChunk
from knowledge.sql.transaction import write_transaction
from knowledge.types import IndexCheck, IndexHealth, ReconcileReport

logger = logging.getLogger(__name__)

MAX_REBUILDS = 5  # a new collection of 500 now and then misses one as well
MAX_SEARCHED_CHUNKS = 20_000  # a search for all of a larger one takes longer than a call may


def reconcile(resources: Resources, bases: Sequence[Base], *, whole_store: bool) -> ReconcileReport:
    """Compare every id of these bases with SQL and repair what differs.

    Args:
        resources: Where truth and index are.
        bases: Which bases.
        whole_store: Also drop collections that belong to no base.

    Returns:
        What was done; `available=False` if Chroma went away before the end. Running it again
        is always safe and ends with nothing to do.
    """
    report = ReconcileReport()
    try:
        if whole_store:
            report = replace(report, collections_dropped=_drop_unknown(resources))
        for base in bases:
            report = _add_up(report, _reconcile_base(resources, base))
    except StoreUnavailable as exc:
        logger.warning("reconcile stops, Chroma is away: %s", exc)
        return replace(report, available=False)
    return report


def catch_up(resources: Resources, bases: Sequence[Base]) -> ReconcileReport:
    """Check each base by one search, and reconcile those where something is wrong.

    Wrong is that counts differ, that many vectors were removed, or that Chroma refuses the search.
    """
    report = ReconcileReport()
    try:
        for base in bases:
            if not _is_in_sync(resources, base):
                report = _add_up(report, _reconcile_base(resources, base))
    except StoreUnavailable:
        return replace(report, available=False)
    return report


def rebuild(resources: Resources, base: Base, progress: Progress | None = None) -> ReconcileReport:
    """Build a new generation of the collection from the stored vectors, swap, drop the old."""
    move_reindexed_vectors(resources, base)
    with write_transaction(resources.database) as connection:
        generation = base_rows.add_generation(
            connection,
            base.pk,
            tenant=base.tenant,
            base_id=base.base_id,
            made_by=base.index.made_by,
            state="building",
        )
    try:
        added = _fill(resources, base, generation, progress)
        _swap(resources, base, generation)
    except KnowledgeError:
        _discard(resources, generation)
        raise
    with resources.database.connect() as connection:
        now = base_rows.get_base(connection, base.base_id, tenant=base.tenant)
    report = _repair(resources, now)  # what was ingested while the new one was filled
    return replace(report, missing_added=report.missing_added + added, collections_rebuilt=1)


def check(resources: Resources, base: Base) -> IndexCheck:
    """Compare every id of a base with SQL and return what differs; nothing is changed."""
    lost, detail = False, ""
    present: set[str] | None = None
    try:
        present = resources.index.ids(base.index.collection)  # before SQL, as reconcile does
    except VectorsMissing:
        present = set()
        lost = True
    except StoreUnavailable as exc:
        detail = str(exc)
    with resources.database.connect() as connection:
        sizes = base_rows.list_bases(connection, base.tenant, base.base_id)
        everything, live = stored_chunks.stored_ids(connection, base)
        unfinished = versions.count_staged(connection, base)
    missing = len(live - present) if present is not None else 0
    return IndexCheck(
        documents=sizes[0].documents if sizes else 0,
        chunks=len(live),
        orphans=len(present - everything) if present is not None else 0,
        missing=missing,
        unfinished=unfinished,
        removed=base.index.removed,
        wants_rebuild=_is_churned(resources, base, len(live)),
        generation=base.index.generation,
        collection_lost=lost and bool(live),
        embedding_model=base.index.embedding_model,
        embedding_revision=base.index.embedding_revision,
        dimension=base.index.dimension,
        embedder_fits=resources.has_embedder_of(base),
        wants_reindex=base.index.made_by != EmbedderIdentity.of(resources.target),
        available=present is not None,
        detail=detail,
    )


def health(resources: Resources, bases: Sequence[Base]) -> IndexHealth:
    """Return whether the index answers and how many vectors still wait for it."""
    live = pending = 0
    with resources.database.connect() as connection:
        for base in bases:
            counted = stored_chunks.count_pending(connection, base)
            live, pending = live + counted[0], pending + counted[1]
    try:
        resources.index.ping()
    except StoreUnavailable as exc:
        return IndexHealth(available=False, chunks=live, pending=pending, detail=str(exc))
    detail = f"{pending} vectors wait for reconcile" if pending else "in sync"
    return IndexHealth(available=True, chunks=live, pending=pending, detail=detail)


def _reconcile_base(resources: Resources, base: Base) -> ReconcileReport:
    """Repair a collection; build a new generation of one that is damaged or had many deletions."""
    report = ReconcileReport()
    for _ in range(MAX_REBUILDS):
        try:
            report = _add_up(report, _repair(resources, base))
            reason = _rebuild_reason(resources, base)
        except StoreRefused as exc:
            reason = str(exc)
        except VectorsMissing:
            replaced, base = base, _now(resources, base)
            if base.index.collection == replaced.index.collection:
                raise
            logger.info("a new generation of %s took over meanwhile", base.base_id)
            continue
        if reason is None:
            break
        logger.warning("collection %s is built anew: %s", base.index.collection, reason)
        try:
            report = _add_up(report, rebuild(resources, base))
        except IndexReplaced:
            logger.info("another new generation of %s was ready first", base.base_id)
        base = _now(resources, base)
    return report


def _now(resources: Resources, base: Base) -> Base:
    with resources.database.connect() as connection:
        return base_rows.get_base(connection, base.base_id, tenant=base.tenant)


def _rebuild_reason(resources: Resources, base: Base) -> str | None:
    """Return why a collection should not serve on, though its ids are right."""
    with resources.database.connect() as connection:
        live = stored_chunks.stored_ids(connection, base)[1]
    if _is_churned(resources, base, len(live)):
        return f"{base.index.removed} vectors were removed from it"
    if not live or len(live) > MAX_SEARCHED_CHUNKS:
        return None
    lost = _unreachable(resources, base)
    return f"searches cannot find {len(lost)} of its vectors" if lost else None


def _unreachable(resources: Resources, base: Base) -> set[str]:
    """Return the live ids that no search finds."""
    reachable = resources.index.reachable(base.index.collection)
    with resources.database.connect() as connection:
        live = stored_chunks.stored_ids(connection, base)[1]
    lost = live - reachable
    # what was added since that search is not lost
    return lost & resources.index.ids(base.index.collection) if lost else lost


def _is_churned(resources: Resources, base: Base, live: int) -> bool:
    config = resources.config
    return base.index.removed > max(config.churn_floor, config.churn_share * live)


def move_reindexed_vectors(resources: Resources, base: Base) -> None:
    """Move the vectors of a re-index that was swapped in to their chunks, in short writes.

    Before another generation takes the place of that one: its waiting vectors would go with it.
    """
    moved = ID_BATCH
    while moved == ID_BATCH:
        with write_transaction(resources.database) as connection:
            moved = stored_chunks.move_vectors(connection, base)


def _repair(resources: Resources, base: Base) -> ReconcileReport:
    config = resources.config
    move_reindexed_vectors(resources, base)
    with write_transaction(resources.database) as connection:
        stale = versions.collect_stale(
            connection, base, older_than=time.time() - config.orphan_grace_s
        )
    rebuilt = 0
    try:
        present = resources.index.ids(base.index.collection)  # before SQL: see the module's text
    except VectorsMissing:
        if _now(resources, base).index.collection != base.index.collection:
            raise  # a new generation took over meanwhile: that one is to be looked at
        present = set()
        with resources.database.connect() as connection:
            if not base_rows.has_chunks(connection, base.pk):
                return ReconcileReport(stale_collected=stale)
        resources.index.create(base.index.collection)
        rebuilt = 1
    with resources.database.connect() as connection:
        everything = stored_chunks.stored_ids(connection, base)[0]
    orphans = present - everything
    if orphans:
        resources.index.delete(base.index.collection, sorted(orphans))
    added = _add_missing(resources, base, base.index, present)
    return ReconcileReport(
        orphans_removed=len(orphans),
        missing_added=added,
        stale_collected=stale,
        collections_rebuilt=rebuilt,
    )


def _add_missing(
    resources: Resources,
    base: Base,
    generation: Generation,
    present: set[str],
    progress: Progress | None = None,
) -> int:
    """Upsert every live chunk that is not in `present`, and mark all of them as indexed."""
    added = done = 0
    with resources.database.connect() as connection:
        total = stored_chunks.count_pending(connection, base)[0]
        batches = list(stored_chunks.iterate_chunks(connection, base))
    for batch in batches:
        missing = [item for item in batch if item.chunk_id not in present]
        if missing:
            _upsert(resources, generation, missing)
            added += len(missing)
        with write_transaction(resources.database) as connection:
            pks = [item.pk for item in batch]
            stored_chunks.mark_indexed(connection, pks, generation.pk)
            removed = stored_chunks.deleted_ids(connection, missing)
        if removed:  # replaced or deleted while it was being added
            resources.index.delete(generation.collection, removed)
        done += len(batch)
        if progress is not None:
            progress(done, total)
    return added


def _upsert(resources: Resources, generation: Generation, batch: Sequence[LiveChunk]) -> None:
    ids = [item.chunk_id for item in batch]
    resources.index.upsert(generation.collection, ids, np.stack([item.vector for item in batch]))


def _fill(
    resources: Resources, base: Base, generation: Generation, progress: Progress | None
) -> int:
    resources.index.create(generation.collection)
    return _add_missing(resources, base, generation, set(), progress)


def _swap(resources: Resources, base: Base, generation: Generation) -> None:
    with write_transaction(resources.database) as connection:
        base_rows.activate_generation(connection, generation, replaces=base.index)
    drop_collections(resources, [base.index.collection])


def _discard(resources: Resources, generation: Generation) -> None:
    """Remove a generation that could not be filled."""
    with write_transaction(resources.database) as connection:
        base_rows.remove_generation(connection, generation)
    drop_collections(resources, [generation.collection])


def drop_collections(resources: Resources, collections: Sequence[str]) -> None:
    """Drop collections that belong to nothing; what fails waits for the next reconcile."""
    for name in collections:
        try:
            resources.index.drop(name)
        except StoreUnavailable as exc:
            logger.warning("collection %s waits for reconcile to be dropped: %s", name, exc)


def _drop_unknown(resources: Resources) -> int:
    """Drop collections of deleted bases and swapped generations."""
    oldest = time.time() - resources.config.orphan_grace_s
    with write_transaction(resources.database) as connection:
        base_rows.delete_unfinished(connection, older_than=oldest)
    present = {n for n in resources.index.collections() if n.startswith(COLLECTION_PREFIX)}
    with resources.database.connect() as connection:
        unknown = present - base_rows.known_collections(connection)
    for name in unknown:
        resources.index.drop(name)
    return len(unknown)


def _is_in_sync(resources: Resources, base: Base) -> bool:
    """Say whether counts agree and a search is answered, for the price of one search."""
    with resources.database.connect() as connection:
        live, pending = stored_chunks.count_pending(connection, base)
        sample = next(stored_chunks.iterate_chunks(connection, base, batch=1), [])
    if pending or _is_churned(resources, base, live):
        return False
    try:
        for chunk in sample:
            resources.index.start_query(base.index.collection, chunk.vector, top_k=1)()
        return resources.index.count(base.index.collection) == live
    except VectorsMissing:
        return live == 0
    except StoreRefused:
        return False


def _add_up(one: ReconcileReport, other: ReconcileReport) -> ReconcileReport:
    return ReconcileReport(
        orphans_removed=one.orphans_removed + other.orphans_removed,
        missing_added=one.missing_added + other.missing_added,
        stale_collected=one.stale_collected + other.stale_collected,
        collections_rebuilt=one.collections_rebuilt + other.collections_rebuilt,
        collections_dropped=one.collections_dropped + other.collections_dropped,
        available=one.available and other.available,
    )

"""Versions of a document: activated, retired, deleted. Only this file and `staging` write them.

It knows the life of a version and what goes with it; it does not know parsing, embedders or
Chroma. Every function runs inside the caller's write transaction.

A version is *staged* (text, chunks, vectors written, seen by nobody), then *active* (the
document points at it), then *retired*: its history row stays, its text only where the base keeps
versions (`history.kept`).
"""

import time
from collections.abc import Iterator, Sequence

from sqlalchemy import (
    Connection,
    Row,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from knowledge.errors import DocumentNotFound, IngestConflict
from knowledge.sql import full_text
from knowledge.sql.bases import Base, count_removed
from knowledge.sql.history import kept
from knowledge.sql.staging import Staged, next_versions
from knowledge.sql.tables import access, attributes, chunks, documents, versions
from knowledge.types import (
    ChunkId,
    searched_title,
)


def activate(
    connection: Connection, base: Base, staged: Sequence[Staged], *, indexed: bool
) -> list[ChunkId]:
    """Activate the staged versions of documents; return the chunk ids that are removed for good.

    A version overtaken by a later one, or by a deletion, was retired by it, unseen: as if it had
    been written and replaced at once.

    Raises:
        IngestConflict: Staged rows are removed, collected as stale or with their base.
    """
    if not staged:
        return []
    unretired = _unretired_versions(connection, [item.document_pk for item in staged])
    removed: list[ChunkId] = []
    older: list[int] = []
    switches: list[dict[str, object]] = []
    for item in staged:
        rows = unretired[item.document_pk]
        if any(row.version > item.version and row.state != "staged" for row in rows.values()):
            removed += item.chunk_ids  # its rows went with what overtook it, its vectors came later
            continue
        own = rows.get(item.version_pk)
        if own is None or own.state != "staged":
            raise IngestConflict(
                "the staged document was removed before it was finished; send it again"
            )
        before = [row for row in rows.values() if row.version < item.version]
        older += (row.pk for row in before if row.state != "tombstone")
        current = next((row for row in before if row.state == "active"), None)
        change, outdated = "replaced" if item.version > 1 else "added", 0
        if current is not None and current.content_hash == own.content_hash:
            change = "annotated"
        elif current is not None:
            outdated = _count_outdated(connection, current.pk, item.version_pk)
        switch = {
            "of": item.document_pk,
            "to": item.version_pk,
            "how": change,
            "outdated": outdated,
        }
        switches.append(switch)
    removed += _retire(connection, base, older, keeps_text=base.keep_versions > 0)
    _set_active(connection, base, switches, indexed=indexed)
    if base.keep_versions:
        touched = [item.document_pk for item in staged]
        kept.drop_surplus(connection, base, most=base.keep_versions, document_pks=touched)
    return removed


def delete_document(connection: Connection, base: Base, external_id: str) -> list[ChunkId]:
    """Remove a document and leave a tombstone in its history; return the chunk ids now removed.

    No text of it is left, of no version.
    """
    row = connection.execute(
        select(
            documents.c.pk,
            versions.c.filename,
            versions.c.content_hash,
            versions.c.format,
            versions.c.chunks,
        )
        .join(versions, versions.c.pk == documents.c.active_version)
        .where(documents.c.base_pk == base.pk, documents.c.external_id == external_id)
    ).one_or_none()
    if row is None:
        raise DocumentNotFound(f"knowledge base {base.base_id!r} has no document {external_id!r}")
    every = select(versions.c.pk).where(
        versions.c.document_pk == row.pk, versions.c.state.in_(["staged", "active"])
    )
    removed = _retire(connection, base, list(connection.scalars(every)))
    kept.drop_surplus(connection, base, most=0, document_pks=[row.pk])
    (target,) = next_versions(connection, base, [external_id])
    now = time.time()
    tombstone = {
        "tenant": base.tenant,
        "base_pk": base.pk,
        "document_pk": row.pk,
        "version": target.version,
        "state": "tombstone",
        "change": "deleted",
        "content_hash": row.content_hash,
        "filename": row.filename,
        "format": row.format,
        "attributes": {},
        "bytes": 0,
        "chars": 0,
        "tokens": 0,
        "chunks": 0,
        "chunking": "",
        "created_at": now,
        "activated_at": now,
        "chunks_outdated": row.chunks,
    }
    connection.execute(insert(versions).values(tombstone))
    connection.execute(
        update(documents).where(documents.c.pk == row.pk).values(active_version=None)
    )
    return removed


def collect_stale(connection: Connection, base: Base, *, older_than: float) -> int:
    """Remove staged versions that nobody finished; return how many.

    Args:
        connection: A write transaction.
        base: Whose versions.
        older_than: Unix seconds; a younger one may still be on its way.
    """
    stale = select(versions.c.pk).where(
        versions.c.base_pk == base.pk,
        versions.c.state == "staged",
        versions.c.created_at < older_than,
    )
    found = list(connection.scalars(stale))
    _retire(connection, base, found)
    return len(found)


def count_staged(connection: Connection, base: Base) -> int:
    """Return how many versions were begun and neither finished nor collected."""
    staged = versions.c.base_pk == base.pk, versions.c.state == "staged"
    return int(connection.scalar(select(func.count()).select_from(versions).where(*staged)) or 0)


def _unretired_versions(
    connection: Connection, document_pks: Sequence[int]
) -> dict[int, dict[int, Row[int, int, int, str, str]]]:
    """Return the versions of these documents that are not retired: document → pk → row."""
    unretired: dict[int, dict[int, Row[int, int, int, str, str]]] = {pk: {} for pk in document_pks}
    for row in connection.execute(_UNRETIRED, {"document_pks": list(document_pks)}):
        unretired[row.document_pk][row.pk] = row
    return unretired


def _count_outdated(connection: Connection, old_pk: int, new_pk: int) -> int:
    """Return how many chunks of the old version hold a text that the new one has no chunk of."""
    new_texts = select(chunks.c.text).where(chunks.c.version_pk == new_pk)
    removed = chunks.c.version_pk == old_pk, chunks.c.text.not_in(new_texts)
    return connection.scalar(select(func.count()).select_from(chunks).where(*removed)) or 0


def _set_active(
    connection: Connection, base: Base, switches: Sequence[dict[str, object]], *, indexed: bool
) -> None:
    if not switches:
        return
    version_pks = [switch["to"] for switch in switches]
    if indexed:
        of_these = chunks.c.version_pk.in_(version_pks)
        connection.execute(update(chunks).where(of_these).values(index_pk=base.index.pk))
    connection.execute(_MARK_ACTIVE.values(activated_at=time.time()), switches)
    connection.execute(_POINT_TO_ACTIVE, switches)
    full_text.add(connection, _lexical_rows(connection, base, version_pks))


def _retire(
    connection: Connection, base: Base, version_pks: Sequence[int], *, keeps_text: bool = False
) -> list[ChunkId]:
    """Retire versions: chunks, vectors, lexical rows and text go, history stays."""
    if not version_pks:
        return []
    take_text = kept.keep_texts if keeps_text else kept.drop_texts
    take_text(connection, version_pks)
    rows = connection.execute(
        select(chunks.c.pk, chunks.c.chunk_id).where(chunks.c.version_pk.in_(list(version_pks)))
    ).all()
    full_text.remove(connection, base.pk, [row.pk for row in rows])
    connection.execute(delete(chunks).where(chunks.c.version_pk.in_(list(version_pks))))
    for owned in (attributes, access):
        connection.execute(delete(owned).where(owned.c.version_pk.in_(list(version_pks))))
    retired = versions.c.pk.in_(list(version_pks))
    connection.execute(update(versions).where(retired).values(state="retired"))
    count_removed(connection, base.index.pk, len(rows))
    return [ChunkId(row.chunk_id) for row in rows]


def _lexical_rows(
    connection: Connection, base: Base, version_pks: Sequence[object]
) -> Iterator[full_text.LexicalRow]:
    for row in connection.execute(_WORDS, {"version_pks": list(version_pks)}):
        title = searched_title(row.external_id, row.filename)
        body = f"{row.lead}\n{row.text}" if row.lead else row.text
        yield full_text.LexicalRow(row.pk, base.pk, title, row.heading, body)


# built once: putting a statement together costs more than SQLite takes to run it
_UNRETIRED = select(
    versions.c.pk,
    versions.c.document_pk,
    versions.c.version,
    versions.c.state,
    versions.c.content_hash,
).where(
    versions.c.document_pk.in_(bindparam("document_pks", expanding=True)),
    versions.c.state.in_(["staged", "active", "tombstone"]),
)
_WORDS = (
    select(
        chunks.c.pk,
        chunks.c.heading,
        chunks.c.text,
        chunks.c.lead,
        versions.c.filename,
        documents.c.external_id,
    )
    .join(versions, versions.c.pk == chunks.c.version_pk)
    .join(documents, documents.c.pk == chunks.c.document_pk)
    .where(chunks.c.version_pk.in_(bindparam("version_pks", expanding=True)))
)
_MARK_ACTIVE = (
    update(versions)
    .where(versions.c.pk == bindparam("to"))
    .values(state="active", change=bindparam("how"), chunks_outdated=bindparam("outdated"))
)
_POINT_TO_ACTIVE = (
    update(documents)
    .where(documents.c.pk == bindparam("of"))
    .values(active_version=bindparam("to"))
)

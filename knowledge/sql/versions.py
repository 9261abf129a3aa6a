"""Versions of a document: staged, activated, retired. Nothing else writes documents.

It knows the life of a version and what goes with it; it does not know parsing, embedders or
Chroma. Every function runs inside the caller's write transaction.

A version is *staged* (text, chunks, vectors written, seen by nobody), then *active* (the
document points at it), then *retired*: its history row stays, its text does not.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    Connection,
    Row,
    Table,
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
from knowledge.sql.chunks import attribute_key
from knowledge.sql.tables import access, attributes, chunks, documents, versions
from knowledge.types import (
    Attributes,
    Chunk,
    ChunkId,
    DocumentId,
)

Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Draft:
    """A parsed, chunked and embedded document, ready to be written."""

    external_id: str
    filename: str
    format: str
    encoding: str
    content_hash: str
    attributes: Attributes
    access: frozenset[str]
    bytes: int
    text: str
    chunking: str
    chunks: tuple[Chunk, ...]
    vectors: Vectors  # (n_chunks, d) float32, L2-normalised


@dataclass(frozen=True, slots=True)
class Staged:
    """A version that is written but seen by nobody."""

    document_pk: int
    document_id: DocumentId
    version_pk: int
    version: int
    chunk_ids: tuple[ChunkId, ...]


@dataclass(frozen=True, slots=True)
class _NextVersion:
    """Which version a draft becomes."""

    document_pk: int
    document_id: DocumentId
    version: int


@dataclass(frozen=True, slots=True)
class ActiveVersion:
    """What is live of a document, enough to tell whether a new file changes anything."""

    document_id: DocumentId
    version_pk: int
    version: int
    content_hash: str
    filename: str
    attributes: Attributes
    access: frozenset[str]
    chunking: str
    chunks: int


def document_id_for(base: Base, external_id: str) -> DocumentId:
    """Return the id of a document: the same name in the same base is always the same document."""
    key = "\0".join([base.tenant, base.base_id, str(base.pk), external_id])
    return DocumentId("doc_" + hashlib.sha256(key.encode()).hexdigest()[:24])


def chunk_id_for(tenant: str, document_id: str, version: int, digest: str, no: int) -> ChunkId:
    """Return the id of a chunk; no two versions ever share one."""
    key = "\0".join([tenant, document_id, str(version), digest, str(no)])
    return ChunkId("chk_" + hashlib.sha256(key.encode()).hexdigest()[:32])


def active_versions(
    connection: Connection, base: Base, external_ids: Sequence[str]
) -> dict[str, ActiveVersion]:
    """Return what is live of these documents, by external id; a document without is left out."""
    rows = connection.execute(_ACTIVE, {"base_pk": base.pk, "external_ids": list(external_ids)})
    found: dict[str, ActiveVersion] = {}
    for row in rows:
        values = {**row._mapping, "access": frozenset(row.access or ())}
        external_id = values.pop("external_id")
        found[external_id] = ActiveVersion(**values)
    return found


def stage(connection: Connection, base: Base, drafts: Sequence[Draft]) -> list[Staged]:
    """Write versions that nobody sees yet, with their chunks and vectors.

    Args:
        connection: A write transaction.
        base: Where to.
        drafts: Of different documents. All are written by the same few statements: one at a
            time, building SQL took longer than cutting and segmenting the text.

    Returns:
        One per draft, in order.
    """
    if not drafts:
        return []
    numbered = _next_versions(connection, base, [draft.external_id for draft in drafts])
    values = [
        _version_values(base, target, draft) for target, draft in zip(numbered, drafts, strict=True)
    ]
    added = insert(versions).returning(versions.c.pk, sort_by_parameter_order=True)
    version_pks = connection.scalars(added, values).all()
    staged: list[Staged] = []
    rows: dict[Table, list[dict[str, object]]] = {attributes: [], access: [], chunks: []}
    for target, version_pk, draft in zip(numbered, version_pks, drafts, strict=True):
        ids = tuple(
            chunk_id_for(
                base.tenant, target.document_id, target.version, draft.content_hash, chunk.ordinal
            )
            for chunk in draft.chunks
        )
        item = Staged(target.document_pk, target.document_id, version_pk, target.version, ids)
        staged.append(item)
        rows[chunks] += _chunk_rows(base, item, draft)
        rows[attributes] += (
            {"version_pk": version_pk, "key": key, "value": attribute_key(value)}
            for key, value in draft.attributes.items()
        )
        rows[access] += (
            {"version_pk": version_pk, "label": label, "base_pk": base.pk}
            for label in sorted(draft.access)
        )
    for table, values in rows.items():
        if values:
            connection.execute(insert(table), values)
    return staged


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
                "the staged document was collected before it was done; send it again"
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
    removed += _retire(connection, base, older)
    _set_active(connection, base, switches, indexed=indexed)
    return removed


def delete_document(connection: Connection, base: Base, external_id: str) -> list[ChunkId]:
    """Remove a document and leave a tombstone in its history; return the chunk ids now removed."""
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
        raise DocumentNotFound(f"knowledge base {base.base_id!r} holds no {external_id!r}")
    every = select(versions.c.pk).where(
        versions.c.document_pk == row.pk, versions.c.state.in_(["staged", "active"])
    )
    removed = _retire(connection, base, list(connection.scalars(every)))
    (target,) = _next_versions(connection, base, [external_id])
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


def _next_versions(
    connection: Connection, base: Base, external_ids: Sequence[str]
) -> list[_NextVersion]:
    """Return where each document's next version goes; documents not there yet are written."""
    ids = [document_id_for(base, external_id) for external_id in external_ids]
    last = {row.document_id: row for row in connection.execute(_LAST_VERSIONS, {"ids": ids})}
    owner = {"tenant": base.tenant, "base_pk": base.pk, "created_at": time.time()}
    new = [
        {**owner, "document_id": document_id, "external_id": external_id}
        for document_id, external_id in zip(ids, external_ids, strict=True)
        if document_id not in last
    ]
    if new:
        connection.execute(insert(documents), new)
        added = {"ids": [row["document_id"] for row in new]}
        last.update((row.document_id, row) for row in connection.execute(_LAST_VERSIONS, added))
    return [_NextVersion(last[one].pk, one, last[one].version + 1) for one in ids]


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


def _retire(connection: Connection, base: Base, version_pks: Sequence[int]) -> list[ChunkId]:
    """Retire versions: chunks, vectors, lexical rows and text go, history stays."""
    if not version_pks:
        return []
    rows = connection.execute(
        select(chunks.c.pk, chunks.c.chunk_id).where(chunks.c.version_pk.in_(list(version_pks)))
    ).all()
    full_text.remove(connection, base.pk, [row.pk for row in rows])
    connection.execute(delete(chunks).where(chunks.c.version_pk.in_(list(version_pks))))
    for owned in (attributes, access):
        connection.execute(delete(owned).where(owned.c.version_pk.in_(list(version_pks))))
    connection.execute(
        update(versions)
        .where(versions.c.pk.in_(list(version_pks)))
        .values(state="retired", text=None)
    )
    count_removed(connection, base.index.pk, len(rows))
    return [ChunkId(row.chunk_id) for row in rows]


def _lexical_rows(
    connection: Connection, base: Base, version_pks: Sequence[object]
) -> Iterator[full_text.LexicalRow]:
    for row in connection.execute(_WORDS, {"version_pks": list(version_pks)}):
        title = row.filename.rsplit("/", 1)[-1].rsplit(".", 1)[0]
        yield full_text.LexicalRow(row.pk, base.pk, title, row.heading, row.text)


def _tokens_once(pieces: Sequence[Chunk]) -> int:
    """Return the tokens of the text under the chunks; what two of them share counts once."""
    total, end = 0.0, 0
    for piece in pieces:
        own = piece.end - max(piece.start, end)
        total += piece.tokens * own / (piece.end - piece.start)
        end = piece.end
    return round(total)


def _version_values(base: Base, target: _NextVersion, draft: Draft) -> dict[str, object]:
    return {
        "tenant": base.tenant,
        "base_pk": base.pk,
        "document_pk": target.document_pk,
        "version": target.version,
        "state": "staged",
        "content_hash": draft.content_hash,
        "filename": draft.filename,
        "format": draft.format,
        "encoding": draft.encoding,
        "attributes": dict(draft.attributes),
        "access": sorted(draft.access) or None,
        "bytes": draft.bytes,
        "chars": len(draft.text),
        "tokens": _tokens_once(draft.chunks),
        "chunks": len(draft.chunks),
        "chunking": draft.chunking,
        "created_at": time.time(),
        "text": draft.text,
    }


def _chunk_rows(base: Base, staged: Staged, draft: Draft) -> Iterator[dict[str, object]]:
    halves = draft.vectors.astype(np.float16)
    for chunk, chunk_id, half in zip(draft.chunks, staged.chunk_ids, halves, strict=True):
        yield {
            "tenant": base.tenant,
            "base_pk": base.pk,
            "document_pk": staged.document_pk,
            "version_pk": staged.version_pk,
            "chunk_id": chunk_id,
            "ordinal": chunk.ordinal,
            "text": chunk.text,
            "start": chunk.start,
            "end": chunk.end,
            "parent_start": chunk.parent_start,
            "parent_end": chunk.parent_end,
            "page": chunk.page,
            "heading": chunk.heading,
            "tokens": chunk.tokens,
            "vector": half.tobytes(),
        }


# built once: putting a statement together costs more than SQLite takes to run it
_ACTIVE = (
    select(
        documents.c.external_id,
        documents.c.document_id,
        versions.c.pk.label("version_pk"),
        versions.c.version,
        versions.c.content_hash,
        versions.c.filename,
        versions.c.attributes,
        versions.c.access,
        versions.c.chunking,
        versions.c.chunks,
    )
    .join(versions, versions.c.pk == documents.c.active_version)
    .where(documents.c.base_pk == bindparam("base_pk"))
    .where(documents.c.external_id.in_(bindparam("external_ids", expanding=True)))
)
_LAST_VERSIONS = (
    select(
        documents.c.document_id,
        documents.c.pk,
        func.coalesce(func.max(versions.c.version), 0).label("version"),
    )
    .outerjoin(versions, versions.c.document_pk == documents.c.pk)
    .where(documents.c.document_id.in_(bindparam("ids", expanding=True)))
    .group_by(documents.c.document_id, documents.c.pk)
)
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
    select(chunks.c.pk, chunks.c.heading, chunks.c.text, versions.c.filename)
    .join(versions, versions.c.pk == chunks.c.version_pk)
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

"""Versions of a document: staged, flipped to, retired. The SQL truth is written here only.

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
    delete,
    func,
    insert,
    null,
    select,
    update,
)

from knowledge import lexical
from knowledge.bases import Base, count_removed
from knowledge.errors import DocumentNotFound, IngestConflict
from knowledge.stored_chunks import attribute_key
from knowledge.tables import access, attributes, chunks, documents, versions
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


def active_version(connection: Connection, base: Base, external_id: str) -> ActiveVersion | None:
    """Return what is live of a document, or None."""
    row = connection.execute(
        select(
            documents.c.document_id,
            versions.c.pk,
            versions.c.version,
            versions.c.content_hash,
            versions.c.filename,
            versions.c.attributes,
            versions.c.access,
            versions.c.chunking,
            versions.c.chunks,
        )
        .join(versions, versions.c.pk == documents.c.active_version)
        .where(documents.c.base_pk == base.pk, documents.c.external_id == external_id)
    ).one_or_none()
    if row is None:
        return None
    values = {**row._mapping, "version_pk": row.pk, "access": frozenset(row.access or ())}
    del values["pk"]
    return ActiveVersion(**values)


def stage(connection: Connection, base: Base, draft: Draft) -> Staged:
    """Write a version that nobody sees yet, with its chunks and vectors."""
    document_pk, document_id = _document(connection, base, draft.external_id)
    version = _next_version(connection, document_pk)
    values = {
        "tenant": base.tenant,
        "base_pk": base.pk,
        "document_pk": document_pk,
        "version": version,
        "state": "staged",
        "content_hash": draft.content_hash,
        "filename": draft.filename,
        "format": draft.format,
        "encoding": draft.encoding,
        "attributes": dict(draft.attributes),
        "access": sorted(draft.access) if draft.access else null(),
        "bytes": draft.bytes,
        "chars": len(draft.text),
        "tokens": _tokens_once(draft.chunks),
        "chunks": len(draft.chunks),
        "chunking": draft.chunking,
        "created_at": time.time(),
        "text": draft.text,
    }
    version_pk = connection.execute(
        insert(versions).values(values).returning(versions.c.pk)
    ).scalar_one()
    rows = [
        {"version_pk": version_pk, "key": key, "value": attribute_key(value)}
        for key, value in draft.attributes.items()
    ]
    if rows:
        connection.execute(insert(attributes), rows)
    if draft.access:
        labels = [{"version_pk": version_pk, "label": label} for label in sorted(draft.access)]
        connection.execute(insert(access), labels)
    ids = tuple(
        chunk_id_for(base.tenant, document_id, version, draft.content_hash, chunk.ordinal)
        for chunk in draft.chunks
    )
    owner = {
        "tenant": base.tenant,
        "base_pk": base.pk,
        "document_pk": document_pk,
        "version_pk": version_pk,
    }
    halves = draft.vectors.astype(np.float16)
    connection.execute(
        insert(chunks),
        [
            {**owner, **_chunk_values(chunk), "chunk_id": chunk_id, "vector": half.tobytes()}
            for chunk, chunk_id, half in zip(draft.chunks, ids, halves, strict=True)
        ],
    )
    return Staged(document_pk, document_id, version_pk, version, ids)


def activate(connection: Connection, base: Base, staged: Staged, *, indexed: bool) -> list[ChunkId]:
    """Flip the document to a staged version; return the chunk ids that are gone for good.

    A version overtaken by a later one, or by a deletion, is retired unseen: as if it had been
    written and replaced at once.

    Raises:
        IngestConflict: The staged rows are gone, collected as stale or with their base.
    """
    state = connection.execute(
        select(versions.c.state, versions.c.content_hash, versions.c.filename).where(
            versions.c.pk == staged.version_pk
        )
    ).one_or_none()
    if _highest_settled(connection, staged.document_pk) > staged.version:
        _retire(connection, base, [staged.version_pk])
        return list(staged.chunk_ids)
    if state is None or state.state != "staged":
        raise IngestConflict("the staged document was collected before it was done; send it again")
    current = connection.execute(
        select(versions.c.pk, versions.c.content_hash)
        .join(documents, documents.c.active_version == versions.c.pk)
        .where(documents.c.pk == staged.document_pk)
    ).one_or_none()
    change, outdated = "replaced" if staged.version > 1 else "added", 0
    if current is not None and current.content_hash == state.content_hash:
        change = "annotated"
    elif current is not None:
        outdated = _count_outdated(connection, current.pk, staged.version_pk)
    if indexed:
        _mark_indexed(connection, staged.version_pk, base.index.pk)
    older = _settled_before(connection, staged)
    gone = _retire(connection, base, older)
    connection.execute(
        update(versions)
        .where(versions.c.pk == staged.version_pk)
        .values(state="active", change=change, activated_at=time.time(), chunks_outdated=outdated)
    )
    connection.execute(
        update(documents)
        .where(documents.c.pk == staged.document_pk)
        .values(active_version=staged.version_pk)
    )
    lexical.add(connection, _lexical_rows(connection, base, staged.version_pk, state.filename))
    return gone


def delete_document(connection: Connection, base: Base, external_id: str) -> list[ChunkId]:
    """Remove a document and leave a tombstone in its history; return the chunk ids now gone."""
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
    gone = _retire(connection, base, list(connection.scalars(every)))
    now = time.time()
    tombstone = {
        "tenant": base.tenant,
        "base_pk": base.pk,
        "document_pk": row.pk,
        "version": _next_version(connection, row.pk),
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
    return gone


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


def _document(connection: Connection, base: Base, external_id: str) -> tuple[int, DocumentId]:
    """Return the document's row, written if it is not there."""
    document_id = document_id_for(base, external_id)
    found = connection.scalar(select(documents.c.pk).where(documents.c.document_id == document_id))
    if found is not None:
        return found, document_id
    values = {
        "tenant": base.tenant,
        "base_pk": base.pk,
        "document_id": document_id,
        "external_id": external_id,
        "created_at": time.time(),
    }
    added = insert(documents).values(values).returning(documents.c.pk)
    return connection.execute(added).scalar_one(), document_id


def _next_version(connection: Connection, document_pk: int) -> int:
    last = select(func.max(versions.c.version)).where(versions.c.document_pk == document_pk)
    return (connection.scalar(last) or 0) + 1


def _highest_settled(connection: Connection, document_pk: int) -> int:
    """Return the highest version that is, or was, in force: active or a tombstone."""
    last = select(func.max(versions.c.version)).where(
        versions.c.document_pk == document_pk, versions.c.state.in_(["active", "tombstone"])
    )
    return connection.scalar(last) or 0


def _count_outdated(connection: Connection, old_pk: int, new_pk: int) -> int:
    """Return how many chunks of the old version hold a text that the new one has no chunk of."""
    kept = select(chunks.c.text).where(chunks.c.version_pk == new_pk)
    gone = chunks.c.version_pk == old_pk, chunks.c.text.not_in(kept)
    return connection.scalar(select(func.count()).select_from(chunks).where(*gone)) or 0


def _settled_before(connection: Connection, staged: Staged) -> list[int]:
    """Return the versions that this one replaces: the active one and abandoned staged ones."""
    query = select(versions.c.pk).where(
        versions.c.document_pk == staged.document_pk,
        versions.c.version < staged.version,
        versions.c.state.in_(["active", "staged"]),
    )
    return list(connection.scalars(query))


def _retire(connection: Connection, base: Base, version_pks: Sequence[int]) -> list[ChunkId]:
    """Take versions out of force: chunks, vectors, lexical rows and text go, history stays."""
    if not version_pks:
        return []
    rows = connection.execute(
        select(chunks.c.pk, chunks.c.chunk_id).where(chunks.c.version_pk.in_(list(version_pks)))
    ).all()
    lexical.remove(connection, [row.pk for row in rows])
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


def _mark_indexed(connection: Connection, version_pk: int, index_pk: int) -> None:
    connection.execute(
        update(chunks).where(chunks.c.version_pk == version_pk).values(index_pk=index_pk)
    )


def _lexical_rows(
    connection: Connection, base: Base, version_pk: int, filename: str
) -> Iterator[lexical.LexicalRow]:
    title = filename.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    query = select(chunks.c.pk, chunks.c.heading, chunks.c.text).where(
        chunks.c.version_pk == version_pk
    )
    for row in connection.execute(query):
        yield lexical.LexicalRow(row.pk, base.pk, title, row.heading, row.text)


def _tokens_once(pieces: Sequence[Chunk]) -> int:
    """Return the tokens of the text under the chunks; what two of them share counts once."""
    total, end = 0.0, 0
    for piece in pieces:
        own = piece.end - max(piece.start, end)
        total += piece.tokens * own / (piece.end - piece.start)
        end = piece.end
    return round(total)


def _chunk_values(chunk: Chunk) -> dict[str, object]:
    return {
        "ordinal": chunk.ordinal,
        "text": chunk.text,
        "start": chunk.start,
        "end": chunk.end,
        "parent_start": chunk.parent_start,
        "parent_end": chunk.parent_end,
        "page": chunk.page,
        "heading": chunk.heading,
        "tokens": chunk.tokens,
    }

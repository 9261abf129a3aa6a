"""Documents, versions and chunks: the SQL truth.

It knows staging, the flip of the active version, and what counts as live; it does not know
parsing, embedders or Chroma. Every function runs inside the caller's transaction.

A version is *staged* (text, chunks, vectors written, seen by nobody), then *active* (the
document points at it), then *retired*: its history row stays, its text does not.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    Connection,
    Row,
    Select,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from knowledge import lexical
from knowledge.bases import Base, count_removed
from knowledge.errors import DocumentNotFound, IngestConflict, InvalidFilter
from knowledge.tables import attributes, chunks, documents, versions
from knowledge.types import (
    Attributes,
    AttributeValue,
    BaseId,
    Chunk,
    ChunkId,
    Document,
    DocumentId,
)

Vectors = npt.NDArray[np.float32]
ID_BATCH = 500  # SQLite allows 32,766 variables; small statements also stay in its cache


@dataclass(frozen=True, slots=True)
class Draft:
    """A parsed, chunked and embedded document, ready to be written."""

    external_id: str
    filename: str
    format: str
    encoding: str
    content_hash: str
    attributes: Attributes
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
    chunking: str
    chunks: int


@dataclass(frozen=True, slots=True)
class LiveChunk:
    """A chunk of an active version."""

    pk: int
    chunk_id: str
    vector: Vectors


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
            versions.c.chunking,
            versions.c.chunks,
        )
        .join(versions, versions.c.pk == documents.c.active_version)
        .where(documents.c.base_pk == base.pk, documents.c.external_id == external_id)
    ).one_or_none()
    if row is None:
        return None
    return ActiveVersion(DocumentId(row[0]), *row[1:])


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
        "bytes": draft.bytes,
        "chars": len(draft.text),
        "tokens": sum(chunk.tokens for chunk in draft.chunks),
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
    current = connection.scalar(
        select(versions.c.content_hash)
        .join(documents, documents.c.active_version == versions.c.pk)
        .where(documents.c.pk == staged.document_pk)
    )
    change = "replaced" if staged.version > 1 else "added"
    if current == state.content_hash:
        change = "annotated"
    if indexed:
        _mark_indexed(connection, staged.version_pk, base.index.pk)
    older = _settled_before(connection, staged)
    gone = _retire(connection, base, older)
    connection.execute(
        update(versions)
        .where(versions.c.pk == staged.version_pk)
        .values(state="active", change=change, activated_at=time.time())
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
        select(documents.c.pk, versions.c.filename, versions.c.content_hash, versions.c.format)
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


def list_documents(
    connection: Connection, base: Base, *, limit: int | None = None, after: str | None = None
) -> list[Document]:
    """Return the live documents, oldest first.

    Args:
        connection: Any transaction.
        base: Whose documents.
        limit: Most documents to return.
        after: A document id; only documents that came in later.
    """
    query = _documents(base).order_by(documents.c.pk)
    if after is not None:
        place = select(documents.c.pk).where(documents.c.document_id == after).scalar_subquery()
        query = query.where(documents.c.pk > place)
    if limit is not None:
        query = query.limit(limit)
    return [_document_of(row, base) for row in connection.execute(query)]


def get_document(connection: Connection, base: Base, name: str) -> Document:
    """Return a live document by its external id or document id. Raises `DocumentNotFound`."""
    named = (documents.c.external_id == name) | (documents.c.document_id == name)
    row = connection.execute(_documents(base).where(named)).first()
    if row is None:
        raise DocumentNotFound(f"knowledge base {base.base_id!r} holds no document {name!r}")
    return _document_of(row, base)


def document_text(connection: Connection, document: Document) -> str:
    """Return the stored text of a live document."""
    query = (
        select(versions.c.text)
        .join(documents, documents.c.active_version == versions.c.pk)
        .where(documents.c.document_id == document.document_id)
    )
    text: str | None = connection.scalar(query)
    if text is None:
        raise DocumentNotFound(f"{document.external_id!r} was deleted a moment ago")
    return text


def live_chunks(base_pks: Sequence[int], filters: Attributes | None = None) -> Select[int]:
    """Return a select of the pks of chunks that may be found: active, in these bases, filtered."""
    query = (
        select(chunks.c.pk)
        .join(documents, documents.c.active_version == chunks.c.version_pk)
        .where(documents.c.base_pk.in_(list(base_pks)))
    )
    for key, value in (filters or {}).items():
        holders = select(attributes.c.version_pk).where(
            attributes.c.key == key, attributes.c.value == attribute_key(value)
        )
        query = query.where(chunks.c.version_pk.in_(holders))
    return query


def iterate_chunks(connection: Connection, base: Base) -> Iterator[list[LiveChunk]]:
    """Yield the live chunks of a base with their vectors, in batches."""
    last = 0
    while True:
        query = (
            select(chunks.c.pk, chunks.c.chunk_id, chunks.c.vector)
            .join(documents, documents.c.active_version == chunks.c.version_pk)
            .where(chunks.c.base_pk == base.pk, chunks.c.pk > last)
            .order_by(chunks.c.pk)
            .limit(ID_BATCH)
        )
        rows = connection.execute(query).all()
        if not rows:
            return
        yield [LiveChunk(pk, chunk_id, vector_of(blob)) for pk, chunk_id, blob in rows]
        last = rows[-1].pk


def stored_ids(connection: Connection, base: Base) -> tuple[set[str], set[str]]:
    """Return (all chunk ids of a base, staged included; the live ones among them)."""
    everything = select(chunks.c.chunk_id).where(chunks.c.base_pk == base.pk)
    live = everything.join(documents, documents.c.active_version == chunks.c.version_pk)
    return set(connection.scalars(everything)), set(connection.scalars(live))


def count_pending(connection: Connection, base: Base) -> tuple[int, int]:
    """Return (live chunks, those of them not known to be in the serving generation)."""
    missing = chunks.c.index_pk.is_distinct_from(base.index.pk)
    row = connection.execute(
        select(func.count(), func.count().filter(missing))
        .select_from(chunks)
        .join(documents, documents.c.active_version == chunks.c.version_pk)
        .where(chunks.c.base_pk == base.pk)
    ).one()
    return row[0], row[1]


def mark_indexed(connection: Connection, chunk_pks: Sequence[int], index_pk: int | None) -> None:
    """Note that these chunks' vectors are in that generation's collection (None: in none)."""
    for start in range(0, len(chunk_pks), ID_BATCH):
        part = list(chunk_pks[start : start + ID_BATCH])
        connection.execute(update(chunks).where(chunks.c.pk.in_(part)).values(index_pk=index_pk))


def gone_ids(connection: Connection, candidates: Sequence[LiveChunk]) -> list[str]:
    """Return the ids of those chunks that are in SQL no more."""
    wanted = [item.chunk_id for item in candidates]
    found = set(connection.scalars(select(chunks.c.chunk_id).where(chunks.c.chunk_id.in_(wanted))))
    return [chunk_id for chunk_id in wanted if chunk_id not in found]


def embeddable_chunks(connection: Connection, base: Base) -> Iterator[tuple[int, str, str]]:
    """Yield (pk, heading, text) of every stored chunk, staged ones included."""
    query = select(chunks.c.pk, chunks.c.heading, chunks.c.text).where(chunks.c.base_pk == base.pk)
    for row in connection.execute(query.order_by(chunks.c.pk)):
        yield row.pk, row.heading, row.text


def replace_vectors(connection: Connection, vectors: Mapping[int, Vectors]) -> None:
    """Write new vectors for stored chunks; none of them is in any collection yet."""
    changed = update(chunks).where(chunks.c.pk == bindparam("chunk_pk"))
    rows = [
        {"chunk_pk": pk, "blob": vector.astype(np.float16).tobytes()}
        for pk, vector in vectors.items()
    ]
    if rows:
        connection.execute(changed.values(vector=bindparam("blob"), index_pk=None), rows)


def vectors_by_text(connection: Connection, version_pk: int) -> Iterator[tuple[str, str, Vectors]]:
    """Yield (heading, text, vector) of a version's chunks: equal text keeps its vector."""
    query = select(chunks.c.heading, chunks.c.text, chunks.c.vector).where(
        chunks.c.version_pk == version_pk
    )
    for heading, text, blob in connection.execute(query):
        yield heading, text, vector_of(blob)


def vector_of(blob: bytes) -> Vectors:
    """Return a stored vector: (d,) float32, L2-normalised to float16 precision."""
    return np.frombuffer(blob, dtype=np.float16).astype(np.float32)


def attribute_key(value: AttributeValue) -> str:
    """Return the stored form of an attribute value: 1 and 1.0 are equal, 1 and "1" are not."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, str | int | float | bool):
        raise InvalidFilter(f"an attribute is text, number or boolean, not {value!r}")
    return json.dumps(value, ensure_ascii=False)


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
    connection.execute(delete(attributes).where(attributes.c.version_pk.in_(list(version_pks))))
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


def _chunk_values(chunk: Chunk) -> dict[str, object]:
    return {
        "ordinal": chunk.ordinal,
        "text": chunk.text,
        "start": chunk.start,
        "end": chunk.end,
        "page": chunk.page,
        "heading": chunk.heading,
        "tokens": chunk.tokens,
    }


def _documents(base: Base) -> Select[*tuple[Any, ...]]:
    pending = (
        select(func.count())
        .select_from(chunks)
        .where(
            chunks.c.version_pk == versions.c.pk,
            chunks.c.index_pk.is_distinct_from(base.index.pk),
        )
        .scalar_subquery()
    )
    return (
        select(
            documents.c.document_id,
            documents.c.external_id,
            documents.c.created_at,
            versions.c.version,
            versions.c.filename,
            versions.c.content_hash,
            versions.c.attributes,
            versions.c.activated_at,
            versions.c.bytes,
            versions.c.chars,
            versions.c.tokens,
            versions.c.chunks,
            pending.label("pending"),
        )
        .join(versions, versions.c.pk == documents.c.active_version)
        .where(documents.c.base_pk == base.pk)
    )


def _document_of(row: Row[*tuple[Any, ...]], base: Base) -> Document:
    values = dict(row._mapping)
    return Document(
        document_id=DocumentId(values["document_id"]),
        base_id=BaseId(base.base_id),
        tenant=base.tenant,
        indexed=values.pop("pending") == 0,
        updated_at=values.pop("activated_at"),
        **{key: value for key, value in values.items() if key != "document_id"},
    )

"""New versions of documents, written to SQL but seen by nobody yet.

It knows how a draft becomes rows; it does not know when the version is activated (`versions`).
Every function runs inside the caller's transaction.
"""

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Table, bindparam, func, insert, select

from knowledge.parsing import NotRead
from knowledge.sql.bases import Base
from knowledge.sql.chunks import attribute_key
from knowledge.sql.fingerprints import Fingerprint, keep_samples
from knowledge.sql.tables import access, attributes, chunks, documents, versions
from knowledge.types import Attributes, Chunk, ChunkId, DocumentId

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
    ocr: str | None
    left_out: tuple[NotRead, ...]
    fingerprint: Fingerprint
    chunking: str
    chunks: tuple[Chunk, ...]
    vectors: Vectors  # (n_chunks, d) float32, L2-normalised
    synced_from: str | None = ""
    restores: int | None = None


@dataclass(frozen=True, slots=True)
class Staged:
    """A version that is written but seen by nobody."""

    document_pk: int
    document_id: DocumentId
    version_pk: int
    version: int
    chunk_ids: tuple[ChunkId, ...]
    access: frozenset[str]


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
    encoding: str | None
    ocr: str | None
    left_out: tuple[NotRead, ...]
    synced_from: str | None


def not_read(stored: Sequence[Sequence[str]] | None) -> tuple[NotRead, ...]:
    """Return what `versions.left_out` says."""
    return tuple(NotRead(*item) for item in stored or ())


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
        values = {
            **row._mapping,
            "access": frozenset(row.access or ()),
            "left_out": not_read(row.left_out),
        }
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
    numbered = next_versions(connection, base, [draft.external_id for draft in drafts])
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
        item = Staged(
            target.document_pk,
            target.document_id,
            version_pk,
            target.version,
            chunk_ids=ids,
            access=draft.access,
        )
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
    samples = {
        one.document_pk: draft.fingerprint.sample if one.access else ()
        for one, draft in zip(staged, drafts, strict=True)
    }
    keep_samples(connection, base, samples)
    return staged


def next_versions(
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
        "ocr": draft.ocr,
        "left_out": [astuple(item) for item in draft.left_out] or None,
        "text_hash": draft.fingerprint.text_hash,
        "synced_from": draft.synced_from,
        "restores": draft.restores,
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
            "lead": chunk.lead or None,
            "page": chunk.page,
            "page_end": chunk.page_end,
            "sheet": chunk.sheet,
            "ocr_confidence": chunk.ocr_confidence,
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
        versions.c.encoding,
        versions.c.ocr,
        versions.c.left_out,
        versions.c.synced_from,
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

"""What happened to documents: versions and deletions, newest first.

It knows how entries are read; it does not know how they came to be (`versions`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, func, select

from knowledge.errors import DocumentNotFound
from knowledge.sql.bases import Base
from knowledge.sql.documents import find_document
from knowledge.sql.labels import was_readable
from knowledge.sql.tables import documents, versions
from knowledge.types import DocumentId


@dataclass(frozen=True, slots=True)
class DocumentVersion:
    """One entry in the history of a document: a version that was active, or its deletion.

    Attributes:
        version_id: Names the entry, `document_id@version`.
        change: `added`, `replaced`, `annotated` (same content, other attributes) or `deleted`.
        changed_at: Unix seconds at which it became active.
        is_active: It is active now.
        replaces: Number of the version it took the place of, None for the first.
        replaced_by: Number of the version (or deletion) that took its place.
        restores: Number of the version whose text it took back.
        has_text: Its text is stored, with it or with a newer version of the same content.
    """

    version_id: str
    document_id: DocumentId
    external_id: str
    version: int
    change: str
    changed_at: float
    is_active: bool
    replaces: int | None
    replaced_by: int | None
    filename: str
    content_hash: str
    bytes: int
    tokens: int
    chunks: int
    restores: int | None
    has_text: bool


def list_versions(
    connection: Connection,
    base: Base,
    name: str | None = None,
    *,
    access: Collection[str] | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> list[DocumentVersion]:
    """Return what happened to the documents of a base, newest first.

    Versions that never came into force are left out, and those that the reader may not read: the
    labels of the document count, of a deleted one its last ones, and those of the version.

    Args:
        connection: Any transaction.
        base: Whose documents.
        name: Only this document's, by external id or document id; it may be deleted by now.
        access: The labels that the reader holds; None: any.
        limit: Most entries to return.
        after: A `version_id`; only entries that come after it in this order.

    Raises:
        DocumentNotFound: There never was such a document, or no entry `after`, that the reader may
            read.
    """
    known = _history(base).subquery()
    query = select(known)
    if access is not None:
        for labels in (known.c.access, _labels_of_document(known.c.document_pk)):
            query = query.where(was_readable(connection, base, labels, access))
    if after is not None:
        document_id, _, number = after.rpartition("@")
        here = (known.c.document_id == document_id) & (known.c.version == _number(number))
        place = connection.scalar(query.where(here).with_only_columns(known.c.pk))
        if place is None:
            raise DocumentNotFound(f"the history of {base.base_id!r} holds no entry {after!r}")
        query = query.where(known.c.pk < place)
    if name is not None:
        document = find_document(connection, base, name, access=access)
        query = query.where(known.c.document_pk == document.pk)
    rows = connection.execute(query.order_by(known.c.pk.desc()).limit(limit))
    return [_version_of(row) for row in rows]


def _history(base: Base) -> Select[*tuple[Any, ...]]:
    """Return the entries of a base, each with its neighbours in its document's history."""
    number, document = versions.c.version, versions.c.document_pk
    before = func.lag(number).over(partition_by=document, order_by=number)
    since = func.lead(number).over(partition_by=document, order_by=number)
    is_stored = case((versions.c.text.is_not(None), 1), else_=0)
    of_content = func.max(is_stored).over(partition_by=[document, versions.c.content_hash])
    has_text = and_(of_content == 1, versions.c.state != "tombstone")
    return (
        select(
            versions.c.pk,
            versions.c.document_pk,
            documents.c.document_id,
            documents.c.external_id,
            versions.c.version,
            versions.c.change,
            versions.c.activated_at.label("changed_at"),
            (documents.c.active_version == versions.c.pk).label("is_active"),
            before.label("replaces"),
            since.label("replaced_by"),
            versions.c.filename,
            versions.c.content_hash,
            versions.c.bytes,
            versions.c.tokens,
            versions.c.chunks,
            versions.c.restores,
            has_text.label("has_text"),
            versions.c.access,
        )
        .join(documents, documents.c.pk == versions.c.document_pk)
        .where(versions.c.base_pk == base.pk, versions.c.change.is_not(None))
    )


def _labels_of_document(document_pk: ColumnElement[int]) -> ColumnElement[Any]:
    """Return the labels of the last version of a document that came into force."""
    past = versions.alias()
    last = past.c.state != "tombstone", past.c.change.is_not(None)
    query = select(past.c.access).where(past.c.document_pk == document_pk, *last)
    return query.order_by(past.c.pk.desc()).limit(1).scalar_subquery()


def _version_of(row: Row[*tuple[Any, ...]]) -> DocumentVersion:
    values = dict(row._mapping)
    for name in ("pk", "document_pk", "access"):
        del values[name]
    values["is_active"] = bool(values["is_active"])  # NULL once the document is deleted
    values["has_text"] = bool(values["has_text"])
    return DocumentVersion(version_id=f"{values['document_id']}@{values['version']}", **values)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else -1

"""Live documents, as they are listed and read back.

It knows what is active now; it does not know how it came to be (`versioning`).
"""

from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    func,
    select,
)

from knowledge.bases import Base
from knowledge.errors import DocumentNotFound
from knowledge.tables import chunks, documents, versions
from knowledge.types import (
    BaseId,
    Document,
    DocumentId,
)


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
            versions.c.access,
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
        access=tuple(values.pop("access") or ()),
        **{key: value for key, value in values.items() if key != "document_id"},
    )

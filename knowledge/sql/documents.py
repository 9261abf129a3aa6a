"""Live documents, as they are listed and read back.

It knows what is active now; it does not know how it came to be (`versions`).
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    Connection,
    Row,
    Select,
    func,
    select,
)

from knowledge.config import is_outdated
from knowledge.errors import DocumentNotFound
from knowledge.parsing import may_be_scan
from knowledge.sql.bases import Base
from knowledge.sql.labels import is_readable, last_version, may_read
from knowledge.sql.staging import not_read
from knowledge.sql.tables import bases, chunks, documents, versions
from knowledge.types import (
    BaseId,
    Document,
    DocumentId,
)

NEWEST = 20  # of which a base's language is told
BEGINNING_CHARS = 300  # a paragraph


def list_documents(
    connection: Connection,
    base: Base,
    *,
    access: Collection[str] | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> list[Document]:
    """Return the live documents, oldest first.

    Args:
        connection: Any transaction.
        base: Whose documents.
        access: The labels that the reader holds; documents with others are left out. None: any.
        limit: Most documents to return.
        after: Id or external id of a document, deleted or not; only those that came in later.

    Raises:
        DocumentNotFound: There never was a document `after` that the reader may read.
    """
    query = _documents(base, access).order_by(documents.c.pk)
    if after is not None:
        last = find_document(connection, base, after, access=access)
        query = query.where(documents.c.pk > last.pk)
    if limit is not None:
        query = query.limit(limit)
    return [_document_of(row, base) for row in connection.execute(query)]


def beginnings(connection: Connection, base: Base) -> list[str]:
    """Return how the newest live documents begin; they tell a base's language."""
    query = (
        select(func.substr(versions.c.text, 1, BEGINNING_CHARS))
        .join(documents, documents.c.active_version == versions.c.pk)
        .where(documents.c.base_pk == base.pk)
        .order_by(documents.c.pk.desc())
        .limit(NEWEST)
    )
    return [str(text) for text in connection.scalars(query)]


def get_document(
    connection: Connection, base: Base, name: str, *, access: Collection[str] | None = None
) -> Document:
    """Return a live document by its external id or document id.

    Raises:
        DocumentNotFound: There is none that a reader who holds the labels `access` may read.
    """
    named = (documents.c.external_id == name) | (documents.c.document_id == name)
    row = connection.execute(_documents(base, access).where(named)).first()
    if row is None:
        raise DocumentNotFound(f"knowledge base {base.base_id!r} has no document {name!r}")
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


def find_document(
    connection: Connection, base: Base, name: str, *, access: Collection[str] | None = None
) -> Row[*tuple[Any, ...]]:
    """Return the row of a document, live or deleted.

    Raises:
        DocumentNotFound: There never was one that a reader who holds the labels `access` may read.
    """
    named = (documents.c.external_id == name) | (documents.c.document_id == name)
    query = select(documents).where(documents.c.base_pk == base.pk, named)
    row = connection.execute(query).first()
    if row is not None:
        labels = frozenset() if access is None else _labels(connection, row)
        if labels is not None and may_read(labels, access):
            return row
    raise DocumentNotFound(f"knowledge base {base.base_id!r} never had a document {name!r}")


def documents_of_file(
    connection: Connection, filename: str, content_hash: str, *, tenant: str
) -> list[tuple[str, frozenset[str], frozenset[str]]]:
    """Return the documents that a file became: base id, labels with these bytes, labels now."""
    query = (
        select(documents, versions.c.access, bases.c.base_id)
        .join(versions, versions.c.document_pk == documents.c.pk)
        .join(bases, bases.c.pk == documents.c.base_pk)
        .where(
            bases.c.tenant == tenant,
            documents.c.external_id == filename,
            versions.c.content_hash == content_hash,
            versions.c.state != "tombstone",
        )
    )
    return [
        (row.base_id, frozenset(row.access or ()), _labels(connection, row) or frozenset())
        for row in connection.execute(query).all()
    ]


def _labels(connection: Connection, found: Row[*tuple[Any, ...]]) -> frozenset[str] | None:
    """Return the labels of a document now, of a deleted one the last; None: it never had any."""
    if found.active_version is None:
        last = last_version(connection, found.base_pk, found.pk)
        return None if last is None else last.access
    now = select(versions.c.access).where(versions.c.pk == found.active_version)
    return frozenset(connection.scalar(now) or ())


def _documents(base: Base, access: Collection[str] | None) -> Select[*tuple[Any, ...]]:
    pending = (
        select(func.count())
        .select_from(chunks)
        .where(
            chunks.c.version_pk == versions.c.pk,
            chunks.c.index_pk.is_distinct_from(base.index.pk),
        )
        .scalar_subquery()
    )
    query = (
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
            versions.c.encoding,
            versions.c.left_out,
            versions.c.chunking,
            versions.c.ocr,
            versions.c.synced_from,
            pending.label("pending"),
        )
        .join(versions, versions.c.pk == documents.c.active_version)
        .where(documents.c.base_pk == base.pk)
    )
    return query if access is None else query.where(is_readable(versions.c.pk, access))


def _document_of(row: Row[*tuple[Any, ...]], base: Base) -> Document:
    values = dict(row._mapping)
    read_by_another_ocr = values.pop("ocr") != base.ocr and may_be_scan(values["filename"])
    return Document(
        document_id=DocumentId(values["document_id"]),
        base_id=BaseId(base.base_id),
        tenant=base.tenant,
        indexed=values.pop("pending") == 0,
        updated_at=values.pop("activated_at"),
        access=tuple(values.pop("access") or ()),
        encoding=values.pop("encoding") or "",
        left_out=not_read(values.pop("left_out")),
        is_outdated=is_outdated(values.pop("chunking")) or read_by_another_ocr,
        **{key: value for key, value in values.items() if key != "document_id"},
    )

"""When documents were last changed and cited.

It knows rows; it does not know answers. Every function runs inside the caller's transaction.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, func, or_, select, update

from knowledge.sql.bases import Base
from knowledge.sql.documents import find_document
from knowledge.sql.labels import is_readable
from knowledge.sql.tables import bases, documents, versions
from knowledge.types import DocumentId

HOUR_S = 3_600.0
"""A citation within this long of the one before is not written: days are asked for, and a document
that every answer cites costs one write an hour."""


@dataclass(frozen=True, slots=True)
class StaleDocument:
    """A document that was neither changed nor cited for some time.

    Attributes:
        changed_at: Unix seconds at which its content last changed; new labels are no change.
        cited_at: Unix seconds, to the hour, at which an answer last cited it; None: never.
    """

    document_id: DocumentId
    external_id: str
    filename: str
    changed_at: float
    cited_at: float | None
    access: tuple[str, ...]


def note_cited(
    connection: Connection, document_ids: Collection[str], *, tenant: str, at: float
) -> None:
    """Write that an answer cited these documents."""
    asked = {"ids": list(document_ids), "of": tenant, "at": at, "before": at - HOUR_S}
    connection.execute(_CITED, asked)


def stale_documents(
    connection: Connection,
    base: Base,
    *,
    before: float,
    access: Collection[str] | None,
    limit: int,
    after: str | None,
) -> list[StaleDocument]:
    """Return live documents that were neither changed nor cited since `before`, oldest first.

    Args:
        connection: Any transaction.
        base: Whose documents.
        before: Unix seconds.
        access: The labels that the reader holds; documents with others are left out. None: any.
        limit: Most to return.
        after: Id or external id of a document; only those that came in later.

    Raises:
        DocumentNotFound: There never was a document `after` that the reader may read.
    """
    past = versions.alias()
    changed_at = (
        select(func.max(past.c.activated_at))
        .where(past.c.document_pk == documents.c.pk, past.c.change.in_(["added", "replaced"]))
        .scalar_subquery()
    )
    query = (
        select(
            documents.c.document_id,
            documents.c.external_id,
            versions.c.filename,
            func.coalesce(changed_at, versions.c.activated_at).label("changed_at"),
            documents.c.cited_at,
            versions.c.access,
        )
        .join(versions, versions.c.pk == documents.c.active_version)
        .where(
            documents.c.base_pk == base.pk,
            func.coalesce(changed_at, versions.c.activated_at) < before,
            or_(documents.c.cited_at.is_(None), documents.c.cited_at < before),
        )
        .order_by(documents.c.pk)
        .limit(limit)
    )
    if access is not None:
        query = query.where(is_readable(versions.c.pk, access))
    if after is not None:
        last = find_document(connection, base, after, access=access)
        query = query.where(documents.c.pk > last.pk)
    return [
        StaleDocument(**{**row._mapping, "access": tuple(row.access or ())})
        for row in connection.execute(query)
    ]


def citations_since(connection: Connection, base: Base) -> float:
    """Return when citations of a base's documents began to be noted."""
    since: float | None = connection.scalar(
        select(bases.c.citations_since).where(bases.c.pk == base.pk)
    )
    return base.created_at if since is None else since


_CITED = (
    update(documents)
    .where(
        and_(
            documents.c.tenant == bindparam("of"),
            documents.c.document_id.in_(bindparam("ids", expanding=True)),
            or_(documents.c.cited_at.is_(None), documents.c.cited_at < bindparam("before")),
        )
    )
    .values(cited_at=bindparam("at"))
)

"""Who may read a version, and which labels and attributes earlier ones had.

It knows where versions say who may read them; it does not know which of them a new version
follows (`knowledge.access`). Every function runs inside the caller's transaction.

What never came into force counts where it was guarded, and does not where it was open: a write
that was not finished guards at most too much.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    bindparam,
    cast,
    exists,
    func,
    or_,
    select,
    union,
)

from knowledge.sql.bases import Base
from knowledge.sql.tables import access, documents, versions
from knowledge.types import Attributes


@dataclass(frozen=True, slots=True)
class EarlierVersion:
    """What a version of a document said of itself; `pk` grows with every write of the base."""

    pk: int
    document_pk: int
    external_id: str
    is_live: bool
    content_hash: str
    text_hash: str | None
    access: frozenset[str]
    attributes: Attributes


def may_read(needed: Collection[str], held: Collection[str] | None) -> bool:
    """Return whether a reader may read what has these access labels.

    Args:
        needed: The labels, of which a reader must hold one; none: anyone may read.
        held: Those that the reader holds; None: any.
    """
    return not needed or held is None or any(label in held for label in needed)


def is_readable(
    version_pk: ColumnElement[int], held: Collection[str] | BindParameter[str]
) -> ColumnElement[bool]:
    """Return the condition that a reader who holds these labels may read an active version."""
    labelled = exists().where(access.c.version_pk == version_pk)
    return or_(~labelled, labelled.where(access.c.label.in_(held)))


def was_readable(
    connection: Connection, base: Base, labels: ColumnElement[Any], held: Collection[str]
) -> ColumnElement[bool]:
    """Return the condition that a reader may read a version, active or not.

    Of one that is not active the labels are kept as JSON, which each database searches in its own
    way; a base has few different sets of them, so they are compared as texts.

    Args:
        connection: Any transaction.
        base: Whose versions.
        labels: The column `access` of the version.
        held: The labels that the reader holds.
    """
    sets = select(cast(versions.c.access, Text)).where(
        versions.c.base_pk == base.pk, versions.c.access.is_not(None)
    )
    texts = [
        text for text in connection.scalars(sets.distinct()) if may_read(json.loads(text), held)
    ]
    return or_(labels.is_(None), cast(labels, Text).in_(texts))


def last_versions(
    connection: Connection, base: Base, external_ids: Collection[str]
) -> dict[str, EarlierVersion]:
    """Return the last version of each document by external id, deleted or not."""
    asked = {"base_pk": base.pk, "external_ids": list(external_ids)}
    found = [_earlier(row) for row in connection.execute(_LAST_BY_NAME, asked)]
    return {version.external_id: version for version in found}


def last_version(connection: Connection, base_pk: int, document_pk: int) -> EarlierVersion | None:
    """Return the last version of a document, deleted or not."""
    asked = {"base_pk": base_pk, "document_pk": document_pk}
    row = connection.execute(_LAST_BY_PK, asked).first()
    return None if row is None else _earlier(row)


def versions_of_content(
    connection: Connection,
    base: Base,
    content_hashes: Collection[str],
    text_hashes: Collection[str],
) -> list[EarlierVersion]:
    """Return every version of one of these contents or texts, as they were written."""
    asked = {
        "base_pk": base.pk,
        "content_hashes": list(content_hashes),
        "text_hashes": list(text_hashes),
    }
    return [_earlier(row) for row in connection.execute(_OF_CONTENT, asked)]


def text_of_version(connection: Connection, pk: int) -> str | None:
    """Return the text of a version, None where it is not kept any more."""
    return connection.scalar(select(versions.c.text).where(versions.c.pk == pk))


def _earlier(row: Row[*tuple[Any, ...]]) -> EarlierVersion:
    values = {**row._mapping, "access": frozenset(row.access or ())}
    return EarlierVersion(**{**values, "is_live": bool(row.is_live)})


_COUNTS = (versions.c.state != "tombstone") & or_(
    versions.c.access.is_not(None), versions.c.change.is_not(None)
)


def _versions() -> Select[*tuple[Any, ...]]:
    return (
        select(
            versions.c.pk,
            versions.c.document_pk,
            documents.c.external_id,
            (documents.c.active_version == versions.c.pk).label("is_live"),
            versions.c.content_hash,
            versions.c.text_hash,
            versions.c.access,
            versions.c.attributes,
        )
        .join(documents, documents.c.pk == versions.c.document_pk)
        .where(versions.c.base_pk == bindparam("base_pk"), _COUNTS)
        .order_by(versions.c.pk)
    )


def _last(of: Any) -> Select[*tuple[Any, ...]]:
    last = (
        select(func.max(versions.c.pk))
        .join(documents, documents.c.pk == versions.c.document_pk)
        .where(documents.c.base_pk == bindparam("base_pk"), of, _COUNTS)
        .group_by(versions.c.document_pk)
    )
    return _versions().where(versions.c.pk.in_(last))


# built once: putting a statement together costs more than SQLite takes to run it
_LAST_BY_NAME = _last(documents.c.external_id.in_(bindparam("external_ids", expanding=True)))
_LAST_BY_PK = _last(documents.c.pk == bindparam("document_pk"))
_IN_BASE = select(versions.c.pk).where(versions.c.base_pk == bindparam("base_pk"))
_OF_CONTENT = _versions().where(  # two searches by index: with OR, SQLite reads the whole base
    versions.c.pk.in_(
        union(
            _IN_BASE.where(
                versions.c.content_hash.in_(bindparam("content_hashes", expanding=True))
            ),
            _IN_BASE.where(versions.c.text_hash.in_(bindparam("text_hashes", expanding=True))),
        )
    )
)

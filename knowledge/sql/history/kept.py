"""The texts of replaced versions that a base keeps, and how their chunks lay in them.

It knows which texts are kept and which go; it does not know when a version is retired (`versions`)
nor who may read one. Every function runs inside the caller's transaction. Nothing that is kept here
is joined by a search: its chunks, words and vectors went when the version was replaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from knowledge.errors import DocumentNotFound, TextNotKept, VersionNotFound
from knowledge.parsing import NotRead
from knowledge.sql.bases import Base
from knowledge.sql.documents import find_document
from knowledge.sql.staging import not_read
from knowledge.sql.tables import bases, chunks, documents, versions
from knowledge.types import Chunk, DocumentId

_PLACES = (
    "ordinal",
    "start",
    "end",
    "page",
    "page_end",
    "sheet",
    "heading",
    "lead",
    "tokens",
    "parent_start",
    "parent_end",
    "ocr_confidence",
)
"""What is kept of a chunk; its text is the document's between `start` and `end`."""


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A version whose text is stored, active or replaced.

    Attributes:
        chunks: Of a replaced version; the active one has them in their table.
        ocr: The base's setting when it was read; None: there was none yet.
        access: Its own labels, when it was active; those of its document may be others now.
        synced_from: Of its document now.
    """

    document_id: DocumentId
    external_id: str
    version: int
    is_active: bool
    changed_at: float
    filename: str
    format: str
    encoding: str
    content_hash: str
    bytes: int
    text: str
    ocr: str | None
    left_out: tuple[NotRead, ...]
    chunking: str
    chunks: tuple[Chunk, ...]
    access: frozenset[str]
    document_access: frozenset[str]
    synced_from: str | None


def keep_texts(connection: Connection, version_pks: Sequence[int]) -> None:
    """Note how the chunks of active versions lie in their texts, before they are removed.

    A version that was never active loses its text here.
    """
    places: dict[int, list[list[object]]] = {}
    rows = select(chunks.c.version_pk, *(chunks.c[name] for name in _PLACES))
    rows = rows.where(chunks.c.version_pk.in_(list(version_pks)))
    for version_pk, *place in connection.execute(rows.order_by(chunks.c.ordinal)):
        places.setdefault(version_pk, []).append(place)
    was_active = versions.c.pk.in_(list(version_pks)), versions.c.change.is_not(None)
    kept = set(connection.scalars(select(versions.c.pk).where(*was_active)))
    layouts = [{"of": pk, "as": places.get(pk, [])} for pk in kept]
    if layouts:
        laid = update(versions).where(versions.c.pk == bindparam("of"))
        connection.execute(laid.values(layout=bindparam("as")), layouts)
    drop_texts(connection, [pk for pk in version_pks if pk not in kept])


def drop_texts(connection: Connection, version_pks: Sequence[int]) -> None:
    """Take the texts off versions, and what is known of their chunks."""
    of_these = versions.c.pk.in_(list(version_pks))
    connection.execute(update(versions).where(of_these).values(text=None, layout=None))


def drop_surplus(
    connection: Connection, base: Base, *, most: int, document_pks: Sequence[int] | None = None
) -> int:
    """Take the text off all but the newest `most` replaced contents; return how many lost it.

    Versions of one content (other labels, read anew, taken back) are one: the newest has its text,
    and the active one's content is not replaced. Of a deleted document all texts go.

    Args:
        connection: A write transaction.
        base: Whose documents.
        most: How many of each document keep it.
        document_pks: Only of these documents; None: of all.
    """
    of_base = versions.c.base_pk == base.pk
    if document_pks is not None:
        of_base &= versions.c.document_pk.in_(list(document_pks))
    rows = select(
        versions.c.pk, versions.c.document_pk, versions.c.content_hash, versions.c.state
    ).where(of_base, versions.c.text.is_not(None), versions.c.state.in_(("active", "retired")))
    newest_first = rows.order_by(versions.c.state == "retired", versions.c.version.desc())
    contents: dict[int, set[str]] = {}
    surplus = []
    for row in connection.execute(newest_first):
        known = contents.get(row.document_pk)
        if row.state == "active":
            contents[row.document_pk] = {row.content_hash}
        elif known is None or row.content_hash in known or len(known) > most:
            surplus.append(row.pk)
        else:
            known.add(row.content_hash)
    if surplus:
        drop_texts(connection, surplus)
    return len(surplus)


def set_keep_versions(connection: Connection, base: Base, most: int) -> int:
    """Keep so many replaced versions from now on; return how many lost their text at once."""
    connection.execute(update(bases).where(bases.c.pk == base.pk).values(keep_versions=most))
    return drop_surplus(connection, base, most=most)


def read_version(connection: Connection, base: Base, name: str, number: int) -> KeptVersion:
    """Return a version with its text.

    Args:
        connection: Any transaction.
        base: Whose document.
        name: Its external id or document id.
        number: Of the version.

    Raises:
        DocumentNotFound: There is none, or it was deleted.
        VersionNotFound: It never had a version of this number that came into force.
        TextNotKept: The version was replaced, and its text was not kept.
    """
    found = find_document(connection, base, name)
    row = connection.execute(_VERSION, {"document_pk": found.pk, "number": number}).one_or_none()
    if row is None:
        raise VersionNotFound(f"{name!r} has no version {number}")
    if row.active_version is None:
        raise DocumentNotFound(
            f"{name!r} was deleted from {base.base_id!r}, and the texts of its versions with it"
        )
    of_content = {"document_pk": found.pk, "content_hash": row.content_hash}
    text = row if row.text is not None else connection.execute(_TEXT, of_content).one_or_none()
    if text is None:
        raise TextNotKept(
            f"version {number} of {name!r} was replaced, and its text was not kept: knowledge base "
            f"{base.base_id!r} keeps {base.keep_versions} replaced versions of each document"
        )
    return _kept(row, text, connection)


def _kept(row: Any, text: Any, connection: Connection) -> KeptVersion:
    """Return a version, with what was read of its content in the version that has the text."""
    of_now = select(versions.c.access, versions.c.synced_from)
    now = connection.execute(of_now.where(versions.c.pk == row.active_version)).one()
    values = {name: value for name, value in row._mapping.items() if name not in _READ_ONLY}
    values |= {name: text._mapping[name] for name in _OF_TEXT}
    values["encoding"] = values["encoding"] or ""
    values["left_out"] = not_read(values["left_out"])
    values["access"] = frozenset(row.access or ())
    return KeptVersion(
        **values,
        is_active=row.pk == row.active_version,
        chunks=tuple(_chunk(text.text, place) for place in text.layout or ()),
        document_access=frozenset(now.access or ()),
        synced_from=now.synced_from,
    )


def _chunk(text: str, place: Sequence[Any]) -> Chunk:
    values = dict(zip(_PLACES, place, strict=False))
    own = text[values["start"] : values["end"]]
    return Chunk(**{**values, "lead": values["lead"] or "", "text": own})


_READ_ONLY = ("pk", "active_version", "layout")
_OF_TEXT = ("format", "encoding", "text", "ocr", "left_out", "chunking")
_TEXT = (  # of the newest version with this content that has it
    select(versions.c.layout, *(versions.c[name] for name in _OF_TEXT))
    .where(
        versions.c.document_pk == bindparam("document_pk"),
        versions.c.content_hash == bindparam("content_hash"),
        versions.c.text.is_not(None),
        versions.c.state.in_(("active", "retired")),
    )
    .order_by(versions.c.version.desc())
    .limit(1)
)
_VERSION = (
    select(
        versions.c.pk,
        documents.c.document_id,
        documents.c.external_id,
        documents.c.active_version,
        versions.c.version,
        versions.c.activated_at.label("changed_at"),
        versions.c.filename,
        versions.c.format,
        versions.c.encoding,
        versions.c.content_hash,
        versions.c.bytes,
        versions.c.text,
        versions.c.ocr,
        versions.c.left_out,
        versions.c.chunking,
        versions.c.layout,
        versions.c.access,
    )
    .join(documents, documents.c.pk == versions.c.document_pk)
    .where(
        versions.c.document_pk == bindparam("document_pk"),
        versions.c.version == bindparam("number"),
        versions.c.state != "tombstone",
        versions.c.change.is_not(None),
    )
)

"""Knowledge bases and the generations of their vector index, in SQL.

It knows which base a tenant means and which Chroma collection serves it; it does not know
documents or Chroma itself.
"""

import hashlib
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import (
    Connection,
    bindparam,
    delete,
    exists,
    func,
    insert,
    null,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from knowledge.config import Chunking
from knowledge.embedding import Embedder
from knowledge.errors import (
    CollectionNotFound,
    IndexReplaced,
    InvalidName,
    KnowledgeBaseExists,
)
from knowledge.parsing import Ocr
from knowledge.sql import full_text
from knowledge.sql.tables import (
    bases,
    chunks,
    documents,
    indexes,
    next_vectors,
    versions,
)
from knowledge.types import BaseId, KnowledgeBase

COLLECTION_PREFIX = "kb_"
_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")


@dataclass(frozen=True, slots=True)
class Generation:
    """One Chroma collection of a base and what its vectors were made with."""

    pk: int
    base_pk: int
    generation: int
    collection: str
    embedding_model: str
    embedding_revision: str
    dimension: int
    removed: int

    @property
    def made_by(self) -> "EmbedderIdentity":
        """Which embedder made the vectors."""
        return EmbedderIdentity(self.embedding_model, self.embedding_revision, self.dimension)


@dataclass(frozen=True, slots=True)
class EmbedderIdentity:
    """Which embedder made a generation's vectors."""

    model_id: str
    revision: str
    dimension: int

    @classmethod
    def of(cls, embedder: Embedder) -> "EmbedderIdentity":
        """Return the mark of a loaded embedder."""
        return cls(embedder.model_id, embedder.revision, embedder.dimension)

    def __str__(self) -> str:
        """Return the form that messages show."""
        return f"{self.model_id} ({self.revision}, {self.dimension} numbers)"


_GENERATION = tuple(field.name for field in fields(Generation))


@dataclass(frozen=True, slots=True)
class Base:
    """A knowledge base as the inner files see it."""

    pk: int
    tenant: str
    base_id: BaseId
    name: str
    created_at: float
    chunking: Chunking | None
    keep_versions: int
    ocr: Ocr
    index: Generation


def create_base(
    connection: Connection,
    name: str,
    *,
    tenant: str,
    base_id: str | None,
    chunking: Chunking | None,
    keep_versions: int,
    ocr: Ocr,
    embedder: Embedder,
) -> Base:
    """Write a base and the first generation of its index."""
    chosen = base_id or f"kb_{secrets.token_hex(8)}"
    if not _ID.match(chosen):
        raise InvalidName(
            f"{chosen!r} is not a valid knowledge base id: letters, digits, . _ - and at most 64"
        )
    now = time.time()
    row = {
        "tenant": tenant,
        "base_id": chosen,
        "name": name,
        "created_at": now,
        "chunking": null() if chunking is None else chunking.model_dump(),
        "keep_versions": keep_versions,
        "ocr": ocr,
    }
    try:
        base_pk = connection.execute(insert(bases).values(row).returning(bases.c.pk)).scalar_one()
    except IntegrityError as exc:
        raise KnowledgeBaseExists(f"knowledge base {chosen!r} already exists") from exc
    add_generation(
        connection,
        base_pk,
        tenant=tenant,
        base_id=chosen,
        made_by=EmbedderIdentity.of(embedder),
        state="active",
    )
    return get_base(connection, chosen, tenant=tenant)


def get_base(connection: Connection, base_id: str, *, tenant: str) -> Base:
    """Return one base. Raises `CollectionNotFound`."""
    return get_bases(connection, [base_id], tenant=tenant)[0]


def get_bases(connection: Connection, base_ids: Sequence[str], *, tenant: str) -> list[Base]:
    """Return the bases named, in the order named, each once. Raises `CollectionNotFound`."""
    wanted = list(dict.fromkeys(base_ids))
    rows = connection.execute(_NAMED, {"tenant": tenant, "base_ids": wanted}).all()
    found = {row.base_id: _base(row) for row in rows}
    missing = [base_id for base_id in wanted if base_id not in found]
    if missing:
        raise CollectionNotFound(f"no knowledge base {missing[0]!r}; create it first")
    return [found[base_id] for base_id in wanted]


def serving(connection: Connection, base_pks: Sequence[int]) -> set[int]:
    """Return the pks of the generations that serve these bases."""
    active = indexes.c.base_pk.in_(base_pks), indexes.c.state == "active"
    return set(connection.scalars(select(indexes.c.pk).where(*active)))


def all_bases(connection: Connection) -> list[Base]:
    """Return every base of every tenant, for reconcile."""
    query = _BASES.where(indexes.c.state == "active").order_by(bases.c.pk)
    return [_base(row) for row in connection.execute(query)]


def list_bases(connection: Connection, tenant: str, base_id: str | None) -> list[KnowledgeBase]:
    """Return the tenant's bases (or one of them) with their sizes, oldest first."""
    active = documents.join(versions, versions.c.pk == documents.c.active_version)
    sizes = (
        select(
            documents.c.base_pk,
            func.count().label("documents"),
            func.sum(versions.c.chunks).label("chunks"),
            func.sum(versions.c.bytes).label("bytes"),
        )
        .select_from(active)
        .group_by(documents.c.base_pk)
        .subquery()
    )
    query = (
        select(bases, sizes.c.documents, sizes.c.chunks, sizes.c.bytes)
        .outerjoin(sizes, sizes.c.base_pk == bases.c.pk)
        .where(bases.c.tenant == tenant)
        .order_by(bases.c.pk)
    )
    if base_id is not None:
        query = query.where(bases.c.base_id == base_id)
    return [
        KnowledgeBase(
            base_id=BaseId(row.base_id),
            tenant=row.tenant,
            name=row.name,
            created_at=row.created_at,
            documents=row.documents or 0,
            chunks=row.chunks or 0,
            text_bytes=row.bytes or 0,
            chunking=_chunking(row.chunking),
            keep_versions=row.keep_versions,
            ocr=row.ocr or "auto",
        )
        for row in connection.execute(query)
    ]


def change_base(connection: Connection, base: Base, *, ocr: Ocr) -> None:
    """Write settings of a base; they count for documents that are read from now on."""
    connection.execute(update(bases).where(bases.c.pk == base.pk).values(ocr=ocr))


def delete_base(connection: Connection, base: Base) -> list[str]:
    """Remove a base with its content; return the collections that belong to no base now."""
    full_text.remove_base(connection, base.pk)  # its rows have no foreign key to follow
    names = select(indexes.c.collection).where(indexes.c.base_pk == base.pk)
    collections = list(connection.scalars(names))
    connection.execute(delete(bases).where(bases.c.pk == base.pk))
    return collections


def add_generation(
    connection: Connection,
    base_pk: int,
    *,
    tenant: str,
    base_id: str,
    made_by: EmbedderIdentity,
    state: str,
) -> Generation:
    """Write the next generation of a base's index, whose vectors `made_by` made."""
    last = select(func.coalesce(func.max(indexes.c.generation), 0)).where(
        indexes.c.base_pk == base_pk
    )
    generation = int(connection.scalar(last) or 0) + 1
    values = {
        "tenant": tenant,
        "base_pk": base_pk,
        "generation": generation,
        "collection": _collection_name(tenant, base_id, made_by, generation),
        "embedding_model": made_by.model_id,
        "embedding_revision": made_by.revision,
        "dimension": made_by.dimension,
        "state": state,
        "removed": 0,
        "created_at": time.time(),
    }
    row = connection.execute(insert(indexes).values(values).returning(indexes)).one()
    return _generation(row._asdict())


def continue_reindex(
    connection: Connection, base: Base, made_by: EmbedderIdentity
) -> tuple[Generation, list[str]]:
    """Return the generation that a re-index to `made_by` fills, and abandoned collections.

    It is the one that an interrupted re-index to the same embedder left, or else a new one; what
    a re-index to another embedder left is removed, with its vectors.
    """
    begun = indexes.c.base_pk == base.pk, indexes.c.state == "reindexing"
    rows = connection.execute(select(indexes).where(*begun).order_by(indexes.c.pk)).all()
    left = [_generation(row._asdict()) for row in rows]
    current = next((generation for generation in left if generation.made_by == made_by), None)
    abandoned = [generation for generation in left if generation is not current]
    for generation in abandoned:
        remove_generation(connection, generation)
    if current is not None:
        refresh_reindex(connection, current)
    else:
        current = add_generation(
            connection,
            base.pk,
            tenant=base.tenant,
            base_id=base.base_id,
            made_by=made_by,
            state="reindexing",
        )
    return current, [generation.collection for generation in abandoned]


def refresh_reindex(connection: Connection, generation: Generation) -> None:
    """Note that a re-index makes progress. Raises `IndexReplaced` if it was overtaken."""
    mine = indexes.c.pk == generation.pk, indexes.c.state == "reindexing"
    updated = connection.execute(update(indexes).where(*mine).values(created_at=time.time()))
    if not updated.rowcount:
        raise IndexReplaced("another re-index finished first; start it again if it is needed")


def activate_generation(
    connection: Connection, generation: Generation, *, replaces: Generation
) -> None:
    """Make `generation` the one that serves, in the place of `replaces`.

    Raises:
        IndexReplaced: `replaces` serves no more, so that what was filled from it may be outdated;
            or it serves since a moment ago, and its vectors would go with it.
    """
    waiting = connection.scalar(select(exists().where(next_vectors.c.index_pk == replaces.pk)))
    old = indexes.c.pk == replaces.pk, indexes.c.state == "active"
    if waiting or not connection.execute(delete(indexes).where(*old)).rowcount:
        raise IndexReplaced("the index was replaced by another meanwhile; start it again")
    connection.execute(update(indexes).where(indexes.c.pk == generation.pk).values(state="active"))


def known_collections(connection: Connection) -> set[str]:
    """Return the names of all collections that SQL knows, building ones included."""
    return set(connection.scalars(select(indexes.c.collection)))


def delete_unfinished(connection: Connection, *, older_than: float) -> None:
    """Remove generations that an interrupted rebuild or re-index left behind."""
    connection.execute(
        delete(indexes).where(indexes.c.state != "active", indexes.c.created_at < older_than)
    )


def remove_generation(connection: Connection, generation: Generation) -> None:
    """Remove a generation that never served."""
    connection.execute(delete(indexes).where(indexes.c.pk == generation.pk))


def count_removed(connection: Connection, generation_pk: int, removed: int) -> None:
    """Add to the number of vectors removed from a generation."""
    connection.execute(
        update(indexes)
        .where(indexes.c.pk == generation_pk)
        .values(removed=indexes.c.removed + removed)
    )


def has_chunks(connection: Connection, base_pk: int) -> bool:
    """Return whether anything can be found in the base."""
    return bool(connection.scalar(select(exists().where(chunks.c.base_pk == base_pk))))


def _collection_name(tenant: str, base_id: str, made_by: EmbedderIdentity, generation: int) -> str:
    """Return a name no other collection ever had: a re-created base must not meet old vectors."""
    owner = hashlib.sha256(f"{tenant}\0{base_id}".encode()).hexdigest()[:12]
    model = hashlib.sha256(f"{made_by.model_id}\0{made_by.revision}".encode()).hexdigest()[:8]
    return f"{COLLECTION_PREFIX}{owner}_{model}_g{generation}_{secrets.token_hex(4)}"


_BASES = select(
    bases,
    indexes.c.pk.label("index_pk"),
    indexes.c.generation,
    indexes.c.collection,
    indexes.c.embedding_model,
    indexes.c.embedding_revision,
    indexes.c.dimension,
    indexes.c.removed,
).join(indexes, indexes.c.base_pk == bases.c.pk)
_NAMED = _BASES.where(  # built once: every question runs it
    bases.c.tenant == bindparam("tenant"),
    bases.c.base_id.in_(bindparam("base_ids", expanding=True)),
    indexes.c.state == "active",
)


def _base(row: object) -> Base:
    values = row._mapping  # type: ignore[attr-defined]  # SQLAlchemy rows of a joined select
    return Base(
        pk=values["pk"],
        tenant=values["tenant"],
        base_id=BaseId(values["base_id"]),
        name=values["name"],
        created_at=values["created_at"],
        chunking=_chunking(values["chunking"]),
        keep_versions=values["keep_versions"],
        ocr=values["ocr"] or "auto",
        index=_generation({**values, "base_pk": values["pk"], "pk": values["index_pk"]}),
    )


def _generation(values: Mapping[str, Any]) -> Generation:
    return Generation(**{name: values[name] for name in _GENERATION})


def _chunking(stored: dict[str, object] | None) -> Chunking | None:
    return None if stored is None else Chunking.model_validate(stored)

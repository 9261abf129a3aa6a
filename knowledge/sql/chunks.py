"""Stored chunks and their vectors: which are live, which a filter leaves, which wait for the index.

It knows the rows; it does not know how they came (`versions`) or who ranks them. Every
function runs inside the caller's transaction.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    or_,
    select,
    update,
)

from knowledge.filters import ORDERS, Comparison, Compound, Filter, Joiner, Operator
from knowledge.sql.bases import Base
from knowledge.sql.labels import is_readable
from knowledge.sql.tables import (
    access,
    attributes,
    chunks,
    documents,
    indexes,
    next_vectors,
)
from knowledge.types import AttributeValue

Vectors = npt.NDArray[np.float32]
AnySelect = TypeVar("AnySelect", bound=Select[*tuple[Any, ...]])
ID_BATCH = 500  # SQLite allows 32,766 variables; small statements also stay in its cache

IS_LIVE = and_(
    documents.c.pk == chunks.c.document_pk, documents.c.active_version == chunks.c.version_pk
)
"""What makes a chunk count. Both columns: by the first, each chunk finds its document at once."""


VECTOR = func.coalesce(next_vectors.c.vector, chunks.c.vector).label("vector")
"""A chunk's vector in a query of `with_vector`: a swap counts before its vectors are moved."""

SMALLEST, LARGEST = -(2**63), 2**63 - 1
"""The whole numbers that SQLite takes; others are compared as floats."""
_NATIVE = func.json_extract(attributes.c.value, "$")
_KIND = func.json_type(attributes.c.value)


@dataclass(frozen=True, slots=True)
class LiveChunk:
    """A chunk of an active version."""

    pk: int
    chunk_id: str
    vector: Vectors


# built once: every question runs them
_LABELLED = (
    select(access.c.base_pk)
    .where(access.c.base_pk.in_(bindparam("bases", expanding=True)))
    .limit(1)
)
_BEGINNINGS = select(
    chunks.c.pk, func.substr(chunks.c.text, 1, bindparam("letters")).label("beginning")
).where(chunks.c.pk.in_(bindparam("pks", expanding=True)))
_COUNT = (
    select(func.count())
    .select_from(chunks)
    .where(chunks.c.base_pk.in_(bindparam("bases", expanding=True)))
)


def beginnings(connection: Connection, chunk_pks: Sequence[int], *, letters: int) -> dict[int, str]:
    """Return the first letters of each chunk's text."""
    asked = {"pks": list(chunk_pks), "letters": letters}
    return {row.pk: row.beginning for row in connection.execute(_BEGINNINGS, asked)}


def in_bases(base_pks: Sequence[int] | BindParameter[int]) -> ColumnElement[bool]:
    """Return the condition that a chunk is in these bases."""
    return (chunks.c.base_pk + 0).in_(base_pks)  # + 0: else SQLite walks the whole base


def readable(query: AnySelect, labels: Sequence[str] | BindParameter[str]) -> AnySelect:
    """Return `query` for chunks that a reader with these access labels may see."""
    return query.where(is_readable(chunks.c.version_pk, labels))


def with_vector(query: AnySelect) -> AnySelect:
    """Return `query`, joined with the generation that serves and with its waiting vectors."""
    serves = and_(indexes.c.base_pk == chunks.c.base_pk, indexes.c.state == "active")
    waits = and_(next_vectors.c.chunk_pk == chunks.c.pk, next_vectors.c.index_pk == indexes.c.pk)
    return query.join(indexes, serves).outerjoin(next_vectors, waits)


def has_access_labels(connection: Connection, base_pks: Sequence[int]) -> bool:
    """Return whether any document of these bases is not for everybody."""
    return connection.scalar(_LABELLED, {"bases": list(base_pks)}) is not None


def count_chunks(connection: Connection, base_pks: Sequence[int]) -> int:
    """Return the chunks stored for these bases: live, or waiting to be swept."""
    return connection.scalar(_COUNT, {"bases": list(base_pks)}) or 0


def live_chunks(base_pks: Sequence[int]) -> Select[int]:
    """Return a select of the pks of chunks that count: of active versions, in these bases."""
    return select(chunks.c.pk).join(documents, IS_LIVE).where(in_bases(base_pks))


def iterate_chunks(
    connection: Connection, base: Base, *, batch: int = ID_BATCH
) -> Iterator[list[LiveChunk]]:
    """Yield the live chunks of a base with their vectors, in batches."""
    last = 0
    while True:
        query = (
            with_vector(select(chunks.c.pk, chunks.c.chunk_id, VECTOR).join(documents, IS_LIVE))
            .where(chunks.c.base_pk == base.pk, chunks.c.pk > last)
            .order_by(chunks.c.pk)
            .limit(batch)
        )
        rows = connection.execute(query).all()
        if not rows:
            return
        yield [LiveChunk(pk, chunk_id, vector_of(blob)) for pk, chunk_id, blob in rows]
        last = rows[-1].pk


def stored_ids(connection: Connection, base: Base) -> tuple[set[str], set[str]]:
    """Return (all chunk ids of a base, staged included; the live ones among them)."""
    everything = select(chunks.c.chunk_id).where(chunks.c.base_pk == base.pk)
    live = everything.join(documents, IS_LIVE)
    return set(connection.scalars(everything)), set(connection.scalars(live))


def count_pending(connection: Connection, base: Base) -> tuple[int, int]:
    """Return (live chunks, those of them not known to be in the serving generation)."""
    missing = chunks.c.index_pk.is_distinct_from(base.index.pk)
    row = connection.execute(
        select(func.count(), func.count().filter(missing))
        .select_from(chunks)
        .join(documents, IS_LIVE)
        .where(chunks.c.base_pk == base.pk)
    ).one()
    return row[0], row[1]


def mark_indexed(connection: Connection, chunk_pks: Sequence[int], index_pk: int | None) -> None:
    """Note that these chunks' vectors are in that generation's collection (None: in none)."""
    for start in range(0, len(chunk_pks), ID_BATCH):
        part = list(chunk_pks[start : start + ID_BATCH])
        connection.execute(update(chunks).where(chunks.c.pk.in_(part)).values(index_pk=index_pk))


def move_vectors(connection: Connection, base: Base) -> int:
    """Move vectors of a re-index that serves to their chunks; return how many, at most a batch."""
    mine = next_vectors.c.index_pk == base.index.pk
    pks = list(connection.scalars(select(next_vectors.c.chunk_pk).where(mine).limit(ID_BATCH)))
    batch = next_vectors.c.chunk_pk.in_(pks)
    generation = case((next_vectors.c.is_indexed, base.index.pk))
    connection.execute(
        update(chunks)
        .where(chunks.c.pk == next_vectors.c.chunk_pk, batch)
        .values(vector=next_vectors.c.vector, index_pk=generation)
    )
    connection.execute(delete(next_vectors).where(batch))
    return len(pks)


def deleted_ids(connection: Connection, candidates: Sequence[LiveChunk]) -> list[str]:
    """Return the ids of those chunks that are no longer in SQL."""
    wanted = [item.chunk_id for item in candidates]
    found = set(connection.scalars(select(chunks.c.chunk_id).where(chunks.c.chunk_id.in_(wanted))))
    return [chunk_id for chunk_id in wanted if chunk_id not in found]


def vectors_by_text(
    connection: Connection, version_pk: int
) -> Iterator[tuple[str, str, str | None, Vectors]]:
    """Yield (heading, text, lead, vector) of a version's chunks: equal text keeps its vector."""
    columns = chunks.c.heading, chunks.c.text, chunks.c.lead, VECTOR
    whole = with_vector(select(*columns).select_from(chunks))
    query = whole.where(chunks.c.version_pk == version_pk)
    for heading, text, lead, blob in connection.execute(query):
        yield heading, text, lead, vector_of(blob)


def vector_of(blob: bytes) -> Vectors:
    """Return a stored vector: (d,) float32, L2-normalised to float16 precision."""
    return np.frombuffer(blob, dtype=np.float16).astype(np.float32)


def attribute_key(value: AttributeValue) -> str:
    """Return the stored form of an attribute value: 1 and 1.0 are equal, 1 and "1" are not."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def filtered(query: AnySelect, condition: Filter | None) -> AnySelect:
    """Return `query` for chunks of the documents that a filter leaves."""
    return query if condition is None else query.where(_holds(condition))


def _holds(condition: Filter) -> ColumnElement[bool]:
    if isinstance(condition, Compound):
        join = and_ if condition.joiner is Joiner.AND else or_
        return join(*map(_holds, condition.filters))
    of_key = select(attributes.c.version_pk).where(attributes.c.key == condition.key)
    if condition.operator in ORDERS:
        return chunks.c.version_pk.in_(of_key.where(_is_ordered(condition)))
    wanted = list(map(attribute_key, condition.values))
    equal = chunks.c.version_pk.in_(of_key.where(attributes.c.value.in_(wanted)))
    return ~equal if condition.operator in (Operator.NE, Operator.NIN) else equal


def _is_ordered(condition: Comparison) -> ColumnElement[bool]:
    """Return the condition that a value of the same type stands before or after: text by letters.

    Texts are ordered by code points, so dates and times written as ISO 8601 are in order.
    """
    value = condition.values[0]
    kinds = ("text",) if isinstance(value, str) else ("integer", "real")
    if isinstance(value, int) and not SMALLEST <= value <= LARGEST:
        value = float(value)
    compared = {
        Operator.GT: _NATIVE > value,
        Operator.GTE: _NATIVE >= value,
        Operator.LT: _NATIVE < value,
        Operator.LTE: _NATIVE <= value,
    }
    return and_(_KIND.in_(kinds), compared[condition.operator])

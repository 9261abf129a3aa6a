"""Passages: the chunks that were found, read from SQL, without repetitions, within a budget.

It knows rows, parents and tokens; it does not know how a chunk was found. The statement here is
the last check of what is live and may be read; every passage passes it.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, select

from knowledge.resources import Resources
from knowledge.sql.chunks import IS_LIVE, VECTOR, readable, with_vector
from knowledge.sql.tables import bases, chunks, documents, indexes, versions
from knowledge.types import BaseId, ChunkId, DocumentId, Passage, RetrieverName

logger = logging.getLogger(__name__)
FoundRow = Row[*tuple[Any, ...]]  # a chunk with its document, version and base

_WHITE_SPACE = re.compile(r"\s+")

# built once: building a statement takes as long as running it
_FOUND = readable(
    with_vector(
        select(
            chunks.c.pk,
            chunks.c.chunk_id,
            chunks.c.ordinal,
            chunks.c.text,
            VECTOR,
            chunks.c.start,
            chunks.c.end,
            chunks.c.page,
            chunks.c.page_end,
            chunks.c.sheet,
            chunks.c.ocr_confidence,
            chunks.c.heading,
            chunks.c.tokens,
            chunks.c.version_pk,
            chunks.c.parent_start,
            chunks.c.parent_end,
            case(
                (
                    chunks.c.parent_start.is_not(None),
                    func.substr(
                        versions.c.text,
                        chunks.c.parent_start + 1,
                        chunks.c.parent_end - chunks.c.parent_start,
                    ),
                )
            ).label("parent_text"),
            chunks.c.lead,
            documents.c.document_id,
            documents.c.external_id,
            versions.c.version,
            versions.c.filename,
            versions.c.attributes,
            versions.c.chunks.label("version_chunks"),
            bases.c.base_id,
            indexes.c.pk.label("index_pk"),
        )
        .join(documents, IS_LIVE)
        .join(versions, versions.c.pk == chunks.c.version_pk)
        .join(bases, bases.c.pk == chunks.c.base_pk)
    ).where(chunks.c.pk.in_(bindparam("pks", expanding=True))),
    bindparam("labels", expanding=True),
)


def read_rows(
    connection: Connection, chunk_pks: Sequence[int], labels: frozenset[str]
) -> dict[int, FoundRow]:
    """Return those chunks that are live and may be read by who holds `labels`."""
    values = {"pks": list(chunk_pks), "labels": sorted(labels)}
    return {row.pk: row for row in connection.execute(_FOUND, values).all()}


def distinct_rows(
    rows: Mapping[int, FoundRow], best: Sequence[int], limit: int
) -> dict[int, FoundRow]:
    """Return the best rows without repetitions: the same parent, or the same words elsewhere."""
    chosen: dict[int, FoundRow] = {}
    seen: set[object] = set()
    for pk in best:
        if pk not in rows or len(chosen) == limit:
            continue
        row = rows[pk]
        has_parent = row.parent_start is not None
        content = (row.version_pk, row.parent_start) if has_parent else _letters(row.text)
        if content not in seen:
            chosen[pk] = row
        seen.add(content)
    return chosen


def count_within_budget(
    resources: Resources, rows: Sequence[FoundRow], max_tokens: int | None
) -> int:
    """Return how many of the rows, one after the other, fit into the token budget."""
    if max_tokens is None:
        return len(rows)
    left = max_tokens
    for place, row in enumerate(rows):
        is_whole = row.parent_text is None and row.lead is None
        left -= row.tokens if is_whole else resources.embedder.count_tokens(text_of(row))
        if left < 0:
            if place == 0:
                logger.warning("the best passage alone is over max_tokens=%d", max_tokens)
            return place
    return len(rows)


def text_of(row: FoundRow) -> str:
    """Return what is read of a chunk that was found: its table's header, its parent's text."""
    text = str(row.text if row.parent_text is None else row.parent_text)
    return f"{row.lead}\n{text}" if row.lead and row.lead not in text else text


def passage_of(
    row: FoundRow,
    *,
    score: float,
    relevance: float,
    min_relevance: float,
    retrievers: tuple[RetrieverName, ...],
) -> Passage:
    """Return the passage of a row."""
    values = row._mapping
    has_parent = values["parent_text"] is not None
    return Passage(
        chunk_id=ChunkId(values["chunk_id"]),
        knowledge_base=BaseId(values["base_id"]),
        document_id=DocumentId(values["document_id"]),
        external_id=values["external_id"],
        version=values["version"],
        filename=values["filename"],
        page=values["page"],
        page_end=values["page_end"],
        sheet=values["sheet"],
        ocr_confidence=values["ocr_confidence"],
        start=values["parent_start"] if has_parent else values["start"],
        end=values["parent_end"] if has_parent else values["end"],
        score=score,
        text=text_of(row),
        ordinal=values["ordinal"],
        relevance=relevance,
        is_relevant=relevance >= min_relevance,
        heading=values["heading"],
        attributes=values["attributes"],
        retrievers=retrievers,
    )


def _letters(text: str) -> str:
    return _WHITE_SPACE.sub("", text).casefold()

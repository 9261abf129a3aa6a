"""The full-text index: words in, ranked chunks out, inside SQLite's FTS5.

It knows rows and BM25; it does not know how text becomes tokens (`tokens.py`), nor versions: its
rows are written and removed in the transaction that activates a document's version, so they are
never outdated.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    ColumnClause,
    Connection,
    Float,
    Integer,
    Select,
    bindparam,
    func,
    literal_column,
    select,
    text,
)

from knowledge.sql.tables import LEXICAL_TABLE, chunks
from knowledge.sql.tokens import segment

TITLE_WEIGHT = 3.0
"""Weight of file name and heading against the body. At 1, 5 and 10, hit@5 on rag_zh, hard is 0.006
less."""
CONVERSATION_TITLE_WEIGHT = 10.0
"""The same where earlier turns are searched too: they name the subject, and a title does. Hybrid
hit@5 on support_en: 0.824 at 3, 0.848 at 10, 0.847 at 20."""

CHUNK_BITS = 40
"""A row's id is its base's pk, then these many bits of its chunk's: what a base holds is one range,
which FTS5 seeks. A column that names the base made a question's words cost 2.6 ms instead of 1.3 at
10,000 chunks: each query then reads the list of all of the base's rows."""


@dataclass(frozen=True, slots=True)
class LexicalRow:
    """What the index reads of one chunk."""

    chunk_pk: int
    base_pk: int
    title: str
    heading: str
    body: str


@dataclass(frozen=True, slots=True)
class LexicalHit:
    """One match: higher scores are better; `score` is BM25, comparable within one query only."""

    chunk_pk: int
    score: float


def add(connection: Connection, rows: Iterable[LexicalRow]) -> None:
    """Index chunks; runs inside the caller's transaction.

    A title gives the parts of its codes alone: every file name of a base may be one ("hotel-23-7"),
    and longer titles weigh less (hit@5 on support_en 0.853 with whole codes, 0.856 without).
    """
    values = [
        {
            "row_id": _row_id(row.base_pk, row.chunk_pk),
            "title": " ".join(segment(row.title, with_codes=False)),
            "heading": " ".join(segment(row.heading)),
            "body": " ".join(segment(row.body)),
        }
        for row in rows
    ]
    if values:
        connection.execute(_INSERT, values)


def remove(connection: Connection, base_pk: int, chunk_pks: Sequence[int]) -> None:
    """Take chunks out of the index; runs inside the caller's transaction."""
    row_ids = [_row_id(base_pk, pk) for pk in chunk_pks]
    for start in range(0, len(row_ids), 500):
        connection.execute(_DELETE, {"row_ids": row_ids[start : start + 500]})


def remove_base(connection: Connection, base_pk: int) -> None:
    """Take all chunks of a base out of the index; runs inside the caller's transaction."""
    connection.execute(_DELETE_BASE, _rows_of(base_pk))


def search(
    connection: Connection,
    tokens: Sequence[str],
    *,
    base_pks: Sequence[int],
    top_k: int,
    title_weight: float = TITLE_WEIGHT,
    among: Select[int] | None = None,
) -> list[LexicalHit]:
    """Return the chunks that hold any of the tokens, best first; empty for no tokens.

    Args:
        connection: The transaction whose truth counts.
        tokens: As `tokens.py` makes them.
        base_pks: Where to look.
        top_k: Most hits.
        title_weight: Of file name and heading against the body.
        among: Only chunks whose pk this select gives.
    """
    if not tokens:
        return []
    query = (_SEARCH if among is None else _SEARCH.where(_CHUNK_PK.in_(among))).limit(top_k)
    values = {"match": " OR ".join(map(_quoted, tokens)), "title": title_weight}
    hits = [
        LexicalHit(pk, -rank)  # FTS5: lower is better
        for base_pk in base_pks
        for pk, rank in connection.execute(query, values | _rows_of(base_pk))
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_pk))[:top_k]


def chunk_lists(
    connection: Connection, tokens: Sequence[str], *, base_pks: Sequence[int]
) -> list[str]:
    """Return who holds each token: the chunks' pks, a comma before and after each.

    A token that ends with `*` stands for all that begin so.
    """
    words = json.dumps([_quoted(token) for token in tokens], ensure_ascii=False)
    lists = ["," for _ in tokens]
    for base_pk in base_pks:
        found = connection.execute(_CHUNK_LISTS, {"words": words} | _rows_of(base_pk))
        for place, pks in found:
            lists[place] += f"{pks}," if pks else ""
    return lists


def headings(
    connection: Connection,
    tokens: Sequence[str],
    *,
    base_pks: Sequence[int],
    limit: int,
    among: Select[int] | None = None,
) -> list[str]:
    """Return the headings of the chunks whose heading holds most of the tokens, each once.

    Args:
        connection: The transaction whose truth counts.
        tokens: As `tokens.py` makes them.
        base_pks: Where to look.
        limit: Most chunks of each base.
        among: Only chunks whose pk this select gives.
    """
    if not tokens:
        return []
    best = _TITLED if among is None else _TITLED.where(_CHUNK_PK.in_(among))
    ranked = best.limit(limit).subquery()
    query = select(chunks.c.heading).join(ranked, chunks.c.pk == ranked.c.pk)
    match = {"match": f"heading : ({' OR '.join(map(_quoted, tokens))})"}
    found = (connection.scalars(query, match | _rows_of(base_pk)) for base_pk in base_pks)
    return list(dict.fromkeys(heading for rows in found for heading in rows))


def _quoted(token: str) -> str:
    """Return an FTS5 expression for one token; operators in it are plain text."""
    return f'"{token[:-1]}" *' if token.endswith("*") else f'"{token}"'


def _row_id(base_pk: int, chunk_pk: int) -> int:
    return (base_pk << CHUNK_BITS) | chunk_pk


def _rows_of(base_pk: int) -> dict[str, int]:
    return {"first": _row_id(base_pk, 0), "last": _row_id(base_pk + 1, 0) - 1}


_OF_BASE = "rowid BETWEEN :first AND :last"
_INSERT = text(
    f"INSERT INTO {LEXICAL_TABLE} (rowid, title, heading, body) "
    "VALUES (:row_id, :title, :heading, :body)"
)
_DELETE = text(f"DELETE FROM {LEXICAL_TABLE} WHERE rowid IN :row_ids").bindparams(
    bindparam("row_ids", expanding=True)
)
_DELETE_BASE = text(f"DELETE FROM {LEXICAL_TABLE} WHERE {_OF_BASE}")
_CHUNK_PK: ColumnClause[int] = literal_column(f"(rowid & {(1 << CHUNK_BITS) - 1})", Integer)
_TITLE = bindparam("title", type_=Float)
_RANK = func.bm25(literal_column(LEXICAL_TABLE), _TITLE, _TITLE, 1.0).label("score")
_SEARCH = (
    select(_CHUNK_PK, _RANK)
    .select_from(text(LEXICAL_TABLE))
    .where(text(f"{LEXICAL_TABLE} MATCH :match AND {_OF_BASE}"))
    .order_by(_RANK, _CHUNK_PK)
)
_TITLED = (
    select(_CHUNK_PK.label("pk"))
    .select_from(text(LEXICAL_TABLE))
    .where(text(f"{LEXICAL_TABLE} MATCH :match AND {_OF_BASE}"))
    .order_by(func.bm25(literal_column(LEXICAL_TABLE)))
)
_CHUNK_LISTS = text(  # all words at once: a statement for each takes longer than FTS5 does
    f"SELECT word.key, (SELECT group_concat({_CHUNK_PK}) FROM {LEXICAL_TABLE} "
    f"WHERE {LEXICAL_TABLE} MATCH word.value AND {_OF_BASE}) FROM json_each(:words) AS word"
)

"""The lexical index: words in, ranked chunks out, inside SQLite's FTS5.

It knows segmentation (Chinese and Latin), stop words and BM25; it does not know versions: its
rows are written and removed in the transaction that flips a document's version, so they always
tell the truth. All text is folded (NFKC, case) here only; stored text stays as it was.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import rjieba
from sqlalchemy import (
    ColumnClause,
    Connection,
    Integer,
    Select,
    bindparam,
    literal_column,
    select,
    text,
)

from knowledge.tables import LEXICAL_TABLE

_WORD = re.compile(r"[^\W_]+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+")
MAX_QUERY_TOKENS = 64  # a longer question adds no evidence, only time
TITLE_WEIGHT = 3.0
"""Weight of file name and heading against the body. Hybrid hit@5 on support_en, where only the
title names the place: 0.775 at 1, 0.816 at 3, 0.833 at 5; rag_en and multihop do not care."""

STOP_WORDS = frozenset(
    """a an and are as at be been but by can could did do does for from had has have how i if in
    into is it its me my no not of on or our she he so than that the their them then there these
    they this those to us was we were what when where which who whom whose why will with would
    you your 的 了 是 在 和 与 及 或 吗 呢 啊 吧 我 你 您 他 她 它 这 那 有 也 都 就 被 把 对 为 以
    于 之 其 什么 哪 哪个 哪些 怎么 怎样 如何 多少 几 谁 請問 请问 什麼 嗎 這 個 个 們 们""".split()
)
"""Words that say nothing about which passage is meant; kept only when nothing else is left."""


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


def segment(value: str) -> list[str]:
    """Return the tokens of a text in reading order, folded.

    Han runs give dictionary words *and* pairs of neighbouring letters: segmentation depends on
    the sentence, pairs do not, so a two-letter word such as 年假 is always found.
    """
    folded = unicodedata.normalize("NFKC", value).casefold()
    words: list[str] = _WORD.findall(folded)
    if not _HAN.search(folded):
        return words
    tokens: list[str] = []
    for word in words:
        runs = _HAN.findall(word)
        if not runs:
            tokens.append(word)
            continue
        tokens.extend(token for token in rjieba.cut_for_search(word) if token.strip())
        for run in runs:
            tokens.extend(run[i : i + 2] for i in range(len(run) - 1))
    return tokens


def query_tokens(question: str) -> list[str]:
    """Return the distinct tokens worth searching for, in order."""
    tokens = list(dict.fromkeys(segment(question)))
    telling = [token for token in tokens if token not in STOP_WORDS]
    return (telling or tokens)[:MAX_QUERY_TOKENS]


def add(connection: Connection, rows: Iterable[LexicalRow]) -> None:
    """Index chunks; runs inside the caller's transaction."""
    values = [
        {
            "pk": row.chunk_pk,
            "scope": _scope(row.base_pk),
            "title": " ".join(segment(row.title)),
            "heading": " ".join(segment(row.heading)),
            "body": " ".join(segment(row.body)),
        }
        for row in rows
    ]
    if values:
        connection.execute(_INSERT, values)


def remove(connection: Connection, chunk_pks: Sequence[int]) -> None:
    """Take chunks out of the index; runs inside the caller's transaction."""
    for start in range(0, len(chunk_pks), 500):
        connection.execute(_DELETE, {"pks": list(chunk_pks[start : start + 500])})


def search(
    connection: Connection,
    tokens: Sequence[str],
    *,
    base_pks: Sequence[int],
    top_k: int,
    among: Select[int] | None = None,
) -> list[LexicalHit]:
    """Return the chunks that hold any of the tokens, best first; empty for no tokens.

    Args:
        connection: The transaction whose truth counts.
        tokens: Made by `query_tokens`.
        base_pks: Where to look.
        top_k: Most hits.
        among: Only chunks whose pk this select gives.
    """
    if not tokens or not base_pks:
        return []
    query = _SEARCH if among is None else _SEARCH.where(_HIT.in_(among))
    matched = connection.execute(query.limit(top_k), {"match": _match(tokens, base_pks)}).all()
    return [LexicalHit(pk, -rank) for pk, rank in matched]  # FTS5: lower is better


@dataclass(frozen=True, slots=True)
class WeighedWords:
    """A question's tokens: what each tells, and which chunks hold it."""

    weights: tuple[float, ...]
    holders: tuple[frozenset[int], ...]

    def coverage(self, chunk_pk: int) -> float:
        """Return the share of the question's information that a chunk holds, 0..1."""
        whole = sum(self.weights)
        pairs = zip(self.weights, self.holders, strict=True)
        return sum(weight for weight, pks in pairs if chunk_pk in pks) / whole if whole else 0.0


def weigh(
    connection: Connection, tokens: Sequence[str], *, base_pks: Sequence[int], total: int
) -> WeighedWords:
    """Return how much each token tells: its inverse document frequency among `total` chunks.

    A token that no chunk holds weighs most, so a question about another world covers little.
    """
    holders = [_holders(connection, _match([token], base_pks)) for token in tokens]
    weights = [math.log(1.0 + (total - len(pks) + 0.5) / (len(pks) + 0.5)) for pks in holders]
    return WeighedWords(tuple(weights), tuple(holders))


def _holders(connection: Connection, match: str) -> frozenset[int]:
    """Return the chunks that match, fetched as one text: as rows they take half as long again."""
    found = connection.scalar(_HOLDERS, {"match": match})
    return frozenset(map(int, found.split(","))) if found else frozenset()


def _match(tokens: Sequence[str], base_pks: Sequence[int]) -> str:
    """Return an FTS5 expression; every token is quoted, so operators in it are plain text."""
    quoted = " OR ".join(f'"{token}"' for token in tokens)
    scopes = " OR ".join(f'"{_scope(pk)}"' for pk in base_pks)
    return f"scope : ({scopes}) AND {{title heading body}} : ({quoted})"


def _scope(base_pk: int) -> str:
    return f"kbscope{base_pk}"


_INSERT = text(
    f"INSERT INTO {LEXICAL_TABLE} (rowid, scope, title, heading, body) "
    "VALUES (:pk, :scope, :title, :heading, :body)"
)
_DELETE = text(f"DELETE FROM {LEXICAL_TABLE} WHERE rowid IN :pks").bindparams(
    bindparam("pks", expanding=True)
)
_ROW_ID: ColumnClause[int] = literal_column("kb_lexical.rowid", Integer)
_HIT: ColumnClause[int] = literal_column("+kb_lexical.rowid", Integer)
"""The plus keeps SQLite from asking FTS5 anew for each chunk of `among`: 213 ms against 14."""
_RANK: ColumnClause[float] = literal_column(
    f"bm25({LEXICAL_TABLE}, 0.0, {TITLE_WEIGHT}, {TITLE_WEIGHT}, 1.0)"
)
_SEARCH = (
    select(_ROW_ID, _RANK)
    .select_from(text(LEXICAL_TABLE))
    .where(text(f"{LEXICAL_TABLE} MATCH :match"))
    .order_by(_RANK, _ROW_ID)
)
_HOLDERS = text(
    f"SELECT group_concat(rowid) FROM {LEXICAL_TABLE} WHERE {LEXICAL_TABLE} MATCH :match"
)

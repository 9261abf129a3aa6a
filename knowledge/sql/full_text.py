"""The full-text index: words in, ranked chunks out, inside SQLite's FTS5.

It knows segmentation (Chinese and Latin), stop words and BM25; it does not know versions: its
rows are written and removed in the transaction that activates a document's version, so they are
never outdated. All text is folded (NFKC, case) here only; stored text stays as it was.
"""

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import rjieba
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

from knowledge.sql.tables import LEXICAL_TABLE

_WORD = re.compile(r"[^\W_]+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+")
MAX_QUERY_TOKENS = 64  # a longer question adds no evidence, only time
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

STOP_WORDS = frozenset(
    """a an and are as at be been but by can could did do does for from had has have how i if in
    into is it its me my no not of on or our she he so than that the their them then there these
    they this those to us was we were what when where which who whom whose why will with would
    you your 的 了 是 在 和 与 及 或 吗 呢 啊 吧 我 你 您 他 她 它 这 那 有 也 都 就 被 把 对 为 以
    于 之 其 什么 哪 哪个 哪些 怎么 怎样 如何 多少 几 谁 請問 请问 什麼 嗎 這 個 个 們 们""".split()
)
"""Words that say nothing about which passage is meant; kept only when nothing else is left. A pair
of Han letters with one of them in it lies across two words or is a word and found as one: hit@5
without such pairs rag_zh 0.991 → 0.993, rag_zh, hard 0.838 → 0.866."""


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
    """Return the tokens of a text, folded.

    Han runs give dictionary words *and* pairs of neighbouring letters: segmentation depends on
    the sentence, pairs do not, so a two-letter word such as 年假 is always found.
    """
    words, pairs = _cut(value)
    return words + pairs


def query_tokens(question: str, conversation: str = "") -> list[str]:
    """Return the distinct tokens worth searching for: the question's, then the latest first.

    Args:
        question: Its words come before its pairs, each in reading order.
        conversation: What was said before; where it is too long, its beginning is left out.
    """
    (words, pairs), (said, said_pairs) = _cut(question), _cut(conversation)
    tokens = list(dict.fromkeys([*words, *_whole(pairs), *said[::-1], *_whole(said_pairs)[::-1]]))
    content = [token for token in tokens if token not in STOP_WORDS]
    return (content or tokens)[:MAX_QUERY_TOKENS]


def _whole(pairs: Iterable[str]) -> list[str]:
    """Return the pairs that may be words."""
    return [pair for pair in pairs if STOP_WORDS.isdisjoint(pair)]


def _cut(value: str) -> tuple[list[str], list[str]]:
    """Return the words of a text and the pairs of neighbouring Han letters, folded."""
    folded = unicodedata.normalize("NFKC", value).casefold()
    words: list[str] = _WORD.findall(folded)
    if not _HAN.search(folded):
        return words, []
    parts: list[str] = []
    pairs: list[str] = []
    for word in words:
        runs = _HAN.findall(word)
        if not runs:
            parts.append(word)
            continue
        parts.extend(part for part in rjieba.cut_for_search(word) if part.strip())
        pairs.extend(run[at : at + 2] for run in runs for at in range(len(run) - 1))
    return parts, pairs


def add(connection: Connection, rows: Iterable[LexicalRow]) -> None:
    """Index chunks; runs inside the caller's transaction."""
    values = [
        {
            "row_id": _row_id(row.base_pk, row.chunk_pk),
            "title": " ".join(segment(row.title)),
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
        tokens: Made by `query_tokens`.
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


@dataclass(frozen=True, slots=True)
class WeightedTokens:
    """A question's tokens: the weight of each, and which chunks hold it.

    `chunk_lists` has the pks for each token as one text, a comma before and after each, as SQLite
    joined them: a few are looked for, and reading thousands of numbers takes longer than that.
    """

    weights: tuple[float, ...]
    chunk_lists: tuple[str, ...]

    def coverage(self, chunk_pk: int) -> float:
        """Return the share of the question's information that a chunk holds, 0..1."""
        return self.joint_coverage([chunk_pk])

    def joint_coverage(self, chunk_pks: Iterable[int]) -> float:
        """Return the share of it that these chunks hold between them, 0..1."""
        whole, marks = sum(self.weights), [f",{pk}," for pk in chunk_pks]
        pairs = zip(self.weights, self.chunk_lists, strict=True)
        found = sum(weight for weight, pks in pairs if any(mark in pks for mark in marks))
        return found / whole if whole else 0.0


def weight_tokens(
    connection: Connection, tokens: Sequence[str], *, base_pks: Sequence[int], total: int
) -> WeightedTokens:
    """Return the weight of each token: its inverse document frequency among `total` chunks.

    A token that no chunk holds has the largest weight, so a question about another subject has a
    small coverage.
    """
    words = json.dumps([_quoted(token) for token in tokens], ensure_ascii=False)
    chunk_lists = ["," for _ in tokens]
    for base_pk in base_pks:
        found = connection.execute(_CHUNK_LISTS, {"words": words} | _rows_of(base_pk))
        for place, pks in found:
            chunk_lists[place] += f"{pks}," if pks else ""
    counts = [pks.count(",") - 1 for pks in chunk_lists]
    weights = [math.log(1.0 + (total - count + 0.5) / (count + 0.5)) for count in counts]
    return WeightedTokens(tuple(weights), tuple(chunk_lists))


def _quoted(token: str) -> str:
    """Return an FTS5 expression for one token; operators in it are plain text."""
    return f'"{token}"'


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
_CHUNK_LISTS = text(  # all words at once: a statement for each takes longer than FTS5 does
    f"SELECT word.key, (SELECT group_concat({_CHUNK_PK}) FROM {LEXICAL_TABLE} "
    f"WHERE {LEXICAL_TABLE} MATCH word.value AND {_OF_BASE}) FROM json_each(:words) AS word"
)

from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select

from knowledge.sql import full_text
from knowledge.sql.full_text import LexicalRow
from knowledge.sql.tables import chunks
from knowledge.sql.terms import weigh
from knowledge.sql.tokens import query_terms

ROWS = [
    LexicalRow(1, 7, "leave", "", "员工年假有十五天，病假另算。"),
    LexicalRow(2, 7, "travel", "", "差旅费用在三十天内报销。"),
    LexicalRow(3, 7, "returns", "Returns", "Lamps can be returned within thirty days."),
    LexicalRow(4, 8, "leave", "", "别的公司年假有五天。"),
]


@pytest.fixture
def filled(engine: Engine) -> Engine:
    with engine.execution_options(write=True).begin() as connection:
        full_text.add(connection, ROWS)
    return engine


def find(engine: Engine, question: str, *bases: int) -> list[int]:
    with engine.connect() as connection:
        asked = bases or (7,)
        terms = weigh(connection, query_terms(question), base_pks=asked, total=4)
        hits = full_text.search(connection, terms.tokens, base_pks=asked, top_k=10)
    return [hit.chunk_pk for hit in hits]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("年假", 1),
        ("报销", 2),
        ("員工年假有幾天", 1),
        ("ＲＥＴＵＲＮＳ", 3),
        ("returning a lamp", 3),
    ],
)
def test_short_chinese_words_and_english_endings_are_found(
    filled: Engine, question: str, expected: int
) -> None:
    assert find(filled, question)[:1] == [expected]


def test_only_the_bases_asked_are_searched(filled: Engine) -> None:
    assert find(filled, "年假", 8) == [4]
    assert set(find(filled, "年假", 7, 8)) == {1, 4}


@pytest.mark.parametrize(
    "question", ['"', "a* OR NEAR(x", "body : x", "-(){}^+", "NOT", "'; DROP TABLE x"]
)
def test_operators_in_a_question_are_plain_text(filled: Engine, question: str) -> None:
    assert 4 not in find(filled, question)


def test_removed_rows_are_not_found(filled: Engine) -> None:
    with filled.execution_options(write=True).begin() as connection:
        full_text.remove(connection, 7, [1])
    assert find(filled, "年假") == []


def test_a_removed_base_takes_its_words_along_and_no_others(filled: Engine) -> None:
    with filled.execution_options(write=True).begin() as connection:
        full_text.remove_base(connection, 7)
    assert find(filled, "年假", 7, 8) == [4]


def test_a_filtered_search_reads_the_index_once(filled: Engine) -> None:
    """With `rowid` in its way, SQLite would ask FTS5 anew for each chunk of the filter."""
    plans: list[str] = []

    @event.listens_for(filled, "before_cursor_execute")
    def explain(connection: Connection, cursor: Any, sql: str, values: Any, *_: Any) -> None:
        if "MATCH" in sql and not plans:
            found = cursor.connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
            plans.extend(row[3] for row in found)

    with filled.connect() as connection:
        among = select(chunks.c.pk).where(chunks.c.base_pk == 1)
        full_text.search(connection, ["lamp"], base_pks=[1], top_k=5, among=among)
    event.remove(filled, "before_cursor_execute", explain)
    scans = [line for line in plans if "VIRTUAL TABLE" in line]
    assert len(scans) == 1
    assert "=" not in scans[0]

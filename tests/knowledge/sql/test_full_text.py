import math
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, select

from knowledge.sql import full_text
from knowledge.sql.full_text import LexicalRow, query_tokens, segment
from knowledge.sql.tables import chunks

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
        hits = full_text.search(
            connection, query_tokens(question), base_pks=bases or (7,), top_k=10
        )
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


def test_pairs_across_a_word_that_says_nothing_are_not_searched() -> None:
    tokens = query_tokens("年假的天数和目的是什么")
    assert {"年假", "天数", "目的"} <= set(tokens)
    assert not {"假的", "的天", "数和", "和目", "的是", "是什"} & set(tokens)
    assert not {"假的", "的天"} & set(query_tokens("年假", "年假的天数"))
    assert {"假的", "的天"} <= set(segment("年假的天数"))  # what is stored is found either way


def test_of_a_long_conversation_the_question_and_the_latest_words_are_searched() -> None:
    said = " ".join(f"word{n}" for n in range(200))
    tokens = query_tokens("Why was it late?", f"{said} Why was it late?")
    assert tokens[:3] == ["late", "word199", "word198"]
    assert len(tokens) == full_text.MAX_QUERY_TOKENS
    assert "保修" in query_tokens("保修多久", "".join(map(chr, range(0x5000, 0x5200))))


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


def test_stop_words_count_only_when_nothing_else_is_left() -> None:
    assert query_tokens("What is the deadline?") == ["deadline"]
    assert query_tokens("Who is it?") == ["who", "is", "it"]


def test_han_runs_give_words_and_pairs() -> None:
    assert {"年假", "员工", "工年"} <= set(segment("员工年假"))


def test_coverage_is_the_share_of_the_question_that_a_chunk_holds(filled: Engine) -> None:
    with filled.connect() as connection:
        weighed = full_text.weight_tokens(
            connection, ["lamps", "returned", "zebra"], base_pks=[7], total=3
        )
    assert weighed.coverage(1) == 0.0
    assert 0.3 < weighed.coverage(3) < 0.67


def test_chunks_hold_between_them_what_none_holds_alone(filled: Engine) -> None:
    with filled.connect() as connection:
        weighed = full_text.weight_tokens(connection, ["lamps", "年假"], base_pks=[7, 8], total=4)
    assert weighed.joint_coverage([1, 3]) == 1.0
    assert 0.0 < weighed.joint_coverage([1]) == weighed.coverage(1) < 1.0
    assert weighed.joint_coverage([2]) == 0.0
    assert weighed.joint_coverage([4]) == weighed.coverage(1), "the other base is weighed too"


def test_a_word_that_fewer_chunks_hold_tells_more(filled: Engine) -> None:
    with filled.connect() as connection:
        weighed = full_text.weight_tokens(
            connection, ["lamps", "年假", "zebra"], base_pks=[7, 8], total=4
        )
    holders = (1, 2, 0)
    idf = [math.log(1 + (4 - count + 0.5) / (count + 0.5)) for count in holders]
    assert weighed.weights == pytest.approx(idf)


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

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.data import Message, Row, count_distinct, hold_out
from adapters.data.copies import answer_of, common_answers, group_rows


def make_row(question: str, answer: str, *, system: str = "", **meta: object) -> Row:
    turns = (Message("user", question), Message("assistant", answer))
    head = (Message("system", system),) if system else ()
    return Row((*head, *turns), meta, Path("rows.jsonl"), 1)


@pytest.mark.parametrize(
    "other",
    [
        make_row("車鈴 在哪裡?\n", "在1号架。"),
        make_row("車鈴在哪裡？", "在 １ 号架", system="你在仓库里帮忙。"),
        make_row("車鈴在哪裡", "在1号架！"),
    ],
)
def test_width_spaces_punctuation_and_the_system_turn_make_no_other_row(other: Row) -> None:
    assert count_distinct([make_row("車鈴在哪裡？", "在1号架。"), other]) == 1


def test_another_answer_is_another_row() -> None:
    assert count_distinct([make_row("几折", "1.5"), make_row("几折", "15")]) == 2


def test_json_answers_are_compared_by_their_value() -> None:
    first = make_row("q", '{"颜色": "蓝", "数量": 2}')
    assert answer_of(first) == answer_of(make_row("q", '{"数量":2,"颜色":"蓝"}'))
    assert answer_of(first) != answer_of(make_row("q", '{"颜色": "蓝", "数量": 3}'))


@pytest.mark.parametrize("size", [0.25, 0.5, 3])
def test_copies_of_a_question_are_never_on_both_sides(size: float) -> None:
    rows = [make_row(f"第{i % 6}个在哪？" + " " * (i % 3), f"答{i}") for i in range(24)]
    trained, held_out = hold_out(rows, size, seed=3)
    assert trained
    assert held_out
    asked = [{row.messages[0].content.strip() for row in part} for part in (trained, held_out)]
    assert not asked[0] & asked[1]


def test_rows_with_one_answer_stay_together_where_it_tells_something() -> None:
    rows = [make_row(f"q{i}", json.dumps({"shelf": i // 3})) for i in range(60)]
    trained, held_out = hold_out(rows, 0.2, seed=1)
    assert 12 <= len(held_out) <= 14
    assert not {answer_of(row) for row in trained} & {answer_of(row) for row in held_out}


@pytest.mark.parametrize(
    ("answers", "common"),
    [
        (["退货", "换货"] * 20, {"退货", "换货"}),  # labels
        (["抱歉，我不知道"] * 4 + [f"在{i}号架" for i in range(40)], {"抱歉我不知道"}),
        (["在1号架"] * 3 + [f"放在{i}号柜" for i in range(9)], set()),  # copies in a small file
    ],
)
def test_labels_and_refusals_are_common_answers(answers: list[str], common: set[str]) -> None:
    rows = [make_row(f"q{i}", answer) for i, answer in enumerate(answers)]
    assert common_answers(rows) == common
    groups = group_rows(rows)
    assert len(set(groups)) == len(rows) - (0 if common else 2)


def test_answers_that_would_join_too_many_rows_do_not() -> None:
    """A chain of sources and answers is no reason to hold out half of the rows."""
    rows = [make_row(f"q{i}", f"the answer {i // 2}", source=f"s{(i + 1) // 2}") for i in range(60)]
    trained, held_out = hold_out(rows, 0.1, seed=1)
    assert 6 <= len(held_out) <= 20
    assert not {row.meta["source"] for row in trained} & {row.meta["source"] for row in held_out}


@given(
    st.lists(st.tuples(st.text("ab？ ", max_size=3), st.text("xy。", max_size=2)), min_size=1),
    st.floats(0.0, 0.99),
)
def test_every_row_is_on_one_side(said: list[tuple[str, str]], size: float) -> None:
    rows = [make_row(question, answer) for question, answer in said]
    trained, held_out = hold_out(rows, size, seed=0)
    assert trained
    assert sorted(map(id, [*trained, *held_out])) == sorted(map(id, rows))

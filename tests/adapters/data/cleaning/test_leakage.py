"""Rows of a test among those to train on."""

from adapters.data.cleaning import Leakage, LeakageSettings
from tests.adapters.data.cleaning.rows import row, rows

SAID = "请在收货后七天内申请退货，运费由我们承担。"
TEST = rows(
    ("如何退货？", SAID), ("几点开门", "九点"), ("几点关门", "晚上九点关门，周末延长到晚上十点。")
)


def reasons(settings: LeakageSettings | None = None) -> list[str]:
    given = rows(
        ("如何退货", "联系客服"), ("怎么退", SAID[:-1]), ("几点上班", "九点"), ("灯", "亮")
    )
    return [result.reason for result in Leakage(settings or LeakageSettings(), TEST).run(given)]


def test_questions_and_answers_of_the_test_are_dropped_and_short_answers_do_not_count() -> None:
    assert reasons() == ["question_in_test", "answer_in_test", "", ""]


def test_answers_may_be_left_aside() -> None:
    assert reasons(LeakageSettings(by_answer=False)) == ["question_in_test", "", "", ""]


def test_it_says_where_and_the_system_turn_does_not_count() -> None:
    (result,) = Leakage(LeakageSettings(), TEST).run([row("几点开门？", "十点", system="礼貌")])
    assert result.detail == "its question stands in rows.jsonl:2"


def test_answers_that_many_test_rows_have_do_not_count() -> None:
    refusal = "很抱歉，我没有找到相关的信息。"
    test = rows(
        *[(f"问题{n}是什么", refusal if n < 5 else f"第{n}个完全不同的长答案") for n in range(9)]
    )
    (result,) = Leakage(LeakageSettings(), test).run(rows(("别的", refusal)))
    assert not result.is_dropped


def test_the_test_is_a_part_of_what_results_depend_on() -> None:
    whole, part = (Leakage(LeakageSettings(), test).settings for test in (TEST, TEST[:1]))
    assert whole != part

"""Copies by question and answer."""

from dataclasses import replace

from adapters.data.cleaning import Deduplicate, Near
from tests.adapters.data.cleaning.rows import row, rows


def test_the_first_of_copies_stays_whatever_their_spelling() -> None:
    given = rows(("如何退货？", "七天内可退。"), ("如何退货", "七天内可退"), ("How？", "So."))
    results = list(Deduplicate().run([*given, replace(given[2], line=4)]))
    assert [result.reason for result in results] == ["", "duplicate", "", "duplicate"]
    assert results[3].detail == "copy of rows.jsonl:3"


def test_the_same_question_with_another_answer_is_no_copy() -> None:
    given = rows(*[("如何退货？", f"请联系{name}部门。") for name in "甲乙丙丁"])
    assert not any(result.is_dropped for result in Deduplicate().run(given))


def test_passages_and_rejected_answers_count_and_metadata_do_not() -> None:
    ask = ("灯多少钱？", "我不知道。")
    given = [row(*ask, system="[1] 灯"), row(*ask, system="[1] 椅"), row(*ask, rejected="一元")]
    given += [row(*ask), row(*ask, source="b")]
    results = list(Deduplicate().run(given))
    assert [result.is_dropped for result in results] == [False] * 4 + [True]


def test_json_is_compared_by_its_value() -> None:
    given = rows(("x", '{"a": 1, "b": 2}'), ("x", '{"b":2,"a":1}'), ("x", '{"b":1,"a":2}'))
    assert [r.is_dropped for r in Deduplicate().run(given)] == [False, True, False]


def test_operators_of_code_and_sums_count() -> None:
    code = [("写一个函数，计算a{}b", "def f(a, b):\n    return a {} b")] * 3
    given = rows(*[(q.format(s), a.format(s)) for (q, a), s in zip(code, "*-/", strict=True)])
    assert not any(result.is_dropped for result in Deduplicate().run(given))
    assert not any(result.is_dropped for result in Near().run(given))

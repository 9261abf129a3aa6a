"""When answers are labels, and how much they disagree."""

from pathlib import Path

import pytest

from adapters.data import Message, Row
from adapters.data.agreement import are_labels, check_agreement


def rows_of(*pairs: tuple[str, str]) -> list[Row]:
    return [
        Row((Message("user", q), Message("assistant", a)), {}, Path("r.jsonl"), n)
        for n, (q, a) in enumerate(pairs, start=1)
    ]


def twice(questions: int, disputed: int) -> list[tuple[str, str]]:
    """Every question labelled by two people, who differ on the first `disputed`."""
    first = [(f"Is {n} right?", "yes") for n in range(questions)]
    second = [(f"is {n}  right", "no" if n < disputed else "Yes.") for n in range(questions)]
    return first + second


@pytest.mark.parametrize(
    ("disputed", "status", "value"), [(0, "pass", 0.0), (4, "pass", 4.0), (5, "fail", 5.0)]
)
def test_the_share_of_rows_on_which_two_people_differ(
    disputed: int, status: str, value: float
) -> None:
    extra = [("only once " + str(n), "no") for n in range(100)]
    found = check_agreement(rows_of(*twice(100, disputed), *extra))
    assert (found.status, found.value, found.found) == (status, value, 2 * disputed)


def test_the_evidence_names_both_lines() -> None:
    found = check_agreement(rows_of(*twice(40, 3)))
    assert [(one.line, one.reason) for one in found.evidence[:2]] == [
        (1, "answered “yes”, line 41 says “no”"),
        (41, "answered “no”, line 1 says “yes”"),
    ]
    assert found.missing == (
        "agree on a definition for each pair of `disputed_labels`, then correct the labels of "
        "6 rows"
    )


def test_one_slip_among_many_copies_is_small() -> None:
    found = check_agreement(rows_of(*twice(30, 0), *[("hello", "yes")] * 99, ("hello", "no")))
    assert found.status == "pass"
    assert found.value == pytest.approx(100 * 100 * 0.02 / 160, abs=0.1)


def test_few_questions_asked_twice_can_fail_but_not_pass() -> None:
    once = [(f"q{n}", ["yes", "no"][n % 2]) for n in range(80)]
    assert check_agreement(rows_of(*once)).status == "unknown"
    few = check_agreement(rows_of(*once, *twice(10, 1)))
    assert (few.status, few.value) == ("unknown", None)
    assert few.missing is not None
    assert "10 questions are labelled more than once; at least 20" in few.missing
    many = check_agreement(rows_of(*once, *twice(10, 5)))
    assert (many.status, many.value) == ("fail", 10.0)


def test_free_text_is_not_judged() -> None:
    rows = rows_of(
        *[("How are you?", f"A long answer, of its own kind, number {n}") for n in range(50)]
    )
    found = check_agreement(rows)
    assert (found.status, found.value) == ("unknown", None)
    assert found.missing is not None
    assert "free text" in found.missing


def test_json_answers_are_compared_by_value() -> None:
    same = [(f"t{n}", '{"a": 1, "b": 2}') for n in range(30)] + [
        (f"t{n}", '{"b": 2,  "a": 1}') for n in range(30)
    ]
    assert check_agreement(rows_of(*same)).status == "pass"
    assert check_agreement(rows_of(*same[:30], *[(f"t{n}", "[]") for n in range(30)])).value == 100


def test_labels_are_short_and_repeated() -> None:
    assert are_labels(["yes", "no"] * 4)
    assert not are_labels(["yes"] * 8)
    assert not are_labels(["yes", "no", "perhaps"] * 3)
    assert not are_labels([("y" * 41), "no"] * 4)


def test_answers_nested_without_end_are_text() -> None:
    check_agreement(rows_of(*[("Which?", "[" * 100_000)] * 4))

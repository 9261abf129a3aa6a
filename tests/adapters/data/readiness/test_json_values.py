"""Rows of an extraction whose answer is that to another text or task."""

import json

import pytest

from adapters.data import Row
from adapters.data.readiness.json_values import JsonValues, JsonValuesSettings
from tests.adapters.data.readiness.rows import row

PLACES = ["Cocum", "Clowns", "Ranch", "湘菜馆"]


def asked(name: str, said: object, words: str = "is a café with 3 tables") -> Row:
    return row(f"{name} {words}.", said if isinstance(said, str) else json.dumps(said))


OTHERS = [
    asked(name, {"name": name, "kind": "coffee shop", "tables": 3, "open": True})
    for name in PLACES * 5
]


def reasons(*rows: Row) -> list[str]:
    results = list(JsonValues().run([*rows, *OTHERS]))
    assert [one.row for one in results] == [*rows, *OTHERS]
    assert not any(one.is_dropped for one in results[len(rows) :])
    return [one.reason for one in results[: len(rows)]]


def test_the_answer_to_another_text_is_dropped() -> None:
    rows = [asked("Cocum", {"name": "Clowns"}), asked("湘菜馆", {"name": "Ranch", "tables": 3})]
    assert reasons(*rows) == ["other_value_in_text"] * 2
    assert reasons(asked("Cocum", {"name": "cocum.", "tables": "３"})) == [""]


def test_a_number_of_another_text_is_too() -> None:
    wrong = [asked("Ranch", {"name": "Ranch", "tables": 8})]
    assert reasons(*wrong) == ["other_value_in_text"]


def test_a_value_in_other_words_stays() -> None:
    assert reasons(asked("The clown", {"name": "Clowns", "tables": 3})) == [""]


def test_values_that_are_concluded_say_nothing() -> None:
    assert reasons(asked("Cocum", {"name": "Cocum", "kind": "pub", "open": False})) == [""]


@pytest.mark.parametrize("said", ["It is open.", "[1]", '{"name": ', "null", '"Cocum"'])
def test_an_answer_of_another_form_is_dropped(said: str) -> None:
    assert reasons(asked("Cocum", said)) == ["no_json_answer"]


def test_rows_of_another_task_are_left_alone() -> None:
    rows = [*(row(f"question {n}", f"answer {n}") for n in range(9)), *OTHERS[:8]]
    assert not any(one.is_dropped for one in JsonValues(JsonValuesSettings(usual=0.6)).run(rows))


def test_a_key_whose_values_often_stand_elsewhere_has_no_rule() -> None:
    rows = [asked("Cocum", {"place": "Cocum"}), asked("Ranch", {"place": "Cocum"})]
    assert reasons(*rows) == ["", ""]

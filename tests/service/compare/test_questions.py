"""Rows of a question set: what they need, and how a wrong one is named."""

import re
from typing import Any

import pytest

from service.compare import Kind, parse_set
from service.compare.questions import MAX_QUESTIONS
from service.errors import InvalidRequest


def row(**fields: Any) -> dict[str, Any]:
    return {"id": "q1", "question": "How many days?", "kind": "fact", "answers": ["30"], **fields}


def test_a_row_becomes_a_question() -> None:
    history = [{"role": "user", "content": "Hi"}]
    (question,) = parse_set([row(history=history, source="left alone")])
    assert (question.id, question.kind, question.answers) == ("q1", Kind.FACT, ("30",))
    assert question.history[0].content == "Hi"


@pytest.mark.parametrize(
    ("schema", "keys"),
    [
        (["answer", "steps"], {"answer", "steps"}),
        ({"required": ["answer"], "properties": {"answer": {}, "steps": {}}}, {"answer"}),
        ({"properties": {"answer": {}, "steps": {}}}, {"answer", "steps"}),
    ],
)
def test_the_required_keys_are_names_or_a_json_schemas(schema: Any, keys: set[str]) -> None:
    (question,) = parse_set([row(kind="style", schema=schema)])
    assert question.required_keys == keys


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"kind": "riddle"}, "kind"),
        ({"question": ""}, "question"),
        ({"id": ""}, "id"),
        ({"answers": []}, "a fact question needs `answers`"),
        ({"kind": "style"}, "a style question needs `schema`"),
        ({"kind": "style", "schema": {}}, "a style question needs `schema`"),
        ({"kind": "both", "answers": [], "schema": ["answer"]}, "a both question needs `answers`"),
        ({"kind": "both"}, "a both question needs `schema`"),
        ({"history": [{"role": "user"}]}, "history[0].content"),
    ],
)
def test_a_row_that_lacks_something_is_named_with_what_it_lacks(
    fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(InvalidRequest, match=f"row 2: .*{re.escape(named)}"):
        parse_set([row(), row(id="q2", **fields) if "id" not in fields else row(**fields)])


@pytest.mark.parametrize("kind", ["chitchat", "unanswerable"])
def test_small_talk_and_unanswerable_questions_need_no_answers(kind: str) -> None:
    assert parse_set([row(kind=kind, answers=[])])[0].kind == kind


def test_every_wrong_row_is_named_at_once() -> None:
    with pytest.raises(InvalidRequest, match=r"row 1: .*row 3: "):
        parse_set([row(kind="?"), row(), row(id="q3", question="")])


def test_an_id_that_stands_twice_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="'q1' occurs twice"):
        parse_set([row(), row(question="Again?")])


def test_an_empty_set_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="no questions"):
        parse_set([])


def test_a_set_that_is_too_long_is_refused() -> None:
    rows = (row(id=str(number)) for number in range(MAX_QUESTIONS + 1))
    with pytest.raises(InvalidRequest, match=f"at most {MAX_QUESTIONS}"):
        parse_set(rows)


@pytest.mark.parametrize(
    ("fields", "language"),
    [({}, "en"), ({"question": "保修多久？"}, "zh"), ({"question": "E27?", "lang": "zh"}, "zh")],
)
def test_a_question_has_the_language_it_names_or_is_written_in(
    fields: dict[str, Any], language: str
) -> None:
    assert parse_set([row(**fields)])[0].language == language

import hashlib
import json
from pathlib import Path

import pytest

from adapters.data import Message, Pair, Row
from adapters.evaluation.trained_rows import (
    TRAINED_ROWS_FILE,
    TrainedRows,
    read_trained_rows,
    record_trained_rows,
)


def row(question: str, answer: str, system: str = "") -> Row:
    turns = (Message("user", question), Message("assistant", answer))
    head = (Message("system", system),) if system else ()
    return Row((*head, *turns), {}, Path("rows.jsonl"), 1)


@pytest.fixture
def known(tmp_path: Path) -> TrainedRows:
    record_trained_rows(tmp_path, [row("车铃在哪里？", "在1号架。"), row("Where?", '{"shelf": 2}')])
    return read_trained_rows(tmp_path)


@pytest.mark.parametrize(
    ("asked", "is_known"),
    [
        (row("车铃在哪里？ ", "x"), True),
        (row("车铃在哪里?", "x"), True),
        (row("WHERE ?", "x"), True),
        (row("车铃在哪里", "x", system="你在仓库里帮忙。"), True),
        (row("车锁在哪里？", "x"), False),
    ],
)
def test_a_trained_question_is_known_however_it_is_written(
    known: TrainedRows, asked: Row, is_known: bool
) -> None:
    assert known.has_asked(asked) is is_known


def test_trained_answers_and_slot_values_are_known(known: TrainedRows) -> None:
    assert known.has_answered(row("别的？", "在１号架"))
    assert not known.has_answered(row("别的？", "在2号架"))
    assert known.has_value(("shelf", "2"))
    assert not known.has_value(("shelf", "3"))


def test_every_question_of_a_conversation_was_trained(tmp_path: Path) -> None:
    first, second = row("你好", "您好"), row("几点开门", "九点")
    record_trained_rows(tmp_path, [Row((*first.messages, *second.messages), {}, Path("a"), 1)])
    known = read_trained_rows(tmp_path)
    assert known.has_asked(first)
    assert not known.has_asked(second), "asked without what went before it"


def test_pairs_are_known_by_their_prompt_and_the_preferred_answer(tmp_path: Path) -> None:
    chosen, rejected = Message("assistant", "在1号架"), Message("assistant", "不知道")
    asked = (Message("user", "车铃在哪里"),)
    record_trained_rows(tmp_path, [Pair(asked, chosen, rejected, {}, Path("a"), 1)])
    known = read_trained_rows(tmp_path)
    assert known.has_asked(row("车铃在哪里？", "x"))
    assert known.has_answered(row("x", "在1号架"))
    assert not known.has_answered(row("x", "不知道"))


def test_an_answer_said_to_many_is_not_known(tmp_path: Path) -> None:
    trained = [row(f"q{i}", ("是", "否")[i % 2]) for i in range(20)]
    record_trained_rows(tmp_path, trained)
    assert not read_trained_rows(tmp_path).has_answered(row("q", "是"))


def test_digests_of_an_earlier_release_are_still_known(tmp_path: Path) -> None:
    turns = json.dumps([["user", "q"], ["assistant", "a"]])
    old = {
        "trained": [hashlib.sha256(turns.encode()).hexdigest()[:16]],
        "tasks": [],
        "examples": [],
    }
    (tmp_path / TRAINED_ROWS_FILE).write_text(json.dumps(old))
    known = read_trained_rows(tmp_path)
    assert known.has_asked(row("q", "a"))
    assert not known.has_asked(row("q", "b"))


def test_an_adapter_that_came_without_records_knows_nothing(tmp_path: Path) -> None:
    assert read_trained_rows(tmp_path) == TrainedRows()

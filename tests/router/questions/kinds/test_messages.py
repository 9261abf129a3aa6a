"""The messages that ship: every kind in both languages, none of those kept for tests."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from router import LabelledQuestion, MessageKind, QuestionClass, as_messages, labelled_messages
from router.questions.kinds.messages import FILE
from tests.router.questions.test_messages import ROWS, half_of

UNSEEN = Path(__file__).parents[3] / "cases" / "unseen_messages.jsonl"


def test_every_kind_stands_there_in_both_languages() -> None:
    counted = Counter((row.kind, row.language) for row in labelled_messages())
    assert set(counted) == {(kind, lang) for kind in MessageKind for lang in ("en", "zh")}
    assert min(counted.values()) >= 20


def test_no_message_stands_there_twice() -> None:
    messages = [row.message for row in labelled_messages()]
    assert len(messages) == len(set(messages))


def test_none_is_kept_for_tests() -> None:
    unseen = {json.loads(line)["message"] for line in UNSEEN.read_text("utf-8").splitlines()}
    assert not unseen & {row.message for row in labelled_messages()}
    held = {row["message"] for row in ROWS if half_of(row) == "held"}
    assert not held & {json.loads(line)["message"] for line in FILE.read_text("utf-8").splitlines()}


def test_a_question_is_one_and_a_task_is_an_errand() -> None:
    asked = [
        LabelledQuestion("is the tram red", QuestionClass.NEEDS_KNOWLEDGE, "en"),
        LabelledQuestion("why is the sky blue", QuestionClass.OUT_OF_SCOPE, "en"),
        LabelledQuestion("add milk to my list of groceries", QuestionClass.TASK, "en"),
        LabelledQuestion("put that in a table", QuestionClass.TASK, "en"),
        LabelledQuestion("hm well", QuestionClass.CHITCHAT, "en"),
        LabelledQuestion("write a polite reply to this customer", QuestionClass.TASK, "en"),
        LabelledQuestion(
            "Translate into French: the meeting is at nine.", QuestionClass.TASK, "en"
        ),
        LabelledQuestion("who made you", QuestionClass.OUT_OF_SCOPE, "en"),
    ]
    kinds = {row.message: row.kind for row in as_messages(asked)}
    assert kinds == {
        "is the tram red": MessageKind.KNOWLEDGE,
        "why is the sky blue": MessageKind.KNOWLEDGE,
        "add milk to my list of groceries": MessageKind.ERRAND,
    }

"""What of a conversation is handed to the router."""

from __future__ import annotations

import pytest

from router import NoSource, default_classifier
from service.chat.route import read_question
from service.engine.client import Message

ASKED = Message("user", "How long do I have to return a lamp?")
ANSWERED = Message("assistant", "You have 30 days.")


@pytest.mark.parametrize(
    ("before", "source"),
    [
        ([ASKED, ANSWERED], NoSource.LAST_ANSWER),
        ([ASKED, ANSWERED, Message("system", "Be brief.")], NoSource.LAST_ANSWER),
        ([ASKED, Message("assistant", " ")], None),
        ([ASKED], None),
        ([], None),
    ],
)
def test_a_wish_about_the_last_answer_needs_one(
    before: list[Message], source: NoSource | None
) -> None:
    turns = [*before, Message("user", "shorter, in French")]
    assert read_question(turns, default_classifier()).needs_no_sources is source


def test_a_system_turn_may_bring_the_text_to_answer_from() -> None:
    system = Message("system", "Use this context:\nThe Alder Club meets in the green room.")
    question = Message("user", "Where does the Alder Club meet?")
    signals = read_question([system, question], default_classifier())
    assert signals.needs_no_sources is NoSource.GIVEN_TEXT
    assert not signals.follow_up


def test_the_result_of_a_tool_is_a_text_to_answer_from() -> None:
    turns = [ASKED, Message("assistant", "Result of look_up: 30 days"), ASKED]
    read = read_question(turns, default_classifier(), has_result=True)
    assert (read.needs_no_sources, read.context_given) == (NoSource.GIVEN_TEXT, True)
    assert not read.asks_fact
    assert read_question(turns, default_classifier()).needs_no_sources is None

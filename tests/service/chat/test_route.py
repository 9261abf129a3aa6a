"""What of a conversation is handed to the router."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from router import MessageKind, NoSource, default_classifier
from service.chat.question import Question
from service.chat.route import choose_route, read_question
from service.context import AppContext
from service.engine.client import Message
from tests.fakes.embedder import Vectors
from tests.fakes.kinds import always
from tests.fakes.tenant import TENANT
from tests.service.conftest import Running

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


class Kinds:
    """Asks with a kind classifier that is sure of one kind."""

    def __init__(self, running: Running, kind: MessageKind) -> None:
        fitted = always(kind, running.context.knowledge.embedder)
        self.context: AppContext = replace(running.context, kinds=fitted)

    async def read(self, *said: str, **asked: Any) -> NoSource | None:
        roles = ("user", "assistant")
        turns = tuple(Message(roles[n % 2], text) for n, text in enumerate(said))
        question = Question("r1", TENANT, turns, use_case="demo", **asked)
        return (await choose_route(question, self.context)).signals.needs_no_sources


UNFORESEEN = "mine has gone quiet over there"


@pytest.mark.anyio
async def test_a_wording_that_no_rule_foresaw_is_read_from_its_vector(running: Running) -> None:
    running.prepare()
    assert (
        await Kinds(running, MessageKind.ABOUT_ASSISTANT).read(UNFORESEEN)
        is NoSource.ABOUT_ASSISTANT
    )
    assert await Kinds(running, MessageKind.ERRAND).read(UNFORESEEN) is None
    silent = Kinds(running, MessageKind.ABOUT_ASSISTANT)
    silent.context = replace(silent.context, kinds=None)
    assert await silent.read(UNFORESEEN) is None


@pytest.mark.anyio
async def test_only_what_stands_behind_an_answer_is_about_the_last_one(running: Running) -> None:
    running.prepare()
    kinds = Kinds(running, MessageKind.LAST_ANSWER)
    assert await kinds.read("How long?", "30 days.", UNFORESEEN) is NoSource.LAST_ANSWER
    assert await kinds.read(UNFORESEEN) is None


@pytest.mark.anyio
async def test_nothing_is_embedded_where_it_changes_nothing(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.prepare()
    kinds = Kinds(running, MessageKind.ABOUT_ASSISTANT)
    embedded: list[str] = []
    embedder = running.context.knowledge.embedder
    embed = embedder.embed_query

    def noted(text: str) -> Vectors:
        embedded.append(text)
        return embed(text)

    monkeypatch.setattr(embedder, "embed_query", noted)
    assert await kinds.read("hello there") is NoSource.SMALL_TALK
    assert await kinds.read(UNFORESEEN, knowledge_bases=()) is None
    assert await kinds.read(UNFORESEEN, has_result=True) is NoSource.GIVEN_TEXT
    assert await kinds.read(f"{UNFORESEEN} " * 40) is None  # no embedder reads it to its end
    assert embedded == []
    assert await kinds.read(UNFORESEEN) is NoSource.ABOUT_ASSISTANT
    assert embedded == [UNFORESEEN]

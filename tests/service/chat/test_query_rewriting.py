"""A follow-up question rewritten by the model: what is asked, what is searched, what it costs."""

from collections.abc import Sequence
from typing import Any

import pytest

from service.chat import query_rewriting as rewriting
from service.engine.client import Message
from service.engine.tokens import estimate_tokens
from tests.fakes.engine import Switches
from tests.service.conftest import Running

ALONE = "Within how many days of delivery can a lamp be returned?"
FOLLOW_UP = "Is it within 30 days of delivery?"
TALK = (
    {"role": "user", "content": "Can a lamp be returned?"},
    {"role": "assistant", "content": "An unused lamp can be returned after delivery."},
)


@pytest.fixture
def opted(running: Running) -> Running:
    running.prepare()
    running.put_use_case(rewrite_follow_ups=True)
    running.engine.requests.clear()
    return running


def ask(
    running: Running,
    question: str = FOLLOW_UP,
    talk: Sequence[dict[str, str]] = TALK,
    **body: Any,
) -> dict[str, Any]:
    messages = [*talk, {"role": "user", "content": question}]
    whole = {"messages": messages, "use_case": "demo", "strategy": "rag", **body}
    reply = running.client.post("/chat", json=whole)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def test_a_follow_up_is_rewritten_and_that_is_searched(opted: Running) -> None:
    opted.engine.script = [Switches(pieces=(' "', ALONE, '"\n'))]
    body = ask(opted)
    assert body["retrieval"]["query"] == ALONE
    assert body["retrieval"]["rewrite"] == {"outcome": "used"}
    asked, answered = opted.engine.requests
    assert (asked["model"], asked["temperature"], asked["max_tokens"]) == (opted.engine.base, 0, 64)
    assert asked["messages"][-1]["content"] == (
        "User: Can a lamp be returned?\n"
        "Assistant: An unused lamp can be returned after delivery.\n"
        f"User: {FOLLOW_UP}"
    )
    assert answered["messages"][-1]["content"].endswith(f"Question: {FOLLOW_UP}")
    assert "within 30 days" in answered["messages"][-1]["content"]
    assert body["timings_ms"]["rewrite"] > 0


def test_both_calls_are_counted(opted: Running) -> None:
    opted.engine.script = [Switches(pieces=tuple(f"{word} " for word in ALONE.split()))]
    body = ask(opted)
    words = [sum(len(m["content"].split()) for m in r["messages"]) for r in opted.engine.requests]
    assert body["usage"]["prompt_tokens"] == sum(words)
    assert body["usage"]["completion_tokens"] == len(ALONE.split()) + 5


def test_an_abstention_counts_the_rewrite(opted: Running) -> None:
    opted.engine.script = [Switches(pieces=("Who painted ", "zebra quartz?"))]
    body = ask(opted)
    assert (body["outcome"], len(opted.engine.requests)) == ("abstained", 1)
    assert body["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Switches(refuse=503), "failed"),
        (Switches(break_after=1), "failed"),
        (Switches(first_pause_s=3), "too_slow"),
        (Switches(pieces=(" ", "\n")), "empty"),
        (Switches(pieces=(ALONE * 10,)), "too_long"),
        (Switches(pieces=(ALONE,), finish="length"), "too_long"),
        (Switches(pieces=(FOLLOW_UP.upper(),)), "unchanged"),
        (Switches(pieces=("台灯可以在几天内退货？",)), "other_language"),
    ],
)
def test_a_rewrite_of_no_use_leaves_the_default_and_says_so(
    opted: Running, monkeypatch: pytest.MonkeyPatch, fault: Switches, outcome: str
) -> None:
    opted.put_use_case()
    default = ask(opted)
    opted.put_use_case(rewrite_follow_ups=True)
    monkeypatch.setattr(rewriting, "DEADLINE_S", 0.5)
    opted.engine.script = [fault]
    body = ask(opted)
    assert body["retrieval"].pop("rewrite")["outcome"] == outcome
    assert body["retrieval"] == default["retrieval"]
    assert (body["outcome"], body["answer"]) == ("answered", default["answer"])


def test_a_call_that_was_cut_off_is_counted_by_our_own_count(
    opted: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewriting, "DEADLINE_S", 0.5)
    opted.engine.script = [Switches(first_pause_s=3)]
    body = ask(opted)
    asked, answered = opted.engine.requests
    by_server = sum(len(m["content"].split()) for m in answered["messages"])
    by_us = estimate_tokens([Message(**m) for m in asked["messages"]])
    assert body["usage"]["prompt_tokens"] == by_server + by_us
    assert "not done within 0.5 s" in body["retrieval"]["rewrite"]["detail"]


@pytest.mark.parametrize(
    ("question", "talk", "options"),
    [
        (ALONE, TALK, {}),  # stands alone
        (FOLLOW_UP, (), {}),  # nothing was said before
        (FOLLOW_UP, TALK, {"strategy": "prompt_only"}),  # nothing is searched
        (FOLLOW_UP, TALK, {"use_case": "plain"}),  # not opted for
    ],
)
def test_nothing_is_rewritten_unless_all_asks_for_it(
    opted: Running, question: str, talk: Sequence[dict[str, str]], options: dict[str, str]
) -> None:
    plain = {"id": "plain", "knowledge_bases": ["handbook"]}
    assert opted.client.put("/use_cases/plain", json=plain).status_code == 200
    body = ask(opted, question, talk, **options)
    assert len(opted.engine.requests) <= 1
    assert "rewrite" not in body["timings_ms"]
    assert "rewrite" not in body.get("retrieval", {})


def test_a_chinese_question_is_asked_about_in_chinese(opted: Running) -> None:
    opted.put_document("未使用的台灯可在收货后三十天内退货。", "退货.md")
    opted.engine.script = [Switches(pieces=("台灯可以在几天内退货？",))]
    talk = ({"role": "user", "content": "我买了台灯。"}, {"role": "assistant", "content": "好的。"})
    body = ask(opted, "那几天内可以退呢？", talk)
    assert body["retrieval"]["query"] == "台灯可以在几天内退货？"
    assert opted.engine.requests[0]["messages"][0]["content"] == rewriting.TASK["zh"]


def test_only_the_last_turns_are_sent_each_cut(opted: Running) -> None:
    talk = [Message("user", f"turn {n} " + "lamp " * 300) for n in range(6)]
    ask(opted, talk=[{"role": turn.role, "content": turn.content} for turn in talk])
    lines = opted.engine.requests[0]["messages"][-1]["content"].split("\n")
    assert [line[:12] for line in lines[:-1]] == [f"User: turn {n}" for n in (3, 4, 5)]
    assert max(map(len, lines)) == len("User: ") + rewriting.TURN_CHARS

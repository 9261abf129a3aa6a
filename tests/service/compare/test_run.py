"""Asking every question by every strategy, at a `/chat` that sometimes fails."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from service.compare import SetQuestion, parse_set, run_comparison
from tests.fakes.engine import Served
from tests.fakes.ports import free_port

DECIDED = {"strategy": "rag", "rule": "r1", "thresholds": {"limit": {"value": 4}}}


@dataclass
class FakeGateway:
    """Answers `/chat`; what goes wrong stands in the question."""

    asked: list[dict[str, Any]] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/chat", self.chat, methods=["POST"])])

    async def chat(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        question = body["messages"][-1]["content"]
        if "refused" in question:
            return JSONResponse({"detail": "Strategy hybrid cannot run."}, status_code=409)
        if "limited" in question and self.asked.count(body) < 3:
            detail = {"detail": "requests_per_minute is 1 for this key."}
            return JSONResponse(detail, status_code=429, headers={"retry-after": "1"})
        if "not json" in question:
            return PlainTextResponse("gateway timeout", status_code=504)
        return JSONResponse(
            {
                "answer": f"{question} by {body['strategy']}",
                "outcome": "answered",
                "strategy": "rag" if body["strategy"] == "auto" else body["strategy"],
                "citations": [],
                "decision": {**DECIDED, "facts": {"need": 1}, "findings": []},
                "usage": {"prompt_tokens": 7, "completion_tokens": 3},
                "timings_ms": {"route": 1.0, "rewrite": 8.0, "retrieve": 2.0, "first_token": 4.0},
            }
        )


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def url(gateway: FakeGateway) -> Iterator[str]:
    with Served(gateway.app()) as server:
        yield server.url


def questions(*texts: str) -> tuple[SetQuestion, ...]:
    fields = {"kind": "fact", "answers": ["by rag"]}
    return parse_set([{"id": text, "question": text, **fields} for text in texts])


def run(
    url: str,
    asked: tuple[SetQuestion, ...],
    strategies: tuple[str, ...] = ("prompt_only", "rag"),
    on_progress: Any = lambda done, total: True,
    is_wanted: Any = lambda: True,
) -> list[dict[str, Any]]:
    outcomes = run_comparison(
        asked,
        gateway_url=url,
        use_case="demo",
        strategies=strategies,
        concurrency=2,
        on_progress=on_progress,
        is_wanted=is_wanted,
    )
    return [outcome.to_json() for outcome in outcomes]


def test_every_question_is_asked_by_every_strategy_in_order(url: str) -> None:
    outcomes = run(url, questions("one", "two", "three"))
    assert [(o["strategy"], o["id"]) for o in outcomes] == [
        (strategy, name) for strategy in ("prompt_only", "rag") for name in ("one", "two", "three")
    ]
    assert [o["score"] for o in outcomes] == [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]


def test_an_outcome_holds_what_the_contract_names(url: str) -> None:
    (outcome,) = run(url, questions("one"), ("auto",))
    assert outcome["latency_ms"] > 0
    assert (outcome["first_token_ms"], outcome["prompt_tokens"]) == (15.0, 7)
    assert (outcome["completion_tokens"], outcome["outcome"]) == (3, "answered")
    assert (outcome["strategy"], outcome["chosen"]) == ("auto", "rag")
    assert outcome["facts"] == {"need": 1}
    assert outcome["decision"] == DECIDED


def test_the_history_goes_before_the_question(url: str, gateway: FakeGateway) -> None:
    history = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    row = {"id": "a", "question": "one", "kind": "chitchat", "history": history}
    run(url, parse_set([row]), ("rag",))
    assert gateway.asked == [
        {
            "messages": [*history, {"role": "user", "content": "one"}],
            "use_case": "demo",
            "strategy": "rag",
        }
    ]


@pytest.mark.parametrize(
    ("question", "said"), [("refused", "cannot run"), ("not json", "JSONDecodeError")]
)
def test_a_question_that_fails_is_an_error_without_a_score(
    url: str, question: str, said: str
) -> None:
    outcomes = run(url, questions("before", question, "after"), ("rag",))
    assert [o["score"] for o in outcomes] == [1.0, None, 1.0]
    assert outcomes[1]["outcome"] == "error"
    assert said in outcomes[1]["error"]


def test_a_question_that_a_limit_refuses_is_asked_again_and_not_slower_for_it(
    url: str, gateway: FakeGateway
) -> None:
    outcomes = run(url, questions("before", "limited", "after"), ("rag",))
    assert [o["score"] for o in outcomes] == [1.0, 1.0, 1.0]
    assert [body["messages"][0]["content"] for body in gateway.asked].count("limited") == 3
    assert outcomes[1]["latency_ms"] < 1000


def test_a_question_that_a_limit_lets_never_through_is_told_so(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.compare.waiting.MOST_WAITED_S", 0.0)
    (outcome,) = run(url, questions("limited"), ("rag",))
    assert (outcome["outcome"], outcome["score"]) == ("error", None)
    assert outcome["error"] == (
        "A limit let no question through for 600 s. requests_per_minute is 1 for this key."
    )


def test_a_comparison_that_is_cancelled_while_it_waits_ends_before_that_question(
    url: str,
) -> None:
    asked = questions("before", "limited", "after")
    outcomes = run(url, asked, ("rag",), is_wanted=lambda: False)
    assert [o["id"] for o in outcomes] == ["before"]


def test_a_gateway_that_is_away_is_an_error_of_each_question() -> None:
    outcomes = run(f"http://127.0.0.1:{free_port()}", questions("one", "two"), ("rag",))
    assert [(o["outcome"], o["score"]) for o in outcomes] == [("error", None)] * 2
    assert "ConnectError" in outcomes[0]["error"]


def test_progress_is_told_after_each_answer(url: str) -> None:
    told: list[tuple[int, int]] = []

    def on_progress(done: int, total: int) -> bool:
        told.append((done, total))
        return True

    run(url, questions("one", "two"), on_progress=on_progress)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_it_stops_when_it_is_no_longer_wanted(url: str, gateway: FakeGateway) -> None:
    asked = questions(*(f"q{number}" for number in range(50)))
    outcomes = run(url, asked, on_progress=lambda done, total: done < 3)
    assert len(outcomes) == 3
    assert len(gateway.asked) < 50

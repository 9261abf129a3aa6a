"""The bodies of `/compare`; what a comparison measures is tested with the comparison."""

import json
from dataclasses import asdict

import pytest

from service.compare import parse_outcomes, regret_of, summarise
from service.compare.outcome import Outcome
from service.stores.comparisons import Comparisons
from tests.service.conftest import Running

ROWS = [{"id": "hello", "question": "Hello!", "language": "en", "kind": "chitchat"}]
ASK = {"use_case": "demo", "rows": ROWS}
SCORES = {"prompt_only": (0.0, 1.0), "rag": (1.0, 1.0), "auto": (1.0, 0.0)}


def outcomes() -> list[Outcome]:
    return [
        Outcome.model_validate(
            {
                **{"id": f"q{number}", "question": f"question {number}", "kind": "fact"},
                **{"language": "en", "strategy": strategy, "score": score, "outcome": "answered"},
                **{"latency_ms": 5.0, "first_token_ms": 2.0},
                **{"prompt_tokens": 7, "completion_tokens": 3, "facts": {}, "decision": {}},
            }
        )
        for strategy, scores in SCORES.items()
        for number, score in enumerate(scores)
    ]


@pytest.fixture
def kept(running: Running) -> str:
    """Keep a finished comparison and return its id."""
    found = outcomes()
    comparisons: Comparisons = running.context.comparisons
    return comparisons.save(
        "demo", asdict(summarise(found)), [row.to_json() for row in found], tenant="default"
    )


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no worker take up a job."""
    monkeypatch.setattr("service.stores.leases.Leases.claim", lambda *_: None)


@pytest.mark.usefixtures("idle")
def test_a_comparison_under_way_is_told_by_its_job(running: Running) -> None:
    running.put_use_case(knowledge_bases=[])
    reply = running.client.post("/compare", json=ASK)
    told = reply.json()
    place = f"/compare/{told['id']}"
    assert (reply.status_code, reply.headers["location"]) == (202, place)
    assert told == {
        "id": told["id"],
        "object": "comparison",
        "status": "queued",
        "use_case": "demo",
        "progress": {},
        "created_at": told["created_at"],
        "summary": None,
        "error": None,
    }
    assert running.client.get(place).json() == told
    for part in ("outcomes", "regret"):
        reply = running.client.get(f"{place}/{part}")
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "compare_not_found")


def test_a_finished_comparison_is_told_with_its_whole_summary(running: Running, kept: str) -> None:
    page = running.client.get("/compare").json()
    (listed,) = page["data"]
    assert page == {"object": "list", "data": [listed], "has_more": False}
    assert listed == {
        "id": kept,
        "object": "comparison",
        "use_case": "demo",
        "created_at": listed["created_at"],
        "summary": asdict(summarise(outcomes())),
    }
    alone = running.client.get(f"/compare/{kept}").json()
    assert alone == {**listed, "status": "succeeded", "progress": {"fraction": 1.0}}


def test_outcomes_are_told_as_they_were_kept_one_a_line(running: Running, kept: str) -> None:
    reply = running.client.get(f"/compare/{kept}/outcomes")
    assert reply.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in reply.text.splitlines()] == [
        row.to_json() for row in outcomes()
    ]


def test_the_regret_is_told_whole(running: Running, kept: str) -> None:
    placed = (
        (f"outcome {number}", row.to_json()) for number, row in enumerate(outcomes(), start=1)
    )
    expected = regret_of(parse_outcomes(placed), running.context.policy)
    told = running.client.get(f"/compare/{kept}/regret").json()
    assert told == json.loads(json.dumps(expected))
    assert told["rules"]
    assert told["always_rag"]["score"] == 1.0


def test_why_a_strategy_is_the_best_is_said_in_the_language_of_the_request(
    running: Running, kept: str
) -> None:
    for language, words in (
        ("zh-CN", "rag 得分 1.00，prompt_only 得分 0.50"),
        ("en", "rag scores"),
    ):
        headers = {"accept-language": language}
        reply = running.client.get(f"/compare/{kept}", headers=headers).json()
        assert reply["summary"]["winner"]["because"].startswith(words)
        (listed,) = running.client.get("/compare", headers=headers).json()["data"]
        assert listed["summary"] == reply["summary"]

"""A comparison from its request to the facts of the next decision, over HTTP."""

import json
from typing import Any

import pytest

from tests.service.conftest import Running
from tests.service.waiting import eventually

QUESTION = "Within how many days of delivery can a lamp be returned?"
ROWS = [
    {"id": "fact", "question": QUESTION, "kind": "fact", "answers": ["30 days"]},
    {"id": "hello", "question": "Hello!", "kind": "chitchat"},
    {"id": "zebra", "question": "Who painted zebra quartz?", "kind": "unanswerable"},
]


def compare(running: Running, **body: Any) -> dict[str, Any]:
    started = running.client.post("/compare", json={"use_case": "demo", "rows": ROWS, **body})
    assert started.status_code == 202, started.text
    place = started.headers["location"]
    eventually(lambda: running.client.get(place).json()["status"] in ("succeeded", "failed"))
    done: dict[str, Any] = running.client.get(place).json()
    assert done["status"] == "succeeded", done
    return done


def test_a_comparison_ends_in_a_summary_and_one_outcome_per_question_and_strategy(
    running: Running,
) -> None:
    running.prepare()
    running.engine.switches.pieces = ("You have ", "30 days", " [1].")
    done = compare(running)
    assert done["progress"]["fraction"] == 1.0
    assert done["summary"]["questions"] == 3
    lines = running.client.get(f"/compare/{done['id']}/outcomes").text.splitlines()
    outcomes = [json.loads(line) for line in lines]
    assert len(outcomes) == 3 * 5
    by_rag = {row["id"]: row for row in outcomes if row["strategy"] == "rag"}
    assert by_rag["fact"]["score"] == 1.0
    assert (by_rag["zebra"]["outcome"], by_rag["zebra"]["score"]) == ("abstained", 1.0)
    assert by_rag["fact"]["question"] == QUESTION
    assert by_rag["fact"]["prompt_tokens"] > 0
    assert by_rag["fact"]["facts"]["knowledge_present"]["value"] is True


def test_what_was_measured_is_a_fact_of_the_next_decision(running: Running) -> None:
    running.prepare()
    before = running.ask(use_case="demo", explain=True).json()["decision"]["facts"]
    assert "rag_score" not in before
    done = compare(running, strategies=["prompt_only", "rag"])
    measured = done["summary"]["strategies"]["rag"]

    def facts() -> dict[str, Any]:
        answered: dict[str, Any] = running.ask(use_case="demo", explain=True).json()
        return dict(answered["decision"]["facts"])

    eventually(lambda: "rag_score" in facts())
    now = facts()
    assert now["rag_score"]["provenance"] == "measured"
    assert now["rag_score"]["value"] == measured["score"]
    assert "rag_score_low" not in now  # three questions say nothing about chance
    assert now["rag_p95_ms"]["value"] == measured["latency_ms"]["p95"] > 0
    assert "hybrid_score" not in now  # not asked, so not known


def test_a_strategy_that_only_failed_is_not_measured(running: Running) -> None:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    running.put_document()
    running.put_use_case()  # no adapter, so fine_tuned is refused
    done = compare(running, strategies=["rag", "fine_tuned"])
    assert done["summary"]["strategies"]["fine_tuned"]["errors"] == 3
    eventually(
        lambda: (
            "rag_score" in running.ask(use_case="demo", explain=True).json()["decision"]["facts"]
        )
    )
    facts = running.ask(use_case="demo", explain=True).json()["decision"]["facts"]
    assert [name for name in facts if name.startswith("fine_tuned_")] == []


def test_a_finished_comparison_is_listed_and_read_by_its_own_id(running: Running) -> None:
    running.prepare()
    done = compare(running, strategies=["rag"])
    (listed,) = running.client.get("/compare", params={"use_case": "demo"}).json()["data"]
    assert listed["summary"] == done["summary"]
    assert running.client.get(f"/compare/{listed['id']}").json()["summary"] == done["summary"]
    outcomes = running.client.get(f"/compare/{listed['id']}/outcomes")
    assert outcomes.headers["content-type"] == "application/x-ndjson"
    assert outcomes.text == running.client.get(f"/compare/{done['id']}/outcomes").text
    assert running.client.get("/compare", params={"use_case": "other"}).json()["data"] == []


def test_the_policy_in_force_is_judged_on_a_comparison(running: Running) -> None:
    running.prepare()
    running.engine.switches.pieces = ("You have ", "30 days", " [1].")
    done = compare(running)
    regret = running.client.get(f"/compare/{done['id']}/regret").json()
    assert (regret["object"], regret["questions"]) == ("regret", 3)
    scores = done["summary"]["strategies"]
    assert regret["always_rag"]["score"] == scores["rag"]["score"]
    assert regret["auto"]["score"] == scores["auto"]["score"] == regret["router"]["score"]
    assert {rule["rule"] for rule in regret["rules"]} == {"chit_chat", "need_both"}
    (listed,) = running.client.get("/compare").json()["data"]
    assert running.client.get(f"/compare/{listed['id']}/regret").json() == regret


def test_regret_needs_more_than_one_strategy(running: Running) -> None:
    running.prepare()
    done = compare(running, strategies=["rag"])
    reply = running.client.get(f"/compare/{done['id']}/regret")
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == "invalid_outcomes"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"rows": []}, 400),
        ({"rows": [{"id": "a", "question": "?", "kind": "riddle"}]}, 400),
        ({"strategies": []}, 422),
        ({"strategies": ["magic"]}, 422),
        ({"use_case": "nobody"}, 404),
    ],
)
def test_a_comparison_that_cannot_be_run_is_refused_now(
    running: Running, body: dict[str, Any], status: int
) -> None:
    running.put_use_case()
    reply = running.client.post("/compare", json={"use_case": "demo", "rows": ROWS, **body})
    assert reply.status_code == status


@pytest.mark.parametrize(
    "place",
    ["/compare/job_x", "/compare/cmp_x", "/compare/cmp_x/outcomes", "/compare/cmp_x/regret"],
)
def test_an_unknown_comparison_is_404(running: Running, place: str) -> None:
    reply = running.client.get(place)
    assert reply.status_code == 404
    assert reply.json()["error"]["code"] == "compare_not_found"


def test_another_job_is_no_comparison(running: Running) -> None:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    running.put_document()
    (job,) = running.client.get("/jobs").json()["data"]
    assert running.client.get(f"/compare/{job['id']}").status_code == 404

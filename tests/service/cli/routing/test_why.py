"""`why` and `shadow`: what the gateway keeps, in words."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from router import Evidence, Facts, compare_with_shadow, decide, default_policy, settle
from service.cli import app
from tests.service.cli.conftest import CannedGateway, Run

FACTS = Facts.build(
    {"need": "both", "labelled_examples": 344, "citations_required": False},
    {
        "knowledge_present": True,
        "adapter_present": True,
        "adapter_servable": True,
        "adapter_context_trained": False,
    },
    {"asks_fact": True, "chitchat": False, "follow_up": True, "language": "zh"},
)


def body(**fields: Any) -> dict[str, Any]:
    """Return a trace as the gateway gives it."""
    policy = default_policy()
    decision = decide(FACTS, policy)
    settlement = settle(decision, Evidence(2, best_score=0.615), policy)
    trace = {**decision.as_dict(), "settlement": settlement.as_dict()}
    return {
        "id": "req_1",
        "object": "decision",
        "created_at": 1_790_000_000.0,
        "use_case": "demo",
        "outcome": "answered",
        "strategy": "rag",
        "model": "smollm2",
        "decision": trace,
        "observed": None,
        "usage": {},
        "timings_ms": {},
        "question": None,
        "answer": None,
        **fields,
    }


def lines(run: Run, gateway: CannedGateway, *words: str, **fields: Any) -> list[str]:
    gateway.answer("GET /decisions/req_1", body(**fields))
    result = run("why", "req_1", *words)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_why_says_rules_evidence_rejections_and_facts(run: Run, gateway: CannedGateway) -> None:
    said = lines(run, gateway)
    assert said[1].startswith("answered, by rag, on smollm2, policy default@")
    assert said[2] == "The question: asks for a fact, a follow-up, language zh"
    assert said[3].startswith("Chosen by rule need_both: facts and style are both needed")
    assert said[4] == '    need == "both" -> true (need = both)'
    text = "\n".join(said)
    assert "  hybrid_without_context_training [hard]: the adapter was not trained" in text
    assert "Rules that could not be decided:" in text
    assert "  adapter_gate_failed [hard], unknown adapter_gate_passed" in text
    assert "Not hybrid: the adapter was not trained" in text
    assert "Not prompt_only: facts and style are both needed" in text
    assert (
        "After retrieval: 2 passages above the relevance threshold, best relevance 0.61; "
        "answer: relevant passages were found (otherwise)" in text
    )
    assert "  labelled_examples = 344 rows (declared)" in said
    assert "  adapter_context_trained = false (measured)" in said
    assert "  asks_fact = true (request)" in said


def test_why_speaks_chinese(run: Run, gateway: CannedGateway) -> None:
    said = lines(run, gateway, "--lang", "zh")
    assert said[2] == "问题：询问事实，追问，语言 zh"
    assert said[3].startswith("由规则选定 need_both：既要事实又要风格")
    text = "\n".join(said)
    assert "检索之后：2 条段落达到相关性下限" in text
    assert "  labelled_examples = 344 rows (声明)" in said
    assert "未选 hybrid：适配器没有学过阅读检索段落" in text


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"chitchat": False}, "The question: of no clear kind"),
        ({"language": "en"}, "The question: of no clear kind, language en"),
        (
            {"question_class": "task", "question_class_confidence": 0.934, "format_asked": True},
            "The question: class a task (0.93), asks for a format or a rewrite",
        ),
        ({"question_class_confidence": 0.4}, "The question: the classifier is not sure (0.40)"),
    ],
)
def test_why_says_what_kind_of_question_it_was(
    run: Run, gateway: CannedGateway, facts: dict[str, Any], said: str
) -> None:
    stated = {n: {"value": value, "provenance": "request"} for n, value in facts.items()}
    trace = {**body()["decision"], "facts": stated}
    assert said in lines(run, gateway, decision=trace)


def test_why_shows_texts_fallback_and_the_shadow_policy(run: Run, gateway: CannedGateway) -> None:
    decision = decide(FACTS, default_policy())
    seen = compare_with_shadow(decision, None, default_policy()).as_dict()
    trace = {**body()["decision"], "fallback_from": "rag", "pilot": True}
    said = lines(
        run, gateway, decision=trace, observed=seen, question="How long?", answer="30 days."
    )
    assert "fell back from rag" in said
    assert any(line.startswith("a pilot") for line in said)
    assert any(line.startswith("The question “How long?”: asks for a fact") for line in said)
    assert "The answer: 30 days." in said
    version = default_policy().version
    assert (
        "The shadow policy would have chosen rag, not known without retrieval "
        f"(need_both, {version}) (no difference)" in said
    )


def test_why_tells_what_is_left_of_a_record_without_a_trace(
    run: Run, gateway: CannedGateway
) -> None:
    old = {"strategy": "rag", "rule": "need_knowledge", "policy_version": "default@0"}
    said = lines(run, gateway, decision=old)
    assert said[2:] == [
        "The question: nothing is recorded about it",
        "Chosen by rule need_knowledge",
    ]


def test_why_as_json_is_the_whole_trace(run: Run, gateway: CannedGateway) -> None:
    gateway.answer("GET /decisions/req_1", body())
    assert json.loads(run("why", "req_1", "--json").stdout) == json.loads(json.dumps(body()))


def test_why_of_an_unknown_request_fails_with_the_gateways_words(
    run: Run, gateway: CannedGateway
) -> None:
    gateway.refuse("GET /decisions/req_2", 404, "decision_not_found", "Records are kept 30 days.")
    result = run("why", "req_2", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "decision_not_found"


PAIR = {
    "strategy_now": "hybrid",
    "rule_now": "need_both",
    "course_now": "answer",
    "strategy_then": "rag",
    "rule_then": "limited_budget",
    "course_then": "abstain",
    "differs": True,
    "n": 3,
    "share": 0.75,
}
OBSERVATIONS = {
    "object": "list",
    "data": [
        {
            "policy_now": "default@1",
            "policy_then": "other@2",
            "since": 1_790_000_000.0,
            "until": 1_790_000_100.0,
            "requests": 4,
            "differ": 3,
            "share_differ": 0.75,
            "pairs": [PAIR],
        }
    ],
    "policy": "default@1",
    "observing": "other@2",
    "problem": None,
}


def test_shadow_prints_shares_and_pairs(run: Run, gateway: CannedGateway) -> None:
    gateway.answer("GET /observations", OBSERVATIONS)
    said = run("shadow").stdout
    assert "shadow policy other@2, in force default@1" in said
    assert "3 of 4 requests (75.0%) would differ" in said
    assert "hybrid by need_both" in said
    assert "rag by limited_budget, abstain" in said
    assert json.loads(run("shadow", "--json").stdout) == OBSERVATIONS


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"observing": None}, "[router] observe = FILE"),
        (
            {"observing": None, "problem": "other.yaml, line 3: bad"},
            "shadow policy refused: other.yaml",
        ),
    ],
)
def test_shadow_says_why_there_is_no_shadow_policy(
    run: Run, gateway: CannedGateway, fields: dict[str, Any], said: str
) -> None:
    gateway.answer("GET /observations", {**OBSERVATIONS, "data": [], **fields})
    assert said in run("shadow").stdout


def test_the_old_name_of_shadow_still_works_and_is_not_listed(
    run: Run, gateway: CannedGateway
) -> None:
    gateway.answer("GET /observations", OBSERVATIONS)
    assert json.loads(run("observe", "--json").stdout) == OBSERVATIONS
    listed = CliRunner().invoke(app, ["--help"]).stdout
    assert "shadow" in listed
    assert "observe" not in listed

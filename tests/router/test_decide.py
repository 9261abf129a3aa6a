"""Deciding is total: random facts and random policies never raise and never break a hard rule."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from router import (
    FACTS,
    Decision,
    Evidence,
    Facts,
    FactType,
    Policy,
    Provenance,
    Strategy,
    decide,
    default_policy,
    settle,
)
from router.policy.document import read_document, validate_policy
from router.policy.loading import compile_policy, parse_policy
from tests.repetition import times

BECAUSE = {"zh": "因", "en": "since"}
LEAVES = (
    "asks_fact",
    "chitchat == false",
    "labelled_examples > limit",
    "labelled_examples / question_chars > 1",
    "need == 'style' and asks_fact",
    "rag_score_low > hybrid_score_high",
    "need in ['knowledge', 'both']",
    "not (domain == 'legal' or follow_up)",
    "domain =~ '^l'",
    "labelled_examples < limit * 1.3",
    "rag_p95_ms <= max_latency_ms",
    "knowledge_changes_per_week != limit",
)
STRATEGIES = [strategy.value for strategy in Strategy]


def some_value(name: str) -> st.SearchStrategy[Any]:
    spec = FACTS[name]
    if spec.type is FactType.TRUTH:
        return st.booleans()
    if spec.maximum is not None:
        return st.floats(0, spec.maximum, allow_nan=False) | st.integers(0, int(spec.maximum))
    if spec.type is FactType.NUMBER:
        return st.integers(0, 10**6) | st.floats(0, 1, allow_nan=False) | st.sampled_from([0, 3])
    return st.sampled_from(spec.choices) if spec.choices else st.text(max_size=5)


@st.composite
def some_facts(draw: st.DrawFn) -> Facts:
    stated: dict[Provenance, dict[str, Any]] = {provenance: {} for provenance in Provenance}
    for name in draw(st.sets(st.sampled_from(sorted(FACTS)))):
        source = draw(st.sampled_from(sorted(FACTS[name].provenances)))
        stated[source][name] = draw(st.none() | some_value(name))
    return Facts.build(*stated.values())


CONDITION = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.dictionaries(
        st.sampled_from(["all", "any", "none"]),
        st.lists(inner, min_size=1, max_size=3),
        min_size=1,
        max_size=1,
    ),
    max_leaves=4,
)
NAMES = st.lists(st.sampled_from(STRATEGIES), min_size=1, unique=True)


@st.composite
def some_policy(draw: st.DrawFn) -> Policy:
    sections: dict[str, list[dict[str, Any]]] = {"hard": [], "evidence": [], "preference": []}
    for number in range(draw(st.integers(0, 8))):
        section = draw(st.sampled_from(sorted(sections)))
        rule: dict[str, Any] = {"id": f"rule_{number}", "when": draw(CONDITION)}
        rule["because"] = BECAUSE
        if draw(st.booleans()):
            rule["unless"] = draw(CONDITION)
        rule["forbid" if section == "hard" else "prefer"] = draw(NAMES)
        if section == "hard":
            rule["unknown"] = draw(st.sampled_from(["forbid", "allow"]))
            rule["asked"] = draw(st.sampled_from(["forbid", "allow"]))
        sections[section].append(rule)
    policy: dict[str, Any] = {
        "name": "random",
        "thresholds": {"limit": {"value": draw(st.integers(0, 5)), "source": "test"}},
        **sections,
        "fallback": {"prefer": draw(st.permutations(STRATEGIES)), "because": BECAUSE},
        "settle": {
            "rules": [
                {
                    "id": "settle_rule",
                    "outcome": draw(st.sampled_from(["abstain", "answer"])),
                    "or_prompt_only": draw(st.booleans()),
                    "when": draw(CONDITION | st.just("passages < limit")),
                    "because": BECAUSE,
                }
            ],
            "otherwise": BECAUSE,
            "without_retrieval": BECAUSE,
        },
    }
    if draw(st.booleans()):
        policy["pilot"] = {"id": "pilot_rule", "when": draw(CONDITION), "because": BECAUSE}
    # Deciding must be total even where a policy says what can never be, so that is not checked.
    document = read_document(json.dumps(policy), file="random")
    return compile_policy(validate_policy(document), document, version="random")


def check_is_lawful(decision: Decision, policy: Policy, asked: Strategy | None) -> None:
    """Judge the hard rules again from the findings alone."""
    verdicts = {finding.rule: finding.truth for finding in decision.findings}
    forbidden: set[Strategy] = set()
    for hard in policy.hard:
        truth = verdicts[hard.rule.stated.id]
        if truth or (truth is None and hard.forbids_unknown):
            spared = {asked} if not hard.binds_asked else set()
            forbidden |= set(hard.rule.stated.strategies) - spared
    if decision.conflict is None:
        assert decision.strategy not in forbidden
    else:
        assert decision.strategy in forbidden
        assert asked is not None or forbidden == set(Strategy)
    assert asked in (None, decision.strategy)


EVIDENCE = st.builds(
    Evidence,
    passages=st.integers(0, 9),
    best_score=st.none() | st.floats(-1, 1),
    degraded=st.booleans(),
)
ASKED = st.none() | st.sampled_from(Strategy)
# Compiling a policy takes milliseconds, so random policies are fewer than random facts.
SLOW = settings(
    max_examples=times(40, 800), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def check(facts: Facts, policy: Policy, asked: Strategy | None, evidence: Evidence) -> None:
    """Decide and settle in every way; hold the outcome against the hard rules."""
    decision = decide(facts, policy, asked=asked)
    check_is_lawful(decision, policy, asked)
    for allow in (False, True):
        settlement = settle(decision, evidence, policy, allow_prompt_only=allow)
        if settlement.outcome == "prompt_only":
            assert allow
            assert not decision.forbids(Strategy.PROMPT_ONLY)
        json.dumps([decision.as_dict(), settlement.as_dict()])
    assert decide(facts, policy, asked=asked) == decision


@SLOW
@given(some_facts(), some_policy(), ASKED, EVIDENCE)
def test_no_policy_makes_deciding_raise_or_break_a_hard_rule(
    facts: Facts, policy: Policy, asked: Strategy | None, evidence: Evidence
) -> None:
    check(facts, policy, asked, evidence)


@settings(max_examples=times(60, 1_200), deadline=None)
@given(some_facts(), ASKED, EVIDENCE)
def test_no_facts_make_the_default_policy_raise_or_break_a_hard_rule(
    facts: Facts, asked: Strategy | None, evidence: Evidence
) -> None:
    check(facts, default_policy(), asked, evidence)


def rule(section: str, **fields: Any) -> dict[str, Any]:
    return {section: [{"id": "only", "because": BECAUSE, **fields}]}


def small_policy(**sections: Any) -> Policy:
    policy = {
        "name": "small",
        "fallback": {"prefer": ["rag", "prompt_only", "fine_tuned", "hybrid"], "because": BECAUSE},
        "settle": {"otherwise": BECAUSE, "without_retrieval": BECAUSE},
        **sections,
    }
    return parse_policy(json.dumps(policy), file="small")


@pytest.mark.parametrize(
    ("tree", "known", "verdict"),
    [
        ({"all": ["asks_fact", "chitchat"]}, {"asks_fact": True}, "unknown"),
        ({"all": ["asks_fact", "chitchat"]}, {"asks_fact": False}, "false"),
        ({"all": ["asks_fact", "chitchat"]}, {"chitchat": False}, "false"),
        ({"all": ["asks_fact"]}, {"asks_fact": True}, "true"),
        ({"any": ["asks_fact", "chitchat"]}, {"asks_fact": True}, "true"),
        ({"any": ["asks_fact", "chitchat"]}, {"chitchat": True}, "true"),
        ({"any": ["asks_fact", "chitchat"]}, {"asks_fact": False}, "unknown"),
        ({"any": ["asks_fact"]}, {"asks_fact": False}, "false"),
        ({"none": ["asks_fact", "chitchat"]}, {"asks_fact": True}, "false"),
        ({"none": ["asks_fact", "chitchat"]}, {"asks_fact": False}, "unknown"),
        ({"none": ["asks_fact"]}, {"asks_fact": False}, "true"),
    ],
)
def test_trees_follow_kleene(tree: Any, known: dict[str, bool], verdict: str) -> None:
    policy = small_policy(**rule("preference", prefer="rag", when=tree))
    finding = decide(Facts.build(request=known), policy).findings[0]
    assert finding.verdict == verdict
    unknown = {"asks_fact", "chitchat"} - set(known) if verdict == "unknown" else set()
    assert set(finding.unknown_facts) == unknown


@pytest.mark.parametrize(
    ("known", "verdict"),
    [
        ({"asks_fact": True}, "true"),
        ({"asks_fact": True, "chitchat": False}, "true"),
        ({"asks_fact": True, "chitchat": True}, "false"),
        ({"chitchat": True}, "false"),
        ({}, "unknown"),
        ({"asks_fact": False}, "false"),
    ],
)
def test_unless_makes_a_rule_false_and_unknown_does_not(
    known: dict[str, bool], verdict: str
) -> None:
    policy = small_policy(
        **rule("preference", prefer="hybrid", when="asks_fact", unless="chitchat")
    )
    decision = decide(Facts.build(request=known), policy)
    assert decision.findings[0].verdict == verdict
    assert decision.strategy == ("hybrid" if verdict == "true" else "rag")
    if verdict == "unknown":
        assert decision.findings[0].unknown_facts == ("asks_fact",)


@pytest.mark.parametrize(("unknown", "eligible"), [("forbid", False), ("allow", True)])
def test_a_hard_rule_says_what_unknown_means(unknown: str, eligible: bool) -> None:
    policy = small_policy(**rule("hard", forbid=["rag"], when="chitchat", unknown=unknown))
    decision = decide(Facts.build(), policy)
    assert decision.forbids(Strategy.RAG) is not eligible
    assert decision.strategy == ("rag" if eligible else "prompt_only")
    if not eligible:
        assert decision.rejected[0].unknown_facts == ("chitchat",)


def test_the_first_eligible_of_a_list_is_preferred() -> None:
    policy = small_policy(
        **rule("hard", forbid=["hybrid"], when="chitchat", unknown="allow"),
        preference=[
            {"id": "a", "prefer": "hybrid", "when": "asks_fact", "because": BECAUSE},
            {
                "id": "b",
                "prefer": ["hybrid", "fine_tuned"],
                "when": "asks_fact",
                "because": BECAUSE,
            },
            {"id": "c", "prefer": "prompt_only", "when": "asks_fact", "because": BECAUSE},
        ],
    )
    facts = Facts.build(request={"asks_fact": True, "chitchat": True})
    decision = decide(facts, policy)
    assert (decision.strategy, decision.rule) == ("fine_tuned", "b")


def test_evidence_comes_before_preference() -> None:
    policy = small_policy(
        preference=[{"id": "a", "prefer": "rag", "when": "asks_fact", "because": BECAUSE}],
        evidence=[{"id": "b", "prefer": "hybrid", "when": "asks_fact", "because": BECAUSE}],
    )
    assert decide(Facts.build(request={"asks_fact": True}), policy).rule == "b"


DECLINE = {"id": "outside", "when": 'errand == "food"', "because": BECAUSE}


def test_a_request_outside_the_use_case_is_declined_whatever_is_found() -> None:
    policy = small_policy(decline=[DECLINE])
    decision = decide(Facts.build(request={"errand": "food"}), policy)
    assert decision.declines
    assert decision.as_dict()["declined_by"] == "outside"
    settled = settle(decision, Evidence(passages=9, best_score=0.9), policy, allow_prompt_only=True)
    assert (settled.outcome, settled.reason) == ("abstain", "out_of_scope")
    assert settled.finding.rule == "outside"


@pytest.mark.parametrize(
    ("errand", "asked"), [("none", None), (None, None), ("food", Strategy.PROMPT_ONLY)]
)
def test_it_is_not_declined_where_the_rule_is_not_true_or_a_strategy_is_named(
    errand: str | None, asked: Strategy | None
) -> None:
    decision = decide(
        Facts.build(request={"errand": errand}), small_policy(decline=[DECLINE]), asked=asked
    )
    assert not decision.declines
    assert "declined_by" not in decision.as_dict()
    assert "outside" in {finding.rule for finding in decision.findings}


def test_a_conflict_comes_before_a_refusal() -> None:
    closed = {"id": "closed", "forbid": STRATEGIES, "unknown": "allow", "when": "chitchat"}
    policy = small_policy(decline=[DECLINE], hard=[{**closed, "because": BECAUSE}])
    decision = decide(Facts.build(request={"errand": "food", "chitchat": True}), policy)
    assert decision.conflict is not None
    assert not decision.declines


@pytest.mark.parametrize(
    ("stated", "degraded", "reason"),
    [
        ("out_of_scope", False, "out_of_scope"),
        (None, True, "degraded"),
        (None, False, "nothing_relevant"),
    ],
)
def test_an_abstention_says_why(stated: str | None, degraded: bool, reason: str) -> None:
    rule = {"id": "none", "outcome": "abstain", "when": "passages < 1", "because": BECAUSE}
    settling = {"rules": [rule], "otherwise": BECAUSE, "without_retrieval": BECAUSE}
    if stated is not None:
        rule["reason"] = stated
    policy = small_policy(settle=settling)
    decision = decide(Facts.build(), policy)
    assert settle(decision, Evidence(0, degraded=degraded), policy).reason == reason
    assert settle(decision, Evidence(1), policy).reason is None


def test_a_decision_in_plain_content_shows_the_values_each_leaf_read() -> None:
    facts = Facts.build({"need": "both", "labelled_examples": 300}, {"knowledge_present": True})
    plain: dict[str, Any] = decide(facts, default_policy()).as_dict()
    (finding,) = [f for f in plain["findings"] if f["rule"] == "too_few_examples_for_fine_tuned"]
    assert finding["leaves"][0]["values"] == {
        "labelled_examples": 300,
        "min_labelled_examples": 2000,
    }
    assert finding["because"]["zh"]
    assert finding["unknown_facts"] == []
    short: dict[str, Any] = decide(facts, default_policy()).as_dict(with_leaves=False)
    assert all("leaves" not in finding for finding in short["findings"])
    assert set(plain) == {
        *("strategy", "rule", "findings", "rejected", "facts", "policy_version"),
        *("conflict", "pilot", "because"),
    }


def test_importing_the_router_is_light() -> None:
    probe = (
        "import router, sys; from router.advice.catalogue import load_catalogue\n"
        "print('rule_engine' in sys.modules, load_catalogue.cache_info().currsize)\n"
        "router.default_policy()\n"
        "print([m for m in ('torch', 'numpy', 'chromadb', 'fastapi') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:2] == ["False 0", "[]"]

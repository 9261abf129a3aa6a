"""A use case's own thresholds: applied, shown, and never a way round a hard rule."""

from __future__ import annotations

from typing import Any

import pytest

from router import Evidence, Facts, Policy, Strategy, ThresholdRefused, decide, settle
from router.policy.loading import parse_policy

POLICY = """\
name: small
thresholds:
  limit: {value: 3, source: test, unit: rows}
  guard: {value: 1, source: test}
  factor: {value: 1.5, source: test}
  field: {value: knowledge, source: test}
  wanted: {value: true, source: test}
  enough: {value: 2, source: test}
hard:
- id: guarded
  forbid: [hybrid]
  unknown: allow
  when: asks_fact
  unless: knowledge_changes_per_week < guard
  because: {zh: 因, en: since}
preference:
- {id: many, prefer: hybrid, when: labelled_examples > limit * factor, because: {zh: 因, en: since}}
- id: home
  prefer: rag
  when: need == field and chitchat == wanted
  because: {zh: 因, en: since}
fallback:
  prefer: [prompt_only, rag, fine_tuned, hybrid]
  because: {zh: 因, en: since}
settle:
  rules:
  - {id: few, outcome: abstain, when: passages < enough, because: {zh: 因, en: since}}
  otherwise: {zh: 因, en: since}
  without_retrieval: {zh: 因, en: since}
"""
FACTS = Facts.build({"labelled_examples": 5, "need": "style"}, {}, {"chitchat": True})


@pytest.fixture(scope="module")
def policy() -> Policy:
    return parse_policy(POLICY, file="p.yaml")


@pytest.mark.parametrize(
    ("declared", "strategy"),
    [
        ({}, "hybrid"),
        ({"limit": 4}, "prompt_only"),
        ({"limit": -1}, "hybrid"),  # the rule always holds then, which is allowed
        ({"limit": 4, "factor": 1}, "hybrid"),
        ({"factor": 2, "field": "style"}, "rag"),
        ({"factor": 2, "field": "style", "wanted": False}, "prompt_only"),
    ],
)
def test_a_use_cases_threshold_takes_the_place_of_the_policys(
    policy: Policy, declared: dict[str, Any], strategy: str
) -> None:
    variant = policy.with_thresholds(declared)
    assert decide(FACTS, variant).strategy == strategy
    assert decide(FACTS, policy).strategy == "hybrid"
    assert variant.version == policy.version


def test_settling_reads_the_declared_threshold_too(policy: Policy) -> None:
    decision = decide(FACTS, policy, asked=Strategy.RAG)
    assert settle(decision, Evidence(passages=2), policy).outcome == "answer"
    assert settle(decision, Evidence(2), policy.with_thresholds({"enough": 3})).outcome == "abstain"


def test_the_trace_says_what_was_declared_in_place_of_what(policy: Policy) -> None:
    plain: dict[str, Any] = decide(FACTS, policy.with_thresholds({"limit": 4})).as_dict()
    assert plain["thresholds"] == {
        "limit": {"value": 4, "provenance": "declared", "policy_value": 3}
    }
    (finding,) = [f for f in plain["findings"] if f["rule"] == "many"]
    assert finding["leaves"][0]["values"] == {"labelled_examples": 5, "limit": 4, "factor": 1.5}
    assert "thresholds" not in decide(FACTS, policy).as_dict()


def test_one_set_of_thresholds_is_compiled_once(policy: Policy) -> None:
    assert policy.with_thresholds({}) is policy
    one = policy.with_thresholds({"limit": 7, "factor": 2})
    assert policy.with_thresholds({"factor": 2, "limit": 7}) is one
    assert one.leaves[0] is policy.leaves[0]  # only what names a threshold is compiled again


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"guard": 9}, "hard rules use it (guarded)"),
        ({"limmit": 9}, "did you mean limit?"),
        ({"zzz": 9}, "it has limit, guard"),
        ({"limit": "many"}, "must be a finite number, not 'many'"),
        ({"limit": True}, "must be a finite number"),
        ({"limit": float("inf")}, "must be a finite number"),
        ({"limit": None}, "must be a finite number"),
        ({"limit": [1]}, "must be a finite number"),
        ({"wanted": 1}, "must be true or false"),
        ({"field": 1}, "must be a text"),
        ({"enough": 0}, "with enough = 0, settle.rules[0].when can never be true"),
        ({"field": "styl"}, "field = styl: 'need == field and chitchat == wanted': need is one of"),
    ],
)
def test_what_is_not_a_use_cases_to_set_is_refused(
    policy: Policy, declared: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ThresholdRefused) as caught:
        policy.with_thresholds(declared)
    assert reason in str(caught.value)

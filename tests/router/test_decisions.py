"""The default policy, row by row: facts in, decision out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from router import (
    Decision,
    Evidence,
    Facts,
    Strategy,
    decide,
    default_policy,
    settle,
)

CASES: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "cases" / "decisions.yaml").read_text(encoding="utf-8")
)
ROWS: list[dict[str, Any]] = CASES["rows"]
SETTLEMENTS: list[dict[str, Any]] = CASES["settlements"]


def decide_row(row: Mapping[str, Any]) -> Decision:
    facts = Facts.build(row.get("declared"), row.get("measured"), row.get("request"))
    asked = Strategy(row["asked"]) if "asked" in row else None
    return decide(facts, default_policy(), asked=asked)


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_decision_is_the_expected_one(row: Mapping[str, Any]) -> None:
    decision = decide_row(row)
    conflict = decision.conflict and decision.conflict.rule
    verdicts = {finding.rule: finding.verdict for finding in decision.findings}
    expected: Mapping[str, str] = row.get("findings", {})

    assert (decision.strategy, decision.rule) == (row["strategy"], row["rule"])
    assert conflict == row.get("conflict")
    assert {rule: verdicts[rule] for rule in expected} == expected
    for strategy, rules in row.get("rejected", {}).items():
        assert [r.rule for r in decision.rejected if r.strategy == strategy] == rules
    if "pilot" in row:
        assert decision.pilot is row["pilot"]


@pytest.mark.parametrize("verdict", ["true", "false"])
def test_every_rule_is_expected_both_ways(verdict: str) -> None:
    expected = {rule for row in ROWS for rule, v in row.get("findings", {}).items() if v == verdict}
    policy = default_policy()
    compiled = [hard.rule for hard in policy.hard] + [*policy.evidence, *policy.preference]
    ids = {rule.stated.id for rule in compiled} | {"pilot_adapter", "fallback"}
    assert ids - expected == set()


def test_rows_have_different_names() -> None:
    ids = [row["id"] for row in ROWS + SETTLEMENTS]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_decision_gives_every_rules_finding_and_a_reason_against_every_other_strategy(
    row: Mapping[str, Any],
) -> None:
    decision = decide_row(row)
    policy = default_policy()
    rules = len(policy.hard) + len(policy.evidence) + len(policy.preference)
    assert len(decision.findings) == rules + 2 + ("asked" in row)
    against = {rejection.strategy for rejection in decision.rejected}
    if decision.conflict is None:
        assert against == set(Strategy) - {decision.strategy}
        assert not decision.forbids(decision.strategy)
    else:
        assert decision.strategy in against
        assert decision.forbids(decision.strategy)


@pytest.mark.parametrize("row", SETTLEMENTS, ids=[row["id"] for row in SETTLEMENTS])
def test_settlement_is_the_expected_one(row: Mapping[str, Any]) -> None:
    facts = Facts.build(
        {"citations_required": row.get("citations_required")},
        {
            "adapter_present": True,
            "adapter_servable": True,
            "adapter_context_trained": True,
            "knowledge_present": True,
        },
    )
    decision = decide(facts, default_policy(), asked=Strategy(row["strategy"]))
    settlement = settle(
        decision,
        Evidence(**row["evidence"]),
        default_policy(),
        allow_prompt_only=row.get("allow_prompt_only", False),
    )
    assert (settlement.outcome, settlement.finding.rule) == (row["outcome"], row["rule"])

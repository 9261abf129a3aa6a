"""The default policy, row by row: facts in, decision out."""

from __future__ import annotations

import pytest

from router import (
    DEFAULT_POLICY_FILE,
    Cases,
    Strategy,
    cases_file_of,
    check_cases,
    decide,
    default_policy,
    find_unexpected,
    load_cases,
)

CASES = load_cases(cases_file_of(DEFAULT_POLICY_FILE))
ROWS = {row.id: row for row in CASES.rows}


@pytest.mark.parametrize("name", [*ROWS, *(row.id for row in CASES.settlements)])
def test_decision_is_the_expected_one(name: str) -> None:
    rows = tuple(row for row in CASES.rows if row.id == name)
    settlements = tuple(row for row in CASES.settlements if row.id == name)
    assert check_cases(Cases(rows=rows, settlements=settlements), default_policy()) == []


def test_every_rule_is_expected_both_ways() -> None:
    assert find_unexpected(CASES, default_policy()) == {"true": [], "false": []}
    pilots = [row.findings.get("pilot_adapter") for row in CASES.rows]
    assert {"true", "false"} <= set(pilots)
    assert {row.findings.get("fallback") for row in CASES.rows} >= {"true", "false"}


@pytest.mark.parametrize("name", ROWS)
def test_decision_gives_every_rules_finding_and_a_reason_against_every_other_strategy(
    name: str,
) -> None:
    row, policy = ROWS[name], default_policy()
    decision = decide(row.facts(), policy.with_thresholds(row.thresholds), asked=row.asked)
    rules = len(policy.hard) + len(policy.decline) + len(policy.evidence)
    rules += len(policy.preference)
    assert len(decision.findings) == rules + 2 + (row.asked is not None)
    against = {rejection.strategy for rejection in decision.rejected}
    if decision.conflict is None:
        assert against == set(Strategy) - {decision.strategy}
        assert not decision.forbids(decision.strategy)
    else:
        assert decision.strategy in against
        assert decision.forbids(decision.strategy)

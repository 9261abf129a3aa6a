"""What another policy would have done: compared with what was done, never applied."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from router import (
    Evidence,
    Facts,
    Policy,
    Settlement,
    ShadowComparison,
    Strategy,
    compare_with_shadow,
    decide,
    settle,
)
from tests.router.test_decide import (
    ASKED,
    BECAUSE,
    EVIDENCE,
    SLOW,
    small_policy,
    some_facts,
    some_policy,
)

KNOWN = Facts.build(request={"asks_fact": True})


def preferring(strategy: str, rule: str = "a", **sections: Any) -> Policy:
    wish = {"id": rule, "prefer": strategy, "when": "asks_fact", "because": BECAUSE}
    return small_policy(preference=[wish], **sections)


def seen(
    now: Policy,
    then: Policy,
    evidence: Evidence | None = None,
    *,
    asked: Strategy | None = None,
    allow: bool = False,
) -> ShadowComparison:
    decision = decide(KNOWN, now, asked=asked)
    settlement: Settlement | None = None
    if evidence is not None:
        settlement = settle(decision, evidence, now, allow_prompt_only=allow)
    return compare_with_shadow(decision, settlement, then, allow_prompt_only=allow)


def test_the_same_choice_by_another_rule_is_no_difference() -> None:
    found = seen(preferring("rag"), preferring("rag", "b"), Evidence(2))
    assert not found.differs
    assert (found.now.rule, found.then.rule) == ("a", "b")
    assert (found.now.course, found.then.course) == ("answer", "answer")


def test_another_strategy_is_a_difference() -> None:
    found = seen(preferring("rag"), preferring("prompt_only"), Evidence(2))
    assert found.differs
    assert found.as_dict() == {
        "differs": True,
        "now": {
            "policy_version": found.now.policy_version,
            "strategy": "rag",
            "rule": "a",
            "course": "answer",
        },
        "then": {
            "policy_version": found.then.policy_version,
            "strategy": "prompt_only",
            "rule": "a",
            "course": "answer",
        },
    }


SETTLE = {
    "otherwise": BECAUSE,
    "without_retrieval": BECAUSE,
    "rules": [
        {
            "id": "few",
            "outcome": "abstain",
            "or_prompt_only": True,
            "when": "passages < 3",
            "because": BECAUSE,
        }
    ],
}


@pytest.mark.parametrize(("allow", "course"), [(False, "abstain"), (True, "prompt_only")])
def test_the_observed_policy_weighs_the_same_passages_itself(allow: bool, course: str) -> None:
    found = seen(preferring("rag"), preferring("rag", settle=SETTLE), Evidence(2), allow=allow)
    assert (found.now.course, found.then.course) == ("answer", course)
    assert found.differs


def test_what_it_would_have_found_is_not_known_where_nothing_was_retrieved() -> None:
    found = seen(preferring("prompt_only"), preferring("rag"))
    assert (found.then.course, found.differs) == ("not_known", True)


def test_a_policy_under_which_nothing_may_run_would_refuse() -> None:
    forbid = {"id": "no", "forbid": ["rag"], "when": "asks_fact", "unknown": "allow"}
    strict = small_policy(hard=[{**forbid, "because": BECAUSE}])
    found = seen(preferring("rag"), strict, Evidence(2), asked=Strategy.RAG)
    assert (found.then.strategy, found.then.rule, found.then.course) == ("rag", "no", "refused")
    assert found.differs


def test_a_strategy_that_the_caller_named_is_named_again() -> None:
    found = seen(preferring("rag"), preferring("hybrid"), asked=Strategy.PROMPT_ONLY)
    assert (found.then.strategy, found.then.rule) == ("prompt_only", "asked")
    assert not found.differs


@SLOW
@given(some_facts(), some_policy(), some_policy(), ASKED, EVIDENCE)
def test_observing_never_raises(
    facts: Facts, now: Policy, then: Policy, asked: Strategy | None, evidence: Evidence
) -> None:
    decision = decide(facts, now, asked=asked)
    for settlement in (None, settle(decision, evidence, now)):
        assert compare_with_shadow(decision, settlement, then).now.strategy is decision.strategy
    assert (
        not compare_with_shadow(decision, settle(decision, evidence, now), now).differs
        or decision.conflict
    )

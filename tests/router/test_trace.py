"""A trace shows every node with its value, and a decision in brief shows none."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from router import Evidence, Facts, Finding, Policy, Verdict, decide, default_policy, settle
from tests.router.test_decide import BECAUSE, SLOW, rule, small_policy, some_facts, some_policy


def verdict_of(node: Any, finding: Finding) -> Verdict:
    verdict: Verdict = finding.leaves[node].verdict if isinstance(node, int) else node["verdict"]
    return verdict


def judged(finding: Finding) -> Verdict:
    """Return what the trees of a rule say about the rule."""
    nodes = finding.nodes()
    held_back = "unless" in nodes and verdict_of(nodes["unless"], finding) == "true"
    return "false" if held_back else verdict_of(nodes["when"], finding)


@SLOW
@given(some_facts(), some_policy())
def test_the_nodes_say_what_the_rule_was_found_to_be(facts: Facts, policy: Policy) -> None:
    for finding in decide(facts, policy).findings:
        if finding.stated.when is not None:
            assert judged(finding) == finding.verdict


def test_every_node_of_a_tree_has_its_verdict_and_a_leaf_its_number() -> None:
    tree = {"all": ["follow_up", {"any": ["asks_fact", {"none": ["chitchat", "follow_up"]}]}]}
    policy = small_policy(
        **rule("preference", prefer="rag", when=tree, unless="need == 'style'"),
    )
    facts = Facts.build(request={"asks_fact": False, "follow_up": True})
    finding = decide(facts, policy).findings[0].as_dict(facts.values)
    none = {"verdict": "false", "none": [2, 3]}
    assert finding["when"] == {
        "verdict": "false",
        "all": [0, {"verdict": "false", "any": [1, none]}],
    }
    assert finding["unless"] == 4
    leaves: Any = finding["leaves"]
    assert [leaf["verdict"] for leaf in leaves] == ["true", "false", "unknown", "true", "unknown"]
    assert [leaf["expression"] for leaf in leaves][4] == "need == 'style'"


def test_in_brief_a_finding_is_rule_kind_verdict_and_what_is_missing() -> None:
    policy = small_policy(
        preference=[
            {"id": "a", "prefer": "rag", "when": "asks_fact", "because": BECAUSE},
            {"id": "b", "prefer": "rag", "when": "chitchat", "because": BECAUSE},
        ]
    )
    plain = decide(Facts.build(request={"chitchat": True}), policy).as_dict(with_leaves=False)
    assert plain["findings"] == [
        {"rule": "a", "kind": "preference", "verdict": "unknown", "unknown_facts": ["asks_fact"]},
        {"rule": "b", "kind": "preference", "verdict": "true"},
        {"rule": "fallback", "kind": "fallback", "verdict": "false"},
    ]
    assert (plain["rule"], plain["because"]) == ("b", BECAUSE)


def test_a_decision_in_brief_is_less_than_half_of_its_trace() -> None:
    decision = decide(Facts.build({"need": "both"}), default_policy())
    brief, whole = (len(json.dumps(decision.as_dict(with_leaves=w))) for w in (False, True))
    assert brief < whole / 2


def test_a_settlement_in_brief_has_no_leaves() -> None:
    facts = Facts.build({"need": "knowledge"}, {"knowledge_present": True})
    settlement = settle(decide(facts, default_policy()), Evidence(0), default_policy())
    finding: Any = settlement.as_dict(with_leaves=False)["finding"]
    assert (finding["rule"], "leaves" in finding) == ("nothing_relevant", False)
    whole: Any = settlement.as_dict()["finding"]
    assert whole["when"] == 0
    assert whole["leaves"][0]["values"] == {"passages": 0, "min_passages": 1}

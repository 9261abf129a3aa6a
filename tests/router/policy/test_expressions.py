"""A leaf lowered to plain Python agrees with rule-engine, and unknown facts make it unknown."""

from __future__ import annotations

from typing import Any

import pytest
import rule_engine  # type: ignore[import-untyped]  # ships no types
from hypothesis import given
from hypothesis import strategies as st

from router.facts import FACTS, FactValue
from router.policy.expressions import LeafCompiler

THRESHOLDS: dict[str, FactValue] = {"limit": 5, "factor": 1.3, "field": "legal", "on": True}
COMPILER = LeafCompiler(FACTS, THRESHOLDS)
LEAVES = {
    expression: COMPILER.compile(expression)
    for expression in (
        "asks_fact",
        "not asks_fact",
        "asks_fact == on",
        "asks_fact and chitchat",
        "asks_fact or not chitchat",
        "labelled_examples > limit",
        "labelled_examples >= 5",
        "limit < labelled_examples",
        "labelled_examples == question_chars",
        "labelled_examples != 2.5",
        "labelled_examples <= question_chars and not (domain == field)",
        "labelled_examples < limit * factor",
        'domain in ["finance", "legal"]',
        "domain in [field]",
        "not (labelled_examples in [1, 2.5, 3])",
        # left to the engine
        "labelled_examples + question_chars > limit",
        "not (labelled_examples + question_chars > limit)",
        "asks_fact and labelled_examples + 1 > limit",
        "labelled_examples + 1 in [1, 2]",
        "labelled_examples / question_chars > 1",
        'domain =~ "^l"',
        'domain in "legal and finance"',
        '"eg" in domain',
        "domain.length > 4",
        "labelled_examples in [question_chars, 3]",
        "asks_fact ? chitchat : on",
        "[x for x in [1, 2] if x > labelled_examples].length > 0",
    )
}
VALUES = st.fixed_dictionaries(
    {
        "asks_fact": st.booleans(),
        "chitchat": st.booleans(),
        "labelled_examples": st.sampled_from([0, 1, 2.5, 3, 5, 6, 6.5, 7, 10**20]),
        "question_chars": st.sampled_from([0, 1, 2.5, 5, 7]),
        "domain": st.sampled_from(["legal", "finance", "retail", ""]),
    }
)


@given(VALUES)
def test_a_leaf_agrees_with_the_engine(values: dict[str, Any]) -> None:
    types = {**THRESHOLDS, **values}
    context = rule_engine.Context(type_resolver=types)
    for expression, leaf in LEAVES.items():
        if "/ question_chars" in expression and values["question_chars"] == 0:
            expected = None
        else:
            expected = rule_engine.Rule(expression, context=context).matches(types)
        assert leaf.evaluate(values).truth is expected, expression


@given(VALUES, st.sets(st.sampled_from(["asks_fact", "chitchat", "labelled_examples", "domain"])))
def test_a_leaf_that_names_an_unknown_fact_is_unknown(
    values: dict[str, Any], hidden: set[str]
) -> None:
    known = {name: value for name, value in values.items() if name not in hidden}
    for leaf in LEAVES.values():
        finding = leaf.evaluate(known)
        missing = hidden & set(leaf.facts)
        if missing:
            assert finding.truth is None
            assert set(finding.unknown_facts) == missing


def test_a_leaf_the_engine_cannot_evaluate_is_unknown() -> None:
    finding = LEAVES["labelled_examples / question_chars > 1"].evaluate(
        {"labelled_examples": 1, "question_chars": 0}
    )
    assert finding.verdict == "unknown"
    assert finding.unknown_facts == ("labelled_examples", "question_chars")


def test_a_finding_shows_facts_and_thresholds() -> None:
    finding = LEAVES["labelled_examples > limit"].evaluate({"labelled_examples": 7})
    assert finding.as_dict({"labelled_examples": 7}) == {
        "expression": "labelled_examples > limit",
        "verdict": "true",
        "values": {"labelled_examples": 7, "limit": 5},
    }


@pytest.mark.parametrize("number", [6, 6.4, 6.5, 7])
def test_thresholds_are_computed_once(number: float) -> None:
    leaf = LEAVES["labelled_examples < limit * factor"]
    assert leaf.evaluate({"labelled_examples": number}).truth is (number < 6.5)

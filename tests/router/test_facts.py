"""Facts: names, types and sources are checked once, when they are built."""

from __future__ import annotations

import math
from typing import Any

import pytest

from router import (
    FACTS,
    FactProvenanceMismatch,
    Facts,
    FactTypeMismatch,
    Provenance,
    RouterConfig,
    RouterError,
    UnknownFact,
)


def test_measured_outranks_declared() -> None:
    facts = Facts.build({"knowledge_changes_per_week": 0}, {"knowledge_changes_per_week": 4})
    assert facts.get("knowledge_changes_per_week") == 4
    assert facts.provenances["knowledge_changes_per_week"] is Provenance.MEASURED


def test_none_is_unknown_and_left_out() -> None:
    facts = Facts.build({"need": None}, {"knowledge_changes_per_week": None}, None)
    assert len(facts) == 0
    assert "need" not in facts
    assert facts.get("need") is None


def test_a_measured_none_leaves_the_declaration() -> None:
    facts = Facts.build({"knowledge_changes_per_week": 2}, {"knowledge_changes_per_week": None})
    assert facts.get("knowledge_changes_per_week") == 2


def test_unknown_name_is_refused_even_without_a_value() -> None:
    with pytest.raises(UnknownFact, match="'nead'"):
        Facts.build({"nead": None})


def test_a_source_may_only_state_its_own_facts() -> None:
    with pytest.raises(FactProvenanceMismatch, match="may be request, not declared"):
        Facts.build({"chitchat": True})


@pytest.mark.parametrize(
    ("name", "value", "expectation"),
    [
        ("citations_required", 1, "true or false"),
        ("citations_required", "true", "true or false"),
        ("labelled_examples", "many", "a number from 0 up"),
        ("labelled_examples", True, "a number from 0 up"),
        ("labelled_examples", -1, "a number from 0 up"),
        ("labelled_examples", math.nan, "a number from 0 up"),
        ("labelled_examples", math.inf, "a number from 0 up"),
        ("need", "facts", "one of knowledge | style | both"),
        ("need", 3, "one of knowledge | style | both"),
        ("domain", 3, "a text"),
        ("labelled_examples", [1], "a number from 0 up"),
    ],
)
def test_wrong_value_is_refused_with_what_would_be_right(
    name: str, value: Any, expectation: str
) -> None:
    with pytest.raises(FactTypeMismatch) as caught:
        Facts.build({name: value})
    assert expectation in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "expectation"),
    [
        ("rag_score", 1.7, "a number from 0 to 1"),
        ("rag_score", -0.1, "a number from 0 to 1"),
        ("hybrid_score", math.inf, "a number from 0 to 1"),
        ("hybrid_score_high", 62, "a number from 0 to 2"),
        ("prompt_only_score_low", 1.01, "a finite number up to 1"),
    ],
)
def test_a_score_is_zero_to_one(name: str, value: float, expectation: str) -> None:
    assert Facts.build(measured={name: 1}).get(name) == 1
    with pytest.raises(FactTypeMismatch, match=expectation):
        Facts.build(measured={name: value})


def test_an_interval_may_reach_below_zero() -> None:
    assert Facts.build(measured={"rag_score_low": -0.02}).get("rag_score_low") == -0.02
    with pytest.raises(FactTypeMismatch, match="a finite number"):
        Facts.build(measured={"rag_score_low": math.nan})


def test_as_dict_shows_value_source_and_unit() -> None:
    facts = Facts.build({"need": "both", "labelled_examples": 300})
    assert facts.as_dict() == {
        "need": {"value": "both", "provenance": "declared"},
        "labelled_examples": {"value": 300, "provenance": "declared", "unit": "rows"},
    }


def test_iterating_gives_whole_facts() -> None:
    (fact,) = Facts.build({"latency_budget_ms": 2.5})
    assert (fact.name, fact.value, fact.unit) == ("latency_budget_ms", 2.5, "ms")


def test_every_fact_says_what_it_claims() -> None:
    for name, spec in FACTS.items():
        assert spec.name == name
        assert spec.doc.endswith(".")
        assert spec.provenances


def test_errors_share_a_root_and_carry_a_code() -> None:
    for error in (UnknownFact, FactTypeMismatch, FactProvenanceMismatch):
        assert issubclass(error, RouterError)
        assert error.code != RouterError.code
        assert error.hint
        assert not error.retryable


def test_configuration_defaults_to_the_policy_that_ships() -> None:
    assert (RouterConfig().policy_file, RouterConfig().observe) == (None, None)

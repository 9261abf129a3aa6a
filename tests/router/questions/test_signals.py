"""What a question says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from router import Facts, default_classifier, read_signals

ROWS: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[2] / "cases" / "signals.yaml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("row", ROWS, ids=[f"{n}-{row['q'][:40]}" for n, row in enumerate(ROWS)])
def test_signals_are_the_expected_ones(row: Mapping[str, Any]) -> None:
    signals = read_signals(row["q"], row.get("history", ()))
    expected = {k: v for k, v in row.items() if k not in ("q", "history", "class")}
    expected.setdefault("chitchat", False)
    assert {name: getattr(signals, name) for name in expected} == expected


@pytest.mark.parametrize("row", [row for row in ROWS if "class" in row], ids=lambda row: row["q"])
def test_the_classifier_is_sure_of_what_it_should_be(row: Mapping[str, Any]) -> None:
    signals = read_signals(row["q"], row.get("history", ()), classifier=default_classifier())
    facts = signals.as_facts()
    assert facts.get("question_class") == row["class"]
    assert facts["chitchat"] is row.get("chitchat", False)
    assert facts["asks_fact"] is row.get("asks_fact", facts["asks_fact"])


@given(st.text(), st.lists(st.text(), max_size=3))
def test_signals_never_raise_and_are_facts(question: str, history: list[str]) -> None:
    signals = read_signals(question, history)
    facts = Facts.build(request=signals.as_facts())
    assert not (signals.chitchat and signals.asks_fact)
    assert facts.get("question_chars") == len(question)


def test_a_long_message_is_read_at_both_ends() -> None:
    long = "I like your shop very much. " * 10_000
    assert read_signals(f"What does delivery cost? {long}").asks_fact
    assert read_signals(f"{long} What does delivery cost?").asks_fact
    assert not read_signals("thanks! " * 100_000 + "refund").chitchat
    assert read_signals("thanks! " * 100_000).chitchat


def test_the_classifier_is_only_sure_of_a_long_message_where_both_ends_agree() -> None:
    classifier = default_classifier()
    knowledge, task = "How long is the warranty on lamps? " * 20, "Set a timer for the eggs. " * 20
    agreed = read_signals(knowledge, classifier=classifier).as_facts()
    assert agreed["question_class"] == "needs_knowledge"
    assert "question_class" not in read_signals(knowledge + task, classifier=classifier).as_facts()


def test_format_asked_follows_the_format() -> None:
    assert read_signals("as JSON").as_facts()["format_asked"] is True
    assert read_signals("hello").as_facts()["format_asked"] is False

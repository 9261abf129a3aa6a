"""Reading outcomes back: what is believed, and what each bad row is told."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from router import Provenance, Strategy
from service.compare import Outcomes, parse_outcomes, read_lines
from service.errors import InvalidOutcomes


def row(name: str, strategy: str, score: float | None = 1.0, **fields: Any) -> dict[str, Any]:
    return {"id": name, "strategy": strategy, "score": score, "outcome": "answered", **fields}


def parsed(*rows: object) -> Outcomes:
    return parse_outcomes((f"f line {number}", one) for number, one in enumerate(rows, start=1))


def test_rows_become_one_trial_a_question() -> None:
    stated = {"need": {"value": "both", "provenance": "declared"}}
    found = parsed(
        row("a", "rag", 0.5, question="Why?", facts=stated),
        row("a", "auto", 0.75, facts={"chitchat": {"value": False, "provenance": "request"}}),
        row("a", "hybrid", None),
    )
    (trial,) = found.trials
    assert trial.scores == {Strategy.RAG: 0.5, Strategy.HYBRID: None}
    assert trial.live == 0.75
    assert dict(trial.facts.values) == {"chitchat": False}  # what `auto` itself saw
    assert found.questions == ("Why?",)


def test_facts_may_be_plain_values() -> None:
    facts = {"need": "style", "labelled_examples": 7, "chitchat": True, "adapter_present": None}
    (trial,) = parsed(row("a", "rag", facts=facts), row("a", "hybrid")).trials
    assert trial.facts.get("need") == "style"
    assert trial.facts.provenances["labelled_examples"] is Provenance.MEASURED
    assert "adapter_present" not in trial.facts


def test_a_question_that_nothing_answered_is_left_out_and_named() -> None:
    found = parsed(
        row("a", "rag"), row("a", "hybrid"), row("b", "rag", None), row("b", "hybrid", None)
    )
    assert [trial.id for trial in found.trials] == ["a"]
    assert found.unscored == ("b",)
    assert found.without_facts == 1


def test_the_use_cases_thresholds_are_read_from_the_decision() -> None:
    told = {"limit": {"value": 4, "provenance": "declared", "policy_value": 3}}
    rows = [row("a", name, facts={"need": "both"}, decision={"thresholds": told}) for name in BOTH]
    assert parsed(*rows).trials[0].thresholds == {"limit": 4}
    odd = [row("a", name, decision={"thresholds": [1]}) for name in BOTH]
    assert parsed(*odd).trials[0].thresholds == {}


BOTH = ("rag", "hybrid")
PAIR = (row("a", "rag"), row("a", "hybrid"))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "there are no rows"),
        ([*PAIR, row("a", "magic")], "f line 3: `strategy` must be 'prompt_only'"),
        ([*PAIR, row("a", "fine_tuned", 1.5)], "f line 3: `score` must be at most 1"),
        ([*PAIR, row("a", "fine_tuned", -0.1)], "f line 3: `score` must be at least 0"),
        (
            [*PAIR, row("a", "fine_tuned", float("nan"))],
            "f line 3: `score` must be a finite number",
        ),
        ([*PAIR, {"id": "a", "strategy": "auto"}], "f line 3: `score` is missing"),
        ([*PAIR, "words"], "f line 3: the row must be an object"),
        ([*PAIR, row("a", "rag", 0.0)], "f line 3: 'a' by rag is in f line 1 already"),
        ([*PAIR, row("b", "rag")], "f line 3: question 'b' was asked by one strategy only"),
        ([*PAIR, row("b", "rag"), row("b", "auto")], "f line 3: question 'b' was asked by one"),
        ([row("a", "rag", None), row("a", "hybrid", None)], "no row has a score"),
        ([row("a", "rag", facts={"ned": 1}), PAIR[1]], "f line 1: facts: there is no fact named"),
        ([row("a", "rag", facts={"need": "salt"}), PAIR[1]], "f line 1: facts: fact 'need' must"),
    ],
)
def test_bad_rows_are_named_with_their_line(rows: Sequence[object], said: str) -> None:
    with pytest.raises(InvalidOutcomes) as caught:
        parsed(*rows)
    assert said in str(caught.value)


def test_every_bad_row_is_named_up_to_twenty() -> None:
    with pytest.raises(InvalidOutcomes) as caught:
        parsed(*({"id": ""} for _ in range(25)))
    assert "f line 20:" in str(caught.value)
    assert "f line 21:" not in str(caught.value)
    assert "and 5 more" in str(caught.value)


def test_lines_are_read_with_their_numbers() -> None:
    text = '{"id": "a\u2028b"}\n\n' + json.dumps({"id": "c"}) + "\n"
    assert list(read_lines(text, file="o.jsonl")) == [
        ("o.jsonl line 1", {"id": "a\u2028b"}),
        ("o.jsonl line 3", {"id": "c"}),
    ]
    with pytest.raises(InvalidOutcomes, match=r"o\.jsonl line 2 is not JSON"):
        list(read_lines("{}\n{oops\n", file="o.jsonl"))


def test_a_byte_order_mark_before_the_first_row_is_none() -> None:
    assert list(read_lines('\ufeff{"id": "a"}\n{"id": "b"}\n', file="f")) == [
        ("f line 1", {"id": "a"}),
        ("f line 2", {"id": "b"}),
    ]

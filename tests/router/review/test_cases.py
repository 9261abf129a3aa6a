"""Policy tests as data: a row that comes out otherwise is told, and a bad file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from router import (
    Cases,
    FactProvenanceMismatch,
    FactTypeMismatch,
    InvalidCases,
    Provenance,
    UnknownFact,
    cases_file_of,
    check_cases,
    default_policy,
    load_cases,
    read_facts,
)

LIVE = (
    "measured: {adapter_present: true, adapter_servable: true, adapter_context_trained: true, "
    "knowledge_present: true}"
)


def write(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "cases.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def load(tmp_path: Path, row: str, section: str = "rows") -> Cases:
    return load_cases(write(tmp_path, f"{section}:\n- {{id: it, {row}}}\n"))


@pytest.mark.parametrize(
    ("row", "expected", "got"),
    [
        ("strategy: rag", {"strategy": "rag"}, {"strategy": "prompt_only"}),
        (
            "strategy: prompt_only, rule: need_style",
            {"rule": "need_style"},
            {"rule": "fallback"},
        ),
        (
            "strategy: prompt_only, conflict: no_adapter",
            {"conflict": "no_adapter"},
            {"conflict": None},
        ),
        ("strategy: prompt_only, pilot: true", {"pilot": True}, {"pilot": False}),
        (
            "strategy: prompt_only, findings: {need_both: true, nothing: unknown}",
            {"findings.need_both": "true", "findings.nothing": "unknown"},
            {"findings.need_both": "unknown", "findings.nothing": None},
        ),
        (
            "strategy: prompt_only, rejected: {rag: []}",
            {"rejected.rag": []},
            {"rejected.rag": ["no_knowledge"]},
        ),
        (
            "strategy: prompt_only, arms: {scores: {prompt_only: 0.5, rag: 0.6}, error: 0.05}",
            {"arms": ["rag"]},
            {"arms": ["prompt_only"]},
        ),
        ("asked: rag, strategy: rag", {"conflict": None}, {"conflict": "no_knowledge"}),
        (
            "strategy: prompt_only, thresholds: {min_passages: many}",
            {"strategy": "prompt_only"},
            {"strategy": None},
        ),
    ],
)
def test_a_row_that_comes_out_otherwise_says_what_and_why(
    tmp_path: Path, row: str, expected: dict[str, object], got: dict[str, object]
) -> None:
    (failure,) = check_cases(load(tmp_path, row), default_policy())
    assert failure.case == "it"
    assert dict(failure.expected) | expected == failure.expected
    assert dict(failure.got) | got == failure.got
    assert all(because.zh and because.en for because in failure.why)
    assert failure.why


def test_the_reason_against_the_expected_strategy_is_told(tmp_path: Path) -> None:
    cases = load(tmp_path, "measured: {adapter_present: false}, strategy: fine_tuned")
    (failure,) = check_cases(cases, default_policy())
    assert "the use case has no adapter" in [because.en for because in failure.why]


@pytest.mark.parametrize(
    "arms",
    [
        "{scores: {rag: 0.9, hybrid: 0.6}, interval: 0.03}",
        "{scores: {rag: 0.9, hybrid: 0.6}, interval: {rag: 0.01}}",
        "{scores: {hybrid: 0.6, prompt_only: 0.7}, error: 0.1}",
    ],
)
def test_a_choice_within_the_stated_error_is_good_enough(tmp_path: Path, arms: str) -> None:
    scores = "rag_score_low: 0.87, prompt_only_score_high: 0.1, fine_tuned_score_high: 0.1"
    facts = LIVE.replace("true}", f"true, {scores}}}")
    need = "" if "interval" in arms else "declared: {need: both}, "
    strategy = "rag" if "interval" in arms else "hybrid"
    row = f"{need}{facts if 'interval' in arms else LIVE}, strategy: {strategy}, arms: {arms}"
    assert check_cases(load(tmp_path, row), default_policy()) == []


def test_a_settlement_that_comes_out_otherwise_is_told(tmp_path: Path) -> None:
    row = "strategy: rag, evidence: {passages: 0}, outcome: answer"
    (failure,) = check_cases(load(tmp_path, row, "settlements"), default_policy())
    assert (failure.expected, failure.got) == ({"outcome": "answer"}, {"outcome": "abstain"})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rows: [", "expected the node"),
        ("rows: 3", "rows: Input should be a valid tuple"),
        ("[]", "valid dictionary"),
        ("rows:\n- {id: it}", "it: strategy: Field required"),
        ("rows:\n- {strategy: rag}", "rows.0.id: Field required"),
        ("rows:\n- 7", "rows.0: Input should be"),
        ("rows:\n- {id: it, strategy: bag}", "it: strategy: Input should be 'prompt_only'"),
        ("rows:\n- {id: it, strategy: rag, declred: {}}", "it: declred: Extra inputs"),
        ("rows:\n- {id: it, strategy: rag, declared: {nead: x}}", "it: there is no fact named"),
        ("rows:\n- {id: it, strategy: rag}\n- {id: it, strategy: rag}", "two rows are named 'it'"),
    ],
)
def test_a_bad_file_is_refused_with_its_row(tmp_path: Path, text: str, reason: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(InvalidCases) as caught:
        load_cases(file)
    assert str(caught.value).startswith(str(file))
    assert reason in str(caught.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidCases, match="No such file"):
        load_cases(cases_file_of(tmp_path / "policy.yaml"))


@pytest.mark.parametrize(
    "content",
    [
        {"need": "both", "labelled_examples": 9, "knowledge_present": True, "asks_fact": True},
        {
            "declared": {"need": "both", "labelled_examples": 9},
            "measured": {"knowledge_present": True},
            "request": {"asks_fact": True},
        },
        {
            "need": {"value": "both", "provenance": "declared"},
            "labelled_examples": {"value": 9, "provenance": "declared", "unit": "rows"},
            "knowledge_present": {"value": True, "provenance": "measured"},
            "asks_fact": {"value": True, "provenance": "request"},
        },
    ],
)
def test_facts_are_read_as_people_and_records_write_them(content: object) -> None:
    facts = read_facts(content)
    assert dict(facts.values) == {
        "need": "both",
        "labelled_examples": 9,
        "knowledge_present": True,
        "asks_fact": True,
    }
    assert facts.provenances["need"] is Provenance.DECLARED
    assert facts.provenances["knowledge_present"] is Provenance.MEASURED


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (None, FactTypeMismatch),
        ({"declared": 3}, FactTypeMismatch),
        ({"nead": 3}, UnknownFact),
        ({"need": "styl"}, FactTypeMismatch),
        ({"need": {"value": "style", "provenance": "guessed"}}, FactTypeMismatch),
        ({"need": {"value": "style", "provenance": "measured"}}, FactProvenanceMismatch),
    ],
)
def test_facts_that_cannot_be_are_refused(content: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_facts(content)

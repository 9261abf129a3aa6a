"""A facts file is read whole or refused, with file, line, key and what would be right."""

from pathlib import Path
from typing import Any

import pytest

from router import InvalidFacts, Provenance, build_case, read_case
from router.advice.requirements import Category


def write(folder: Path, text: str) -> Path:
    file = folder / "facts.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    case = read_case(
        write(
            tmp_path,
            "need: both\nbudget: limited\ncategories:\n  after-sales: 200\n  billing: 1000\n"
            "measured:\n  rag_score: 0.62\n  adapter_present: true\n",
        )
    )
    assert case.facts.get("need") == "both"
    assert case.facts.provenances["rag_score"] is Provenance.MEASURED
    assert case.facts.provenances["budget"] is Provenance.DECLARED
    assert case.categories == (Category("after-sales", 200), Category("billing", 1000))
    assert case.measured_by == "caller"


@pytest.mark.parametrize("text", ["", "# nothing known yet\n", "need:\nbudget: null\n"])
def test_an_empty_file_means_that_nothing_is_known(tmp_path: Path, text: str) -> None:
    assert len(read_case(write(tmp_path, text)).facts) == 0


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("need: both\nlable_examples: 3\n", 2, "did you mean 'labelled_examples'?"),
        ("need: both\nmesured:\n  rag_score: 1\n", 2, "did you mean 'measured'?"),
        ("\nxyzzy: 1\n", 2, "router/facts.py lists them"),
        ("need: styl\n", 1, "knowledge | style | both"),
        ("need: both\nlabelled_examples: many\n", 2, "must be a number from 0 up, not 'many'"),
        ("labelled_examples: true\n", 1, "must be a number"),
        ("labelled_examples: -5\n", 1, "must be a number from 0 up"),
        ("citations_required: 1\n", 1, "must be true or false"),
        ("label_disagreement_percent: 101\n", 1, "at most 100"),
        ("gpu_tflops: 0\n", 1, "must be above 0"),
        ("rag_score: 0.6\n", 1, "put it below `measured:`"),
        ("measured:\n  rag_scor: 1\n", 2, "did you mean 'rag_score'?"),
        ("measured:\n  need: both\n", 2, "put it at the top level"),
        ("chitchat: true\n", 1, "read from each request"),
        ("measured:\n  - 1\n", 1, "must hold facts and values"),
        ("measured:\n  rag_score: high\n", 2, "must be a number from 0 to 1, not 'high'"),
        ("need: knowledge\nmeasured:\n  rag_score: 1.7\n", 3, "from 0 to 1, not 1.7"),
        ("measured:\n  rag_score: .nan\n", 2, "from 0 to 1, not nan"),
        ("measured:\n  rag_score: .inf\n", 2, "from 0 to 1, not inf"),
        ("measured:\n  rag_p95_ms: .nan\n", 2, "must be a number from 0 up, not nan"),
        ("measured:\n  rag_score: 0.5\n  rag_score_low: 0.6\n", 3, "above rag_score (0.5)"),
        ("measured:\n  rag_score: 0.5\n  rag_score_high: 0.4\n", 2, "above rag_score_high (0.4)"),
        ("measured:\n  rag_p50_ms: 900\n  rag_p95_ms: 800\n", 2, "above rag_p95_ms (800)"),
        ("labelled_examples: 5\ncontext_bearing_examples: 6\n", 2, "above labelled_examples (5)"),
        ("labelled_examples: 1000000000001\n", 1, "at most 1,000,000,000,000 rows"),
        ("labelled_examples: 0.5\n", 1, "must be a whole number of rows, not 0.5"),
        ("measured: []\n", 1, "must hold facts and values, not a list"),
        ("measured: false\n", 1, "must hold facts and values, not a single value"),
        ("categories: []\n", 1, "must hold names and rows, not a list"),
        ("latency_budget_ms: 0\n", 1, "must be above 0"),
        ("measured:\n  rag_p95_ms: 0\n", 2, "must be above 0"),
        ("measured:\n  rag_tokens: 0\n", 2, "must be above 0"),
        ("domain: ' '\n", 1, "must not be empty"),
        ("domain: " + "x" * 501 + "\n", 1, "at most 500 characters"),
        ('domain: "\\ud800"\n', 1, "is not valid Unicode"),
        ('categories: {"\\ud800": 1}\n', 1, "is not valid Unicode"),
        ("need: {a: 1}\n", 1, "one of knowledge | style | both"),
        ("categories: [1]\n", 1, "must hold names and rows, not a list"),
        ("- need\n", 1, "must hold facts and values, not a list"),
        ("just words\n", 1, "must hold facts and values, not a text"),
        ("need: both\nneed: style\n", 2, "given twice"),
        ("need: [\n", 2, "not YAML"),
        ("a: &x 1\nb: *x\n", 2, "aliases are not allowed"),
        ("categories: 5\n", 1, "must hold names and rows, not a number"),
        ("categories:\n  a: many\n", 2, "must be a whole number of rows, not 'many'"),
        ("categories:\n  a: -1\n", 2, "must be a whole number of rows"),
        ("categories:\n  a: true\n", 2, "must be a whole number of rows"),
        ("categories:\n  a: {row: 1}\n", 2, "is not one of rows, share"),
        ("categories:\n  a: {rows: 1, share: 2}\n", 2, "must be above 0, up to 1"),
        ("categories:\n  a: {rows: 1, share: 0.5}\n", 1, "must sum to 1, not 0.5"),
        ("categories:\n  a: {rows: 1, share: 1}\n  b: 2\n", 3, "give all or none"),
        ("categories:\n  ' ': 2\n", 2, "1 to 80 characters"),
        ("labelled_examples: 5\ncategories:\n  a: 6\n", 2, "hold 6 rows together, more than"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, words: str
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(InvalidFacts) as refused:
        read_case(file)
    assert refused.value.line == line
    assert words in str(refused.value)
    assert str(refused.value).startswith(f"{file}, line {line}")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00need", b"need: \x00"])
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "facts.yaml"
    file.write_bytes(content)
    with pytest.raises(InvalidFacts, match=r"facts\.yaml"):
        read_case(file)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidFacts, match="cannot be read"):
        read_case(tmp_path / "nowhere.yaml")


def test_too_many_categories_are_refused() -> None:
    with pytest.raises(InvalidFacts, match="more than 200 names"):
        build_case({"categories": {f"c{n}": 1 for n in range(201)}})


def test_rows_follow_from_categories() -> None:
    case = build_case({"categories": {"a": 200, "b": 300}})
    assert case.facts.get("labelled_examples") == 500
    assert case.derived == ("labelled_examples",)


CHECKS: dict[str, Any] = {
    "relevant_rows_percent": 90,
    "scenario_coverage_percent": 80,
    "label_disagreement_percent": 4.9,
    "recent_rows_percent": 80,
    "personal_data_rows": 0,
}


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, "pass"),
        ({"label_disagreement_percent": 5}, "fail"),
        ({"relevant_rows_percent": 89.9}, "fail"),
        ({"personal_data_rows": 1}, "fail"),
        ({"recent_rows_percent": None}, None),
        ({"recent_rows_percent": None, "scenario_coverage_percent": 10}, "fail"),
        ({"data_quality": "pass", "scenario_coverage_percent": 10}, "pass"),
    ],
)
def test_the_verdict_of_the_five_checks_follows_from_what_they_counted(
    changed: dict[str, Any], verdict: str | None
) -> None:
    assert build_case({**CHECKS, **changed}).facts.get("data_quality") == verdict

"""`fingerpost policy check|explain|diff`: a policy checked, explained and compared."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from router import DEFAULT_POLICY_FILE, cases_file_of
from service.cli import app
from service.supervision.processes import Status

Fingerpost = Callable[..., Result]

LIVE = """\
need: both
adapter_present: true
adapter_servable: true
adapter_context_trained: true
knowledge_present: true
"""


@pytest.fixture
def fingerpost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fingerpost:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path / "home"))

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(app, ["policy", *map(str, words)])

    return invoke


def write(file: Path, **changes: tuple[str, str]) -> Path:
    """Write the default policy with texts replaced, and its cases beside it."""
    text = DEFAULT_POLICY_FILE.read_text(encoding="utf-8")
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")
    return file


RAG_FIRST = ("prefer: [hybrid, rag, fine_tuned]", "prefer: [rag, hybrid]")


def with_cases(file: Path) -> Path:
    cases = cases_file_of(DEFAULT_POLICY_FILE).read_text(encoding="utf-8")
    cases_file_of(file).write_text(cases, encoding="utf-8")
    return file


def document(result: Result) -> Any:
    return json.loads(result.stdout)


def test_the_policy_in_force_passes_the_tests_beside_it(fingerpost: Fingerpost) -> None:
    result = fingerpost("check", "--json")
    assert result.exit_code == 0, result.stderr
    told = document(result)
    assert told["file"] == str(DEFAULT_POLICY_FILE)
    assert told["cases"] > 90
    assert (told["failures"], told["warnings"]) == ([], [])
    assert told["untested"] == {"true": [], "false": []}


def test_check_reads_the_policy_that_is_configured(
    fingerpost: Fingerpost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = write(tmp_path / "other.yaml")
    monkeypatch.setenv("FINGERPOST_POLICY", str(other))
    result = fingerpost("check")
    assert result.exit_code == 0
    assert f"no policy tests: {tmp_path / 'other_cases.yaml'} does not exist" in result.stdout


def test_a_case_that_fails_is_named_with_expected_got_and_why(
    fingerpost: Fingerpost, tmp_path: Path
) -> None:
    policy = with_cases(write(tmp_path / "mine.yaml", order=RAG_FIRST))
    result = fingerpost("check", policy, "--json")
    assert result.exit_code == 1
    told = document(result)
    failure = next(f for f in told["failures"] if f["case"] == "ample_budget")
    assert failure["expected"] == {"strategy": "hybrid"}
    assert failure["got"] == {"strategy": "rag"}
    assert "facts and style are both needed" in failure["why"][0]["en"]
    assert told["passed"] is False

    said = fingerpost("check", policy).stdout
    assert "FAILED ample_budget\n  strategy: expected hybrid, got rag\n  why: facts" in said


def test_a_bad_policy_is_an_error_with_file_line_and_key(
    fingerpost: Fingerpost, tmp_path: Path
) -> None:
    policy = write(tmp_path / "bad.yaml", fact=("when: chitchat\n", "when: chitchatt\n"))
    result = fingerpost("check", policy, "--json")
    assert result.exit_code == 1
    told = document(result)
    assert told["error"]["code"] == "invalid_policy"
    assert told["file"] == str(policy)
    assert told["key"].startswith("preference[1].when")
    assert policy.read_text().splitlines()[told["line"] - 1].strip() == "when: chitchatt"


def test_warnings_are_told_and_do_not_fail(fingerpost: Fingerpost, tmp_path: Path) -> None:
    wide = ("when: {any: [asks_fact, follow_up]}", "when: need == 'knowledge' and chitchat")
    result = fingerpost("check", write(tmp_path / "odd.yaml", wide=wide))
    assert result.exit_code == 0
    assert "can never choose: whenever it could, need_knowledge (line" in result.stdout


def test_a_bad_file_of_cases_is_refused(fingerpost: Fingerpost, tmp_path: Path) -> None:
    cases = tmp_path / "cases.yaml"
    cases.write_text("rows:\n- {id: it, strategy: bag}\n")
    result = fingerpost("check", "--cases", cases, "--json")
    assert result.exit_code == 1
    assert document(result)["error"]["code"] == "invalid_policy_cases"


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["Hard rules", "forbids fine_tuned, hybrid", "any of:", "source: minimum sizes"]),
        ("zh", ["硬性规则", "禁用 fine_tuned、hybrid", "以下任一成立:", "来源: minimum sizes"]),
    ],
)
def test_explain_tells_the_policy_in_words(
    fingerpost: Fingerpost, lang: str, words: list[str]
) -> None:
    result = fingerpost("explain", "--lang", lang)
    assert result.exit_code == 0, result.stderr
    for word in words:
        assert word in result.stdout


def test_explain_of_one_rule_has_its_tree_and_its_thresholds(fingerpost: Fingerpost) -> None:
    told = document(fingerpost("explain", "--rule", "too_few_examples_for_hybrid", "--json"))
    (rule,) = told["rules"]
    assert rule["section"] == "hard"
    assert rule["when"]["any"][0] == "labelled_examples < min_labelled_examples"
    assert set(rule["unless"]) == {"any"}
    assert set(told["thresholds"]) == {
        *("min_labelled_examples", "regulated_domain_factor", "min_context_bearing_examples")
    }


def test_explain_of_an_unknown_rule_is_refused(fingerpost: Fingerpost) -> None:
    result = fingerpost("explain", "--rule", "nothing", "--json")
    assert result.exit_code == 1
    assert document(result)["error"]["code"] == "unknown_rule"


def test_explain_of_facts_shows_the_decision_and_every_node(
    fingerpost: Fingerpost, tmp_path: Path
) -> None:
    facts = tmp_path / "facts.yaml"
    facts.write_text(LIVE + "labelled_examples: 2100\ndomain: legal\n")
    told = document(fingerpost("explain", "--facts", facts, "--json"))
    assert (told["strategy"], told["rule"]) == ("hybrid", "need_both")
    findings = {finding["rule"]: finding for finding in told["findings"]}
    few = findings["too_few_examples_for_hybrid"]
    assert few["verdict"] == "false"
    parts = [
        few["leaves"][place] if isinstance(place, int) else place for place in few["when"]["any"]
    ]
    assert [part["verdict"] for part in parts] == ["false", "true"]
    assert few["when"]["verdict"] == few["unless"]["verdict"] == "true"
    assert parts[0]["values"]["labelled_examples"] == 2100

    said = fingerpost("explain", "--facts", facts, "--lang", "zh").stdout
    assert said.startswith("选择 hybrid，依据规则 need_both\n")
    assert "citations_required: 未知 (未知事实: citations_required citations_requested)" in said


def test_explain_of_facts_that_leave_nothing_names_the_rule(
    fingerpost: Fingerpost, tmp_path: Path
) -> None:
    facts = tmp_path / "facts.yaml"
    facts.write_text("privacy: secret\nengine_local: false\nknowledge_present: true\n")
    said = fingerpost("explain", "--facts", facts).stdout
    assert said.startswith("nothing may run: rule secret_data_stays_local forbids rag")


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("facts.yaml", "nead: both\n", "facts.yaml: there is no fact named 'nead'"),
        ("facts.yaml", "need: [\n", "facts.yaml: while parsing"),
        ("facts.jsonl", '{"need": "both"}\n\n{"need": 3}\n', "facts.jsonl, line 3: fact 'need'"),
        ("facts.jsonl", "[]\n", "facts.jsonl, line 1: facts are a mapping"),
    ],
)
def test_bad_facts_are_refused_with_their_place(
    fingerpost: Fingerpost, tmp_path: Path, name: str, text: str, place: str
) -> None:
    (tmp_path / name).write_text(text)
    result = fingerpost("explain", "--facts", tmp_path / name, "--json")
    assert result.exit_code == 1
    assert place in document(result)["detail"]


def test_diff_names_rules_thresholds_and_decisions(fingerpost: Fingerpost, tmp_path: Path) -> None:
    new = write(
        tmp_path / "new.yaml",
        order=RAG_FIRST,
        value=("value: 100\n", "value: 50\n"),
        gone=("- id: data_quality_failed\n", "- id: bad_rows\n"),
    )
    result = fingerpost("diff", DEFAULT_POLICY_FILE, new, "--json")
    assert result.exit_code == 0, result.stderr
    told = document(result)
    assert told["rules"]["added"] == ["bad_rows"]
    assert told["rules"]["removed"] == ["data_quality_failed"]
    assert told["rules"]["changed"] == {
        "need_both": {
            "strategies": {"from": ["hybrid", "rag", "fine_tuned"], "to": ["rag", "hybrid"]}
        }
    }
    assert told["thresholds"]["changed"] == {
        "min_context_bearing_examples": {"value": {"from": 100, "to": 50}}
    }
    changed = {each["case"]: each for each in told["decisions"]["changed"]}
    assert changed["ample_budget"]["from"]["strategy"] == "hybrid"
    assert changed["ample_budget"]["to"]["strategy"] == "rag"
    assert "nothing_known" not in changed

    said = fingerpost("diff", DEFAULT_POLICY_FILE, new).stdout
    assert "changed threshold min_context_bearing_examples\n  value: 100 -> 50\n" in said
    assert "ample_budget: hybrid (need_both) -> rag (need_both)" in said


def test_diff_sees_that_rules_changed_places(fingerpost: Fingerpost, tmp_path: Path) -> None:
    text = DEFAULT_POLICY_FILE.read_text(encoding="utf-8")
    first, rest = text.split("- id: need_style\n", 1)
    style, rest = rest.split("- id: need_knowledge\n", 1)
    knowledge, rest = rest.split("- id: closed_label_set\n", 1)
    new = tmp_path / "new.yaml"
    new.write_text(
        f"{first}- id: need_knowledge\n{knowledge}- id: need_style\n{style}"
        f"- id: closed_label_set\n{rest}"
    )
    told = document(fingerpost("diff", DEFAULT_POLICY_FILE, new, "--json"))
    assert set(told["rules"]["changed"]) == {"need_style", "need_knowledge"}
    assert set(told["rules"]["changed"]["need_style"]) == {"position"}
    assert told["decisions"]["changed"] == []


def test_diff_on_recorded_facts(fingerpost: Fingerpost, tmp_path: Path) -> None:
    new = write(tmp_path / "new.yaml", order=RAG_FIRST)
    known = {name: {"value": True, "provenance": "measured"} for name in LIVE.split("\n")[1:]}
    known = {name.partition(":")[0]: fact for name, fact in known.items() if name}
    row = {"id": "q7", "facts": {"need": {"value": "both", "provenance": "declared"}, **known}}
    facts = tmp_path / "outcomes.jsonl"
    facts.write_text(json.dumps(row) + '\n{"need": "style"}\n')
    told = document(fingerpost("diff", DEFAULT_POLICY_FILE, new, "--facts", facts, "--json"))
    assert told["decisions"]["compared"] == 2
    assert [each["case"] for each in told["decisions"]["changed"]] == ["q7"]


def test_status_names_the_policy_in_force_and_the_refused_one(
    fingerpost: Fingerpost, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    refused = {"file": "p.yaml", "line": 7, "key": "hard[0]", "reason": "no", "digest": "1a2b3c4d"}
    policy = {"version": "mine@0a0b0c0d", "file": "p.yaml", "refused": refused}
    found = Status(tmp_path, True, True, (), "http://x", 1, (), None, None, policy)
    monkeypatch.setattr("service.cli.processes.read_status", lambda _: found)
    said = CliRunner().invoke(app, ["status"]).stdout
    assert "policy mine@0a0b0c0d\nrefused: p.yaml, line 7: hard[0]: no\n" in said
    assert document(CliRunner().invoke(app, ["status", "--json"]))["policy"] == policy


def test_diff_on_random_facts_is_the_same_every_time(
    fingerpost: Fingerpost, tmp_path: Path
) -> None:
    new = write(tmp_path / "new.yaml", order=RAG_FIRST)
    words = ("diff", DEFAULT_POLICY_FILE, new, "--samples", "3000", "--json")
    told = document(fingerpost(*words))["decisions"]
    assert told["source"] == "3000 random facts"
    assert told["compared"] == 3000
    assert 0 < len(told["changed"]) < 100
    assert {each["to"]["rule"] for each in told["changed"]} <= {"need_both", "fallback"}
    assert document(fingerpost(*words))["decisions"] == told

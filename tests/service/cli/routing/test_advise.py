"""`fingerpost advise` reads a file here, and asks the gateway about a use case."""

import json
from pathlib import Path

import pytest

from tests.service.cli.conftest import CannedGateway, Run


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    file = tmp_path / "facts.yaml"
    file.write_text("need: style\nlabelled_examples: 600\n", encoding="utf-8")
    return file


def test_a_facts_file_needs_no_gateway(run: Run, gateway: CannedGateway, facts: Path) -> None:
    result = run("advise", str(facts))
    assert result.exit_code == 0
    assert "Do not fine-tune yet." in result.stdout
    assert gateway.calls == []


@pytest.mark.parametrize("words", [["--json"], ["--format", "json"]])
def test_json_is_one_document(run: Run, facts: Path, words: list[str]) -> None:
    result = run("advise", str(facts), "--lang", "zh", *words)
    assert json.loads(result.stdout)["fine_tuning"]["statement"] == "现在不要微调。"


def test_a_page_is_html(run: Run, facts: Path) -> None:
    page = run("advise", str(facts), "--format", "html").stdout
    assert page.lstrip().startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")


@pytest.mark.parametrize("words", [["--json"], ["--format", "json"]])
def test_a_bad_file_is_one_error_body(run: Run, facts: Path, words: list[str]) -> None:
    facts.write_text("need: style\nlabeled_examples: 600\n", encoding="utf-8")
    result = run("advise", str(facts), *words)
    assert result.exit_code == 1
    body = json.loads(result.stdout)
    assert body["error"]["code"] == "invalid_facts"
    assert f"{facts}, line 2" in body["detail"]
    assert "did you mean 'labelled_examples'?" in body["detail"]


def test_a_bad_file_is_a_sentence_on_stderr(run: Run, tmp_path: Path) -> None:
    result = run("advise", str(tmp_path / "nowhere.yaml"))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "cannot be read" in result.stderr


def test_a_use_case_is_asked_of_the_gateway(run: Run, gateway: CannedGateway) -> None:
    gateway.answer("POST /advise", "# Advice on the strategy\n")
    result = run("advise", "--use-case", "demo", "--lang", "zh")
    assert result.stdout == "# Advice on the strategy\n"
    sent = gateway.sent("POST /advise").json
    assert sent == {"use_case": "demo", "lang": "zh", "format": "md"}


def test_neither_a_file_nor_a_use_case_is_refused(run: Run, facts: Path) -> None:
    for words in ([], [str(facts), "--use-case", "demo"]):
        result = run("advise", *words, "--json")
        assert result.exit_code == 1
        assert "either a facts file or --use-case" in json.loads(result.stdout)["detail"]


def test_the_configured_policy_judges(
    run: Run, facts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from router import DEFAULT_POLICY_FILE

    own = tmp_path / "own.yaml"
    text = DEFAULT_POLICY_FILE.read_text(encoding="utf-8")
    own.write_text(text.replace("value: 2000", "value: 500"), encoding="utf-8")
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path))
    monkeypatch.setenv("FINGERPOST_POLICY", str(own))
    advice = json.loads(run("advise", str(facts), "--json").stdout)
    assert advice["recommended"] == "fine_tuned"
    assert advice["floor"]["minimum"] == 500

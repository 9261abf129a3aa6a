"""`fingerpost route`: one question by the gateway, `eval` and `fit` on this machine."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from router import default_classifier
from service.cli import app
from tests.service.cli.conftest import CannedGateway

OWN = Path(__file__).parents[4] / "router" / "questions" / "labelled.jsonl"
DECISION = {"strategy": "rag", "rule": "need_knowledge", "findings": [], "rejected": []}
Route = Callable[..., Result]


def rows(each: int) -> list[dict[str, Any]]:
    """Return the first shipped rows of two labels."""
    own = [json.loads(line) for line in OWN.read_text(encoding="utf-8").splitlines()]
    english = [row for row in own if row["lang"] == "en"]
    return [
        row
        for label in ("needs_knowledge", "chitchat")
        for row in [found for found in english if found["label"] == label][:each]
    ]


def write(file: Path, found: list[Any]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    return file


@pytest.fixture
def route(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Route:
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path / "home"))
    return lambda *words: CliRunner().invoke(app, ["route", *map(str, words)])


@pytest.mark.parametrize(
    "words", [["What is it?"], ["ask", "What is it?"], ["-u", "demo", "What is it?"]]
)
def test_a_question_is_still_the_first_word(
    words: list[str], gateway: CannedGateway, run: Callable[..., Result]
) -> None:
    gateway.answer("POST /route", {"decision": DECISION})
    result = run("route", *words, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["decision"]["strategy"] == "rag"
    assert gateway.sent("POST /route").json["messages"][0]["content"] == "What is it?"


def test_eval_prints_every_figure_of_the_contract(route: Route, tmp_path: Path) -> None:
    result = route("eval", write(tmp_path / "rows.jsonl", rows(20)), "--json")
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["rows"] == 40
    assert set(figures["by_label"]) == {"needs_knowledge", "chitchat"}
    assert set(figures["by_lang"]) == {"en"}
    assert set(figures["latency_ms"]) == {"p50", "p99"}
    assert 0.3 < figures["baseline_macro_f1"] <= 1
    assert figures["macro_f1"] > 0.9
    assert figures["classifier"]["version"] == default_classifier().version


def test_eval_says_how_many_rows_were_seen(route: Route, tmp_path: Path) -> None:
    new = [
        {"query": f"Is the {n} tram red?", "label": "needs_knowledge", "lang": "en"} for n in "ab"
    ]
    seen = json.loads(route("eval", write(tmp_path / "s.jsonl", rows(20)), "--json").stdout)
    unseen = json.loads(route("eval", write(tmp_path / "n.jsonl", new), "--json").stdout)
    assert seen["seen_in_fit"] == 1.0
    assert unseen["seen_in_fit"] == 0.0
    assert unseen["baseline_macro_f1"] is None


def test_eval_fits_the_baseline_on_the_rows_named(route: Route, tmp_path: Path) -> None:
    judged = write(tmp_path / "rows.jsonl", rows(3))
    train = write(tmp_path / "train.jsonl", rows(20))
    figures = json.loads(route("eval", judged, "--train", train, "--json").stdout)
    assert figures["baseline_macro_f1"] == 1.0  # they are among the rows it learned


def test_fit_puts_its_classifier_in_force(route: Route, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", rows(20))
    fitted = route("fit", file, "--json")
    assert fitted.exit_code == 0, fitted.output
    figures = json.loads(fitted.stdout)
    assert figures["file"] == str(tmp_path / "home" / "classifier.json")
    used = json.loads(route("eval", file, "--json").stdout)
    assert used["classifier"]["version"] == figures["version"]
    assert used["classifier"]["version"] != default_classifier().version


def test_fit_writes_where_it_is_told(route: Route, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "mine.json"
    file = write(tmp_path / "rows.jsonl", rows(20))
    notice = tmp_path / "notice.txt"
    notice.write_text("rows: MIT\nmore: CC0\n", encoding="utf-8")
    result = route("fit", file, "--also", file, "--notice", notice, "--out", out)
    assert result.exit_code == 0, result.output
    assert "written" in result.stdout
    assert json.loads(out.read_text(encoding="utf-8"))["notice"] == ["rows: MIT", "more: CC0"]
    assert json.loads(out.read_text(encoding="utf-8"))["made_by"] == (
        "fingerpost route fit rows.jsonl --also rows.jsonl"
    )
    assert not (tmp_path / "home" / "classifier.json").exists()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: not a JSON object"),
        ('{"label": "task", "lang": "en"}', "line 2: `query`"),
        ('{"query": " ", "label": "task", "lang": "en"}', "line 2: `query`"),
        ('{"query": "a", "label": "task"}', "line 2: `lang`"),
        ('{"query": "a", "label": "song", "lang": "en"}', "line 2: label 'song' is not one of"),
        ('{"query": "a", "label": "task", "lang": "en", "history": [1]}', "line 2: a turn"),
        ('{"query": "a", "label": "task", "lang": "en", "history": 1}', "line 2: a turn"),
    ],
)
@pytest.mark.parametrize("command", ["eval", "fit"])
def test_a_bad_row_is_named_and_nothing_is_written(
    command: str, line: str, reason: str, route: Route, tmp_path: Path
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text(json.dumps(rows(1)[0]) + "\n" + line + "\n", encoding="utf-8")
    result = route(command, file, "--json")
    assert result.exit_code == 1
    body = json.loads(result.stdout)
    assert body["error"]["code"] == "invalid_evaluation_file"
    assert reason in body["detail"]
    assert not (tmp_path / "home" / "classifier.json").exists()


def test_a_person_reads_the_figures_too(route: Route, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", rows(20))
    result = route("eval", file)
    assert result.exit_code == 0, result.output
    assert "100% of them were fitted on" in result.stdout
    by_source = [{**row, "source": f"s{n % 2}"} for n, row in enumerate(rows(20))]
    result = route("fit", write(tmp_path / "sources.jsonl", by_source))
    assert "leave one source out" in result.stdout


def test_missing_and_empty_files_are_named(route: Route, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    for name in ("none.jsonl", "empty.jsonl"):
        result = route("eval", tmp_path / name, "--json")
        assert result.exit_code == 1
        assert name in json.loads(result.stdout)["detail"]


def test_too_few_rows_lose_no_classifier_in_force(route: Route, tmp_path: Path) -> None:
    assert route("fit", write(tmp_path / "rows.jsonl", rows(20))).exit_code == 0
    before = (tmp_path / "home" / "classifier.json").read_bytes()
    result = route("fit", write(tmp_path / "few.jsonl", rows(9)), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "too_few_labelled_questions"
    assert (tmp_path / "home" / "classifier.json").read_bytes() == before


def test_a_damaged_classifier_of_the_home_is_not_passed_over(route: Route, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "classifier.json").write_text("{")
    result = route("eval", write(tmp_path / "rows.jsonl", rows(3)), "--json")
    assert result.exit_code == 1
    body = json.loads(result.stdout)
    assert body["error"]["code"] == "invalid_classifier"
    assert str(home / "classifier.json") in body["detail"]

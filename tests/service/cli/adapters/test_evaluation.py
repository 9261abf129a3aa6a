"""`fingerpost adapters eval` on a tiny model in a home of its own, without any gateway."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters import AdapterRegistry, digest_adapter
from service.access import LOOPBACK_CALLER
from service.cli import app
from service.stores.database import open_database
from service.stores.migrations import upgrade
from tests.adapters.conftest import make_tiny_model, write_adapter
from tests.fakes.evaluation import make_evaluation
from tests.service.cli.conftest import CannedGateway

Run = Callable[..., Result]
CONTRACT = {"task", "metric", "rows", "base", "few_shot", "adapter", "verdict"}
FACTS = {"task": "facts_json_en"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home with a tiny base model and one adapter without any effect."""
    base = make_tiny_model(tmp_path / "models" / "tiny")
    making = tmp_path / "adapters" / "making"
    making.mkdir(parents=True)
    write_adapter(making, base, seed=0, settings={})
    making.rename(making.with_name(f"facts@{digest_adapter(making)[:8]}"))
    monkeypatch.setenv("FINGERPOST_HOME", str(tmp_path))
    monkeypatch.setenv("FINGERPOST_ENGINE__BASE_MODEL", "tiny")
    monkeypatch.setenv("FINGERPOST_ADAPTERS__TRAINING_THREADS", "1")
    return tmp_path


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "rows.jsonl", [('{"sky": "blue"}', FACTS)] * 12)


def write_rows(file: Path, rows: list[tuple[str, Mapping[str, Any]]]) -> Path:
    with file.open("w", encoding="utf-8") as out:
        for i, (answer, meta) in enumerate(rows):
            question = {"role": "user", "content": "what is the colour " + "hello " * i}
            turns = [question, {"role": "assistant", "content": answer}]
            out.write(json.dumps({"messages": turns, **meta}) + "\n")
    return file


def adapter_of(home: Path) -> Path:
    return next((home / "adapters").glob("facts@*"))


@contextmanager
def registry_of(home: Path) -> Iterator[AdapterRegistry]:
    database = open_database(f"sqlite:///{home}/state.db")
    upgrade(database)
    yield AdapterRegistry(database, home / "adapters")
    database.dispose()


def evaluate(*words: str) -> Result:
    return CliRunner().invoke(app, ["adapters", "eval", *words])


@pytest.mark.training
def test_the_document_has_the_keys_of_the_contract_and_is_recorded(home: Path, rows: Path) -> None:
    folder = adapter_of(home)
    with registry_of(home) as registry:
        registry.register(folder, tenant=LOOPBACK_CALLER.tenant)
    result = evaluate(folder.name, "--data", str(rows), "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found.keys() >= CONTRACT
    assert (found["task"], found["metric"], found["rows"]) == ("facts_json_en", "slot_f1", 9)
    for arm in ("base", "few_shot", "adapter"):
        assert found[arm].keys() == {"score", "low", "high"}
    assert found["verdict"] == "REJECTED"
    assert "evaluating" in result.stderr
    with registry_of(home) as registry:
        assert registry.get(folder.name, tenant=LOOPBACK_CALLER.tenant).verdict == "REJECTED"
        assert registry.get(folder.name, tenant=LOOPBACK_CALLER.tenant).evaluation == found


def test_people_read_verdict_reasons_and_scores(
    home: Path, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = adapter_of(home)
    found = make_evaluation(folder.name, "IMPROVED")
    monkeypatch.setattr(
        "service.cli.adapters.evaluation.evaluate_and_record", lambda *_, **__: found
    )
    lines = evaluate(folder.name, "--data", str(rows)).stdout.splitlines()
    assert lines[:3] == [
        f"{folder.name}: IMPROVED",
        "  because the test says so",
        "slot_f1 on 20 rows of support",
    ]
    assert "  adapter     0.500 [0.400, 0.600]  json_validity 1.000  100 tokens/s" in lines
    assert "  guard general: 10 of 20, base 10" in lines


def test_an_unknown_adapter_is_told_with_those_there_are(home: Path, rows: Path) -> None:
    for name in ("facts@00000000", "../facts@1", "facts"):
        result = evaluate(name, "--data", str(rows), "--json")
        assert result.exit_code == 1
        body = json.loads(result.stdout)
        assert body["error"]["code"] == "adapter_not_found"
        assert adapter_of(home).name in body["detail"]


def test_a_missing_base_model_is_told(
    home: Path, rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FINGERPOST_ENGINE__BASE_MODEL", "another")
    body = json.loads(evaluate(adapter_of(home).name, "--data", str(rows), "--json").stdout)
    assert body["error"]["code"] == "base_model_not_found"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no training rows in"),
        ('{"text": 1}\n', "rows.jsonl:1: no known format"),
        ("{\n", "rows.jsonl:1: a quote or bracket is not closed"),
        (None, "cannot be read"),
    ],
)
def test_bad_rows_are_told_with_file_and_line(
    home: Path, rows: Path, content: str | None, said: str
) -> None:
    if content is None:
        rows.unlink()
    else:
        rows.write_text(content)
    result = evaluate(adapter_of(home).name, "--data", str(rows), "--json")
    body = json.loads(result.stdout)
    assert (result.exit_code, body["error"]["code"]) == (1, "invalid_training_data")
    assert said in body["detail"]


def test_rows_of_another_task_are_refused(home: Path, rows: Path) -> None:
    kept = {"trained": [], "tasks": ["facts_json_en"], "examples": []}
    (adapter_of(home) / "evaluation_source.json").write_text(json.dumps(kept))
    write_rows(rows, [("[]", {"task": "acts_json_zh"})])
    body = json.loads(evaluate(adapter_of(home).name, "--data", str(rows), "--json").stdout)
    assert body["error"]["code"] == "invalid_evaluation_rows"
    assert "rows.jsonl:1: the row is of task acts_json_zh" in body["detail"]


def test_a_publish_sends_its_override_and_says_the_note(run: Run, gateway: CannedGateway) -> None:
    gateway.answer("POST /adapters/a@1/publish", {"state": "live", "note": "never evaluated"})
    result = run("adapters", "publish", "a@1", "--override", "a demo")
    assert gateway.sent("POST /adapters/a@1/publish").json == {"override": "a demo"}
    assert "never evaluated" in result.stderr

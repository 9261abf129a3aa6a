"""`fingerpost train …` in a home where nothing runs, on a tiny base model."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from adapters import AdapterRegistry, EvaluationFailed, TrainingEvent, list_runs
from service.access import LOOPBACK_CALLER
from service.cli import app
from service.cli.train.following import note_of, show_event
from service.cli.train.words import curve_lines
from service.stores.database import open_database
from tests.adapters.conftest import make_tiny_model, phrases
from tests.adapters.training.test_run import children_of

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny").folder


@pytest.fixture
def home(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    settings = f"""
[engine]
base_model = "tiny"
model_path = "{tiny}"
[adapters]
training_threads = 1
"""
    (folder / "fingerpost.toml").write_text(settings)
    monkeypatch.setenv("FINGERPOST_HOME", str(folder))
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Path:
    rows = [{"prompt": phrase, "completion": "blue"} for phrase in phrases(60)]
    (tmp_path / "rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    keys = "task: colours\nmodel_name_or_path: base\ndataset: rows.jsonl\nmax_steps: 6\n"
    file = tmp_path / "train.yaml"
    file.write_text(keys + "lora_rank: 4\nsave_steps: 2\n")
    return file


@pytest.fixture
def run(home: Path) -> Run:
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.training
def test_check_tells_rows_tokens_and_what_it_takes(run: Run, config: Path, home: Path) -> None:
    result = run("train", "check", config, "--probe", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["can_train"] is True
    assert found["probe"] is None
    assert "1 different answers in 60 rows are not a closed set" in found["not_probed"]
    assert (found["rows"]["rows"], found["rows"]["verdict"]) == (60, "pilot")
    assert found["tokens"]["answers"] == 60
    assert found["estimate"]["steps"] == 6
    assert found["estimate"]["rate_from"] == "formula"
    assert found["estimate"]["memory_bytes"] > 1e9
    assert list_runs(home / "trainings") == []


def test_check_names_every_problem_and_fails(run: Run, config: Path) -> None:
    few = "".join(f'{{"prompt": "what {n}", "completion": "blue"}}\n' for n in range(3))
    (config.parent / "rows.jsonl").write_text(few)
    result = run("train", "check", config, "--json", "--set", "lora_rank=512", "--set", "seed=3")
    assert result.exit_code == 1
    problems = json.loads(result.stdout)["problems"]
    assert len(problems) == 2
    assert "rank 512" in problems[0]
    assert "3 rows are fewer than the 50 needed for a pilot" in problems[1]


def test_an_unknown_key_is_refused_with_the_nearest(run: Run, config: Path) -> None:
    result = run("train", "run", config, "--set", "lora_rnk=8", "--json")
    assert result.exit_code == 1
    assert "did you mean lora_rank?" in json.loads(result.stdout)["detail"]


@pytest.mark.training
def test_run_prints_events_and_registers_the_adapter(run: Run, config: Path, home: Path) -> None:
    result = run("train", "run", config, "--set", "max_steps=4", "--json")
    assert result.exit_code == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["event"] for line in lines].count("checkpoint") == 2
    last = lines[-1]
    assert last["event"] == "done"
    database = open_database(f"sqlite:///{home / 'state.db'}")
    registry = AdapterRegistry(database, home / "adapters", max_lora_rank=32)
    assert registry.get(last["adapter"], tenant=LOOPBACK_CALLER.tenant).task == "colours"
    database.dispose()

    (listed,) = json.loads(run("train", "ls", "--json").stdout)["data"]
    assert (listed["id"], listed["status"]) == (last["run"], "succeeded")
    shown = json.loads(run("train", "show", last["run"], "--json").stdout)
    assert shown["events"][-1]["adapter_id"] == last["adapter"]
    watched = run("train", "watch", last["run"], "--json").stdout.splitlines()
    assert json.loads(watched[-1])["adapter"] == last["adapter"]
    checked = json.loads(run("train", "check", config, "--json").stdout)
    assert checked["estimate"]["rate_from"] == "last run"
    again = run("train", "resume", last["run"])
    assert (again.exit_code, again.stdout) == (0, f"has succeeded already: {last['adapter']}\n")


@pytest.mark.training
def test_a_killed_run_is_shown_and_resumed(
    run: Run, config: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def kill(output: Any, bar: Any, event: dict[str, Any], fraction: float | None) -> None:
        show_event(output, bar, event, fraction)
        if event["event"] == "checkpoint":
            for pid in children_of(os.getpid()):
                os.kill(pid, signal.SIGKILL)

    monkeypatch.setattr("service.cli.train.local.show_event", kill)
    failed = run("train", "run", config, "--set", "max_steps=40", "--json")
    assert failed.exit_code == 1
    assert json.loads(failed.stdout.splitlines()[-1])["error"]["code"] == "training_failed"
    monkeypatch.undo()
    monkeypatch.setenv("FINGERPOST_HOME", str(home))
    (left,) = list_runs(home / "trainings")
    assert "can resume from step" in run("train", "ls").stdout
    resumed = run("train", "resume", left.run_id, "--json")
    assert resumed.exit_code == 0, resumed.stderr
    lines = [json.loads(line) for line in resumed.stdout.splitlines()]
    assert "resumed" in [line["event"] for line in lines]
    assert lines[-1]["adapter"].startswith("colours@")


def test_publishing_without_a_gateway_is_refused_before_anything_is_trained(
    run: Run, config: Path, home: Path
) -> None:
    result = run("train", "run", config, "--publish")
    assert result.exit_code == 1
    assert "fingerpost up" in result.stderr
    assert list_runs(home / "trainings") == []


@pytest.mark.training
def test_an_evaluation_that_fails_is_told_by_the_exit_code(
    run: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise EvaluationFailed("memory ran out")

    monkeypatch.setattr("service.fine_tuning.evaluation.evaluate_adapter", fail)
    changes = ("--set", "max_steps=1", "--set", "do_eval=true", "--set", "val_size=8")
    result = run("train", "run", config, *changes)
    assert result.exit_code == 3
    assert "evaluation_failed: the evaluation failed: memory ran out" in result.stderr
    assert "; the evaluation failed: memory ran out" in result.stdout


@pytest.mark.training
def test_keys_of_another_trainer_are_told_and_the_file_names_the_task(
    run: Run, config: Path
) -> None:
    keys = config.read_text().replace("task: colours\n", "")
    config.write_text(keys + "plot_loss: true\neval_steps: 500\noutput_dir: saves/x\n")
    result = run("train", "check", config)
    assert result.exit_code == 0, result.stdout
    assert "sft rows on tiny" in result.stdout
    for told in ("plot_loss: not used", "eval_steps: not used", "output_dir: not used"):
        assert told in result.stderr


def test_a_run_that_is_not_there_is_said(run: Run) -> None:
    result = run("train", "show", "run_0", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == "training_run_not_found"


def test_the_note_of_an_event_has_rate_and_time_left() -> None:
    event: dict[str, Any] = TrainingEvent(
        "progress", "step 1 of 2", tokens_per_s=310.4, eta_s=12.2
    ).as_dict()
    assert note_of(event) == "step 1 of 2, 310 tokens/s, 12 s left"


def test_the_curve_falls_from_left_to_right() -> None:
    events: list[dict[str, Any]] = [{"event": "progress", "loss": loss} for loss in (3, 2, 1)]
    assert curve_lines(events) == ["loss 3.000 █▅▁ 1.000"]

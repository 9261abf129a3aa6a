"""One whole evaluation on a tiny random model: child process, scores, files, refusals."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters import (
    AdapterNotFound,
    AdaptersConfig,
    BaseModelMismatch,
    Evaluation,
    EvaluationCancelled,
    EvaluationEvent,
    EvaluationFailed,
    ModelFolder,
    NotServable,
    digest_adapter,
    evaluate_adapter,
    load_rows,
    parse_training_config,
    read_evaluation,
    run_training,
)
from adapters.evaluation.report import write_report
from tests.fakes.tiny_model import phrases

ONE_THREAD = AdaptersConfig(training_threads=1, training_nice=1)
GUARDS = 80
CHECKOUT = Path(__file__).parents[3]
GONE_WITHIN_S = 40.0
WRITTEN = {"evaluation.json", "evaluation_rows.jsonl", "evaluation.svg", "README.md"}

Evaluate = Callable[..., Evaluation]


@pytest.fixture
def evaluate(
    make_adapter: Callable[..., Path],
    tiny_base: ModelFolder,
    rows_file: Path,
    environment: Mapping[str, str],
) -> Evaluate:
    """Return a function that evaluates a given folder, or an adapter without any effect."""

    def run(folder: Path | None = None, **options: Any) -> Evaluation:
        given: dict[str, Any] = {"base": tiny_base, "environment": environment}
        given |= {"settings": ONE_THREAD, **options}
        return evaluate_adapter(folder or make_adapter(), load_rows([rows_file]), **given)

    return run


@pytest.mark.training
def test_an_evaluation_is_found_told_and_kept(
    evaluate: Evaluate, make_adapter: Callable[..., Path]
) -> None:
    folder, live = make_adapter(), make_adapter(seed=1)
    sha256, before = digest_adapter(folder), {path.name for path in folder.iterdir()}
    (folder / "README.md").write_text("# card\n\nkept\n")
    events: list[EvaluationEvent] = []
    found = evaluate(folder, live=live, on_progress=events.append)
    assert (found.rows, found.metric, found.adapter_id) == (21, "accuracy", folder.name)
    assert (found.examples.count, found.left_out) == (3, {"examples": 3})
    assert found.few_shot is not None
    # An adapter of zeros is the base model: the same answers, and nothing gained.
    assert found.base == found.adapter
    assert (found.gain.score, found.mcnemar.p_value, found.verdict) == (0, 1, "REJECTED")
    assert all(score.base == score.adapter for score in found.guards.values())
    assert found.live is not None
    assert "live now" in (folder / "evaluation.svg").read_text()
    # What stands in the folder.
    assert digest_adapter(folder) == sha256
    assert {path.name for path in folder.iterdir()} == before | WRITTEN
    assert read_evaluation(folder) == found
    lines = (folder / "evaluation_rows.jsonl").read_text().splitlines()
    assert len(lines) == 21
    assert set(json.loads(lines[0])) == {"row", "kind", "wanted", "base", "few_shot"} | {
        "adapter",
        "live",
    }
    # What was told.
    assert events[0].message == "loading the base model"
    assert (events[-1].done, events[-1].total) == (4 * 21 + 2 * GUARDS, 4 * 21 + 2 * GUARDS)
    assert [event.done for event in events] == sorted(event.done for event in events)


@pytest.mark.training
def test_the_card_has_one_evaluation_section_the_newest(
    evaluate: Evaluate, make_adapter: Callable[..., Path]
) -> None:
    folder = make_adapter()
    (folder / "README.md").write_text("# card\n\nkept\n")
    found = evaluate(folder, few_shot=0, limit=6)
    assert (found.few_shot, found.rows, found.left_out) == (None, 6, {"over_limit": 18})
    write_report(folder, found.model_copy(update={"rows": 7, "verdict": "REGRESSED"}))
    card = (folder / "README.md").read_text()
    assert card.startswith("# card\n\nkept\n\n<!-- evaluation -->\n## Evaluation: REGRESSED")
    assert card.count("## Evaluation") == 1
    assert "7 rows, accuracy" in card
    assert "6 rows" not in card


def test_another_base_model_is_refused_before_anything_starts(
    evaluate: Evaluate, make_adapter: Callable[..., Path]
) -> None:
    folder = make_adapter()
    run = json.loads((folder / "run.json").read_text())
    run["base"]["revision"] = "another"
    (folder / "run.json").write_text(json.dumps(run))
    with pytest.raises(BaseModelMismatch, match="another"):
        evaluate(folder)
    assert list(folder.parent.iterdir()) == [folder]


def test_what_is_no_adapter_is_refused(evaluate: Evaluate, tmp_path: Path) -> None:
    with pytest.raises(AdapterNotFound, match="no adapter x@1"):
        evaluate(tmp_path / "x@1")
    (tmp_path / "y@1").mkdir()
    with pytest.raises(NotServable, match=r"run\.json"):
        evaluate(tmp_path / "y@1")


@pytest.mark.training
def test_a_cancelled_evaluation_changes_nothing(
    evaluate: Evaluate, make_adapter: Callable[..., Path]
) -> None:
    folder = make_adapter()
    before = sorted(folder.iterdir())
    with pytest.raises(EvaluationCancelled):
        evaluate(folder, cancelled=lambda: bool(children_of(os.getpid())))
    assert sorted(folder.iterdir()) == before
    assert list(folder.parent.iterdir()) == [folder]
    assert children_of(os.getpid()) == []


@pytest.mark.training
def test_a_failing_child_is_told_with_its_reason(
    evaluate: Evaluate, make_adapter: Callable[..., Path]
) -> None:
    folder = make_adapter()
    (folder / "adapter_model.safetensors").write_bytes(b"not tensors")
    with pytest.raises(EvaluationFailed, match="evaluation failed: Safetensor") as raised:
        evaluate(folder)
    assert raised.value.log_tail
    assert read_evaluation(folder) is None


@pytest.mark.training
def test_a_child_killed_from_outside_is_told(evaluate: Evaluate) -> None:
    def kill(_event: EvaluationEvent) -> None:
        for pid in children_of(os.getpid()):
            os.kill(pid, signal.SIGKILL)

    def killed() -> bool:
        kill(EvaluationEvent("", 0, 0))
        return False

    with pytest.raises(EvaluationFailed, match="memory ran out"):
        evaluate(cancelled=killed)


@pytest.mark.training
def test_the_child_ends_when_its_parent_is_killed(
    make_adapter: Callable[..., Path],
    tiny_base: ModelFolder,
    rows_file: Path,
    environment: Mapping[str, str],
) -> None:
    folder = make_adapter()
    code = (
        "import os, sys; from pathlib import Path; import adapters as a\n"
        "a.evaluate_adapter(Path(sys.argv[2]), a.load_rows([Path(sys.argv[3])]),"
        " base=a.describe_base_model(sys.argv[1]), environment=dict(os.environ),"
        " on_progress=lambda e: print(e.done, flush=True))\n"
    )
    arguments = [str(tiny_base.folder), str(folder), str(rows_file)]
    parent = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=CHECKOUT,
        env=dict(environment),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == "0\n"
        until = time.monotonic() + GONE_WITHIN_S
        while not (children := children_of(parent.pid)) and time.monotonic() < until:
            time.sleep(0.05)
        parent.kill()
        parent.wait()
    until = time.monotonic() + GONE_WITHIN_S
    while time.monotonic() < until and (
        list(folder.parent.iterdir()) != [folder]
        or "adapters.children.child" in command_of(children[0])
    ):
        time.sleep(0.1)
    assert list(folder.parent.iterdir()) == [folder]
    assert "adapters.children.child" not in command_of(children[0])


@pytest.mark.training
def test_a_trained_adapter_is_improved_on_rows_it_has_not_seen(
    tmp_path: Path, tiny_base: ModelFolder, environment: Mapping[str, str]
) -> None:
    rows = tmp_path / "rows.jsonl"
    with rows.open("w", encoding="utf-8") as out:
        for phrase in phrases(60):
            turns = [("user", f"colour of a sky {phrase}"), ("assistant", "blue")]
            messages = [{"role": role, "content": text} for role, text in turns]
            out.write(json.dumps({"messages": messages, "task": "colours"}) + "\n")
    keys: dict[str, Any] = {
        "task": "colours",
        "model_name_or_path": tiny_base.id,
        "dataset": str(rows),
    }
    keys |= {"lora_rank": 8, "learning_rate": 0.02, "num_train_epochs": 12, "val_size": 20}
    config = parse_training_config({**keys, "do_eval": True})
    made = run_training(
        config, base=tiny_base, into=tmp_path, environment=environment, settings=ONE_THREAD
    )
    found = evaluate_adapter(
        made.folder,
        load_rows([rows]),
        base=tiny_base,
        environment=environment,
        settings=ONE_THREAD,
    )
    assert (found.rows, found.left_out) == (20, {"trained_on": 40})
    assert found.examples.taken_from == "training"
    assert found.metric == "token_f1"
    assert found.adapter.score > 0.9
    assert found.base.score < 0.5
    assert found.mcnemar.p_value < 0.05
    assert found.verdict == "IMPROVED"
    assert "## Evaluation: IMPROVED" in (made.folder / "README.md").read_text()


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return [child for child in found if "adapters.children.child" in command_of(child)]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""

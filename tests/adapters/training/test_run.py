import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from adapters import (
    AdaptersConfig,
    BaseModelMismatch,
    InvalidTrainingData,
    ModelFolder,
    NotServable,
    TrainingCancelled,
    TrainingConfig,
    TrainingEvent,
    TrainingFailed,
    TrainingResult,
    check_servability,
    judge_effect,
    parse_training_config,
    read_effect_reference,
    run_training,
)
from adapters.files.weights import digest_adapter

CHECKOUT = Path(__file__).parents[3]
GONE_WITHIN_S = 40.0


@dataclass(frozen=True)
class Finished:
    result: TrainingResult
    events: list[TrainingEvent]


Run = Callable[..., TrainingResult]


@pytest.fixture(scope="session")
def make_config(tiny_base: ModelFolder, rows_file: Path) -> Callable[..., TrainingConfig]:
    plain = {
        "task": "colours",
        "model_name_or_path": tiny_base.id,
        "dataset": str(rows_file),
        "lora_rank": 4,
        "learning_rate": 0.02,
        "val_size": 4,
        "num_train_epochs": 4,
        "force": True,
    }
    return lambda **values: parse_training_config({**plain, **values})


@pytest.fixture(scope="session")
def finished(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_base: ModelFolder,
    make_config: Callable[..., TrainingConfig],
    environment: Mapping[str, str],
) -> Finished:
    events: list[TrainingEvent] = []
    into = tmp_path_factory.mktemp("adapters")
    settings = AdaptersConfig(training_threads=1, training_nice=1)
    result = run_training(
        make_config(),
        base=tiny_base,
        into=into,
        environment=environment,
        on_progress=events.append,
        settings=settings,
    )
    return Finished(result, events)


@pytest.fixture
def run(
    tmp_path: Path,
    tiny_base: ModelFolder,
    make_config: Callable[..., TrainingConfig],
    environment: Mapping[str, str],
) -> Run:
    def start(config: Mapping[str, object] | None = None, **arguments: Any) -> TrainingResult:
        given = {"base": tiny_base, "into": tmp_path, "environment": environment, **arguments}
        return run_training(make_config(**(config or {})), **given)

    return start


@pytest.mark.training
def test_a_run_leaves_one_servable_folder_named_by_its_content(
    finished: Finished, tiny_base: ModelFolder
) -> None:
    result = finished.result
    assert result.adapter_id == f"colours@{digest_adapter(result.folder)[:8]}"
    assert list(result.folder.parent.iterdir()) == [result.folder]
    assert {path.name for path in result.folder.iterdir()} == {
        "adapter_model.safetensors",
        "adapter_config.json",
        "run.json",
        "metrics.json",
        "evaluation_source.json",
        "loss.svg",
        "loss.png",
        "README.md",
    }
    check_servability(result.folder, max_lora_rank=4, base=tiny_base)


@pytest.mark.training
def test_events_tell_every_stage_in_order_and_the_steps(finished: Finished) -> None:
    stages = list(dict.fromkeys(event.event for event in finished.events))
    expected = ["loading", "data", "progress", "checkpoint", "held_out", "saving", "effect", "done"]
    assert stages == expected
    progress = [event for event in finished.events if event.event == "progress"]
    assert (progress[0].step, progress[-1].step, progress[-1].steps) == (0, 8, 8)
    assert progress[-1].eta_s == 0
    assert progress[-1].tokens_per_s
    assert finished.events[-1].adapter_id == finished.result.adapter_id


@pytest.mark.training
def test_the_loss_falls_on_trained_and_on_held_out_rows(finished: Finished) -> None:
    metrics = finished.result.metrics
    assert isinstance(metrics["curve"], list)
    assert [point["step"] for point in metrics["curve"]] == list(range(1, 9))
    assert metrics["last_loss"] < 0.9 * metrics["first_loss"]  # type: ignore[operator]  # JSON
    losses = metrics["held_out_losses"]
    assert isinstance(losses, list)
    assert losses[-1] < losses[0]


@pytest.mark.training
def test_run_json_says_how_the_adapter_was_made(finished: Finished, tiny_base: ModelFolder) -> None:
    run: Any = finished.result.run
    assert run["base"]["id"] == tiny_base.id
    assert run["base"]["revision"] == tiny_base.revision
    assert run["config"]["lora_alpha"] == 8
    assert run["rope_parameters"]["rope_type"] == "default"
    assert len(run["chat_template_sha256"]) == 64
    assert (run["data"]["trained_rows"], run["data"]["held_out_rows"]) == (20, 4)
    assert (run["threads"], run["seed"], run["context_trained"]) == (1, 42, False)
    assert {"torch", "trl", "peft", "transformers"} <= set(run["versions"])
    assert (run["method"], run["replay"]) == ("sft-lora", {"rows": 0, "distinct": 0})
    settings = json.loads((finished.result.folder / "adapter_config.json").read_text())
    assert settings["base_model_name_or_path"] == tiny_base.id
    assert "lm_head" not in settings["target_modules"]
    assert settings["target_modules"] == sorted(settings["target_modules"])


@pytest.mark.training
def test_the_effect_reference_tells_adapter_from_base(finished: Finished) -> None:
    probes = read_effect_reference(finished.result.run)
    base, adapter = [p.base for p in probes], [p.adapter for p in probes]
    assert judge_effect(probes, base, adapter).is_applied
    assert not judge_effect(probes, base, base).is_applied
    answer = probes[0]
    assert answer.adapter[-2] > answer.base[-2]  # the colour, before the end of the turn


@pytest.mark.training
def test_the_card_names_base_and_rows(finished: Finished, tiny_base: ModelFolder) -> None:
    card = (finished.result.folder / "README.md").read_text()
    assert f"base_model: {tiny_base.id}" in card
    assert "20 trained on, 4 held out" in card


def test_another_base_model_is_refused_before_anything_starts(run: Run, tmp_path: Path) -> None:
    with pytest.raises(BaseModelMismatch, match="set model_name_or_path: tiny"):
        run({"model_name_or_path": "other"})
    assert list(tmp_path.iterdir()) == []


def test_what_could_not_be_served_is_not_trained(run: Run, tmp_path: Path) -> None:
    with pytest.raises(NotServable):
        run({"lora_rank": 64})
    assert list(tmp_path.iterdir()) == []


def test_bad_rows_are_told_before_anything_starts(run: Run, tmp_path: Path) -> None:
    rows = tmp_path / "bad.jsonl"
    rows.write_text('{"text": 1}\n')
    with pytest.raises(InvalidTrainingData, match=r"bad\.jsonl:1"):
        run({"dataset": str(rows)})
    assert list(tmp_path.iterdir()) == [rows]


@pytest.mark.training
def test_a_cancelled_run_ends_the_child_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    events: list[TrainingEvent] = []
    with pytest.raises(TrainingCancelled):
        run(on_progress=events.append, cancelled=lambda: bool(events))
    assert list(tmp_path.iterdir()) == []
    assert children_of(os.getpid()) == []


@pytest.mark.training
def test_an_error_in_the_callback_ends_the_child(run: Run, tmp_path: Path) -> None:
    def fail(_event: TrainingEvent) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(on_progress=fail)
    assert list(tmp_path.iterdir()) == []
    assert children_of(os.getpid()) == []


@pytest.mark.training
def test_a_child_killed_from_outside_is_told_with_a_remedy(run: Run, tmp_path: Path) -> None:
    def kill(_event: TrainingEvent) -> None:
        for pid in children_of(os.getpid()):
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(TrainingFailed, match="memory ran out"):
        run(on_progress=kill)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.training
def test_the_child_ends_and_tidies_up_when_its_parent_is_killed(
    tmp_path: Path,
    tiny_base: ModelFolder,
    rows_file: Path,
    environment: Mapping[str, str],
) -> None:
    code = (
        "import os, sys; from pathlib import Path; import adapters as a\n"
        "base = a.describe_base_model(sys.argv[1])\n"
        "config = a.parse_training_config({'task': 't', 'model_name_or_path': base.id,"
        " 'dataset': sys.argv[2], 'force': True})\n"
        "a.run_training(config, base=base, into=Path(sys.argv[3]), environment=dict(os.environ),"
        " on_progress=lambda e: print(e.event, flush=True))\n"
    )
    arguments = [str(tiny_base.folder), str(rows_file), str(tmp_path)]
    parent = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=CHECKOUT,
        env=dict(environment),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == "loading\n"
        (child,) = children_of(parent.pid)
        parent.kill()
        parent.wait()
    until = time.monotonic() + GONE_WITHIN_S
    while time.monotonic() < until and (is_running(child) or list(tmp_path.iterdir())):
        time.sleep(0.1)
    assert not is_running(child)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.training
def test_two_processes_share_the_rows_and_leave_what_one_leaves(
    run: Run, tmp_path: Path, tiny_base: ModelFolder
) -> None:
    events: list[TrainingEvent] = []
    alone_events: list[TrainingEvent] = []
    values = {"val_size": 8, "replay_ratio": 0.0}  # 16 rows are left, one whole step an epoch
    alone = run(
        values,
        into=tmp_path / "alone",
        settings=AdaptersConfig(training_threads=1),
        on_progress=alone_events.append,
    )
    result = run(
        {**values, "num_processes": 2},
        into=tmp_path / "both",
        settings=AdaptersConfig(training_threads=2),
        on_progress=events.append,
    )
    assert list((tmp_path / "both").iterdir()) == [result.folder]
    assert {path.name for path in result.folder.iterdir()} == {
        path.name for path in alone.folder.iterdir()
    }
    check_servability(result.folder, max_lora_rank=4, base=tiny_base)
    # The same rows in every step, so the same curve but for rounding: the last step of an epoch
    # would be filled up with rows of its first until both have as many. Each event is told once.
    both: Any = (result.metrics["curve"], alone.metrics["curve"])
    assert [p["loss"] for p in both[0]] == pytest.approx([p["loss"] for p in both[1]], abs=0.02)
    assert both[0][0]["tokens"] == both[1][0]["tokens"]
    assert len(both[0]) == len(both[1])
    names = [event.event for event in events if event.event not in ("progress", "heartbeat")]
    told = [one.event for one in alone_events if one.event not in ("progress", "heartbeat")]
    assert names == told
    assert result.run["threads"] == 1
    probes = read_effect_reference(result.run)
    assert judge_effect(probes, [p.base for p in probes], [p.adapter for p in probes]).is_applied


@pytest.mark.training
def test_a_cancelled_run_of_two_processes_ends_both(run: Run, tmp_path: Path) -> None:
    steps: list[int] = []
    with pytest.raises(TrainingCancelled):
        run(
            {"num_train_epochs": 2000, "num_processes": 2},
            on_progress=lambda event: steps.append(event.step or 0),
            cancelled=lambda: max(steps, default=0) > 3,
        )
    until = time.monotonic() + GONE_WITHIN_S
    while time.monotonic() < until and trainers_in(tmp_path):
        time.sleep(0.1)
    assert trainers_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("", "no training rows"),
        ("\n\n", "no training rows"),
        ('{"prompt": "what", "completion": "blue"}\n', "at least two rows are needed"),
        ('{"prompt": "what", "completion": ""}\n' * 3, "empty"),
    ],
)
def test_rows_that_teach_nothing_are_refused_before_a_child_is_started(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, reason: str
) -> None:
    monkeypatch.setattr("adapters.training.run.run_child", None)
    rows = tmp_path / "rows.jsonl"
    rows.write_text(lines)
    for stage in ("sft", "dpo"):
        with pytest.raises(InvalidTrainingData, match=reason if stage == "sft" else "."):
            run({"dataset": str(rows), "stage": stage})
    assert list(tmp_path.iterdir()) == [rows]


@pytest.mark.training
def test_rows_whose_answers_are_all_cut_are_told_before_the_model_is_loaded(
    run: Run, tmp_path: Path, tiny_base: ModelFolder
) -> None:
    rows = tmp_path / "long.jsonl"
    said = [{"prompt": "what " * (50 + i), "completion": "blue " * 20} for i in range(3)]
    rows.write_text("\n".join(map(json.dumps, said)))
    no_weights = tmp_path / "tiny"
    shutil.copytree(tiny_base.folder, no_weights, ignore=shutil.ignore_patterns("*.safetensors"))
    into = tmp_path / "adapters"
    with pytest.raises(InvalidTrainingData, match="no answer is left to learn"):
        run(
            {"dataset": str(rows), "cutoff_len": 16, "val_size": 0},
            base=replace(tiny_base, folder=no_weights),
            into=into,
        )
    assert list(into.iterdir()) == []


@pytest.mark.training
def test_the_folder_loads_in_plain_peft_and_answers_as_its_reference_says(
    finished: Finished, tiny_base: ModelFolder
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PLAIN_PEFT, str(tiny_base.folder), str(finished.result.folder)],
        cwd=finished.result.folder.parent,
        env={"PATH": os.environ["PATH"], "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    reference: Any = finished.result.run["effect_reference"]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == [pytest.approx(probe["adapter"], abs=1e-4) for probe in reference]
    assert found != [pytest.approx(probe["base"], abs=0.05) for probe in reference]


PLAIN_PEFT = """
import json, sys, torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
base, folder = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.bfloat16)
model = PeftModel.from_pretrained(model, folder).eval()
found = []
for probe in json.load(open(folder + "/run.json"))["effect_reference"]:
    ids = torch.tensor([probe["token_ids"]])
    with torch.inference_mode():
        said = torch.log_softmax(model(input_ids=ids).logits[0, :-1].float(), dim=-1)
    found.append(said.gather(1, ids[0, 1:, None])[:, 0].tolist())
assert not {"adapters", "service"} & sys.modules.keys(), "not without us"
print(json.dumps(found))
"""


@pytest.mark.training
def test_another_seed_gives_another_adapter(run: Run, finished: Finished) -> None:
    other = run({"seed": 7}, settings=AdaptersConfig(training_threads=1))
    assert other.adapter_id != finished.result.adapter_id


def children_of(pid: int) -> list[int]:
    listing = Path(f"/proc/{pid}/task")
    found: list[int] = []
    for task in listing.iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return [child for child in found if "adapters.children.child" in command_of(child)]


def trainers_in(folder: Path) -> list[int]:
    """Returns every process that was started for a job below a folder."""
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in pids if f"{folder}/" in command_of(pid)]


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def is_running(pid: int) -> bool:
    return "adapters.children.child" in command_of(pid)

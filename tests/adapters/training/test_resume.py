"""A run that is killed goes on from its last good checkpoint, as if nothing had happened."""

import json
import os
import resource
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters import (
    AdaptersConfig,
    InvalidTrainingConfig,
    ModelFolder,
    TrainingCancelled,
    TrainingEvent,
    TrainingFailed,
    TrainingResult,
    ask_to_cancel,
    load_run_config,
    parse_training_config,
    read_events,
    read_run,
    run_training,
)
from adapters.training.journal import last_checkpoint
from tests.adapters.training.test_run import children_of

Run = Callable[..., TrainingResult]


@pytest.fixture(scope="session")
def start(tiny_base: ModelFolder, rows_file: Path, environment: Mapping[str, str]) -> Run:
    """Returns a function that trains 12 steps over 4 epochs, with a checkpoint every second."""

    def begin(
        run_dir: Path, into: Path, /, *, values: Mapping[str, object] | None = None, **more: Any
    ) -> Any:
        config = parse_training_config(
            {
                "task": "colours",
                "model_name_or_path": tiny_base.id,
                "dataset": str(rows_file),
                "lora_rank": 4,
                "learning_rate": 0.02,
                "num_train_epochs": 4,
                "per_device_train_batch_size": 2,
                "save_steps": 2,
                "force": True,
                **(values or {}),
            }
        )
        settings = AdaptersConfig(training_threads=1, training_nice=1)
        return run_training(
            config,
            run_dir=run_dir,
            into=into,
            base=tiny_base,
            environment=environment,
            settings=settings,
            **more,
        )

    return begin


@pytest.fixture
def run(start: Run, tmp_path: Path) -> Run:
    """Returns `start` for this test's own folder of adapters."""

    def begin(run_dir: Path, /, **values: Any) -> Any:
        return start(run_dir, tmp_path / "adapters", **values)

    return begin


LONGER = {"num_train_epochs": 10}


@pytest.fixture(scope="session")
def uninterrupted(start: Run, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """A run of `LONGER` that nobody disturbed."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    return start(folder / "run", folder / "adapters", values=LONGER)


def kill_after(step: int) -> Callable[[TrainingEvent], None]:
    def kill(event: TrainingEvent) -> None:
        if event.event == "checkpoint" and (event.step or 0) >= step:
            for pid in children_of(os.getpid()):
                os.kill(pid, signal.SIGKILL)

    return kill


@pytest.mark.engine
@pytest.mark.parametrize("step", [4, 6])  # within an epoch, and at the end of one
def test_a_killed_run_resumes_with_the_same_curve_and_weights(
    run: Run, uninterrupted: TrainingResult, tmp_path: Path, step: int
) -> None:
    killed = tmp_path / "runs" / "killed"
    with pytest.raises(TrainingFailed, match="killed"):
        run(killed, values=LONGER, on_progress=kill_after(step))
    left = read_run(killed)
    assert left.status == "failed"
    assert left.checkpoint_step is not None
    assert not list((tmp_path / "adapters").iterdir())
    resumed = run(killed, values=LONGER)
    assert resumed.run["resumed_from_step"] >= step  # type: ignore[operator]  # JSON
    assert resumed.metrics["curve"] == uninterrupted.metrics["curve"]
    assert resumed.adapter_id == uninterrupted.adapter_id
    assert read_run(killed).attempts == 2


@pytest.mark.engine
def test_half_a_checkpoint_is_passed_over(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "r"
    with pytest.raises(TrainingFailed):
        run(folder, on_progress=kill_after(4))
    good = last_checkpoint(folder)
    assert good is not None
    half = good.parent / "checkpoint-99"
    shutil.copytree(good, half)
    (half / "optimizer.pt").write_bytes(b"half")
    assert last_checkpoint(folder) == good
    assert not half.exists()
    assert run(folder).metrics["steps"] == 12


@pytest.mark.engine
def test_a_finished_run_keeps_its_journal_and_is_not_trained_again(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / "r"
    result = run(folder)
    state = read_run(folder)
    assert (state.status, state.adapter_id) == ("succeeded", result.adapter_id)
    assert (state.step, state.steps, state.checkpoint_step) == (12, 12, None)
    assert {"job.json", "state.json", "events.jsonl", "training.log"} <= {
        path.name for path in folder.iterdir()
    }
    assert not (folder / "checkpoints").exists()
    assert not (folder / "rows").exists()
    events = read_events(folder)
    assert [event["id"] for event in events] == list(range(len(events)))
    assert events[-1]["event"] == "done"
    assert read_events(folder, after=len(events) - 1) == events[-1:]
    seen: list[TrainingEvent] = []
    assert run(folder, on_progress=seen.append).adapter_id == result.adapter_id
    assert seen == []


@pytest.mark.engine
def test_a_cancelled_run_can_be_resumed_on_the_rows_it_began_with(
    run: Run, tmp_path: Path, rows_file: Path
) -> None:
    folder = tmp_path / "runs" / "r"
    rows = tmp_path / "mine.jsonl"
    shutil.copy(rows_file, rows)

    def cancel(event: TrainingEvent) -> None:
        if event.event == "checkpoint":
            ask_to_cancel(folder)

    values = {"dataset": str(rows), "num_train_epochs": 20}
    with pytest.raises(TrainingCancelled):
        run(folder, values=values, on_progress=cancel)
    assert read_run(folder).status == "cancelled"
    rows.unlink()
    config = load_run_config(folder)
    assert all(folder in path.parents for path in config.dataset)
    again = json.loads(config.model_dump_json())
    assert run(folder, values=again).metrics["steps"] == 60


def test_a_run_folder_belongs_to_one_configuration(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "r"
    with pytest.raises(TrainingCancelled):
        run(folder, cancelled=lambda: True)
    with pytest.raises(InvalidTrainingConfig, match="another configuration"):
        run(folder, values={"seed": 7})


def fill_disk(bytes_left: int) -> None:
    """Let the training process write no file beyond a size: as on a full disk, halves are left."""
    for pid in children_of(os.getpid()):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (bytes_left, bytes_left))


@pytest.mark.engine
def test_a_full_disk_while_saving_leaves_the_last_good_checkpoint(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "r"

    def fill(event: TrainingEvent) -> None:
        if event.event == "checkpoint" and event.step == 4:
            fill_disk(8000)  # less than a checkpoint's weights

    values = {"num_train_epochs": 30}
    with pytest.raises(TrainingFailed, match="File too large"):
        run(folder, values=values, on_progress=fill)
    assert read_run(folder).status == "failed"
    checkpoint = last_checkpoint(folder)
    assert checkpoint is not None
    assert 4 <= int(checkpoint.name.rpartition("-")[2]) < 90
    assert list((tmp_path / "adapters").iterdir()) == []
    assert run(folder, values=values).metrics["steps"] == 90


@pytest.mark.engine
def test_a_run_that_dies_while_its_folder_is_written_leaves_no_half_of_it(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / "r"

    def kill(event: TrainingEvent) -> None:
        if event.event == "effect":  # weights are written, run.json is not
            for pid in children_of(os.getpid()):
                os.kill(pid, signal.SIGKILL)

    def fill(event: TrainingEvent) -> None:
        if event.event == "effect":
            fill_disk(500)

    for spoil, reason in ((kill, "killed"), (fill, "File too large")):
        with pytest.raises(TrainingFailed, match=reason):
            run(folder, on_progress=spoil)
        assert list((tmp_path / "adapters").iterdir()) == []
        assert read_run(folder).checkpoint_step == 12
    made = run(folder)
    assert made.run["resumed_from_step"] == 12
    assert list((tmp_path / "adapters").iterdir()) == [made.folder]

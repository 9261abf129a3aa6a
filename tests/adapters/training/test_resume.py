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
    """Returns a function that trains 3 steps an epoch, with a checkpoint every second step."""

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
def uninterrupted_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uninterrupted")


@pytest.fixture(scope="session")
def uninterrupted(start: Run, uninterrupted_dir: Path) -> TrainingResult:
    """A run of `LONGER` that nobody disturbed."""
    return start(uninterrupted_dir / "run", uninterrupted_dir / "adapters", values=LONGER)


def kill_after(step: int) -> Callable[[TrainingEvent], None]:
    def kill(event: TrainingEvent) -> None:
        if event.event == "checkpoint" and (event.step or 0) >= step:
            for pid in children_of(os.getpid()):
                os.kill(pid, signal.SIGKILL)

    return kill


@pytest.mark.training
def test_a_run_killed_twice_resumes_with_the_same_curve_and_weights(
    run: Run, uninterrupted: TrainingResult, tmp_path: Path
) -> None:
    killed = tmp_path / "runs" / "killed"
    for attempt, step in enumerate((4, 12), start=1):  # within an epoch, and at the end of one
        with pytest.raises(TrainingFailed, match="killed"):
            run(killed, values=LONGER, on_progress=kill_after(step))
        left = read_run(killed)
        assert (left.status, left.attempts) == ("failed", attempt)
        assert (left.checkpoint_step or 0) >= step
        assert not list((tmp_path / "adapters").iterdir())
    leave_half_a_checkpoint(killed)
    resumed = run(killed, values=LONGER)
    assert resumed.run["resumed_from_step"] >= 12  # type: ignore[operator]  # JSON
    assert resumed.metrics["curve"] == uninterrupted.metrics["curve"]
    assert resumed.adapter_id == uninterrupted.adapter_id
    assert read_run(killed).attempts == 3


def leave_half_a_checkpoint(run_dir: Path) -> None:
    """Leave a later checkpoint that is not whole, and see that it is passed over and removed."""
    good = last_checkpoint(run_dir)
    assert good is not None
    half = good.parent / "checkpoint-99"
    shutil.copytree(good, half)
    (half / "optimizer.pt").write_bytes(b"half")
    assert last_checkpoint(run_dir) == good
    assert not half.exists()
    shutil.copytree(good, half)  # for the run itself to find
    (half / "optimizer.pt").write_bytes(b"half")


@pytest.mark.training
def test_a_finished_run_keeps_its_journal_and_is_not_trained_again(
    start: Run, uninterrupted: TrainingResult, uninterrupted_dir: Path
) -> None:
    folder = uninterrupted_dir / "run"
    state = read_run(folder)
    assert (state.status, state.adapter_id) == ("succeeded", uninterrupted.adapter_id)
    assert (state.step, state.steps, state.checkpoint_step) == (30, 30, None)
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
    into = uninterrupted_dir / "adapters"
    again = start(folder, into, values=LONGER, on_progress=seen.append)
    assert again.adapter_id == uninterrupted.adapter_id
    assert seen == []


@pytest.mark.training
def test_a_cancelled_run_can_be_resumed_on_the_rows_it_began_with(
    run: Run, uninterrupted: TrainingResult, tmp_path: Path, rows_file: Path
) -> None:
    folder = tmp_path / "runs" / "r"
    rows = tmp_path / "mine.jsonl"
    shutil.copy(rows_file, rows)

    def cancel(event: TrainingEvent) -> None:
        if event.event == "checkpoint":
            ask_to_cancel(folder)

    values = {**LONGER, "dataset": str(rows)}
    with pytest.raises(TrainingCancelled):
        run(folder, values=values, on_progress=cancel)
    assert read_run(folder).status == "cancelled"
    assert list((tmp_path / "adapters").iterdir()) == []
    assert children_of(os.getpid()) == []
    rows.unlink()
    config = load_run_config(folder)
    assert all(folder in path.parents for path in config.dataset)
    again = json.loads(config.model_dump_json())
    assert run(folder, values=again).adapter_id == uninterrupted.adapter_id


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


@pytest.mark.training
def test_a_full_disk_and_a_death_while_writing_leave_the_last_good_checkpoint_and_no_half_folder(
    run: Run, uninterrupted: TrainingResult, tmp_path: Path
) -> None:
    folder = tmp_path / "runs" / "r"

    def fill_while_saving(event: TrainingEvent) -> None:
        if event.event == "checkpoint" and event.step == 4:
            fill_disk(8000)  # less than a checkpoint's weights

    def kill_while_writing(event: TrainingEvent) -> None:
        if event.event == "effect":  # weights are written, run.json is not
            for pid in children_of(os.getpid()):
                os.kill(pid, signal.SIGKILL)

    def fill_while_writing(event: TrainingEvent) -> None:
        if event.event == "effect":
            fill_disk(500)

    for spoil, reason, steps in (
        (fill_while_saving, "File too large", range(4, 30)),
        (kill_while_writing, "killed", (30,)),
        (fill_while_writing, "File too large", (30,)),
    ):
        with pytest.raises(TrainingFailed, match=reason):
            run(folder, values=LONGER, on_progress=spoil)
        assert read_run(folder).status == "failed"
        assert list((tmp_path / "adapters").iterdir()) == []
        checkpoint = last_checkpoint(folder)
        assert checkpoint is not None
        assert int(checkpoint.name.rpartition("-")[2]) in steps
        assert read_run(folder).checkpoint_step in steps
    made = run(folder, values=LONGER)
    assert made.run["resumed_from_step"] == 30
    assert made.adapter_id == uninterrupted.adapter_id
    assert list((tmp_path / "adapters").iterdir()) == [made.folder]

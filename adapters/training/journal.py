"""The folder of a training run: its state, its events and its checkpoints.

`job.json` says what is trained, `state.json` how far it is, `events.jsonl` what happened, one
event a line; `checkpoints/` and `rows/` are what a resumed run needs and go when it has succeeded.
Knows files and a lock; knows neither processes nor torch, and no database.
"""

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any, Literal

from adapters.errors import TrainingRunBusy, TrainingRunNotFound
from adapters.training.events import TrainingEvent

JOB_FILE = "job.json"
LOG_FILE = "training.log"
STATE_FILE = "state.json"
EVENTS_FILE = "events.jsonl"
CANCEL_FILE = "cancel"
LOCK_FILE = "lock"
ROWS = "rows"
CHECKPOINTS = "checkpoints"
COMPLETE = "complete.json"  # in a checkpoint: names and sizes of its files, written last

RunStatus = Literal["running", "succeeded", "failed", "cancelled", "interrupted"]


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A training run as it stands.

    Attributes:
        run_id: Name of its folder.
        status: `interrupted` where no process works on it any more and none said why.
        task: First part of the adapter's id.
        stage: Method.
        base_model: Id of the base model.
        created_at: When it was first started (Unix seconds).
        updated_at: When it last said anything, heartbeats included.
        attempts: How often it was started or resumed.
        step: Steps done.
        steps: Steps in all.
        loss: Last training loss.
        held_out_loss: Last loss on held-out rows.
        tokens_per_s: Rate of this attempt.
        eta_s: Estimated seconds until the last step.
        message: What it said last.
        warnings: How many warnings there were.
        checkpoint_step: Step of the last good checkpoint; none where no questions (any more).
        peak_memory_bytes: Of the training process, once it has ended well.
        adapter_id: Once it has succeeded.
        error: Why it failed.
    """

    run_id: str
    status: RunStatus
    task: str
    stage: str
    base_model: str
    created_at: float
    updated_at: float
    attempts: int = 1
    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    held_out_loss: float | None = None
    tokens_per_s: float | None = None
    eta_s: float | None = None
    message: str = ""
    warnings: int = 0
    checkpoint_step: int | None = None
    peak_memory_bytes: int | None = None
    adapter_id: str | None = None
    error: str | None = None

    def as_dict(self) -> dict[str, object]:
        """Return the run as plain content."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that is whole.

    Attributes:
        step: Steps done by then.
        created_at: When it was whole (Unix seconds).
        loss: Training loss last told by then.
        held_out_loss: Loss on held-out rows last told by then.
    """

    step: int
    created_at: float
    loss: float | None
    held_out_loss: float | None


class Journal:
    """The writing side of one run's folder, locked by the one process that works on it."""

    def __init__(self, folder: Path, lock: IO[str]) -> None:
        self.folder = folder
        self.lock = lock
        self._run: TrainingRun | None = None
        self._next_id = len(read_events(folder))

    @classmethod
    @contextlib.contextmanager
    def lock_folder(cls, folder: Path) -> Iterator["Journal"]:
        """Make the folder where it is missing, and lock it for the length of the block.

        Raises:
            TrainingRunBusy: Another process has locked it.
        """
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOCK_FILE).open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TrainingRunBusy(f"another process is training {folder.name}") from None
            yield cls(folder, lock)

    def begin(self, *, task: str, stage: str, base_model: str) -> TrainingRun:
        """Note that the run starts, or starts again; a wish to cancel it from before is over."""
        (self.folder / CANCEL_FILE).unlink(missing_ok=True)
        now = time.time()
        known = _read_state(self.folder)
        if known is None:
            run = TrainingRun(self.folder.name, "running", task, stage, base_model, now, now)
        else:
            run = replace(
                known, status="running", error=None, updated_at=now, attempts=known.attempts + 1
            )
        self._write(run)
        return run

    def record(self, event: TrainingEvent) -> None:
        """Write an event down; a full disk loses the line, never the training."""
        assert self._run is not None, "a run is begun before it records events"
        said: dict[str, Any] = {
            key: value
            for key, value in event.as_dict().items()
            if key in ("step", "steps", "loss", "held_out_loss", "tokens_per_s", "eta_s")
        }
        run = replace(
            self._run,
            **said,
            updated_at=time.time(),
            message=event.message or self._run.message,
            warnings=self._run.warnings + (event.event == "warning"),
            checkpoint_step=event.step
            if event.event == "checkpoint"
            else self._run.checkpoint_step,
        )
        with contextlib.suppress(OSError):
            self._write(run)
            if event.event != "heartbeat":
                self.append(event)

    def end(
        self,
        status: RunStatus,
        *,
        adapter_id: str | None = None,
        error: str | None = None,
        peak_memory_bytes: int | None = None,
    ) -> None:
        """Note how the run ended; a run that succeeded needs its checkpoints no longer."""
        assert self._run is not None, "a run is begun before it ends"
        run = replace(
            self._run,
            status=status,
            updated_at=time.time(),
            eta_s=None,
            adapter_id=adapter_id,
            error=error,
            peak_memory_bytes=peak_memory_bytes,
        )
        if status == "succeeded":
            run = replace(run, checkpoint_step=None)
            for name in (CHECKPOINTS, ROWS):
                shutil.rmtree(self.folder / name, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._write(run)

    def is_cancel_asked(self) -> bool:
        """Say whether somebody asked this run to stop."""
        return (self.folder / CANCEL_FILE).exists()

    def _write(self, run: TrainingRun) -> None:
        self._run = run
        draft = self.folder / f"{STATE_FILE}.new"
        draft.write_text(json.dumps(run.as_dict(), ensure_ascii=False), encoding="utf-8")
        os.replace(draft, self.folder / STATE_FILE)

    def append(self, event: TrainingEvent) -> None:
        """Add a line to the events."""
        line = {"id": self._next_id, "created_at": time.time(), **event.as_dict()}
        with (self.folder / EVENTS_FILE).open("a", encoding="utf-8") as out:
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._next_id += 1


def add_event(folder: Path, event: TrainingEvent) -> None:
    """Write an event down that came after the end of a run; a full disk loses it.

    Raises:
        TrainingRunBusy: Another process works on the run.
    """
    with Journal.lock_folder(folder) as journal, contextlib.suppress(OSError):
        journal.append(event)


def read_run(folder: Path) -> TrainingRun:
    """Return the run of a folder.

    Raises:
        TrainingRunNotFound: The folder holds none.
    """
    run = _read_state(folder)
    if run is None:
        raise TrainingRunNotFound(f"there is no training run {folder.name}")
    if run.status == "running" and not _is_locked(folder):
        run = _read_state(folder) or run  # it may have ended between the two looks
        if run.status == "running":
            return replace(run, status="interrupted", eta_s=None)
    return run


def list_runs(runs_dir: Path) -> list[TrainingRun]:
    """Return every run below a folder, newest first."""
    if not runs_dir.is_dir():
        return []
    folders = [path.parent for path in runs_dir.glob(f"*/{STATE_FILE}")]
    return sorted((read_run(folder) for folder in folders), key=lambda r: -r.created_at)


def read_events(folder: Path, *, after: int = 0) -> list[dict[str, Any]]:
    """Return what a run said, from event number `after` on.

    Returns:
        One object an event: `id` (0, 1, …), `created_at` (Unix seconds) and the event's own keys.
        A line cut short by a full disk is left out.
    """
    try:
        text = (folder / EVENTS_FILE).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    events = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and event.get("id", -1) >= after:
                events.append(event)
    return events


def ask_to_cancel(folder: Path) -> None:
    """Ask the process that works on a run to stop it."""
    read_run(folder)
    (folder / CANCEL_FILE).touch()


def read_job(folder: Path) -> Mapping[str, Any] | None:
    """Return what a run trains, as its `job.json` says; none where no questions yet."""
    try:
        job = json.loads((folder / JOB_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return job if isinstance(job, dict) else None


def mark_complete(checkpoint: Path) -> None:
    """Say that a checkpoint is whole, by names and sizes of its files."""
    sizes = {path.name: path.stat().st_size for path in checkpoint.iterdir() if path.is_file()}
    draft = checkpoint / f"{COMPLETE}.new"
    draft.write_text(json.dumps(sizes), encoding="utf-8")
    os.replace(draft, checkpoint / COMPLETE)


def last_checkpoint(folder: Path) -> Path | None:
    """Return the last checkpoint of a run that is whole, and remove halves of later ones."""
    found = [path for path in (folder / CHECKPOINTS).glob("checkpoint-*") if path.is_dir()]
    for checkpoint in sorted(found, key=_step_of, reverse=True):
        if _is_complete(checkpoint):
            return checkpoint
        shutil.rmtree(checkpoint, ignore_errors=True)
    return None


def read_checkpoints(folder: Path) -> list[Checkpoint]:
    """Return the whole checkpoints of a run, first to last; changes nothing."""
    events = read_events(folder)
    found = []
    for path in sorted((folder / CHECKPOINTS).glob("checkpoint-*"), key=_step_of):
        step = _step_of(path)
        with contextlib.suppress(OSError):  # the trainer keeps two and removes older ones
            if _is_complete(path):
                made_at = (path / COMPLETE).stat().st_mtime
                losses = (_last(events, key, step) for key in ("loss", "held_out_loss"))
                found.append(Checkpoint(step, made_at, *losses))
    return found


def _last(events: list[dict[str, Any]], key: str, step: int) -> float | None:
    told = [event[key] for event in events if key in event and event.get("step", 0) <= step]
    return float(told[-1]) if told else None


def _step_of(checkpoint: Path) -> int:
    number = checkpoint.name.rpartition("-")[2]
    return int(number) if number.isdigit() else -1


def _is_complete(checkpoint: Path) -> bool:
    try:
        sizes = json.loads((checkpoint / COMPLETE).read_text(encoding="utf-8"))
        return bool(sizes) and all(
            (checkpoint / name).stat().st_size == size for name, size in sizes.items()
        )
    except (OSError, ValueError, AttributeError):
        return False


def _read_state(folder: Path) -> TrainingRun | None:
    try:
        return TrainingRun(**json.loads((folder / STATE_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _is_locked(folder: Path) -> bool:
    try:
        with (folder / LOCK_FILE).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False

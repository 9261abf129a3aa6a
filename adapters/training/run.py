"""Starts a training process, follows it, and puts its finished folder in place.

The parent's side: checks what can be checked without torch, hands the child one JSON file, passes
its events on, writes them into the run's journal, cancels the child on request and names the folder
by its content. A run whose folder is known already continues from its last checkpoint. Knows
nothing of models.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.base_models import ModelFolder
from adapters.children import ChildFailed, Task, run_child
from adapters.config import PLACES, AdaptersConfig, TrainingConfig, parse_training_config
from adapters.errors import (
    AdapterError,
    InvalidTrainingConfig,
    TrainingCancelled,
    TrainingFailed,
    TrainingRunNotFound,
)
from adapters.files.adapter_id import make_adapter_id
from adapters.files.atomic_rename import atomic_rename
from adapters.files.weights import digest_adapter
from adapters.servability import check_config
from adapters.training.check import (
    check_base_model,
    check_layers,
    check_row_count,
    explain_failure,
)
from adapters.training.events import TrainingEvent, to_event
from adapters.training.journal import (
    JOB_FILE,
    LOG_FILE,
    ROWS,
    Journal,
    last_checkpoint,
    read_job,
    read_run,
)

WORK_PREFIX = ".training-"
LESS_MEMORY = "lower per_device_train_batch_size or cutoff_len, or set gradient_checkpointing: true"


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """A finished training run.

    Attributes:
        adapter_id: `<task>@<sha8>`, also the folder's name.
        folder: Holds weights, settings, run.json, metrics.json, loss plot and model card.
        sha256: Digest of weights and settings (hex).
        run: What run.json says.
        metrics: What metrics.json says.
    """

    adapter_id: str
    folder: Path
    sha256: str
    run: Mapping[str, object]
    metrics: Mapping[str, object]


def run_training(
    config: TrainingConfig,
    *,
    base: ModelFolder,
    into: Path,
    environment: Mapping[str, str],
    run_dir: Path | None = None,
    on_progress: Callable[[TrainingEvent], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    settings: AdaptersConfig | None = None,
) -> TrainingResult:
    """Train an adapter in a child process and return its folder.

    Args:
        config: What to train; its `model_name_or_path` must be the id or the folder of `base`.
        base: The base model, which is the one served.
        into: Folder of all adapters; `config.output_dir` goes before it.
        environment: Of the child process; telemetry of every library is turned off on top.
        run_dir: The run's own folder, which holds its journal and checkpoints. A folder that
            holds a run already goes on with it, from its last good checkpoint and on the rows
            it began with. None leaves nothing of a run that fails.
        on_progress: Told every event, in the calling thread.
        cancelled: Asked several times a second; true stops the run.
        settings: Rank limit, threads and priority.

    Returns:
        The adapter's folder, named by its id and never changed again. The same content trained
        twice is one folder.

    Raises:
        BaseModelMismatch: `config` names another base model.
        NotServable: The engine could not load what would be trained; nothing was started.
        InvalidTrainingConfig: The folder holds a run of another configuration.
        InvalidTrainingData: Rows cannot be read, or one row only; nothing was started. Or no
            answer is left within cutoff_len; the base model was not loaded.
        TooFewRows: Fewer than the pilot line, and `force` is not set; nothing was started.
        TrainingRunBusy: Another process works on the run.
        TrainingFailed: The child ended without a result; the message has its reason.
        TrainingCancelled: `cancelled` said so, or `ask_to_cancel`.
    """
    limits = settings or AdaptersConfig()
    check_base_model(config, base)
    check_config(config, max_lora_rank=limits.max_lora_rank)
    adapters_dir = (config.output_dir or into).resolve()
    check_layers(config, base)
    known = _known_config(run_dir, config)
    check_row_count(known or config)  # bad rows are told now, not after the base model was loaded
    adapters_dir.mkdir(parents=True, exist_ok=True)
    staging = _make_staging(adapters_dir, run_dir)
    try:
        with Journal.lock_folder(run_dir or staging) as journal:
            finished = _find_finished(journal.folder, adapters_dir)
            if finished is not None:
                return finished
            journal.begin(task=config.task, stage=config.stage, base_model=base.id)
            return _train(
                known or _copy_rows(config, run_dir),
                base=base,
                adapters_dir=adapters_dir,
                staging=staging,
                journal=journal,
                environment=environment,
                on_progress=on_progress or _ignore,
                cancelled=cancelled or _never,
                limits=limits,
            )
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _train(
    config: TrainingConfig,
    *,
    base: ModelFolder,
    adapters_dir: Path,
    staging: Path,
    journal: Journal,
    environment: Mapping[str, str],
    on_progress: Callable[[TrainingEvent], None],
    cancelled: Callable[[], bool],
    limits: AdaptersConfig,
) -> TrainingResult:
    """Have the child train, and note how it ended."""
    try:
        _run_child(
            _make_task(config, base, journal, staging),
            journal=journal,
            environment=environment,
            on_progress=on_progress,
            cancelled=cancelled,
            limits=limits,
        )
        result = _place_folder(staging / "adapter", adapters_dir, config.task)
    except TrainingCancelled as exc:
        journal.record(TrainingEvent("cancelled", str(exc)))
        journal.end("cancelled")
        raise
    except (AdapterError, OSError) as exc:
        journal.end("failed", error=str(exc))
        if isinstance(exc, AdapterError):
            raise
        raise TrainingFailed(f"training failed: {exc}") from exc
    peak = result.run.get("peak_memory_bytes")
    journal.end(
        "succeeded",
        adapter_id=result.adapter_id,
        peak_memory_bytes=peak if isinstance(peak, int) else None,
    )
    return result


def load_run_config(run_dir: Path) -> TrainingConfig:
    """Return the configuration of a run that was started before, on the rows copied with it.

    Raises:
        TrainingRunNotFound: The folder holds no run.
        InvalidTrainingConfig: It was started by another release, whose keys differ.
    """
    read_run(run_dir)
    job = read_job(run_dir)
    if job is None:
        raise TrainingRunNotFound(f"the run {run_dir.name} ended before its training started")
    return parse_training_config(job["config"], name=run_dir.name)


def _known_config(run_dir: Path | None, config: TrainingConfig) -> TrainingConfig | None:
    """Return the configuration that a run folder holds already, if it is this one."""
    if run_dir is None or read_job(run_dir) is None:
        return None
    known = load_run_config(run_dir)
    if known.model_dump(exclude=PLACES) != config.model_dump(exclude=PLACES):
        raise InvalidTrainingConfig(
            f"the run {run_dir.name} was started with another configuration; start a new one"
        )
    if any(not path.is_file() for path in known.dataset):
        return None  # it has succeeded: its rows are gone, and nothing is left to do
    return known


def _copy_rows(config: TrainingConfig, run_dir: Path | None) -> TrainingConfig:
    """Copy the rows into the run's folder, so that a resumed run learns the same ones."""
    if run_dir is None:
        return config
    copied: dict[str, tuple[Path, ...]] = {}
    for key, files in (("dataset", config.dataset), ("replay_dataset", config.replay_dataset)):
        copies = []
        for number, file in enumerate(files):
            copy = run_dir / ROWS / key / str(number) / file.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            copies.append(copy.resolve())
        copied[key] = tuple(copies)
    return config.model_copy(update=copied)


def _make_staging(adapters_dir: Path, run_dir: Path | None) -> Path:
    """Make the hidden folder, on the adapters' own disk, in which the result is written."""
    if run_dir is None:
        return Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=adapters_dir))
    staging = adapters_dir / f"{WORK_PREFIX}{run_dir.name}"
    staging.mkdir(exist_ok=True)
    return staging


def _find_finished(run_dir: Path, adapters_dir: Path) -> TrainingResult | None:
    """Return what a run that succeeded before has left, if it is still there."""
    try:
        adapter_id = read_run(run_dir).adapter_id
    except TrainingRunNotFound:
        return None
    folder = adapters_dir / adapter_id if adapter_id else None
    return _read_result(folder) if folder is not None and folder.is_dir() else None


def _make_task(config: TrainingConfig, base: ModelFolder, journal: Journal, staging: Path) -> Task:
    checkpoint = last_checkpoint(journal.folder)
    return Task(
        call="adapters.training.process.child:train",
        job={
            "config": config.as_job(),
            "base": base.as_dict(),
            "run_dir": str(journal.folder),
            "checkpoint": str(checkpoint) if checkpoint else None,
            "adapter_dir": str(staging / "adapter"),
        },
        file=journal.folder / JOB_FILE,
        scratch=staging,
        log=journal.folder / LOG_FILE,
        processes=config.num_processes,
        pass_fds=(journal.lock.fileno(),),  # the run stays locked until the child is gone too
    )


def _run_child(
    task: Task,
    *,
    journal: Journal,
    environment: Mapping[str, str],
    on_progress: Callable[[TrainingEvent], None],
    cancelled: Callable[[], bool],
    limits: AdaptersConfig,
) -> None:
    """Pass events on until the child ends; raise unless it ended well."""

    def check() -> None:
        if cancelled() or journal.is_cancel_asked():
            raise TrainingCancelled("the training was cancelled; no adapter was made")

    def record(event: TrainingEvent | None) -> None:
        if event is not None:
            journal.record(event)
            on_progress(event)

    folder = {"TENSORBOARD_LOGGING_DIR": str(journal.folder / "tensorboard")}
    try:
        run_child(
            task,
            environment={**environment, **folder},
            limits=limits,
            on_event=lambda said: record(to_event(said)),
            check=check,
            memory_advice=LESS_MEMORY,
        )
    except ChildFailed as exc:
        record(TrainingEvent("failed", exc.reason, code=exc.code))
        raise explain_failure(exc) from exc


def _place_folder(made: Path, adapters_dir: Path, task: str) -> TrainingResult:
    if not made.is_dir():
        raise TrainingFailed(
            "training failed: the process ended without an error but wrote no adapter"
        )
    sha256 = digest_adapter(made)
    folder = adapters_dir / make_adapter_id(task, sha256)
    if not folder.exists():
        atomic_rename(made, folder)
    elif digest_adapter(folder) != sha256:
        raise TrainingFailed(f"training failed: {folder} exists already, with different content")
    return _read_result(folder)


def _read_result(folder: Path) -> TrainingResult:
    return TrainingResult(
        adapter_id=folder.name,
        folder=folder,
        sha256=digest_adapter(folder),
        run=json.loads((folder / "run.json").read_text(encoding="utf-8")),
        metrics=json.loads((folder / "metrics.json").read_text(encoding="utf-8")),
    )


def _ignore(_event: TrainingEvent) -> None:
    return None


def _never() -> bool:
    return False

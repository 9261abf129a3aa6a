"""Starts a training process, follows it, and puts its finished folder in place.

The parent's side: checks what can be checked without torch, hands the child one JSON file, passes
its events on, stops it on request and names the folder by its content. Knows nothing of models.
"""

import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from adapters.base_models import ModelFolder
from adapters.config import AdaptersConfig, TrainingConfig
from adapters.data import load_rows
from adapters.errors import BaseModelMismatch, TrainingCancelled, TrainingFailed
from adapters.servability import check_config
from adapters.training.events import TrainingEvent, read_event
from adapters.weights import digest_adapter

JOB_FILE = "job.json"
LOG_FILE = "training.log"
WORK_PREFIX = ".training-"
POLL_S = 0.2  # longest time a wish to cancel stays unseen
LOG_LINES = 20  # of the child's standard error kept in a failure: a traceback's end

_CHILD_ENVIRONMENT: Mapping[str, str] = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",  # the base model is a folder: there is nothing to ask a hub
    "DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
    # Beside an engine on the same cores a waiting thread must sleep, not spin: 98 against 12
    # tokens/s measured.
    "OMP_WAIT_POLICY": "PASSIVE",
}


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
        on_progress: Told every event, in the calling thread.
        cancelled: Asked several times a second; true stops the run.
        settings: Rank limit, threads and priority.

    Returns:
        The adapter's folder, named by its id and never changed again. The same content trained
        twice is one folder.

    Raises:
        BaseModelMismatch: `config` names another base model.
        NotServable: The engine could not load what would be trained; nothing was started.
        InvalidTrainingData: Rows cannot be read; nothing was started.
        TrainingFailed: The child ended without a result; the message has its reason.
        TrainingCancelled: `cancelled` said so; nothing is left behind.
    """
    limits = settings or AdaptersConfig()
    _check_base(config, base)
    check_config(config, max_lora_rank=limits.max_lora_rank)
    load_rows(config.dataset)  # bad rows are told now, not after the base model was loaded
    adapters_dir = (config.output_dir or into).resolve()
    adapters_dir.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=WORK_PREFIX, dir=adapters_dir))
    try:
        _write_job(work, config, base, limits)
        child = _start(work, environment, limits)
        try:
            _follow(child, work, on_progress or _ignore, cancelled or _never)
        finally:
            _stop(child, limits.stop_grace_s)
        return _put_in_place(work / "adapter", adapters_dir, config.task)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _check_base(config: TrainingConfig, base: ModelFolder) -> None:
    wanted = config.model_name_or_path
    if wanted != base.id and Path(wanted).resolve() != base.folder.resolve():
        raise BaseModelMismatch(
            f"the configuration asks for {wanted}, but the base model here is {base.id}; "
            f"set model_name_or_path: {base.id}"
        )


def _write_job(
    work: Path, config: TrainingConfig, base: ModelFolder, limits: AdaptersConfig
) -> None:
    resolved = config.model_dump(mode="json")
    resolved["dataset"] = [str(path.resolve()) for path in config.dataset]
    job = {
        "config": resolved,
        "base": base.as_dict(),
        "adapter_dir": str(work / "adapter"),
        "scratch_dir": str(work),
        "parent_pid": os.getpid(),
        "threads": limits.training_threads,
        "nice": limits.training_nice,
    }
    (work / JOB_FILE).write_text(json.dumps(job, ensure_ascii=False), encoding="utf-8")


def _start(
    work: Path, environment: Mapping[str, str], limits: AdaptersConfig
) -> subprocess.Popen[str]:
    child_environment = {**environment, **_CHILD_ENVIRONMENT}
    if limits.training_threads:
        child_environment["OMP_NUM_THREADS"] = str(limits.training_threads)
    with (work / LOG_FILE).open("w", encoding="utf-8") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "adapters.training.child", str(work / JOB_FILE)],
            cwd=Path(__file__).parents[2],  # where `-m adapters…` is found
            env=child_environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches only us, and we stop the child in order
        )


def _follow(
    child: subprocess.Popen[str],
    work: Path,
    on_progress: Callable[[TrainingEvent], None],
    cancelled: Callable[[], bool],
) -> None:
    """Pass events on until the child ends; raise unless it ended well."""
    lines: queue.Queue[str | None] = queue.Queue()
    assert child.stdout is not None
    threading.Thread(target=_read_lines, args=(child.stdout, lines), daemon=True).start()
    reason = ""
    while True:
        if cancelled():
            raise TrainingCancelled("the training was stopped on request; nothing of it was kept")
        try:
            line = lines.get(timeout=POLL_S)
        except queue.Empty:
            continue
        if line is None:
            break
        event = read_event(line)
        if event is None:
            continue
        if event.event == "failed":
            reason = event.message
        on_progress(event)
    code = child.wait()
    if code:
        raise _failure(code, reason, work / LOG_FILE)


def _read_lines(stream: IO[str], lines: queue.Queue[str | None]) -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)


def _failure(code: int, reason: str, log: Path) -> TrainingFailed:
    tail = tuple(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:])
    if code == -signal.SIGKILL:
        reason = reason or (
            "the process was killed from outside, most likely for want of memory; lower "
            "per_device_train_batch_size or cutoff_len, or set gradient_checkpointing: true"
        )
    said = reason or f"the process ended with code {code}"
    return TrainingFailed(f"training failed: {said}" + "".join(f"\n  {t}" for t in tail), tail)


def _stop(child: subprocess.Popen[str], grace_s: float) -> None:
    """End the child if it still runs: ask first, then kill."""
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(timeout=grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _put_in_place(made: Path, adapters_dir: Path, task: str) -> TrainingResult:
    if not made.is_dir():
        raise TrainingFailed("training failed: the process ended well but left no adapter")
    sha256 = digest_adapter(made)
    adapter_id = f"{task}@{sha256[:8]}"
    folder = adapters_dir / adapter_id
    if not folder.exists():
        os.rename(made, folder)
    elif digest_adapter(folder) != sha256:
        raise TrainingFailed(f"training failed: {folder} exists already, with another content")
    return TrainingResult(
        adapter_id=adapter_id,
        folder=folder,
        sha256=sha256,
        run=json.loads((folder / "run.json").read_text(encoding="utf-8")),
        metrics=json.loads((folder / "metrics.json").read_text(encoding="utf-8")),
    )


def _ignore(_event: TrainingEvent) -> None:
    return None


def _never() -> bool:
    return False

"""The training process: `python -m adapters.training.process.child JOB.json`.

Owns what belongs to being a child: events on standard output and everything else on standard
error, low priority, an end when the parent ends, and no half a folder after SIGTERM. The training
itself is in one recipe for each stage; this file knows nothing of it. With `only_check` the rows
are read and counted, and no model is loaded. Of several processes that train together (torch's
launcher started them, or `accelerate launch`) the first alone speaks and writes.
"""

import ctypes
import importlib
import json
import logging
import os
import shutil
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from adapters.children.parent import step_back
from adapters.errors import AdapterError
from adapters.training.events import TrainingEvent

PARENT_CHECK_S = 1.0  # longest time a child outlives its parent where the kernel does not tell it
STOPPED_CODE = 143  # 128 + SIGTERM, as shells count
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class _Stopped(BaseException):
    """SIGTERM came; no handler of ordinary exceptions may hold it up."""


def main(arguments: list[str]) -> int:
    """Run the job of a file and return the process's exit code."""
    job: dict[str, Any] = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    scratch = Path(job["scratch_dir"])
    events = _claim_stdout()
    signal.signal(signal.SIGTERM, _raise_stopped)
    _follow_parent(job["parent_pid"], scratch)
    step_back(job["nice"])
    _quieten()

    def emit(event: TrainingEvent) -> None:
        events.write(json.dumps(event.as_dict(), ensure_ascii=False) + "\n")
        events.flush()

    try:
        _work(job, emit)
    except (_Stopped, BrokenPipeError):
        shutil.rmtree(scratch, ignore_errors=True)
        return STOPPED_CODE
    except AdapterError as exc:
        emit(TrainingEvent("failed", str(exc), code=exc.code))
        return 1
    except Exception as exc:
        emit(TrainingEvent("failed", f"{type(exc).__name__}: {exc}"))
        raise
    return 0


def _work(job: dict[str, Any], emit: Callable[[TrainingEvent], None]) -> None:
    if job["only_check"]:
        from adapters.training.process.preparation import count_material

        emit(TrainingEvent("data", counts=count_material(job)))
        return
    if job["config"]["num_processes"] > 1 and not _is_first():
        emit = _say_nothing
    emit(TrainingEvent("loading", f"loading {job['base']['id']}"))
    _settle_libraries(job["threads"])
    recipe = importlib.import_module(f"adapters.training.process.{job['config']['stage']}")
    recipe.train(job, emit)


def _is_first() -> bool:
    """Join the other processes and say whether this is the one that speaks."""
    import torch
    from accelerate import PartialState

    return bool(PartialState(cpu=not torch.cuda.is_available()).is_main_process)


def _say_nothing(_event: TrainingEvent) -> None:
    return None


def _claim_stdout() -> TextIO:
    """Return standard output for events alone; what libraries print goes to standard error."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return events


def _raise_stopped(_number: int, _frame: FrameType | None) -> None:
    # Linux tells the death of each of the parent's threads: a second signal would end the tidying.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise _Stopped


def _follow_parent(parent_pid: int, scratch: Path) -> None:
    """End with the parent: told by the kernel where it can, found out by asking elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    arguments = (os.getppid(), parent_pid, scratch)  # a launcher may stand between
    threading.Thread(target=_watch_parent, args=arguments, daemon=True).start()


def _watch_parent(launcher_pid: int, parent_pid: int, scratch: Path) -> None:
    while os.getppid() == launcher_pid and _is_alive(parent_pid):
        time.sleep(PARENT_CHECK_S)
    # The signal may wait for a long step in C++; with the parent gone nobody waits for us.
    shutil.rmtree(scratch, ignore_errors=True)
    os._exit(STOPPED_CODE)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _settle_libraries(threads: int | None) -> None:
    import datasets
    import torch

    if threads:
        torch.set_num_threads(threads)
    datasets.disable_progress_bars()
    datasets.disable_caching()


def _quieten() -> None:
    # TRL names the vLLM versions it was tested with; we do not use vLLM from here.
    warnings.filterwarnings("ignore", message="TRL currently supports vLLM versions")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The child's side: `python -m adapters.children.child TASK.json` calls the function of a task.

Owns what belongs to being a child: events on standard output and everything else on standard
error, low priority, an end when the parent ends, and no half a folder after SIGTERM. Knows nothing
of what the function does.
"""

import contextlib
import json
import logging
import os
import select
import shutil
import signal
import sys
import threading
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from adapters.children.imports import import_quickly, leave_out
from adapters.children.protocol import RESULT_FILE, STOPPED_CODE, failure, to_line
from adapters.errors import AdapterError

PARENT_CHECK_S = 1.0  # longest time unseen that a launcher has ended
GRACE_S = 1.0  # for tidying up once the parent is gone


class _Stopped(BaseException):
    """SIGTERM came; no handler of ordinary exceptions may hold it up."""


def main(arguments: Sequence[str]) -> int:
    """Do the task of a file and return the process's exit code."""
    file = Path(arguments[0])
    job: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    scratch = Path(job["scratch_dir"])
    events = _claim_stdout()

    def emit(event: Mapping[str, object]) -> None:
        events.write(to_line(event))
        events.flush()

    try:  # from the first moment that a stop can come
        signal.signal(signal.SIGTERM, _raise_stopped)
        threading.Thread(target=_end_with_parent, args=(scratch,), daemon=True).start()
        lower_priority(job["nice"])
        leave_out(job["left_out"])
        _quieten()
        module, _, name = job["call"].partition(":")
        result = getattr(import_quickly(module), name)(job, emit)
        if result is not None:
            text = json.dumps(result, ensure_ascii=False)
            file.with_name(RESULT_FILE).write_text(text, encoding="utf-8")
    except (_Stopped, BrokenPipeError):
        shutil.rmtree(scratch, ignore_errors=True)
        return STOPPED_CODE
    except AdapterError as exc:
        emit(failure(str(exc), exc.code))
        return 1
    except Exception as exc:
        emit(failure(f"{type(exc).__name__}: {exc}"))
        raise
    return 0


def lower_priority(nice: int) -> None:
    """Give way to other processes.

    Where Linux weighs sessions first (autogroup, the default of desktops and many servers), the
    niceness of a process that is alone in its session means nothing: the session's own counts.

    Args:
        nice: 0 to 19, as `os.nice` has it.
    """
    os.nice(nice)
    with contextlib.suppress(OSError):  # no such file, or a kernel that asks for patience
        Path("/proc/self/autogroup").write_text(str(nice), encoding="ascii")


def _claim_stdout() -> TextIO:
    """Return standard output for events alone; what libraries print goes to standard error."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return events


def _raise_stopped(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one would end the tidying
    raise _Stopped


def _end_with_parent(scratch: Path) -> None:
    """Wait until the parent closes our standard input, which its death does too."""
    started_by = os.getppid()  # a launcher may stand between the parent and us, and die alone
    while os.getppid() == started_by:
        ready, _, _ = select.select([0], [], [], PARENT_CHECK_S)
        if ready and not os.read(0, 1):
            break
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    # The signal may wait for a long step in C++; with the parent gone nobody waits for us.
    shutil.rmtree(scratch, ignore_errors=True)
    os._exit(STOPPED_CODE)


def _quieten() -> None:
    # TRL names the vLLM versions it was tested with; we do not use vLLM from here.
    warnings.filterwarnings("ignore", message="TRL currently supports vLLM versions")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

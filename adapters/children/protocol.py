"""How a child process that loads torch is told its task and answers: the same for every child.

The parent writes one JSON file and starts `python -m adapters.children.child FILE`, with a pipe on
standard input that closes when the parent ends. The file says which function to call (`call`) and
holds what the function needs. The child writes one JSON object a line on standard output, each an
event; everything else goes to standard error, which is the log. It ends with exit code 0 and the
function's result in `result.json` beside the file, or with another code after an event `failed`
that carries the error's text and code. To cancel it the parent closes the pipe and sends SIGTERM.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RESULT_FILE: Final = "result.json"
FAILED: Final = "failed"
STOPPED_CODE: Final = 143  # 128 + SIGTERM, as shells count

# transformers and torch import these where they are installed, for functions that no child calls.
UNUSED_LIBRARIES: Final = ("sklearn", "scipy")

Emit = Callable[[Mapping[str, object]], None]
"""Sends one event to the parent."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a child is started for.

    Attributes:
        call: `module:function` of this room; it is given the job and `Emit`.
        job: What the function needs, as JSON.
        file: Where the task is written; the result goes beside it.
        scratch: Removed by a child that is stopped, or whose parent ends.
        log: Takes the child's standard error.
        processes: More than one are started by torch's launcher.
        pass_fds: File descriptors that stay open in the child.
        left_out: Libraries the child does without, which makes it start sooner.
    """

    call: str
    job: Mapping[str, Any]
    file: Path
    scratch: Path
    log: Path
    processes: int = 1
    pass_fds: tuple[int, ...] = ()
    left_out: tuple[str, ...] = UNUSED_LIBRARIES

    @classmethod
    def in_folder(
        cls,
        folder: Path,
        call: str,
        job: Mapping[str, Any],
        *,
        left_out: tuple[str, ...] = UNUSED_LIBRARIES,
    ) -> "Task":
        """Return a task with a folder of its own, which holds its files and is its scratch."""
        return cls(
            call=call,
            job=job,
            file=folder / "job.json",
            scratch=folder,
            log=folder / "child.log",
            left_out=left_out,
        )


def write_task(task: Task, *, threads: int | None, nice: int) -> None:
    """Write the file of a task in one step: a resumed run reads it too."""
    content = {
        **task.job,
        "call": task.call,
        "scratch_dir": str(task.scratch),
        "left_out": list(task.left_out),
        "threads": threads and max(1, threads // task.processes),
        "nice": nice,
    }
    draft = task.file.with_name(f"{task.file.name}.new")
    draft.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    os.replace(draft, task.file)


def to_line(event: Mapping[str, object]) -> str:
    """Return an event as the child writes it."""
    return json.dumps(event, ensure_ascii=False) + "\n"


def read_line(line: str) -> dict[str, Any] | None:
    """Return the event in a line; none if the line holds none."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def failure(message: str, code: str | None = None) -> dict[str, object]:
    """Return the event with which a child ends that has no result."""
    event: dict[str, object] = {"event": FAILED, "message": message}
    return event if code is None else {**event, "code": code}

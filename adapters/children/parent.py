"""The parent's side: starts a child process, passes its events on, ends it, returns its result.

Knows processes and their log; knows neither what a child does nor what its events mean.
"""

import json
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from adapters.children.protocol import FAILED, RESULT_FILE, Task, read_line, write_task
from adapters.config import AdaptersConfig

POLL_S: Final = 0.2  # longest time a wish to stop stays unseen
LOG_LINES: Final = 20  # of a child's standard error in a failure: a traceback's end
CHECKOUT: Final = Path(__file__).parents[2]  # where `-m adapters…` is found

TELEMETRY_OFF: Final[Mapping[str, str]] = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "ANONYMIZED_TELEMETRY": "False",  # Chroma
    "WANDB_MODE": "disabled",
    "WANDB_DISABLED": "true",
    "TRACKIO_DISABLED": "true",
    "GRADIO_ANALYTICS_ENABLED": "False",  # comes with Trackio
    "RAY_USAGE_STATS_ENABLED": "0",  # comes with vLLM on several machines
}
"""No library of ours tells anybody that it is used; for every process that is started."""

_ENVIRONMENT: Final[Mapping[str, str]] = {
    **TELEMETRY_OFF,
    "HF_HUB_OFFLINE": "1",  # the base model is a folder: there is nothing to ask a hub
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONUNBUFFERED": "1",
    # Beside an engine on the same cores a waiting thread must sleep, not spin: 98 against 12
    # tokens/s measured.
    "OMP_WAIT_POLICY": "PASSIVE",
    # Batches differ in length, and oneDNN keeps the code it made for 1024 shapes: 5.2 GB after
    # 114 steps. With 32: 2.0 to 2.3 GB over 8 steps, where 1024 took 2.6 (own measurement).
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "32",
}

# On one machine, by a port of its own on loopback.
_LAUNCHER: Final = ("torch.distributed.run", "--standalone", "--local-addr=127.0.0.1")


class ChildFailed(Exception):
    """A child ended without a result; whoever started it says so in its own words.

    Attributes:
        reason: What the child said last, or what its exit code tells.
        tail: The last lines of its log.
        code: Of the error that ended it, if that is one of this room.
    """

    def __init__(self, reason: str, tail: tuple[str, ...], *, code: str | None = None) -> None:
        super().__init__(reason + "".join(f"\n  {line}" for line in tail))
        self.reason = reason
        self.tail = tail
        self.code = code


def run_child(
    task: Task,
    *,
    environment: Mapping[str, str],
    limits: AdaptersConfig,
    on_event: Callable[[dict[str, Any]], None],
    check: Callable[[], None],
    memory_advice: str = "",
) -> Any:
    """Have a child do a task and return its result; none where its function returns none.

    Args:
        task: What to do.
        environment: Of the child; telemetry is turned off on top.
        limits: Threads, priority and patience.
        on_event: Told what the child says, in the calling thread.
        check: Called several times a second; raises to stop the child.
        memory_advice: What helps if memory ran out.

    Raises:
        ChildFailed: It ended without a result.
    """
    result = task.file.with_name(RESULT_FILE)
    result.unlink(missing_ok=True)
    write_task(task, threads=limits.training_threads, nice=limits.training_nice)
    child = start_child(task, environment=environment, threads=limits.training_threads)
    told: dict[str, Any] = {}
    try:
        for line in read_child(child, check):
            if (event := read_line(line)) is None:
                continue
            if event.get("event") == FAILED:
                told = event
            else:
                on_event(event)
        if code := child.wait():
            reason = told.get("message") or describe_exit(code, memory_advice)
            raise ChildFailed(reason, _tail_of(task.log), code=told.get("code"))
    finally:
        stop_child(child, limits.stop_grace_s)
    return json.loads(result.read_text(encoding="utf-8")) if result.exists() else None


def start_child(
    task: Task, *, environment: Mapping[str, str], threads: int | None
) -> subprocess.Popen[str]:
    """Start the child of a task whose file is written.

    Args:
        task: Its file is the child's only argument; standard error is added to its log.
        environment: Of the child, whole; telemetry is turned off on top.
        threads: For OpenMP, shared by the processes; none leaves that to it.
    """
    own = {**environment, **_ENVIRONMENT}
    if threads:
        own["OMP_NUM_THREADS"] = str(max(1, threads // task.processes))
    several = ("-m", *_LAUNCHER, f"--nproc-per-node={task.processes}")
    launcher = several if task.processes > 1 else ()
    with task.log.open("a", encoding="utf-8") as errors:
        return subprocess.Popen(
            [sys.executable, *launcher, "-m", "adapters.children.child", str(task.file)],
            cwd=CHECKOUT,
            env=own,
            stdin=subprocess.PIPE,  # closed by our death, which ends the child
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches only us, and we stop the child in order
            pass_fds=task.pass_fds,
        )


def read_child(child: subprocess.Popen[str], check: Callable[[], None]) -> Iterator[str]:
    """Yield what the child says until it ends.

    Args:
        child: Made by `start_child`.
        check: Called several times a second; raises to stop reading.
    """
    assert child.stdout is not None
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read_lines, args=(child.stdout, lines), daemon=True).start()
    while True:
        check()
        try:
            line = lines.get(timeout=POLL_S)
        except queue.Empty:
            continue
        if line is None:
            return
        yield line


def stop_child(child: subprocess.Popen[str], grace_s: float) -> None:
    """End the child if it still runs: ask first, then kill."""
    if child.stdin is not None:
        child.stdin.close()
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(timeout=grace_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def describe_exit(code: int, memory_advice: str = "") -> str:
    """Return why a child ended with an exit code other than 0."""
    if code == -signal.SIGKILL:
        killed = "the process was killed from outside, most likely because memory ran out"
        return f"{killed}; {memory_advice}" if memory_advice else killed
    return f"the process ended with code {code}"


def _tail_of(log: Path) -> tuple[str, ...]:
    return tuple(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:])


def _read_lines(stream: IO[str], lines: "queue.Queue[str | None]") -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)

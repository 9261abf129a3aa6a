"""Child processes that load torch: started, read line by line, ended.

Knows processes and their log; knows neither what a child does nor what its events mean.
"""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from adapters.config import AdaptersConfig

POLL_S: Final = 0.2  # longest time a wish to stop stays unseen
LOG_LINES: Final = 20  # of a child's standard error kept in a failure: a traceback's end

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
    """

    def __init__(self, reason: str, tail: tuple[str, ...]) -> None:
        super().__init__(reason + "".join(f"\n  {line}" for line in tail))
        self.reason = reason
        self.tail = tail


def run_job(
    call: str,
    job: Mapping[str, Any],
    work: Path,
    *,
    environment: Mapping[str, str],
    limits: AdaptersConfig,
    on_event: Callable[[dict[str, Any]], None],
    check: Callable[[], None],
) -> Any:
    """Have a child (`adapters/child.py`) do one job and return its result.

    Args:
        call: `module:function` of this room; it is given the job and a function for events.
        job: What the function needs, as JSON.
        work: Folder of this job alone; removed by the child if we die.
        environment: Of the child; telemetry is turned off on top.
        limits: Threads, priority and patience.
        on_event: Told what the child says, in the calling thread.
        check: Called several times a second; raises to stop the child.

    Raises:
        ChildFailed: It ended without a result.
    """
    file, log = work / "job.json", work / "child.log"
    whole = {"threads": limits.training_threads, "nice": limits.training_nice, **job, "call": call}
    file.write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
    child = start_child(
        "adapters.children.child",
        file,
        log,
        environment=environment,
        threads=limits.training_threads,
        stdin=subprocess.PIPE,  # closed by our death, which ends the child
    )
    try:
        reason = ""
        for line in read_child(child, check):
            event: dict[str, Any] = json.loads(line)
            if "failed" in event:
                reason = event["failed"]
            else:
                on_event(event)
        if code := child.wait():
            raise ChildFailed(reason or reason_of(code), tail_of(log))
    finally:
        stop_child(child, limits.stop_grace_s)
    return json.loads((work / "result.json").read_text(encoding="utf-8"))


def start_child(
    module: str,
    job: Path,
    log: Path,
    *,
    environment: Mapping[str, str],
    threads: int | None,
    processes: int = 1,
    stdin: int = subprocess.DEVNULL,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[str]:
    """Start `python -m module job`, with telemetry off and standard error appended to `log`.

    Args:
        module: What to run.
        job: Its only argument.
        log: Takes standard error.
        environment: Of the child, whole.
        threads: For OpenMP, shared by the processes; None leaves that to it.
        processes: More than one are started by torch's launcher, as `accelerate launch` does.
        stdin: As for `subprocess`.
        pass_fds: File descriptors that stay open in the child.
    """
    own = {**environment, **_ENVIRONMENT}
    if threads:
        own["OMP_NUM_THREADS"] = str(max(1, threads // processes))
    launcher = ("-m", *_LAUNCHER, f"--nproc-per-node={processes}") if processes > 1 else ()
    with log.open("a", encoding="utf-8") as errors:
        return subprocess.Popen(
            [sys.executable, *launcher, "-m", module, str(job)],
            cwd=Path(__file__).parents[2],  # where `-m adapters…` is found
            env=own,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches only us, and we stop the child in order
            pass_fds=pass_fds,
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


def reason_of(code: int, *, remedy: str = "") -> str:
    """Return why a child ended with an exit code other than 0; `remedy` is for want of memory."""
    if code == -signal.SIGKILL:
        killed = "the process was killed from outside, most likely for want of memory"
        return f"{killed}; {remedy}" if remedy else killed
    return f"the process ended with code {code}"


def step_back(nice: int) -> None:
    """Give way to other processes; called by a child of `start_child` in itself.

    Where Linux weighs sessions first (autogroup, the default of desktops and many servers), the
    niceness of a process that is alone in its session means nothing: the session's own counts.

    Args:
        nice: 0 to 19, as `os.nice` has it.
    """
    os.nice(nice)
    with contextlib.suppress(OSError):  # no such file, or a kernel that asks for patience
        Path("/proc/self/autogroup").write_text(str(nice), encoding="ascii")


def tail_of(log: Path) -> tuple[str, ...]:
    """Return the last lines of a child's log."""
    return tuple(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:])


def _read_lines(stream: IO[str], lines: "queue.Queue[str | None]") -> None:
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)

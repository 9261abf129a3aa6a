"""What is set for every child that loads torch, and what it does about itself."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters import TELEMETRY_OFF, AdaptersConfig, InvalidTrainingData
from adapters.children import ChildFailed, Task, run_child
from adapters.children.parent import start_child
from adapters.children.protocol import STOPPED_CODE, write_task

SCRIPT = """
import os, pathlib
from adapters.children.child import lower_priority
lower_priority(7)
file = pathlib.Path("/proc/self/autogroup")
print(os.nice(0), file.read_text().split()[-1] if file.exists() else 7)
"""


def task_in(folder: Path, call: str = "a:b", **job: Any) -> Task:
    return Task.in_folder(folder, call, job)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], Mapping[str, str]]]:
    calls: list[tuple[list[str], Mapping[str, str]]] = []

    def note(command: list[str], *, env: Mapping[str, str], **_: Any) -> None:
        calls.append((command, env))

    monkeypatch.setattr(subprocess, "Popen", note)
    return calls


def test_telemetry_is_off_whatever_the_environment_says(
    started: list[tuple[list[str], Mapping[str, str]]], tmp_path: Path
) -> None:
    loud = dict.fromkeys(TELEMETRY_OFF, "on") | {"PATH": "/bin"}
    start_child(task_in(tmp_path), environment=loud, threads=None)
    ((_, environment),) = started
    assert environment["PATH"] == "/bin"
    assert {name: environment[name] for name in TELEMETRY_OFF} == dict(TELEMETRY_OFF)
    assert TELEMETRY_OFF["HF_HUB_DISABLE_TELEMETRY"] == TELEMETRY_OFF["DO_NOT_TRACK"] == "1"
    assert TELEMETRY_OFF["ANONYMIZED_TELEMETRY"] == "False"
    assert TELEMETRY_OFF["WANDB_MODE"] == "disabled"


def test_processes_share_the_threads_and_get_a_launcher(
    started: list[tuple[list[str], Mapping[str, str]]], tmp_path: Path
) -> None:
    for processes in (1, 2, 8):
        task = replace(task_in(tmp_path), processes=processes)
        start_child(task, environment={}, threads=4)
    (one, _), (two, _), _ = started
    assert one[1:] == ["-m", "adapters.children.child", str(tmp_path / "job.json")]
    assert "--nproc-per-node=2" in two
    assert two[-3:] == one[-3:]
    assert [environment["OMP_NUM_THREADS"] for _, environment in started] == ["4", "2", "1"]


def test_a_child_lowers_the_priority_of_its_session() -> None:
    said = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=Path(__file__).parents[3],
        start_new_session=True,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == ["7", "7"]


TWICE = """
import os, signal
from adapters.children import child
signal.signal(signal.SIGTERM, child._raise_stopped)
try:
    os.kill(os.getpid(), signal.SIGTERM)
except child._Stopped:
    os.kill(os.getpid(), signal.SIGTERM)  # as another thread of the parent dies
    print("tidied")
"""


def test_a_second_signal_does_not_end_the_tidying() -> None:
    said = subprocess.run(
        [sys.executable, "-c", TWICE],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "tidied\n"


ORPHAN = """
import sys, time
from adapters.children import child
child.lower_priority = lambda nice: time.sleep(5)  # the signal comes before anything is imported
sys.exit(child.main(sys.argv[1:]))
"""


def test_a_child_whose_parent_is_gone_at_once_leaves_no_folder(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    task = task_in(work)
    write_task(task, threads=None, nice=0)
    ended = subprocess.run(
        [sys.executable, "-c", ORPHAN, str(task.file)],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert ended.returncode == STOPPED_CODE
    assert not work.exists()


Start = Callable[..., tuple[Any, list[dict[str, Any]]]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Runs a function of `TOLD` in a child and collects its events."""
    program = tmp_path / "told.py"
    program.write_text(TOLD)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    work = tmp_path / "work"
    work.mkdir()

    def run(name: str, **options: Any) -> tuple[Any, list[dict[str, Any]]]:
        events: list[dict[str, Any]] = []
        result = run_child(
            Task.in_folder(work, f"told:{name}", {"number": 7}),
            environment=environment,
            limits=AdaptersConfig(training_nice=0, stop_grace_s=5),
            on_event=events.append,
            check=lambda: None,
            **options,
        )
        return result, events

    return run


TOLD = """
import os, sys
from adapters.errors import InvalidTrainingData

def double(job, emit):
    print("printed, no event")
    emit({"message": "half way"})
    return {"doubled": 2 * job["number"]}

def refuse(job, emit):
    raise InvalidTrainingData("row 3 is empty")

def fail(job, emit):
    raise ZeroDivisionError("by zero")

def die(job, emit):
    sys.stderr.write("last words")
    os._exit(9)
"""


def test_a_task_is_done_told_and_its_result_returned(start: Start) -> None:
    result, events = start("double")
    assert result["doubled"] == 14
    assert events == [{"message": "half way"}]


@pytest.mark.parametrize(
    ("name", "reason", "code"),
    [
        ("refuse", "row 3 is empty", InvalidTrainingData.code),
        ("fail", "ZeroDivisionError: by zero", None),
        ("die", "the process ended with code 9", None),
    ],
)
def test_an_error_is_carried_back_with_its_code(
    start: Start, name: str, reason: str, code: str | None
) -> None:
    with pytest.raises(ChildFailed) as failed:
        start(name)
    assert (failed.value.reason, failed.value.code) == (reason, code)
    assert (name == "refuse") or failed.value.tail


LEFT_OUT = """
import importlib.util
from adapters.children.imports import leave_out
leave_out(["sklearn"])
assert importlib.util.find_spec("sklearn") is None
try:
    import sklearn
except ImportError:
    print("left out")
"""


def test_a_library_that_is_left_out_looks_as_if_it_were_not_installed() -> None:
    said = subprocess.run(
        [sys.executable, "-c", LEFT_OUT],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "left out\n"

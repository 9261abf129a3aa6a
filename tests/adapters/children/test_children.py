"""What is set for every child that loads torch, and what it does about itself."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters import TELEMETRY_OFF
from adapters.children.parent import start_child

SCRIPT = """
import os, pathlib
from adapters.children.parent import step_back
step_back(7)
file = pathlib.Path("/proc/self/autogroup")
print(os.nice(0), file.read_text().split()[-1] if file.exists() else 7)
"""


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
    start_child("a.b", tmp_path / "j", tmp_path / "log", environment=loud, threads=None)
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
        start_child(
            "a.b", tmp_path / "j", tmp_path / "log", environment={}, threads=4, processes=processes
        )
    (one, _), (two, _), _ = started
    assert one[1:] == ["-m", "a.b", str(tmp_path / "j")]
    assert "--nproc-per-node=2" in two
    assert two[-3:] == one[-3:]
    assert [environment["OMP_NUM_THREADS"] for _, environment in started] == ["4", "2", "1"]


def test_a_child_steps_back_with_its_session() -> None:
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
from adapters.training.process import child
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

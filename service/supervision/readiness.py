"""The wait for a home that starts: what the gateway still waits for, and which process fails.

It knows the gateway's `/ready`, the supervisor's states and the log files; it starts nothing.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from service.errors import ProcessFailed
from service.home import Home
from service.settings import Settings
from service.supervision.instance import Instance
from service.supervision.leftovers import is_alive
from service.supervision.supervisord import ProcessState, Supervisor, SupervisorGone

LOG_LINES = 20
_POLL_S = 0.5
_MAX_DEATHS = 3  # one death may be chance, three are a fault that repeats


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a start waits for."""

    elapsed_s: float
    waiting_for: tuple[str, ...]
    states: tuple[ProcessState, ...]
    engine_log: str  # last line of the engine's log


def wait_until_ready(
    settings: Settings,
    instance: Instance,
    *,
    began: float,
    on_wait: Callable[[Waiting], None],
) -> None:
    """Wait until the gateway is ready.

    Args:
        settings: Of the home that starts.
        instance: Who runs it.
        began: `time.monotonic()` of the start.
        on_wait: Called twice a second with what is still missing.

    Raises:
        ProcessFailed: A process died again and again, or `engine.start_timeout_s` is over.
    """
    home = settings.paths
    seen: dict[str, set[int]] = {}
    while waiting_for := ask_ready(instance)[0]:
        states = _states(home, instance)
        _fail_on_repeated_death(home, states, seen)
        elapsed_s = time.monotonic() - began
        if elapsed_s > settings.engine.start_timeout_s:
            raise ProcessFailed(
                f"Not ready after {elapsed_s:.0f} s: {', '.join(waiting_for)}. Read the logs in "
                f"{home.logs}, or raise engine.start_timeout_s."
            )
        engine_log = last_lines(home.logs / "engine.log", 1)
        on_wait(Waiting(elapsed_s, waiting_for, tuple(states), engine_log))
        time.sleep(_POLL_S)


def _fail_on_repeated_death(
    home: Home, states: list[ProcessState], seen: dict[str, set[int]]
) -> None:
    for state in states:
        pids = seen.setdefault(state.name, set())
        if state.pid is not None:
            pids.add(state.pid)
        if state.state == "FATAL" or len(pids) > _MAX_DEATHS:
            log = home.logs / f"{state.name}.log"
            raise ProcessFailed(
                f"{state.name} does not start ({state.reason or state.state}). The end of {log}:\n"
                f"{last_lines(log) or '(empty)'}"
            )


def ask_ready(instance: Instance) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return what the gateway still waits for, and its whole `/ready` body."""
    try:
        reply = httpx.get(
            f"{instance.url}/ready", timeout=2.0, trust_env=False, verify=instance.verify
        )
        body = reply.json()
        if reply.status_code == 200:
            return (), body
        return tuple(str(part) for part in body["waiting_for"]) or ("gateway",), body
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return ("gateway",), {}


def last_lines(log: Path, lines: int = LOG_LINES) -> str:
    """Return the end of a log file, empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _states(home: Home, instance: Instance) -> list[ProcessState]:
    try:
        return Supervisor(run=home.run, logs=home.logs).states()
    except SupervisorGone as exc:
        if is_alive(instance.supervisor):
            return []
        raise ProcessFailed(
            f"supervisord (pid {instance.supervisor.pid}) ended while the processes started: "
            f"`fingerpost down`, or read {Supervisor(run=home.run, logs=home.logs).log_file}."
        ) from exc

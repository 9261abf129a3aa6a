"""Starts, shows and ends the processes of one home: `fingerpost up`, `status` and `down`.

It knows the order of a start (leftovers, ports, database, supervisor, readiness) and who may run a
home; it does not know how a program is restarted (supervisord does) nor what any of them answers,
but for the gateway's `/ready`.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from knowledge import QuarantinedIndex, find_quarantined
from service.access import require_loopback
from service.errors import ProcessFailed
from service.home import Home, Ports, free_port, gateway_url
from service.settings import CHECKOUT, Settings, child_environment
from service.supervision.leftovers import Identity, identify, is_alive, program_marks, sweep
from service.supervision.ports import choose_ports, refuse_taken
from service.supervision.programs import compose
from service.supervision.supervisord import ProcessState, Supervisor, SupervisorGone

PROGRAMS = ("engine", "chroma", "gateway", "worker")
_POLL_S = 0.5
_DOWN_S = 60.0  # the longest stop time of a program is 20 s, then SIGKILL
_DEATHS_THAT_END_UP = 3  # one death may be chance, three are a fault that repeats
_LOG_LINES = 20


class HomeInUse(ProcessFailed):
    """Another checkout, or another port, runs this home."""

    code = "home_in_use"
    hint = "`fingerpost down` ends it; FINGERPOST_HOME names another home."


class NotPrepared(ProcessFailed):
    """The base model is not on this machine yet."""

    code = "not_prepared"
    hint = "`bash deploy/quickstart.sh` prepares everything in one go."


@dataclass(frozen=True, slots=True)
class Instance:
    """Who runs a home, kept in `run/up.json`."""

    supervisor: Identity
    checkout: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """Where the gateway answers."""
        return gateway_url(self.host, self.port)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a start is waiting for."""

    elapsed_s: float
    waiting_for: tuple[str, ...]
    states: tuple[ProcessState, ...]
    engine_says: str  # last line of the engine's log


@dataclass(frozen=True, slots=True)
class Status:
    """Every process of a home, and whether the gateway is ready."""

    home: Path
    is_running: bool
    is_ready: bool
    waiting_for: tuple[str, ...]
    url: str | None
    supervisor_pid: int | None
    processes: tuple[ProcessState, ...]
    ports: Ports | None
    quarantined: QuarantinedIndex | None
    policy: Mapping[str, Any] | None = None  # as `/ready` tells it: in force, and refused
    observed_policy: Mapping[str, Any] | None = None  # likewise, of the one that is only observed


@dataclass(frozen=True, slots=True)
class Started:
    """A home that is up."""

    url: str
    was_running: bool
    elapsed_s: float


def up(
    settings: Settings,
    *,
    port: int | None = None,
    on_wait: Callable[[Waiting], None] = lambda _: None,
) -> Started:
    """Start every process of the home and wait until the gateway is ready.

    Args:
        settings: What to run and where.
        port: The port the caller asked for, if he did; else `server.port`, or, on a home that
            runs, the port it has.
        on_wait: Called twice a second with what is still missing.

    Raises:
        HostForbidden: `server.host` is not a loopback address.
        HomeInUse: Another checkout or another port runs this home.
        PortTaken: Something else listens on the gateway's port.
        NotPrepared: There is no base model.
        ProcessFailed: A process died again and again; the message ends with its log.
    """
    began = time.monotonic()
    require_loopback(settings.server.host)
    home = settings.paths
    home.make()
    with one_start_at_a_time(home):
        instance = read_instance(home)
        was_running = instance is not None
        if instance is not None:
            _refuse_other(instance, port)
            _revive(settings)
        else:
            instance = _start(settings, settings.server.port if port is None else port)
        try:
            _wait_until_ready(settings, instance, began=began, on_wait=on_wait)
        except BaseException:
            if not was_running:
                down(home)
            raise
    return Started(instance.url, was_running, time.monotonic() - began)


def down(home: Home) -> list[str]:
    """Stop what `up` started on this home, and nothing else; doing it twice is harmless.

    Returns:
        The names of the programs that were running.

    Raises:
        ProcessFailed: A process could not be ended.
    """
    supervisor = _supervisor(home)
    instance = read_instance(home)
    stopped: set[str] = set()
    if instance is not None:
        try:
            stopped |= {state.name for state in supervisor.states() if state.pid is not None}
            supervisor.shutdown()
        except SupervisorGone:
            _signal(instance.supervisor, signal.SIGTERM)
        _wait_for_end(instance.supervisor)
    for program in PROGRAMS:
        if home.run.is_dir() and sweep(home.run, program, marks=_marks(home, program)):
            stopped.add(program)
    _instance_file(home).unlink(missing_ok=True)
    return sorted(stopped)


def status(settings: Settings) -> Status:
    """Return what runs on the home now."""
    home = settings.paths
    instance, quarantined = read_instance(home), find_quarantined(home.chroma)
    if instance is None:
        return Status(home.root, False, False, (), None, None, (), None, quarantined)
    waiting_for, body = _ask_ready(instance.url)
    return Status(
        home=home.root,
        is_running=True,
        is_ready=not waiting_for,
        waiting_for=waiting_for,
        url=instance.url,
        supervisor_pid=instance.supervisor.pid,
        processes=tuple(_states_or_none(home)),
        ports=home.read_ports(),
        quarantined=quarantined,
        policy=body.get("policy"),
        observed_policy=body.get("observed_policy"),
    )


def read_instance(home: Home) -> Instance | None:
    """Return who runs the home now, or None where nobody does."""
    try:
        fields = json.loads(_instance_file(home).read_text())
        instance = Instance(**{**fields, "supervisor": Identity(**fields["supervisor"])})
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    return instance if is_alive(instance.supervisor) else None


def last_lines(log: Path, lines: int = _LOG_LINES) -> str:
    """Return the end of a log file, empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def _start(settings: Settings, port: int) -> Instance:
    home = settings.paths
    for program in PROGRAMS:
        sweep(home.run, program, marks=_marks(home, program))
    if settings.engine.url is None and not settings.base_model_path.exists():
        raise NotPrepared(
            f"There is no base model at {settings.base_model_path}. Prepare it with "
            "`python -m adapters`, or name another server by engine.url."
        )
    host = settings.server.host
    gateway_port = port or free_port()
    refuse_taken(host, gateway_port)
    ports = choose_ports(home, gateway_port)
    home.write_ports(ports)
    environment = child_environment(
        FINGERPOST_HOME=str(home.root),
        FINGERPOST_SERVER__HOST=host,
        FINGERPOST_SERVER__PORT=str(gateway_port),
    )
    _migrate(environment)
    supervisor = _supervisor(home)
    try:
        pid = supervisor.start(
            compose(settings, ports), directory=CHECKOUT, environment=environment
        )
    except SupervisorGone as exc:
        raise ProcessFailed(f"supervisord did not start: {exc}") from exc
    identity = identify(pid)
    if identity is None:
        raise ProcessFailed(f"supervisord ended at once; read {supervisor.log_file}.")
    instance = Instance(identity, str(CHECKOUT), host, gateway_port)
    _instance_file(home).write_text(json.dumps(asdict(instance)))
    return instance


def _revive(settings: Settings) -> None:
    """Start again what supervisord has given up on a home that runs."""
    supervisor = _supervisor(settings.paths)
    for state in supervisor.states():
        if state.state in ("FATAL", "STOPPED", "EXITED"):
            supervisor.revive(state.name)


def _wait_until_ready(
    settings: Settings,
    instance: Instance,
    *,
    began: float,
    on_wait: Callable[[Waiting], None],
) -> None:
    home = settings.paths
    seen: dict[str, set[int]] = {}
    while waiting_for := _missing(instance.url):
        states = _states(home, instance)
        _fail_on_repeated_death(home, states, seen)
        elapsed_s = time.monotonic() - began
        if elapsed_s > settings.engine.start_timeout_s:
            raise ProcessFailed(
                f"Not ready after {elapsed_s:.0f} s: {', '.join(waiting_for)}. Read the logs in "
                f"{home.logs}, or raise engine.start_timeout_s."
            )
        engine_says = last_lines(home.logs / "engine.log", 1)
        on_wait(Waiting(elapsed_s, waiting_for, tuple(states), engine_says))
        time.sleep(_POLL_S)


def _fail_on_repeated_death(
    home: Home, states: list[ProcessState], seen: dict[str, set[int]]
) -> None:
    for state in states:
        pids = seen.setdefault(state.name, set())
        if state.pid is not None:
            pids.add(state.pid)
        if state.state == "FATAL" or len(pids) > _DEATHS_THAT_END_UP:
            log = home.logs / f"{state.name}.log"
            raise ProcessFailed(
                f"{state.name} does not start ({state.reason or state.state}). The end of {log}:\n"
                f"{last_lines(log) or '(empty)'}"
            )


def _missing(url: str) -> tuple[str, ...]:
    """Return what the gateway still waits for; empty when it is ready."""
    return _ask_ready(url)[0]


def _ask_ready(url: str) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return what the gateway still waits for, and all that it says."""
    try:
        reply = httpx.get(f"{url}/ready", timeout=2.0, trust_env=False)
        body = reply.json()
        if reply.status_code == 200:
            return (), body
        return tuple(str(part) for part in body["waiting_for"]) or ("gateway",), body
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return ("gateway",), {}


def _states(home: Home, instance: Instance) -> list[ProcessState]:
    try:
        return _supervisor(home).states()
    except SupervisorGone as exc:
        if is_alive(instance.supervisor):
            return []
        raise ProcessFailed(
            f"supervisord (pid {instance.supervisor.pid}) ended while the processes started: "
            f"`fingerpost down`, or read {_supervisor(home).log_file}."
        ) from exc


def _states_or_none(home: Home) -> list[ProcessState]:
    try:
        return _supervisor(home).states()
    except SupervisorGone:
        return []


def _refuse_other(instance: Instance, port: int | None) -> None:
    runs = f"pid {instance.supervisor.pid}, {instance.url}"
    if instance.checkout != str(CHECKOUT):
        raise HomeInUse(
            f"This home is run by the checkout {instance.checkout} ({runs}). End it there with "
            "`fingerpost down`, or set FINGERPOST_HOME to another folder."
        )
    if port and port != instance.port:
        raise HomeInUse(
            f"This home already runs on port {instance.port} ({runs}), not {port}. "
            "`fingerpost down` first, or set FINGERPOST_HOME to another folder."
        )


def _migrate(environment: Mapping[str, str]) -> None:
    """Bring the database to the newest schema, in a child: Alembic changes global logging."""
    finished = subprocess.run(
        [sys.executable, "-m", "service.stores.migrations"],
        cwd=CHECKOUT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        end = "\n".join((finished.stderr or finished.stdout).splitlines()[-_LOG_LINES:])
        raise ProcessFailed(f"The database could not be brought to the newest schema:\n{end}")


def _wait_for_end(supervisor: Identity) -> None:
    deadline = time.monotonic() + _DOWN_S
    while is_alive(supervisor):
        if time.monotonic() > deadline:
            _signal(supervisor, signal.SIGKILL)
            deadline += _DOWN_S
        time.sleep(0.1)


def _signal(identity: Identity, number: signal.Signals) -> None:
    if is_alive(identity):
        try:
            os.kill(identity.pid, number)
        except ProcessLookupError:
            return


@contextmanager
def one_start_at_a_time(home: Home) -> Iterator[None]:
    """Keep others from starting this home; `HomeInUse` where one is starting now."""
    with (home.run / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise HomeInUse(
                f"Another `fingerpost up` is starting {home.root} right now. Wait for it, or see "
                "`fingerpost status`."
            ) from exc
        yield


def _supervisor(home: Home) -> Supervisor:
    return Supervisor(run=home.run, logs=home.logs)


def _marks(home: Home, program: str) -> tuple[str, ...]:
    return program_marks(program, _supervisor(home).url)


def _instance_file(home: Home) -> Path:
    return home.run / "up.json"

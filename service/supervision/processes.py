"""Starts, shows and stops the processes of one home: `fingerpost up`, `status` and `down`.

It knows the order of a start (leftovers, ports, database, supervisor, readiness); it does not know
how a program is restarted (supervisord does).
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge import QuarantinedIndex, find_quarantined
from service.access import LOOPBACK_ADDRESSES, require_keys_or_loopback
from service.errors import ProcessFailed
from service.home import Home, Ports, free_port
from service.network.tls import require_key_pair
from service.settings import CHECKOUT, Settings, child_environment
from service.stores.access.api_keys import keys_exist
from service.stores.database import open_database
from service.supervision.instance import (
    Instance,
    delete_instance,
    one_start_at_a_time,
    read_instance,
    refuse_other,
    write_instance,
)
from service.supervision.leftovers import Identity, identify, is_alive, program_marks, sweep
from service.supervision.ports import choose_ports, require_free
from service.supervision.programs import compose
from service.supervision.readiness import LOG_LINES, Waiting, ask_ready, wait_until_ready
from service.supervision.supervisord import ProcessState, Supervisor, SupervisorGone

PROGRAMS = ("engine", "chroma", "gateway", "worker")
_DOWN_S = 60.0  # the longest stop time of a program is 20 s, then SIGKILL


class NotPrepared(ProcessFailed):
    """The base model is not on this machine yet."""

    code = "not_prepared"
    hint = "`bash deploy/quickstart.sh` prepares everything."


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
    policy: Mapping[str, Any] | None = None  # as in `/ready`: in force, and refused
    shadow_policy: Mapping[str, Any] | None = None  # likewise


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
        port: The requested port; None takes `server.port` or, on a home that runs, its port.
        on_wait: Called twice a second with what is still missing.

    Raises:
        HostForbidden: `server.host` is not a loopback address, and there are no API keys.
        InvalidSettings: The gateway's certificate or key cannot be used.
        HomeInUse: Another checkout or another port runs this home.
        PortTaken: Something else listens on the gateway's port.
        NotPrepared: There is no base model.
        ProcessFailed: A process died again and again; the message ends with its log.
    """
    began = time.monotonic()
    if settings.tls_files is not None:
        require_key_pair(*settings.tls_files)
    home = settings.paths
    home.make()
    _require_safe_address(settings)
    with one_start_at_a_time(home):
        instance = read_instance(home)
        was_running = instance is not None
        if instance is not None:
            refuse_other(instance, port)
            _restart_failed(settings)
        else:
            instance = _start(settings, settings.server.port if port is None else port)
        try:
            wait_until_ready(settings, instance, began=began, on_wait=on_wait)
        except BaseException:
            if not was_running:
                down(home)
            raise
    return Started(instance.url, was_running, time.monotonic() - began)


def down(home: Home) -> list[str]:
    """Stop what `up` started on this home, and nothing else; a second call does nothing.

    Returns:
        The names of the programs that were running.

    Raises:
        ProcessFailed: A process could not be ended.
    """
    supervisor = Supervisor(run=home.run, logs=home.logs)
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
    delete_instance(home)
    return sorted(stopped)


def status(settings: Settings) -> Status:
    """Return which processes of the home run now."""
    home = settings.paths
    instance, quarantined = read_instance(home), find_quarantined(home.chroma)
    if instance is None:
        return Status(home.root, False, False, (), None, None, (), None, quarantined)
    waiting_for, body = ask_ready(instance)
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
        shadow_policy=body.get("observed_policy"),
    )


def _start(settings: Settings, port: int) -> Instance:
    home = settings.paths
    for program in PROGRAMS:
        sweep(home.run, program, marks=_marks(home, program))
    if settings.engine.url is None and not settings.base_model_path.exists():
        raise NotPrepared(
            f"There is no base model at {settings.base_model_path}. Prepare it with "
            "`python -m adapters`, or set engine.url to another server."
        )
    host = settings.server.host
    gateway_port = port or free_port()
    require_free(host, gateway_port)
    ports = choose_ports(home, gateway_port)
    home.write_ports(ports)
    environment = child_environment(
        FINGERPOST_HOME=str(home.root),
        FINGERPOST_SERVER__HOST=host,
        FINGERPOST_SERVER__PORT=str(gateway_port),
    )
    _migrate(environment)
    supervisor = Supervisor(run=home.run, logs=home.logs)
    try:
        pid = supervisor.start(
            compose(settings, ports), directory=CHECKOUT, environment=environment
        )
    except SupervisorGone as exc:
        raise ProcessFailed(f"supervisord did not start: {exc}") from exc
    identity = identify(pid)
    if identity is None:
        raise ProcessFailed(f"supervisord exited immediately; read {supervisor.log_file}.")
    cert = "" if settings.tls_files is None else str(settings.tls_files[0])
    instance = Instance(identity, str(CHECKOUT), host, gateway_port, cert)
    write_instance(home, instance)
    return instance


def _require_safe_address(settings: Settings) -> None:
    """Refuse an address of the network while there are no API keys; needs no process to run."""
    if settings.server.host in LOOPBACK_ADDRESSES:
        return
    database = open_database(settings.database_url)
    try:
        require_keys_or_loopback(settings.server.host, has_keys=keys_exist(database))
    finally:
        database.dispose()


def _restart_failed(settings: Settings) -> None:
    """Start the programs again that supervisord stopped restarting."""
    supervisor = Supervisor(run=settings.paths.run, logs=settings.paths.logs)
    for state in supervisor.states():
        if state.state in ("FATAL", "STOPPED", "EXITED"):
            supervisor.restart(state.name)


def _states_or_none(home: Home) -> list[ProcessState]:
    try:
        return Supervisor(run=home.run, logs=home.logs).states()
    except SupervisorGone:
        return []


def _migrate(environment: Mapping[str, str]) -> None:
    """Upgrade the database in a child process: Alembic changes the global logging."""
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
        end = "\n".join((finished.stderr or finished.stdout).splitlines()[-LOG_LINES:])
        raise ProcessFailed(f"The database could not be migrated to the newest schema:\n{end}")


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


def _marks(home: Home, program: str) -> tuple[str, ...]:
    return program_marks(program, Supervisor(run=home.run, logs=home.logs).url)

"""Writes supervisord's configuration, starts it, and talks to it through its socket.

supervisord restarts, rotates logs and sends stop signals; this file does not know what the programs
do.
"""

import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from service.supervision.launch import write_arguments

_SOCKET_CHARS = 90  # the kernel takes 107 bytes; supervisord binds a longer temporary name first
_LOG_BYTES = "10MB"
_LOG_BACKUPS = 3
_START_RETRIES = 20  # with growing pauses: about four minutes of trying before FATAL
_RPC_FACTORY = "supervisor.rpcinterface:make_main_rpcinterface"
_CLOSE_S = 60.0  # longest stop_s of a program and some more


ConfigKeys = dict[str, str | int | Path]


class SupervisorGone(Exception):
    """supervisord does not respond."""


@dataclass(frozen=True, slots=True)
class Program:
    """One supervised program."""

    name: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int | None = None
    stop_s: int = 10  # after SIGTERM; then SIGKILL to the group
    start_s: int = 2  # alive for so long counts as started


@dataclass(frozen=True, slots=True)
class ProcessState:
    """One program as supervisord sees it."""

    name: str
    state: str  # STARTING RUNNING BACKOFF STOPPING STOPPED EXITED FATAL
    pid: int | None
    uptime_s: float | None
    reason: str


def socket_path(run: Path) -> Path:
    """Return the path of supervisord's socket: in `run`, or a shorter one if that is too long."""
    inside = run / "supervisor.sock"
    if len(os.fsencode(inside)) <= _SOCKET_CHARS:
        return inside
    digest = hashlib.sha256(os.fsencode(run)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"fingerpost-{os.getuid()}-{digest}.sock"


@dataclass(frozen=True, slots=True)
class Supervisor:
    """supervisord of one home."""

    run: Path
    logs: Path

    @property
    def url(self) -> str:
        """Address of the socket, as supervisord hands it to its children."""
        return f"unix://{socket_path(self.run)}"

    @property
    def log_file(self) -> Path:
        """Supervisord's own log: starts, exits, restarts."""
        return self.logs / "supervisord.log"

    def start(
        self, programs: Sequence[Program], *, directory: Path, environment: Mapping[str, str]
    ) -> int:
        """Start supervisord with `programs` and return its process id.

        Args:
            programs: What it runs.
            directory: Working directory and import root of every program.
            environment: The environment of every program; a program may add variables.

        Raises:
            SupervisorGone: It did not start; the message is supervisord's.
        """
        config = self.run / "supervisord.conf"
        config.write_text(self._config(programs, directory))
        for program in programs:
            write_arguments(self.run, program.name, program.argv)
        socket_path(self.run).unlink(missing_ok=True)
        started = subprocess.run(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(config)],
            env={**environment, "PYTHONPATH": str(directory), "PYTHONUNBUFFERED": "1"},
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CLOSE_S,
            check=False,
        )
        if started.returncode != 0:
            raise SupervisorGone((started.stderr or started.stdout).strip())
        return self._wait_for_pid()

    def states(self) -> list[ProcessState]:
        """Return every program's state, in start order.

        Raises:
            SupervisorGone: supervisord does not respond.
        """
        return [_read_state(row) for row in self._call("getAllProcessInfo")]

    def restart(self, name: str) -> None:
        """Start a program that supervisord stopped restarting or that was stopped."""
        self._call("startProcess", name, False)

    def shutdown(self) -> None:
        """Ask supervisord to stop every program and itself; returns at once."""
        self._call("shutdown")

    def _call(self, method: str, *arguments: Any) -> Any:
        # A new transport for each call: a shared connection breaks when supervisord restarts.
        transport = SupervisorTransport(None, None, serverurl=self.url)
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except (OSError, xmlrpc.client.Error) as exc:
            raise SupervisorGone(str(exc)) from exc
        finally:
            transport.close()

    def _wait_for_pid(self) -> int:
        deadline = time.monotonic() + _CLOSE_S
        while time.monotonic() < deadline:
            try:
                return int(self._call("getPID"))
            except SupervisorGone:
                time.sleep(0.05)
        raise SupervisorGone(f"supervisord did not open its socket; see {self.log_file}")

    def _config(self, programs: Sequence[Program], directory: Path) -> str:
        sections = [
            _section("unix_http_server", {"file": socket_path(self.run), "chmod": "0700"}),
            _section("supervisord", self._daemon(directory)),
            _section(
                "rpcinterface:supervisor",
                {"supervisor.rpcinterface_factory": _RPC_FACTORY},
            ),
        ]
        sections += [
            _section(f"program:{program.name}", self._program(program, priority))
            for priority, program in enumerate(programs, start=1)
        ]
        return "\n".join(sections)

    def _daemon(self, directory: Path) -> ConfigKeys:
        keys: ConfigKeys = {
            "logfile": self.log_file,
            "logfile_maxbytes": _LOG_BYTES,
            "logfile_backups": _LOG_BACKUPS,
            "pidfile": self.run / "supervisord.pid",
            "childlogdir": self.logs,
            "directory": directory,
            "identifier": "fingerpost",
            "nodaemon": "false",
            "strip_ansi": "true",
            "umask": "077",
        }
        if os.getuid() == 0:
            keys["user"] = "root"  # explicit, else supervisord warns at every start
        return keys

    def _program(self, program: Program, priority: int) -> ConfigKeys:
        launch = [sys.executable, "-m", "service.supervision.launch"]
        launch += [str(self.run), program.name, self.url]
        environment = ",".join(f'{name}="{value}"' for name, value in program.environment.items())
        keys: ConfigKeys = {
            "command": shlex.join(launch),
            "priority": priority,
            "autostart": "true",
            "autorestart": "true",
            "startsecs": program.start_s,
            "startretries": _START_RETRIES,
            "stopsignal": "TERM",
            "stopwaitsecs": program.stop_s,
            "stopasgroup": "true",
            "killasgroup": "true",
            "redirect_stderr": "true",
            # supervisord 4.3 expands this key twice, so it needs one doubling more than the others.
            "stdout_logfile": str(self.logs / f"{program.name}.log").replace("%", "%%"),
            "stdout_logfile_maxbytes": _LOG_BYTES,
            "stdout_logfile_backups": _LOG_BACKUPS,
        }
        if environment:
            keys["environment"] = environment
        return keys


def _section(name: str, keys: ConfigKeys) -> str:
    # supervisord expands %(name)s, so a per cent sign in a path is doubled.
    lines = [f"{key}={str(value).replace('%', '%%')}" for key, value in keys.items()]
    return "\n".join([f"[{name}]", *lines, ""])


def _read_state(row: Any) -> ProcessState:
    runs = row["pid"] > 0
    return ProcessState(
        name=row["name"],
        state=row["statename"],
        pid=row["pid"] if runs else None,
        uptime_s=float(row["now"] - row["start"]) if runs else None,
        reason=row["spawnerr"] or ("" if runs else f"exit status {row['exitstatus']}"),
    )

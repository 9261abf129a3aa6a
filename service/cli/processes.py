"""`fingerpost up`, `down` and `status`."""

import re
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console

from service.cli.output import JsonOption, Meter, Report, reporting
from service.home import Home
from service.settings import home_folder, load_settings
from service.supervision.processes import Started, Status
from service.supervision.processes import down as stop_all
from service.supervision.processes import status as read_status
from service.supervision.processes import up as start_all
from service.supervision.readiness import Waiting

_NOTE_CHARS = 70
_TROUBLE = ("BACKOFF", "FATAL", "EXITED", "STOPPED")
# "(EngineCore pid=7) INFO 11-22 03:04:15 [core.py:133] "
_LOG_PREFIX = re.compile(r"^(\([^)]*\) )?(\w+ [\d-]+ [\d:]+ \[[^\]]*\] )?")

PortOption = Annotated[
    int | None,
    typer.Option("--port", min=0, max=65535, help="Gateway port; 0 picks a free one."),
]
HostOption = Annotated[
    str | None, typer.Option("--host", help="Loopback address to serve on; others are refused.")
]


def up(port: PortOption = None, host: HostOption = None, as_json: JsonOption = False) -> None:
    """Start engine, index, worker and gateway, and wait until they answer."""
    with reporting(as_json) as report:
        started = start(report, port=port, host=host)
        document = {**asdict(started), "status": status_document(read_status(load_settings()))}
        report.result(document, describe_start(started))


def down(as_json: JsonOption = False) -> None:
    """Stop everything that `up` started on this home, and nothing else."""
    with reporting(as_json) as report:
        home = Home(home_folder())
        report.say(f"stopping what runs on {home.root}")
        stopped = stop_all(home)
        report.result(
            {"home": str(home.root), "stopped": stopped},
            f"stopped {', '.join(stopped)}" if stopped else "nothing was running",
        )


def status(as_json: JsonOption = False) -> None:
    """Show the processes of this home; exit code 1 unless all of it is ready."""
    with reporting(as_json) as report:
        found = read_status(load_settings())
        report.result(status_document(found), lambda out: _print_status(out, found))
    if not found.is_ready:
        raise typer.Exit(1)


def start(report: Report, *, port: int | None, host: str | None = None) -> Started:
    """Start the home with progress shown; the quickstart uses it too."""
    settings = load_settings()
    if host is not None:
        server = settings.server.model_copy(update={"host": host})
        settings = settings.model_copy(update={"server": server})
    with report.meter("starting") as meter:
        return start_all(settings, port=port, on_wait=lambda now: _show(meter, now))


def describe_start(started: Started) -> str:
    """Return what a person wants to read after a start."""
    how = "was already running" if started.was_running else f"ready in {started.elapsed_s:.0f} s"
    return (
        f"{how}\n  gateway  {started.url}\n"
        f'  ask      fingerpost ask "…"\n  stop     fingerpost down'
    )


def status_document(found: Status) -> dict[str, Any]:
    """Return the status as plain content."""
    ports = asdict(found.ports) if found.ports is not None else {}
    return {
        "home": str(found.home),
        "running": found.is_running,
        "ready": found.is_ready,
        "waiting_for": list(found.waiting_for),
        "url": found.url,
        "supervisor_pid": found.supervisor_pid,
        "policy": found.policy,
        "observed_policy": found.shadow_policy,
        "processes": [
            {**asdict(process), "port": ports.get(process.name)} for process in found.processes
        ],
        "set_aside": None if found.quarantined is None else asdict(found.quarantined),
    }


def _show(meter: Meter, now: Waiting) -> None:
    note = f"waiting for {', '.join(part.partition(':')[0] for part in now.waiting_for)}"
    troubled = [f"{s.name} {s.state.lower()}" for s in now.states if s.state in _TROUBLE]
    if troubled:
        note += f"; {', '.join(troubled)}"
    elif now.waiting_for != ("gateway",):
        note += f"; engine: {_LOG_PREFIX.sub('', now.engine_log)[:_NOTE_CHARS]}"
    meter.show(None, note)


def _print_status(out: Console, found: Status) -> None:
    if not found.is_running:
        out.print(f"nothing runs on {found.home}: `fingerpost up` starts it", markup=False)
        _print_quarantined(out, found)
        return
    out.print(f"{'process':<10}{'state':<10}{'pid':>8}{'port':>7}  up", markup=False)
    for row in status_document(found)["processes"]:
        uptime = "" if row["uptime_s"] is None else _duration(row["uptime_s"])
        out.print(
            f"{row['name']:<10}{row['state'].lower():<10}{row['pid'] or '':>8}"
            f"{row['port'] or '':>7}  {uptime}",
            markup=False,
        )
    for name, policy in (("policy", found.policy), ("shadow policy", found.shadow_policy)):
        if policy is None:
            continue
        out.print(f"{name} {policy['version'] or 'none'}", markup=False)
        refused = policy["refused"]
        if refused is not None:
            place = f"{refused['file']}, line {refused['line']}: {refused['key']}"
            out.print(f"refused: {place}: {refused['reason']}", markup=False)
    ready = "ready" if found.is_ready else f"waiting for {', '.join(found.waiting_for)}"
    out.print(f"{found.url}: {ready}", markup=False)
    _print_quarantined(out, found)


def _print_quarantined(out: Console, found: Status) -> None:
    if (damaged := found.quarantined) is not None:
        folder = found.home / damaged.newest
        out.print(f"a damaged vector index was set aside: {folder}. {damaged.hint}", markup=False)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"

"""`fingerpost up`, `down` and `status`."""

import re
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from service.api.schemas.shapes import JsonObject
from service.cli.output import JsonOption, Output, ProgressBar, command_output
from service.home import Home
from service.home_models import keep_models
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
    typer.Option("--port", min=0, max=65535, help="Port of the gateway; 0 picks a free one."),
]
HostOption = Annotated[
    str | None,
    typer.Option("--host", help="Address to listen on; one that others reach needs API keys."),
]


def up(port: PortOption = None, host: HostOption = None, as_json: JsonOption = False) -> None:
    """Start the model server, vector index, worker and gateway, and wait until all are ready."""
    with command_output(as_json) as output:
        started = start(output, port=port, host=host)
        document = {**asdict(started), "status": status_document(read_status(load_settings()))}
        output.result(document, describe_start(started))


def down(as_json: JsonOption = False) -> None:
    """Stop all processes that `up` started for this home."""
    with command_output(as_json) as output:
        home = Home(home_folder())
        output.info(f"stopping the processes of {home.root}")
        stopped = stop_all(home)
        output.result(
            {"home": str(home.root), "stopped": stopped},
            f"stopped {', '.join(stopped)}" if stopped else "no process was running",
        )


def status(as_json: JsonOption = False) -> None:
    """Show the processes of this home; exits with 1 unless all of them are ready."""
    with command_output(as_json) as output:
        found = read_status(load_settings())
        output.result(status_document(found), lambda out: _print_status(out, found))
    if not found.is_ready:
        raise typer.Exit(1)


def start(output: Output, *, port: int | None, host: str | None = None) -> Started:
    """Start the processes of this home and show progress; the quickstart uses it too."""
    keep_models(Home(home_folder()))
    settings = load_settings()
    if host is not None:
        server = settings.server.model_copy(update={"host": host})
        settings = settings.model_copy(update={"server": server})
    with output.progress("starting") as bar:
        return start_all(settings, port=port, on_wait=lambda now: _show(bar, now))


def describe_start(started: Started) -> str:
    """Return what users read after a start."""
    how = "was already running" if started.was_running else f"ready in {started.elapsed_s:.0f} s"
    return (
        f"{how}\n  gateway  {started.url}\n"
        f'  ask      fingerpost ask "…"\n  stop     fingerpost down'
    )


def status_document(found: Status) -> JsonObject:
    """Return the status as `--json` prints it."""
    ports = asdict(found.ports) if found.ports is not None else {}
    return {
        "home": str(found.home),
        "running": found.is_running,
        "ready": found.is_ready,
        "waiting_for": list(found.waiting_for),
        "url": found.url,
        "supervisor_pid": found.supervisor_pid,
        "policy": None if found.policy is None else {**found.policy},
        "observed_policy": None if found.shadow_policy is None else {**found.shadow_policy},
        "processes": [
            {**asdict(process), "port": ports.get(process.name)} for process in found.processes
        ],
        "set_aside": None if found.quarantined is None else asdict(found.quarantined),
    }


def _show(bar: ProgressBar, now: Waiting) -> None:
    note = f"waiting for {', '.join(part.partition(':')[0] for part in now.waiting_for)}"
    troubled = [f"{s.name} {s.state.lower()}" for s in now.states if s.state in _TROUBLE]
    if troubled:
        note += f"; {', '.join(troubled)}"
    elif now.waiting_for != ("gateway",):
        note += f"; engine: {_LOG_PREFIX.sub('', now.engine_log)[:_NOTE_CHARS]}"
    bar.show(None, note)


def _print_status(out: Console, found: Status) -> None:
    if not found.is_running:
        out.print(
            f"no process of {found.home} is running; `fingerpost up` starts them", markup=False
        )
        _print_quarantined(out, found)
        return
    out.print(f"{'process':<10}{'state':<10}{'pid':>8}{'port':>7}  up", markup=False)
    ports = asdict(found.ports) if found.ports is not None else {}
    for process in found.processes:
        uptime = "" if process.uptime_s is None else _duration(process.uptime_s)
        out.print(
            f"{process.name:<10}{process.state.lower():<10}{process.pid or '':>8}"
            f"{ports.get(process.name) or '':>7}  {uptime}",
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

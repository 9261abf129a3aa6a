"""`fingerpost adapters ls|show|publish|rollback|retire`; the others: `verdicts`, `folders`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console

from service.cli.client import Gateway, segment, wait_for_job
from service.cli.output import JsonOption, Report, UrlOption, reporting

app = typer.Typer(help="Trained adapters and which of them serve.", no_args_is_help=True)

AdapterArgument = Annotated[str, typer.Argument(metavar="ADAPTER", help="Id: <task>@<sha8>.")]
TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help="First part of the ids.")]


@app.command("ls")
def list_all(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the adapters and the drafts, which are training runs that have made none yet."""
    with reporting(as_json) as report:
        page = Gateway.find(url).get("/adapters")
        lines = [f"{row['adapter_id']}  {row['state']}" for row in page["data"]]
        lines += [
            f"{row['task']}  {row['state']}  {row['run_id']} ({row['status']})"
            for row in page.get("drafts", ())
        ]
        report.result(page, "\n".join(lines) or "none yet")


@app.command("show")
def show(adapter: AdapterArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show one adapter, or a draft by its run's id, with the states it went through."""
    with reporting(as_json) as report:
        body = Gateway.find(url).get(f"/adapters/{segment(adapter)}")
        report.result(body, lambda out: _print_fields(out, body))


@app.command("publish")
def publish(
    adapter: AdapterArgument,
    override: Annotated[
        str | None,
        typer.Option("--override", help="Why it may serve against its verdict; recorded."),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load, check and let it serve; the one before it stays for a rollback."""
    with reporting(as_json) as report:
        told = {} if override is None else {"json": {"override": override}}
        body = act(Gateway.find(url), report, f"/adapters/{segment(adapter)}/publish", **told)
        report.result(body, f"{adapter} serves now")


@app.command("rollback")
def rollback(task: TaskArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Let the adapter before the live one serve again."""
    with reporting(as_json) as report:
        body = act(Gateway.find(url), report, f"/adapters/{segment(task)}/rollback")
        report.result(body, f"{body['adapter_id']} serves {task} now")


@app.command("retire")
def retire(adapter: AdapterArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Stop an adapter that is not live from ever serving again."""
    with reporting(as_json) as report:
        body = act(Gateway.find(url), report, f"/adapters/{segment(adapter)}/retire")
        report.result(body, f"{adapter} is retired")


def act(gateway: Gateway, report: Report, path: str, **options: Any) -> Any:
    """Post to an adapter, and wait where the gateway answers with a job."""
    body = gateway.post(path, **options) or {}
    if note := body.get("note"):
        report.say(note)
    if job := body.get("job"):
        ended = wait_for_job(gateway, report, job["id"], "working")
        return ended.get("result") or {}
    return body


def _print_fields(out: Console, body: Mapping[str, Any]) -> None:
    for key, value in body.items():
        if key == "metrics":  # the curve is drawn in the adapter's folder: loss.svg
            value = {name: one for name, one in value.items() if name != "curve"}
        if key != "history":
            out.print(f"{key}: {value}", markup=False)
    for change in body.get("history", ()):
        at = datetime.fromtimestamp(change["at"]).astimezone().isoformat(" ", "seconds")
        who = f" by {change['by']}" if change["by"] else ""
        out.print(f"{at}  {change['state']}: {change['why']}{who}", markup=False)

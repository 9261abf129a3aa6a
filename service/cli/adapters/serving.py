"""`fingerpost adapters ls|show|publish|rollback|retire`, by the gateway."""

from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console

from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway, segment, wait_for_job
from service.cli.output import JsonOption, Output, UrlOption, command_output
from service.cli.replies import AcceptedReply, AdapterDetail, AdaptersReply

app = typer.Typer(help="List, evaluate, publish and import adapters.", no_args_is_help=True)

AdapterArgument = Annotated[
    str, typer.Argument(metavar="ADAPTER", help="Id of the adapter: <task>@<sha8>.")
]
TaskArgument = Annotated[
    str, typer.Argument(metavar="TASK", help="The task: the part of adapter ids before the @.")
]


@app.command("ls")
def list_all(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the adapters and the drafts: training runs that have not produced an adapter yet."""
    with command_output(as_json) as output:
        page = Gateway.find(url).get("/adapters", AdaptersReply)
        lines = [f"{row.adapter_id}  {row.state}" for row in page.reply.data]
        lines += [
            f"{row.task}  {row.state}  {row.run_id} ({row.status})" for row in page.reply.drafts
        ]
        output.result(page.body, "\n".join(lines) or "no adapters yet")


@app.command("show")
def show(adapter: AdapterArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Show an adapter, or a draft by the id of its run, with its history of states."""
    with command_output(as_json) as output:
        found = Gateway.find(url).get(f"/adapters/{segment(adapter)}", AdapterDetail)
        output.result(found.body, lambda out: _print_adapter(out, found.body, found.reply))


@app.command("publish")
def publish(
    adapter: AdapterArgument,
    override: Annotated[
        str | None,
        typer.Option(
            "--override",
            help="Publish despite a failed evaluation, for this reason; the reason is recorded.",
        ),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load, check and publish an adapter; the previous one is kept for a rollback."""
    with command_output(as_json) as output:
        reason: JsonObject | None = None if override is None else {"override": override}
        path = f"/adapters/{segment(adapter)}/publish"
        done = change_adapter(Gateway.find(url), output, path, body=reason)
        output.result(done, f"{adapter} is live now")


@app.command("rollback")
def rollback(task: TaskArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Make the previously published adapter of a task live again."""
    with command_output(as_json) as output:
        path = f"/adapters/{segment(task)}/rollback"
        done = change_adapter(Gateway.find(url), output, path)
        output.result(done, f"{done['adapter_id']} is live for {task} now")


@app.command("retire")
def retire(adapter: AdapterArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Retire an adapter that is not live; a retired adapter can never be published again."""
    with command_output(as_json) as output:
        path = f"/adapters/{segment(adapter)}/retire"
        output.result(change_adapter(Gateway.find(url), output, path), f"{adapter} is retired")


def change_adapter(
    gateway: Gateway, output: Output, path: str, *, body: JsonObject | None = None
) -> JsonObject:
    """Post to an adapter, wait if the gateway answers with a job, and return what was done."""
    done = gateway.post(path, AcceptedReply, body=body)
    if note := done.reply.note:
        output.info(note)
    if job := done.reply.job:
        return wait_for_job(gateway, output, job.id, "waiting").result or {}
    return done.body


def _print_adapter(out: Console, body: JsonObject, found: AdapterDetail) -> None:
    for key, value in body.items():
        if key == "metrics" and isinstance(value, dict):  # the curve is in the folder: loss.svg
            value = {name: one for name, one in value.items() if name != "curve"}
        if key != "history":
            out.print(f"{key}: {value}", markup=False)
    for change in found.history:
        at = datetime.fromtimestamp(change.at).astimezone().isoformat(" ", "seconds")
        who = f" by {change.by}" if change.by else ""
        out.print(f"{at}  {change.state}: {change.why}{who}", markup=False)

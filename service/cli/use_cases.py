"""`fingerpost use-case apply|ls|show`."""

from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console

from service.api.schemas.shapes import JsonObject, ListReply
from service.cli.client import Gateway, Received, segment
from service.cli.output import CommandFailed, JsonOption, UrlOption, command_output
from service.cli.replies import AnyReply, IdReply, SavedUseCaseReply
from service.messages.spoken import say

app = typer.Typer(
    help="Use cases: their role, facts, knowledge bases and adapter.", no_args_is_help=True
)

FileArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="The use case as a YAML file.", exists=True, dir_okay=False
    ),
]


@app.command("apply")
def apply(file: FileArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Create or replace the use case that FILE describes."""
    with command_output(as_json) as output:
        body = read_mapping(file)
        stored = apply_use_case(Gateway.find(url), body)
        output.result(stored.body, f"use case {stored.reply.id} is in force")
        for warning in stored.reply.warnings:
            output.info(say("use_case.warning", warning=warning))


@app.command("ls")
def list_all(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the use cases."""
    with command_output(as_json) as output:
        page = Gateway.find(url).get("/use_cases", ListReply[IdReply])
        human = "\n".join(row.id for row in page.reply.data)
        output.result(page.body, human or "no use cases yet")


@app.command("show")
def show(
    use_case: Annotated[str, typer.Argument(metavar="USE_CASE", help="Id of the use case.")],
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one use case as YAML."""
    with command_output(as_json) as output:
        body = Gateway.find(url).get(f"/use_cases/{segment(use_case)}", AnyReply).body

        def human(out: Console) -> None:
            out.print(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), markup=False)

        output.result(body, human)


def apply_use_case(gateway: Gateway, body: JsonObject) -> Received[SavedUseCaseReply]:
    """Create or replace a use case; its id is in the body."""
    if not isinstance(use_case_id := body.get("id"), str):
        raise CommandFailed("The use case has no `id`.", code="invalid_file")
    return gateway.call("PUT", f"/use_cases/{segment(use_case_id)}", SavedUseCaseReply, body=body)


def read_mapping(file: Path) -> JsonObject:
    """Read a YAML file whose top level is a mapping.

    Raises:
        CommandFailed: It cannot be read, or its top level is not a mapping.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise CommandFailed(f"{file} cannot be read as YAML: {exc}", code="invalid_file") from exc
    if not isinstance(content, dict):
        raise CommandFailed(
            f"{file} must be a mapping of keys to values, not a {type(content).__name__}.",
            code="invalid_file",
        )
    return content

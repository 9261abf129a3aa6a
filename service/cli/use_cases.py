"""`fingerpost use-case apply|ls|show`."""

from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console

from service.cli.client import Gateway, segment
from service.cli.output import CommandFailed, JsonOption, UrlOption, problem, reporting

app = typer.Typer(help="Use cases: role, facts, knowledge, adapter.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(help="YAML file.", exists=True, dir_okay=False)]


@app.command("apply")
def apply(file: FileArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Create or replace the use case that FILE describes."""
    with reporting(as_json) as report:
        body = read_mapping(file)
        kept = apply_use_case(Gateway.find(url), body)
        report.result(kept, f"use case {kept['id']} is in force")


@app.command("ls")
def list_all(url: UrlOption = None, as_json: JsonOption = False) -> None:
    """List the use cases."""
    with reporting(as_json) as report:
        page = Gateway.find(url).get("/use_cases")
        report.result(page, "\n".join(row["id"] for row in page["data"]) or "no use cases yet")


@app.command("show")
def show(
    use_case: Annotated[str, typer.Argument(help="Its id.")],
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one use case as YAML."""
    with reporting(as_json) as report:
        body = Gateway.find(url).get(f"/use_cases/{segment(use_case)}")

        def human(out: Console) -> None:
            out.print(yaml.safe_dump(body, allow_unicode=True, sort_keys=False), markup=False)

        report.result(body, human)


def apply_use_case(gateway: Gateway, body: dict[str, Any]) -> Any:
    """Put a use case; its id stands in the body."""
    if not isinstance(body.get("id"), str):
        raise CommandFailed(problem("The use case has no `id`.", code="invalid_file"))
    return gateway.call("PUT", f"/use_cases/{segment(body['id'])}", json=body)


def read_mapping(file: Path) -> dict[str, Any]:
    """Read a YAML file whose top is a mapping.

    Raises:
        CommandFailed: It cannot be read, or its top is something else.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise CommandFailed(
            problem(f"{file} cannot be read as YAML: {exc}", code="invalid_file")
        ) from exc
    if not isinstance(content, dict):
        raise CommandFailed(
            problem(
                f"{file} must hold keys and values, not a {type(content).__name__}.",
                code="invalid_file",
            )
        )
    return content

"""`fingerpost data check`: are these training rows good enough?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from adapters import parse_any_rows
from knowledge import SentenceTransformerEmbedder
from service.cli.client import Gateway, segment, wait_for_job
from service.cli.output import (
    FAILED,
    CommandFailed,
    JsonOption,
    Report,
    UrlOption,
    problem,
    reporting,
)
from service.fine_tuning.data_checks import check_data
from service.settings import load_settings

app = typer.Typer(help="Training data: are the rows good enough?", no_args_is_help=True)

_MOST_SHOWN = 5  # rows shown for each check; --json has them all
_NAMES = {"personal_data": "personal data"}


@app.command("check")
def check(
    rows: Annotated[
        Path, typer.Argument(metavar="ROWS.jsonl", help="Training rows, any format that trains.")
    ],
    use_case: Annotated[
        str | None,
        typer.Option("--use-case", "-u", help="Keep the result as this use case's measured facts."),
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option("--domain", help="What the rows should be about, in a sentence."),
    ] = None,
    scenarios: Annotated[
        list[str] | None,
        typer.Option("--scenario", help="A scenario that the rows should cover; repeat it."),
    ] = None,
    min_similarity: Annotated[
        float | None,
        typer.Option(
            "--min-similarity", min=-1, max=1, help="Cosine from which a row is of the domain."
        ),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make the five checks of training rows: pass, fail or unknown, and what is missing.

    With --use-case the gateway makes them, and its next decisions and advice count on the result.
    Without, they are made here and nothing is kept. Exit code 1 where a check fails.
    """
    with reporting(as_json) as report:
        content = _read(rows)
        if use_case is None:
            found = _check_here(report, content, rows.name, domain, scenarios, min_similarity)
        else:
            asked = {"domain": domain, "scenarios": scenarios, "min_similarity": min_similarity}
            body = {key: value for key, value in asked.items() if value is not None}
            found = _check_there(Gateway.find(url), report, use_case, rows.name, content, body)
        report.result(found, lambda out: _print(out, found))
        if found["verdict"] == "fail":
            raise typer.Exit(FAILED)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        message = f"{file} cannot be read: {exc.strerror}"
        raise CommandFailed(problem(message, code="invalid_file")) from exc


def _check_here(
    report: Report,
    content: bytes,
    name: str,
    domain: str | None,
    scenarios: list[str] | None,
    min_similarity: float | None,
) -> dict[str, Any]:
    parsed = parse_any_rows(content, name)
    embedder = None
    if domain is not None:
        settings = load_settings()
        with report.meter("loading the embedder") as meter:
            meter.show(None)
            embedder = SentenceTransformerEmbedder.configured(
                settings.embedder_path, settings.knowledge
            )
    found = check_data(
        parsed,
        description=domain or "",
        scenarios=scenarios or (),
        embedder=embedder,
        min_similarity=min_similarity,
    )
    return {"object": "data_check", "use_case": None, **found.as_dict()}


def _check_there(
    gateway: Gateway,
    report: Report,
    use_case: str,
    name: str,
    content: bytes,
    body: Mapping[str, Any],
) -> Any:
    path = f"/use_cases/{segment(use_case)}/data_checks"
    gateway.get(f"/use_cases/{segment(use_case)}")  # before a large file is sent
    upload = {"file": (name, content, "application/jsonl")}
    file = gateway.post("/v1/files", data={"purpose": "fine-tune"}, files=upload)
    reply = gateway.post(path, json={"file_id": file["id"], **body})
    if "job" not in reply:
        return reply
    job = wait_for_job(gateway, report, reply["job"]["id"], "checking")
    return gateway.get(f"{path}/{job['result']['data_check']}")


def _print(out: Console, found: Mapping[str, Any]) -> None:
    copies = found["rows"] - found["distinct_rows"]
    also = f", {copies} of them copies" if copies else ""
    out.print(f"{found['verdict']}: {found['rows']} rows{also}", markup=False)
    for check in found["checks"]:
        unit = "%" if check["unit"] == "percent" else "rows"
        value = "" if check["value"] is None else f" {check['value']:g} {unit}"
        name = _NAMES.get(check["name"], check["name"])
        line = f"{check['status']:8} {name}{value} (needed: {check['needed']})"
        out.print(line, markup=False)
        if check["missing"]:
            out.print(f"         {check['missing']}", markup=False)
        if check["status"] == "pass":
            continue
        for row in check["evidence"][:_MOST_SHOWN]:
            text = " ".join(row["text"].split())
            out.print(f"         line {row['line']}: {row['reason']}: {text}", markup=False)
        if check["found"] > _MOST_SHOWN:
            out.print(f"         … {check['found'] - _MOST_SHOWN} more rows", markup=False)

"""`fingerpost data check`: are these training rows good enough?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from adapters import Row, parse_any_rows
from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway, Upload, segment, wait_for_job
from service.cli.kb.evaluation.corpus import load_embedder
from service.cli.output import (
    FAILED,
    CommandFailed,
    JsonOption,
    Output,
    UrlOption,
    command_output,
)
from service.cli.replies import AnyReply, CheckReply, DataCheckReply, IdReply
from service.fine_tuning.data_checks import check_data
from service.settings import load_settings

app = typer.Typer(help="Check and create training data.", no_args_is_help=True)

_MOST_SHOWN = 5  # rows shown for each check; --json prints them all
_NAMES = {"personal_data": "personal data"}


@app.command("check")
def check(
    rows: Annotated[
        Path,
        typer.Argument(
            metavar="ROWS.jsonl", help="Training rows in any format that `train run` reads."
        ),
    ],
    use_case: Annotated[
        str | None,
        typer.Option(
            "--use-case",
            "-u",
            help="Store the result with this use case, as measured facts for its decisions.",
        ),
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option("--domain", help="What the rows should be about, in one sentence."),
    ] = None,
    scenarios: Annotated[
        list[str] | None,
        typer.Option(
            "--scenario",
            metavar="TEXT",
            help="A scenario that the rows should cover; may be repeated.",
        ),
    ] = None,
    min_similarity: Annotated[
        float | None,
        typer.Option(
            "--min-similarity",
            min=-1,
            max=1,
            help="Minimum cosine similarity of a row to the domain.",
        ),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the five checks of training rows: each passes, fails or is unknown.

    With --use-case the gateway runs them and stores the result, which its decisions and advice
    use from then on. Otherwise they run here and nothing is stored. Exits with 1 if a check fails.
    """
    with command_output(as_json) as output:
        content = _read(rows)
        if use_case is None:
            parsed = parse_any_rows(content, rows.name)
            body = _check_here(output, parsed, domain, scenarios, min_similarity=min_similarity)
        else:
            asked: JsonObject = {
                "domain": domain,
                "scenarios": None if scenarios is None else list(scenarios),
                "min_similarity": min_similarity,
            }
            options: JsonObject = {key: value for key, value in asked.items() if value is not None}
            upload = Upload(rows.name, content, {"purpose": "fine-tune"}, "application/jsonl")
            path = f"/use_cases/{segment(use_case)}"
            body = _check_by_gateway(Gateway.find(url), output, path, upload, options=options)
        found = DataCheckReply.model_validate(body)
        output.result(body, lambda out: _print(out, found))
        if found.verdict == "fail":
            raise typer.Exit(FAILED)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        message = f"{file} cannot be read: {exc.strerror}"
        raise CommandFailed(message, code="invalid_file") from exc


def _check_here(
    output: Output,
    rows: Sequence[Row],
    domain: str | None,
    scenarios: Sequence[str] | None,
    *,
    min_similarity: float | None,
) -> JsonObject:
    embedder = None
    if domain is not None:
        settings = load_settings()
        with output.progress("loading the embedder") as bar:
            bar.show(None)
            embedder = load_embedder(settings)
    found = check_data(
        rows,
        description=domain or "",
        scenarios=scenarios or (),
        embedder=embedder,
        min_similarity=min_similarity,
    )
    return {"object": "data_check", "use_case": None, **found.as_dict()}


def _check_by_gateway(
    gateway: Gateway, output: Output, use_case_path: str, upload: Upload, *, options: JsonObject
) -> JsonObject:
    path = f"{use_case_path}/data_checks"
    gateway.get(use_case_path, AnyReply)  # fails before a large file is sent
    file = gateway.call("POST", "/v1/files", IdReply, upload=upload).reply
    done = gateway.post(path, DataCheckReply, body={"file_id": file.id, **options})
    if done.reply.job is None:
        return done.body
    result = wait_for_job(gateway, output, done.reply.job.id, "checking").result or {}
    return gateway.get(f"{path}/{result['data_check']}", DataCheckReply).body


def _print(out: Console, found: DataCheckReply) -> None:
    copies = found.rows - found.distinct_rows
    also = f", {copies} of them duplicates" if copies else ""
    also += f", {found.synthetic_rows} synthetic" if found.synthetic_rows else ""
    also += f", {found.unreviewed_rows} not reviewed" if found.unreviewed_rows else ""
    out.print(f"{found.verdict}: {found.rows} rows{also}", markup=False)
    for check in found.checks:
        _print_check(out, check)


def _print_check(out: Console, check: CheckReply) -> None:
    unit = "%" if check.unit == "percent" else "rows"
    value = "" if check.value is None else f" {check.value:g} {unit}"
    name = _NAMES.get(check.name, check.name)
    out.print(f"{check.status:8} {name}{value} (needed: {check.needed})", markup=False)
    if check.missing:
        out.print(f"         {check.missing}", markup=False)
    if check.status == "pass":
        return
    for row in check.evidence[:_MOST_SHOWN]:
        text = " ".join(row.text.split())
        out.print(f"         line {row.line}: {row.reason}: {text}", markup=False)
    if check.found > _MOST_SHOWN:
        out.print(f"         … {check.found - _MOST_SHOWN} more rows", markup=False)

"""`fingerpost data check`: are these training rows good enough?"""

import math
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from adapters import DataCheck, Row, RowRequirements, parse_any_rows
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
from service.cli.replies import AnyReply, CheckReply, DataCheckReply, IdReply, ReadinessReply
from service.fine_tuning.data_checks import check_data
from service.settings import load_settings

app = typer.Typer(help="Check and create training data.", no_args_is_help=True)

CHECKED = "user_data"  # a purpose of files that are not checked when they are uploaded
_MOST_SHOWN = 5  # rows shown for each check; --json prints them all
_NAMES = {"personal_data": "personal data", "business_lines": "business lines"}


class TaskKind(StrEnum):
    """What `--task-type` may name."""

    CLASSIFICATION = "classification"
    QA = "qa"
    DIALOGUE = "dialogue"
    CODE = "code"


@app.command("check")
def check(
    rows: Annotated[
        Path,
        typer.Argument(
            metavar="ROWS.jsonl", help="Training rows in any format that `train run` reads."
        ),
    ],
    *,
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
    business_lines: Annotated[
        list[str] | None,
        typer.Option(
            "--business-line",
            metavar="NAME=PART",
            help="The part a line of business should have, e.g. finance=6; may be repeated.",
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
    task_type: Annotated[
        TaskKind | None,
        typer.Option(help="Kind of task, which says how many rows are needed."),
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the five checks of training rows: each passes, fails or is unknown.

    Then common faults are looked for, and one score tells how ready the rows are: quality ×
    quantity × match. With --use-case the gateway runs them and stores the result, which its
    decisions and advice use from then on. Otherwise they run here and nothing is stored. Exits
    with 1 if a check fails or a fault is found.
    """
    with command_output(as_json) as output:
        content, lines = read_file(rows), _read_lines(business_lines)
        if use_case is None:
            parsed = parse_any_rows(content, rows.name)
            body = {"object": "data_check", "use_case": None} | check_here(
                output,
                parsed,
                RowRequirements(
                    domain=domain or "",
                    scenarios=tuple(scenarios or ()),
                    business_lines=lines or {},
                    min_similarity=min_similarity,
                    task_type=None if task_type is None else task_type.value,
                ),
            ).as_dict()
        else:
            asked: JsonObject = {
                "domain": domain,
                "scenarios": None if scenarios is None else list(scenarios),
                "business_lines": None if lines is None else {**lines},
                "min_similarity": min_similarity,
            }
            options: JsonObject = {key: value for key, value in asked.items() if value is not None}
            upload = Upload(rows.name, content, {"purpose": CHECKED}, "application/jsonl")
            path = f"/use_cases/{segment(use_case)}"
            body = _check_by_gateway(Gateway.find(url), output, path, upload, options=options)
        found = DataCheckReply.model_validate(body)
        output.result(body, lambda out: _print(out, found))
        if "fail" in (found.verdict, found.readiness.verdict):
            raise typer.Exit(FAILED)


def read_file(file: Path) -> bytes:
    """Return what a file holds; raises CommandFailed where it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as exc:
        message = f"{file} cannot be read: {exc.strerror}"
        raise CommandFailed(message, code="invalid_file") from exc


def _read_lines(parts: Sequence[str] | None) -> dict[str, float] | None:
    """Return the parts of business lines, written as `finance=6`."""
    if parts is None:
        return None
    lines: dict[str, float] = {}
    for written in parts:
        name, _, part = written.rpartition("=")
        lines[name.strip()] = _number(part)
        if not name.strip() or not 0 < lines[name.strip()] < math.inf:
            told = f"--business-line {written!r}: write a name and a part, as in finance=6"
            raise CommandFailed(told, code="usage")
    return lines


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def check_here(output: Output, rows: Sequence[Row], wanted: RowRequirements) -> DataCheck:
    """Check rows without a gateway; the embedder of this home compares them with a domain."""
    embedder = None
    if wanted.domain:
        settings = load_settings()
        with output.progress("loading the embedder") as bar:
            bar.show(None)
            embedder = load_embedder(settings)
    return check_data(rows, wanted, embedder)


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
    """Print the verdict, each check, each fault that was found, and the score with its parts."""
    copies = found.rows - found.distinct_rows
    also = f", {copies} of them duplicates" if copies else ""
    also += f", {found.synthetic_rows} synthetic" if found.synthetic_rows else ""
    also += f", {found.unreviewed_rows} not reviewed" if found.unreviewed_rows else ""
    out.print(f"{found.verdict}: {found.rows} rows{also}", markup=False)
    for check in (*found.checks, *found.faults):
        _print_check(out, check)
    for pair in (one for check in found.checks for one in check.details.disputed_labels):
        words = f"{pair.agree_on} ({pair.questions} questions)"
        out.print(f"         {words}", markup=False)
    print_readiness(out, found.readiness)


def print_readiness(out: Console, rated: ReadinessReply) -> None:
    """Print the score, and the figures behind each of its parts."""
    if not rated.parts:
        return
    product = " × ".join(f"{part.name} {_percent(part.percent)}" for part in rated.parts)
    # What is not known yet can only lower the weakest figure of a part.
    is_bound = rated.percent is not None and any(part.unknown for part in rated.parts)
    most = "at most " if is_bound else ""
    out.print(f"readiness {most}{_percent(rated.percent)} = {product}", markup=False)
    for part in rated.parts:
        figures = [f"{_NAMES.get(name, name)} {value:g} %" for name, value in part.figures.items()]
        figures += [f"{_NAMES.get(name, name)} unknown" for name in part.unknown]
        out.print(f"         {part.name}: {', '.join(figures)}", markup=False)


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g} %"


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

"""`fingerpost compare`: the same questions by every strategy, and a table of who wins."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from service.cli.client import Gateway, segment
from service.cli.output import CommandFailed, JsonOption, Report, UrlOption, problem, reporting

ENGLISH_ONLY = (
    "The embedded base model reads English only, so this comparison is in English; "
    "Chinese content proves retrieval and routing."
)
_TABLE_CHARS = 110
_KINDS = ("fact", "style", "both", "chitchat", "unanswerable")

SetArgument = Annotated[
    Path, typer.Argument(metavar="SET.jsonl", help="Questions.", exists=True, dir_okay=False)
]
UseCaseOption = Annotated[str, typer.Option("--use-case", "-u", help="Use case by id.")]


def compare(
    questions: SetArgument,
    use_case: UseCaseOption,
    out: Annotated[Path | None, typer.Option("--out", help="File for the outcomes.")] = None,
    strategies: Annotated[
        str | None, typer.Option("--strategies", help="Names with commas; default: all and auto.")
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", min=1, help="Questions under way at once.")
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask every question by every strategy, score the answers and say who wins."""
    with reporting(as_json) as report:
        gateway = Gateway.find(url)
        body: dict[str, Any] = {"use_case": use_case, "rows": read_rows(questions)}
        if strategies is not None:
            body["strategies"] = [name.strip() for name in strategies.split(",")]
        if concurrency is not None:
            body["concurrency"] = concurrency
        done = run_compare(gateway, report, body)
        if out is not None:
            out.write_text(
                gateway.text("GET", f"/compare/{segment(done['id'])}/outcomes"), encoding="utf-8"
            )
            report.say(f"outcomes: {out}")
        report.result(done, lambda console: print_table(console, done["summary"]))


def run_compare(gateway: Gateway, report: Report, body: Mapping[str, Any]) -> Any:
    """Run a comparison to its end and return it with its summary."""
    started = gateway.post("/compare", json=body)
    with report.meter("comparing") as meter:
        return gateway.finish(f"/compare/{segment(started['id'])}", meter, unit="answers")


def read_rows(file: Path) -> list[Any]:
    """Return the rows of a JSON-lines file.

    Raises:
        CommandFailed: Names the line that is not JSON.
    """
    rows: list[Any] = []
    try:
        lines = file.read_text(encoding="utf-8").split("\n")  # U+2028 may stand inside a string
    except (OSError, UnicodeDecodeError) as exc:
        raise CommandFailed(problem(f"{file}: {exc}", code="invalid_file")) from exc
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except ValueError as exc:
            raise CommandFailed(
                problem(f"{file} line {number} is not JSON: {exc}", code="invalid_file")
            ) from exc
    return rows


def print_table(out: Console, summary: Mapping[str, Any]) -> None:
    """Print scores by kind, overall score with interval, latency, tokens and the winner."""
    strategies: Mapping[str, Any] = summary["strategies"]
    present = {kind for row in strategies.values() for kind in row["by_kind"]}
    kinds = [kind for kind in _KINDS if kind in present]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("strategy", no_wrap=True)
    for kind in kinds:
        table.add_column(_heading(kind, strategies), justify="right", no_wrap=True)
    for heading in ("overall (95 %)", "p50\nms", "p95\nms", "tokens\nin+out", "errors"):
        table.add_column(heading, justify="right", no_wrap=True)
    for name, row in strategies.items():
        table.add_row(name, *(_kind_score(row, kind) for kind in kinds), *_totals(row))
    out.width = max(out.width, _TABLE_CHARS)  # a narrow terminal wraps; a cut number would lie
    out.print(table)
    out.print(_verdict(summary), markup=False)
    for note in summary.get("notes") or [ENGLISH_ONLY]:
        out.print(f"note: {note}", markup=False)


def _heading(kind: str, strategies: Mapping[str, Any]) -> str:
    counts = [row["by_kind"][kind]["n"] for row in strategies.values() if kind in row["by_kind"]]
    return f"{kind}\n({max(counts)})"


def _kind_score(row: Mapping[str, Any], kind: str) -> str:
    scored = row["by_kind"].get(kind)
    return "-" if scored is None else f"{scored['score']:.2f}"


def _totals(row: Mapping[str, Any]) -> tuple[str, ...]:
    latency = row["latency_ms"]
    return (
        f"{row['score']:.2f} ({row['score_low']:.2f}-{row['score_high']:.2f})",
        f"{latency['p50']:.0f}",
        f"{latency['p95']:.0f}",
        f"{row['prompt_tokens']:.0f}+{row['completion_tokens']:.0f}",
        str(row["errors"]),
    )


def _verdict(summary: Mapping[str, Any]) -> str:
    winner = summary["winner"]
    by_kind = summary.get("by_kind_winner") or {}
    parts = [
        f"{kind}: {' = '.join(names) if isinstance(names, list) else names}"
        for kind, names in by_kind.items()
    ]
    best = f"winner: {winner['strategy'] or 'none'} ({winner['because']})"
    return best + (f"\nbest by kind: {'; '.join(parts)}" if parts else "")

"""`fingerpost compare`: the same questions to every strategy, and a table of the scores."""

import json
from pathlib import Path
from typing import Annotated

import typer
from pydantic import JsonValue
from rich.console import Console
from rich.table import Table

from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway, Received, segment
from service.cli.output import CommandFailed, JsonOption, Output, UrlOption, command_output
from service.cli.replies import ComparisonReply, ComparisonSummary, IdReply, StrategyScore
from service.messages.spoken import say

_TABLE_CHARS = 110
_LANGUAGES = ("zh", "en")
_KINDS = ("fact", "style", "both", "chitchat", "unanswerable")

SetArgument = Annotated[
    Path,
    typer.Argument(
        metavar="SET.jsonl",
        help="Questions as JSON Lines: id, kind, question, answers; lang if it cannot be told.",
        exists=True,
        dir_okay=False,
    ),
]
UseCaseOption = Annotated[str, typer.Option("--use-case", "-u", help="Id of the use case.")]


def compare(
    questions: SetArgument,
    use_case: UseCaseOption,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write every outcome to, as JSON Lines.")
    ] = None,
    strategies: Annotated[
        str | None,
        typer.Option(
            "--strategies", help="Strategies, separated by commas (default: all four and auto)."
        ),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", min=1, help="Questions asked at the same time.")
    ] = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask every question with every strategy, score the answers and name the best strategy."""
    with command_output(as_json) as output:
        gateway = Gateway.find(url)
        body: JsonObject = {"use_case": use_case, "rows": read_rows(questions)}
        if strategies is not None:
            body["strategies"] = [name.strip() for name in strategies.split(",")]
        if concurrency is not None:
            body["concurrency"] = concurrency
        done = run_compare(gateway, output, body)
        if out is not None:
            out.write_text(
                gateway.text("GET", f"/compare/{segment(done.reply.id)}/outcomes"), encoding="utf-8"
            )
            output.info(f"outcomes: {out}")
        output.result(done.body, lambda console: print_table(console, summary_of(done)))


def run_compare(gateway: Gateway, output: Output, body: JsonObject) -> Received[ComparisonReply]:
    """Run a comparison to its end and return it with its summary."""
    started = gateway.post("/compare", IdReply, body=body).reply
    with output.progress(say("compare.comparing")) as bar:
        path = f"/compare/{segment(started.id)}"
        return gateway.finish(path, ComparisonReply, bar, unit=say("compare.answers"))


def summary_of(done: Received[ComparisonReply]) -> ComparisonSummary:
    """Return the summary of a comparison that has ended."""
    assert done.reply.summary is not None, "a comparison that succeeded has one"
    return done.reply.summary


def read_rows(file: Path) -> list[JsonValue]:
    """Return the rows of a JSON-lines file.

    Raises:
        CommandFailed: Names the line that is not JSON.
    """
    rows: list[JsonValue] = []
    try:
        # A byte order mark is no part of the rows; U+2028 may stand inside a string.
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as exc:
        raise CommandFailed(say("compare.not_text", file=file), code="invalid_file") from exc
    except OSError as exc:
        raise CommandFailed(f"{file}: {exc}", code="invalid_file") from exc
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except ValueError as exc:
            raise CommandFailed(
                f"{file} line {number} is not JSON: {exc}", code="invalid_file"
            ) from exc
    return rows


def print_table(out: Console, summary: ComparisonSummary) -> None:
    """Print scores by kind, overall score with interval, latency, tokens and the winner.

    Questions in more than one language are also shown by language.
    """
    out.width = max(out.width, _TABLE_CHARS)  # a narrow terminal wraps; a cut number would mislead
    out.print(_table(summary.strategies))
    languages = summary.by_language if len(summary.by_language) > 1 else {}
    for language, strategies in languages.items():
        key = f"compare.in_{language if language in _LANGUAGES else 'other'}"
        out.print(f"\n{say(key, language=language)}", markup=False)
        out.print(_table(strategies))
    if any("-" in _totals(row) for row in summary.strategies.values()):
        out.print(say("compare.no_answer"), markup=False)
    out.print(_verdict(summary), markup=False)


def _table(strategies: dict[str, StrategyScore]) -> Table:
    present = {kind for row in strategies.values() for kind in row.by_kind}
    kinds = [kind for kind in _KINDS if kind in present]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(say("compare.strategy"), no_wrap=True)
    for kind in kinds:
        table.add_column(_heading(kind, strategies), justify="right", no_wrap=True)
    for heading in ("overall", "p50", "p95", "tokens", "errors"):
        table.add_column(say(f"compare.{heading}"), justify="right", no_wrap=True)
    for name, row in strategies.items():
        table.add_row(name, *(_kind_score(row, kind) for kind in kinds), *_totals(row))
    return table


def _heading(kind: str, strategies: dict[str, StrategyScore]) -> str:
    counts = [row.by_kind[kind].n for row in strategies.values() if kind in row.by_kind]
    return f"{say(f'compare.{kind}')}\n({max(counts)})"


def _kind_score(row: StrategyScore, kind: str) -> str:
    scored = row.by_kind.get(kind)
    return "-" if scored is None else f"{scored.score:.2f}"


def _totals(row: StrategyScore) -> tuple[str, ...]:
    if row.n == 0 or row.score is None or row.latency_ms is None:
        return ("-", "-", "-", "-", str(row.errors))
    return (
        f"{row.score:.2f} ({row.score_low:.2f}-{row.score_high:.2f})",
        f"{row.latency_ms.p50:.0f}",
        f"{row.latency_ms.p95:.0f}",
        f"{row.prompt_tokens:.0f}+{row.completion_tokens:.0f}",
        str(row.errors),
    )


def _verdict(summary: ComparisonSummary) -> str:
    winner = summary.winner
    by_kind = summary.by_kind_winner or {}
    parts = [
        say(
            "compare.kind",
            kind=say(f"compare.{kind}") if kind in _KINDS else kind,
            strategies=" = ".join(names) if isinstance(names, list) else names,
        )
        for kind, names in by_kind.items()
    ]
    strategy = winner.strategy or say("compare.none")
    key = "winner" if winner.clear or winner.strategy is None else "ahead"
    best = say(f"compare.{key}", strategy=strategy, because=winner.because)
    kinds = say("compare.by_kind", kinds=say("compare.semicolon").join(parts))
    return f"{best}\n{kinds}" if parts else best

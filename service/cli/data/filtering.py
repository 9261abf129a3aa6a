"""`fingerpost data filter`: which rows belong to the domain?

It knows options and files, and how a filter is told; rows are filtered in `adapters`.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from adapters import (
    ClassifierQuality,
    ClassifierSettings,
    FilterReport,
    KeywordSettings,
    PerplexitySettings,
    Refusal,
    Result,
    Row,
    RowFormat,
    ScoredRow,
    SimilaritySettings,
    draw_histogram,
    filter_rows,
    iter_rows,
    parse_any_rows,
    to_fields,
)
from service.api.schemas.shapes import JsonObject
from service.cli.data.context import write_rows
from service.cli.kb.evaluation.corpus import load_embedder
from service.cli.output import CommandFailed, JsonOption, Output, command_output
from service.fine_tuning.filters import FilterMaker, FilterName, FilterOptions
from service.settings import load_settings

ROWS_LOOKED_AT = 50  # before anything is filtered, for their language
ADVISED_LABELS = 500  # of both kinds; the source says 500 to 1,000


class FeatureName(StrEnum):
    """What `--features` may name."""

    LETTERS = "letters"
    EMBEDDER = "embedder"
    BOTH = "both"


def filter_data(
    rows: Annotated[
        Path,
        typer.Argument(
            metavar="ROWS.jsonl", help="Training rows in any format that `train run` reads."
        ),
    ],
    by: Annotated[
        list[FilterName],
        typer.Option("--by", help="Filter to apply; may be repeated, in the order given."),
    ],
    out: Annotated[Path, typer.Option("--out", help="File to write the rows to.", dir_okay=False)],
    *,
    keywords: Annotated[
        list[str] | None,
        typer.Option(
            "--keyword",
            metavar="TEXT",
            help="keywords: a word or phrase; may be repeated. `refund*` also finds `refunds`.",
        ),
    ] = None,
    keyword_file: Annotated[
        Path | None, typer.Option(help="keywords: a file with one word or phrase per line.")
    ] = None,
    min_keywords: Annotated[
        int, typer.Option(min=1, help="keywords: different ones that a row must contain.")
    ] = 1,
    like: Annotated[
        Path | None,
        typer.Option(
            help="similarity, perplexity: rows that belong to the domain, to compare with."
        ),
    ] = None,
    domain: Annotated[
        str, typer.Option(help="similarity: what the rows should be about, in one sentence.")
    ] = "",
    min_similarity: Annotated[
        float | None,
        typer.Option(
            min=-1,
            max=1,
            help="similarity: minimum cosine (default: the embedder's own, or that of --like).",
        ),
    ] = None,
    wanted: Annotated[
        Path | None,
        typer.Option(help="classifier: rows to keep, as examples; 250 to 500 are advised."),
    ] = None,
    unwanted: Annotated[
        Path | None, typer.Option(help="classifier: rows to drop, as examples; as many.")
    ] = None,
    min_probability: Annotated[
        float, typer.Option(min=0.01, max=0.999, help="classifier: minimum probability.")
    ] = 0.9,
    features: Annotated[
        FeatureName, typer.Option(help="classifier: what it is fitted on.")
    ] = FeatureName.LETTERS,
    quantile: Annotated[
        float,
        typer.Option(
            min=0.01, max=1, help="perplexity: the highest, as a quantile of the rows of --like."
        ),
    ] = 0.5,
    max_perplexity: Annotated[
        float | None, typer.Option(min=1, help="perplexity: the highest, as a number.")
    ] = None,
    examples: Annotated[
        int,
        typer.Option(min=0, max=8, help="perplexity: rows of --like shown to the model first."),
    ] = 3,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Write only the histograms, to choose thresholds by."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Keep the training rows that belong to the domain, by one or more filters.

    For each filter the histogram of its scores is written next to OUT as OUT.FILTER.svg. Dropped
    rows are written to OUT.dropped.jsonl with filter, reason and scores, unreadable ones with
    file, line and reason.
    """
    with command_output(as_json) as output:
        if out.resolve() == rows.resolve():
            raise CommandFailed("--out must not be the file of the rows.", code="usage")
        words = [*(keywords or ()), *(_read_words(keyword_file) if keyword_file else ())]
        try:
            options = FilterOptions(
                keywords=KeywordSettings(words=tuple(words), min_words=min_keywords)
                if words
                else None,
                similarity=SimilaritySettings(domain=domain, min_similarity=min_similarity),
                classifier=ClassifierSettings(
                    min_probability=min_probability, features=features.value
                ),
                wanted=_read_rows(wanted),
                unwanted=_read_rows(unwanted),
                perplexity=PerplexitySettings(
                    quantile=quantile, max_perplexity=max_perplexity, examples=examples
                ),
                like=_read_rows(like),
            )
        except ValidationError as exc:
            told = "; ".join(fault["msg"] for fault in exc.errors(include_url=False))
            raise CommandFailed(told, code="usage") from exc
        _filter(rows, list(dict.fromkeys(by)), options, output, out=out, dry_run=dry_run)


def _filter(
    file: Path,
    names: Sequence[FilterName],
    options: FilterOptions,
    output: Output,
    *,
    out: Path,
    dry_run: bool,
) -> None:
    dropped: list[dict[str, object]] = []
    kept = 0

    def read() -> Iterator[Row]:
        for one in iter_rows([file]):
            if isinstance(one, Refusal):
                dropped.append(_describe_refused(one))
            else:
                yield one

    def count(rows: Iterator[Row]) -> Iterator[dict[str, object]]:
        nonlocal kept
        for row in rows:
            kept += 1
            yield _as_fields(row)

    with output.progress("filtering") as bar:
        bar.show(None)
        maker = FilterMaker(
            load_settings(),
            options,
            load_embedder=load_embedder,
            on_progress=lambda event: bar.show(event.done / event.total, event.message),
        )
        rows = read()
        first = list(islice(rows, ROWS_LOOKED_AT))
        if not first:
            raise CommandFailed(f"{file} holds no row that can be used", code="invalid_file")
        filters = [maker.make(name, first) for name in names]
        going, reports = filter_rows(
            chain(first, rows),
            filters,
            lambda name, result: dropped.append(_describe_dropped(name, result)),
        )
        if dry_run:
            deque(count(going), maxlen=0)
        else:
            write_rows(out, count(going))
            write_rows(_dropped_file(out), dropped)
    files = {report.name: _histogram_of(report, out) for report in reports}
    quality = maker.quality
    total = kept + len(dropped)
    refused = total - reports[0].rows
    document: JsonObject = {
        "object": "data_filter",
        "rows": total,
        "kept": kept,
        "dropped": total - kept - refused,
        "refused": refused,
        "filters": [{**report.as_dict(), "histogram": files[report.name]} for report in reports],
        "classifier": None if quality is None else asdict(quality),
        "out": None if dry_run else str(out),
        "dropped_file": None if dry_run else str(_dropped_file(out)),
    }
    lines = [line for report in reports for line in _describe(report, files[report.name])]
    if quality is not None:
        lines += _describe_quality(quality)
    unread = f" ({refused} cannot be read)" if refused else ""
    written = "nothing written (--dry-run)" if dry_run else f"{out}, dropped: {_dropped_file(out)}"
    output.result(document, "\n".join([*lines, f"{kept} of {total} rows kept{unread}: {written}"]))


def _read_rows(file: Path | None) -> list[Row]:
    return [] if file is None else parse_any_rows(_read(file), str(file))


def _read_words(file: Path) -> list[str]:
    lines = _read(file).decode("utf-8-sig", errors="replace").splitlines()
    return [line.strip() for line in lines if line.strip()]


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as exc:
        message = f"{file} cannot be read: {exc.strerror}"
        raise CommandFailed(message, code="invalid_file") from exc


def _dropped_file(out: Path) -> Path:
    return out.with_name(f"{out.name}.dropped.jsonl")


def _histogram_of(report: FilterReport, out: Path) -> str | None:
    """Draw the scores next to the output; None where there are none."""
    if not len(report.scores):
        return None
    file = out.with_name(f"{out.name}.{report.name}.svg")
    try:
        draw_histogram(report, file)
    except OSError as exc:
        raise CommandFailed(f"{file}: {exc.strerror}", code="invalid_file") from exc
    return str(file)


def _as_fields(row: Row) -> dict[str, object]:
    """Return a row as messages, a preference pair as a pair."""
    return to_fields(row, RowFormat.PREFERENCE if "rejected" in row.meta else RowFormat.MESSAGES)


def _describe_refused(refused: Refusal) -> dict[str, object]:
    place = {"file": str(refused.file), "line": refused.line}
    return {"dropped": {**place, "filter": "", "reason": "unreadable", "detail": refused.reason}}


def _describe_dropped(name: str, result: Result) -> dict[str, object]:
    """Return a dropped row whole, with what dropped it."""
    row = result.row
    why = {"filter": name, "reason": result.reason, "detail": result.detail}
    place = {"file": str(row.file), "line": row.line}
    return {**_as_fields(row), "dropped": {**place, **why, "scores": dict(result.scores)}}


def _describe(report: FilterReport, histogram: str | None) -> Iterator[str]:
    limit = report.threshold
    yield (
        f"{report.name}: {report.kept} of {report.rows} rows kept ({report.kept_share:.0%}), "
        f"{limit.score} {limit}: {limit.source}"
    )
    if histogram:
        yield f"  histogram: {histogram}"
    for side, samples in (("kept", report.kept_samples), ("dropped", report.dropped_samples)):
        if samples:
            yield f"  {side}, nearest to the threshold:"
            yield from (f"    {_show(sample)}" for sample in samples)


def _show(sample: ScoredRow) -> str:
    return f"{sample.score:.4g}  line {sample.line}: {' '.join(sample.text.split())}"


def _describe_quality(quality: ClassifierQuality) -> Iterator[str]:
    labels = quality.wanted + quality.unwanted
    yield (
        f"classifier on {labels} labelled rows it was not fitted on: AUC {quality.auc:.3f}, keeps "
        f"{quality.wanted_kept:.0%} of the wanted and {quality.unwanted_kept:.0%} of the "
        "unwanted ones"
    )
    if labels < ADVISED_LABELS:
        yield f"fewer than {ADVISED_LABELS} labelled rows: label more, or check the dropped rows"

"""`fingerpost data clean`: one spelling, noise, copies and rows of a test, out of training rows.

It knows files and options; what a step does stands in `adapters`.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console

from adapters import (
    Cleaning,
    Deduplicate,
    Leakage,
    LeakageSettings,
    Near,
    NearSettings,
    Noise,
    NoiseSettings,
    Normalise,
    NormaliseSettings,
    Refusal,
    Result,
    Row,
    RowFormat,
    Script,
    Similar,
    SimilarSettings,
    Step,
    clean,
    iter_rows,
    parse_any_rows,
    to_fields,
)
from service.api.schemas.shapes import JsonObject
from service.cli.data.check import read_file
from service.cli.kb.evaluation.corpus import load_embedder
from service.cli.output import PARTIAL, CommandFailed, JsonOption, Output, command_output
from service.settings import load_settings

_REFUSED = "read: refused"
_PROGRESS_ROWS = 1_000  # between two reports


def clean_rows(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILES", help="Training rows in any format that `train run` reads."),
    ],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write the rows to; not needed with --dry-run."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and write nothing.")
    ] = False,
    script: Annotated[
        Script, typer.Option("--script", help="Convert Chinese characters.")
    ] = "as_is",
    test: Annotated[
        list[Path] | None,
        typer.Option(
            "--test",
            help="Rows of a test, which must not be trained on: drops rows with the same question "
            "or answer; may be repeated.",
        ),
    ] = None,
    near: Annotated[
        bool, typer.Option(help="Drop rows that are a few letters away from an earlier row.")
    ] = True,
    similar: Annotated[
        float | None,
        typer.Option(
            "--similar",
            min=0.01,
            max=1,
            help="Drop rows whose question and answer both have this cosine similarity to those "
            "of an earlier row (0.95 is a careful start).",
        ),
    ] = None,
    phrases: Annotated[
        list[str] | None,
        typer.Option(
            "--phrase", metavar="TEXT", help="A further text that asks nothing; may be repeated."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Clean training rows: spelling, noise, duplicates, and rows that a test asks.

    The same question with another answer is no duplicate; `data check` reports it. Every dropped
    row is listed with its reason in OUT.dropped.jsonl, and so is every line that is no row: exits
    with 3 if there were some.
    """
    with command_output(as_json) as output:
        if out is None and not dry_run:
            raise CommandFailed("Use --out FILE or --dry-run.", code="usage")
        steps: list[Step] = [
            Normalise(NormaliseSettings(script=script)),
            Noise(NoiseSettings(phrases=tuple(phrases or ()))),
            Deduplicate(),
        ]
        steps += [Near(NearSettings())] if near else []
        steps += [_similar(similar, output)] if similar is not None else []
        if test:
            asked = Normalise(NormaliseSettings(script=script)).run(_read(test))
            rows = [row for result in asked for row in result.rows]
            steps.append(Leakage(LeakageSettings(), rows))
        target = None if dry_run else out
        told = _run(files, steps, target, output)
        written = {} if target is None else {"out": str(target), "dropped_file": _beside(target)}
        body: JsonObject = {"object": "cleaning", **told.as_dict(), **written}
        output.result(body, lambda console: _print(console, told, target))
        if told.dropped[_REFUSED]:
            raise typer.Exit(PARTIAL)


def _read(files: Sequence[Path]) -> Iterator[Row]:
    for file in files:
        yield from parse_any_rows(read_file(file), str(file))


def _similar(min_similarity: float, output: Output) -> Step:
    settings = load_settings()
    with output.progress("loading the embedder") as bar:
        bar.show(None)
        embedder = load_embedder(settings)
    chosen = SimilarSettings(min_similarity=min_similarity)
    return Similar(chosen, embedder.embed_passages, embedder_id=embedder.model_id)


def _beside(out: Path) -> str:
    return str(out.with_name(f"{out.name}.dropped.jsonl"))


def _usable(files: Sequence[Path], on_refused: Callable[[Refusal], None]) -> Iterator[Row]:
    """Yield the rows; a copy may have the id of its original."""
    for one in iter_rows(files, unique_ids=False):
        if isinstance(one, Row):
            yield one
        elif not one.line:  # the file as a whole
            raise CommandFailed(str(one), code="invalid_file")
        else:
            on_refused(one)


def _run(
    files: Sequence[Path], steps: Sequence[Step], out: Path | None, output: Output
) -> Cleaning:
    """Clean rows into a file, both it and that of dropped rows complete or not there."""
    told = Cleaning()
    targets = [] if out is None else [out, Path(_beside(out))]
    drafts = [target.with_name(f".{target.name}.new") for target in targets]
    try:
        with ExitStack() as opened, output.progress("cleaning") as bar:
            writers = [opened.enter_context(draft.open("w", encoding="utf-8")) for draft in drafts]

            def write(place: int, content: JsonObject) -> None:
                if writers:
                    writers[place].write(json.dumps(content, ensure_ascii=False) + "\n")

            def on_dropped(step: str, result: Result) -> None:
                write(1, _as_dropped(step, result))

            def on_refused(one: Refusal) -> None:
                told.refuse(one)
                write(1, _as_refused(one))

            for row in clean(_usable(files, on_refused), steps, told, on_dropped=on_dropped):
                write(0, _as_written(row))
                if told.written % _PROGRESS_ROWS == 0:
                    bar.show(None, f"{told.rows:,} rows")
        _require_row(told, files)
        for draft, target in zip(drafts, targets, strict=True):
            os.replace(draft, target)
    except OSError as exc:
        raise CommandFailed(
            f"{out} cannot be written: {exc.strerror}", code="invalid_file"
        ) from exc
    finally:
        for draft in drafts:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
    return told


def _require_row(told: Cleaning, files: Sequence[Path]) -> None:
    """Refuse files without any row, and say why the first line is none."""
    if told.rows > told.dropped[_REFUSED]:
        return
    first = next(iter(told.samples[_REFUSED]), None)
    why = "" if first is None else f": {first.file}:{first.line}: {first.detail}"
    named = ", ".join(map(str, files))
    raise CommandFailed(f"no training rows in {named}{why}", code="invalid_training_data")


def _as_dropped(step: str, result: Result) -> JsonObject:
    row = result.row
    place: JsonObject = {"file": str(row.file), "line": row.line, "step": step}
    return {**place, "reason": result.reason, "detail": result.detail}


def _as_refused(one: Refusal) -> JsonObject:
    return {
        "file": str(one.file),
        "line": one.line,
        "step": "read",
        "reason": "refused",
        "detail": one.reason,
    }


def _as_written(row: Row) -> JsonObject:
    """Return a row in the form of messages, a preference pair in that of pairs."""
    form = RowFormat.PREFERENCE if "rejected" in row.meta else RowFormat.MESSAGES
    return cast(JsonObject, to_fields(row, form))


def _print(console: Console, told: Cleaning, out: Path | None) -> None:
    def line(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    dropped = told.rows - told.written
    where = "would be written (dry run)" if out is None else f"written to {out}"
    line(f"{told.written} of {told.rows} rows {where}, {dropped} dropped")
    for verb, counts in (("changed", told.changed), ("dropped", told.dropped)):
        for reason, count in counts.most_common():
            line(f"{verb} {count:6}  {reason}")
            for one in told.samples[reason]:
                line(f"    line {one.line}: {one.detail}")
                if one.before:
                    line(f"      - {_flat(one.before)}")
                if one.after:
                    line(f"      + {_flat(one.after)}")
    if out is not None and dropped:
        line(f"dropped rows with their reasons: {_beside(out)}")


def _flat(text: str) -> str:
    return text.replace("\n", "⏎")

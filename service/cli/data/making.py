"""`fingerpost data structure|annotate|self-instruct`: rows from texts and from other rows."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from adapters import (
    Annotate,
    ApplyRules,
    DialogueSettings,
    Row,
    SelfInstruct,
    SelfInstructSettings,
    Step,
    annotate_dialogues,
    load_annotation,
    load_rules,
)
from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway
from service.cli.data.steps import (
    ReviewQueue,
    engine_of_this_home,
    lines_of,
    read_sources,
    run_step,
    write_made,
)
from service.cli.output import (
    CommandFailed,
    JsonOption,
    Output,
    UrlOption,
    command_output,
)

INVENTING = 0.7  # temperature: with 0 every seed would give the likeliest pair again

SourcesArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="SOURCE...", help="Documents, files of rows (.jsonl, .json), or folders of both."
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option(help="Write the rows to this file, unreviewed (default: the review queue)."),
]
BatchOption = Annotated[
    str | None,
    typer.Option(help="Name of the batch in the review queue (default: the source's name)."),
]


def structure(
    sources: SourcesArgument,
    rules: Annotated[Path, typer.Option(help="Rule file (YAML): patterns and templates.")],
    out: Annotated[Path, typer.Option(help="File to write the rows to.")],
    as_json: JsonOption = False,
) -> None:
    """Create rows from texts of a fixed form, such as numbered clauses, by patterns.

    Texts without a match are listed with their reasons in OUT.dropped.jsonl.
    """
    with command_output(as_json) as output:
        step = ApplyRules(load_rules(rules))
        _to_file(step, read_sources(sources, output), out, output)


def annotate(
    sources: SourcesArgument,
    *,
    config: Annotated[
        Path | None,
        typer.Option(help="Annotation file (YAML): instruction, JSON schema of the reply, rows."),
    ] = None,
    dialogues: Annotated[
        bool,
        typer.Option(help="Without a file: the intent and the result of support conversations."),
    ] = False,
    intents: Annotated[
        list[str] | None,
        typer.Option("--intent", help="An intent there is; may be repeated (default: free)."),
    ] = None,
    results: Annotated[
        list[str] | None,
        typer.Option("--result", help="A result there is; may be repeated (default: free)."),
    ] = None,
    english: Annotated[bool, typer.Option(help="Ask about conversations in English.")] = False,
    out: OutOption = None,
    batch: BatchOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have the base model of this home read texts, for people to review.

    The rows are pending in the review queue until somebody accepts, edits or rejects them.
    """
    with command_output(as_json) as output:
        if (config is None) != dialogues:
            raise CommandFailed("Use either --config or --dialogues.", code="usage")
        annotation = None if config is None else load_annotation(config)
        rows = read_sources(sources, output)
        with engine_of_this_home(temperature=0.0) as generate:
            if annotation is not None:
                step: Step = Annotate(annotation, generate)
            else:
                asked = DialogueSettings(
                    language="en" if english else "zh",
                    intents=tuple(intents or ()),
                    results=tuple(results or ()),
                )
                step = annotate_dialogues(asked, generate)
            _to_file_or_queue(step, rows, output, out=out, batch=batch or _name(sources), url=url)


def self_instruct(
    seeds: Annotated[
        list[Path], typer.Argument(metavar="SEEDS...", help="Files of good question-answer rows.")
    ],
    *,
    per_seed: Annotated[int, typer.Option(min=1, max=10, help="Pairs asked for with a seed.")] = 2,
    max_similarity: Annotated[
        float,
        typer.Option(min=0.01, max=1, help="Leave out questions nearer than this to another."),
    ] = 0.7,
    out: OutOption = None,
    batch: BatchOption = None,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have the base model of this home write new rows in the manner of others (Self-Instruct).

    New rows are marked as synthetic. With --out the seeds are written too, each before its own.
    """
    with command_output(as_json) as output:
        settings = SelfInstructSettings(per_seed=per_seed, max_similarity=max_similarity)
        rows = read_sources(seeds, output)
        with engine_of_this_home(temperature=INVENTING) as generate:
            step = SelfInstruct(settings, generate)
            _to_file_or_queue(step, rows, output, out=out, batch=batch or _name(seeds), url=url)


def _name(paths: Sequence[Path]) -> str:
    return paths[0].resolve().name


def _to_file_or_queue(
    step: Step,
    rows: Sequence[Row],
    output: Output,
    *,
    out: Path | None,
    batch: str,
    url: str | None,
) -> None:
    if out is not None:
        _to_file(step, rows, out, output)
        return
    with closing(Gateway.find(url)) as gateway:
        gateway.text("GET", "/review_batches")  # fails before the model server works for minutes
        queue = ReviewQueue(gateway, batch)

        def take(made: Sequence[Row]) -> None:
            queue.take([row for row in made if row.meta.get("reviewed") is False])

        tally = run_step(step, rows, output, take=take)
    written: JsonObject = {"batch": batch, "added": queue.added}
    figures: JsonObject = {**tally.as_dict(), **written, "left_out": [*tally.dropped]}
    output.result(figures, "\n".join(lines_of(tally, written)))


def _to_file(step: Step, rows: Sequence[Row], out: Path, output: Output) -> None:
    made: list[Row] = []
    tally = run_step(step, rows, output, take=made.extend)
    written = write_made(out, made, tally)
    output.result({**tally.as_dict(), **written}, "\n".join(lines_of(tally, written)))

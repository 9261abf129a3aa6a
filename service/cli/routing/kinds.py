"""`fingerpost route fit-kinds`: message kinds, fitted on the vectors of this home's embedder.

It works without a running service. It loads the embedder.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console

from knowledge import SentenceTransformerEmbedder
from router import as_messages, fit_kinds, labelled_messages, write_kind_classifier
from service.cli.local import note_file
from service.cli.output import JsonOption, command_output
from service.routing.classifier import (
    read_labelled,
    read_lines,
    read_messages,
    write_classifier,
)
from service.settings import load_settings


def fit_kinds_file(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE.jsonl]...",
            help="Your own messages: message, kind, lang; fitted beside those that ship.",
        ),
    ] = None,
    *,
    questions: Annotated[
        list[Path] | None,
        typer.Option(
            "--questions",
            metavar="FILE",
            help="Labelled questions as for `route fit`: what needs sources; may be repeated.",
        ),
    ] = None,
    notice: Annotated[
        Path | None,
        typer.Option("--notice", help="File with the licences of the rows, copied into the file."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write (default: kind_classifier.json of this home)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit the classifier of message kinds for this home's embedder; loaded at the next start."""
    with command_output(as_json) as output:
        own = [row for file in files or () for row in read_messages(file)]
        asked = [row for file in questions or () for row in read_labelled(file)]
        rows = [*labelled_messages(), *own, *as_messages(asked)]
        settings = load_settings()
        embedder = SentenceTransformerEmbedder.configured(
            settings.embedder_path, settings.knowledge
        )
        output.info(f"fitting on {len(rows)} messages with {embedder.model_id}")
        command = ["fingerpost route fit-kinds", *(file.name for file in files or ())]
        command += [f"--questions {file.name}" for file in questions or ()]
        classifier = fit_kinds(
            rows,
            np.stack([embedder.embed_query(row.message) for row in rows]),
            embedder=embedder.model_id,
            revision=embedder.revision,
            made_by=" ".join(command),
            notice=[] if notice is None else read_lines(notice),
        )
        target = out or settings.paths.kind_classifier_file
        write_classifier(target, write_kind_classifier(classifier))
        note_file("route fit-kinds", target, settings.paths.kind_classifier_file)
        figures = {
            **classifier.figures,
            "certain_from": classifier.certain_from,
            "file": str(target),
        }
        output.result(figures, lambda console: _print(console, figures))


def _print(out: Console, figures: Mapping[str, Any]) -> None:
    out.print(
        f"{figures['accuracy']:.3f} of {figures['rows']} messages right in {figures['folds']} folds"
    )
    out.print(
        f"acted on from a confidence of {figures['certain_from']}: recognises "
        f"{figures['recognised_without_sources']:.1%} of those that need no sources, and takes "
        f"{figures['taken_though_sources_are_needed']:.1%} of the others for one"
    )
    out.print(f"written: {figures['file']}; the gateway loads it when it next starts")

"""`fingerpost route`: the decision for a question; `route eval|fit|fit-kinds` for classifiers.

`route QUESTION` asks the gateway. `eval` and `fit` work without a running service, on the
classifier that `/chat` of this home uses.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from router import (
    Classifier,
    LabelledQuestion,
    Signals,
    TooFewLabelledQuestions,
    baseline,
    fit,
    measure_quality,
    read_signals,
)
from service.cli.ask import route
from service.cli.local import note_file
from service.cli.output import JsonOption, Output, command_output
from service.cli.routing.kinds import fit_kinds_file
from service.routing.classifier import (
    classifier_in_force,
    read_labelled,
    read_lines,
    write_classifier,
)
from service.settings import load_settings

_ASK = "ask"


class RouteGroup(TyperGroup):
    """A group whose first word may be the question: `route QUESTION` is `route ask QUESTION`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `ask` in front of what names no command."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [_ASK, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    help="Show which strategy would answer a QUESTION; evaluate or fit the question classifier.",
    cls=RouteGroup,
    no_args_is_help=True,
)
app.command(_ASK)(route)
app.command("fit-kinds")(fit_kinds_file)

FileArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE.jsonl", help="Labelled questions: query, label, lang; history, source."
    ),
]


@app.command("eval")
def evaluate(
    file: FileArgument,
    train: Annotated[
        Path | None,
        typer.Option("--train", help="Rows to fit the baseline on (default: cross-validation)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Evaluate the question classifier of this home against a TF-IDF baseline."""
    with command_output(as_json) as output:
        rows = read_labelled(file)
        others = None if train is None else read_labelled(train)
        figures = measure(rows, others, classifier_in_force(load_settings().paths), output)
        output.result(figures, lambda out: _print_eval(out, figures))


@app.command("fit")
def fit_file(
    file: FileArgument,
    also: Annotated[
        list[Path] | None,
        typer.Option(
            "--also",
            metavar="FILE",
            help="More rows to fit on, not used for evaluation; may be repeated.",
        ),
    ] = None,
    notice: Annotated[
        Path | None,
        typer.Option(
            "--notice", help="File with the licences of the rows, copied into the classifier."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write (default: classifier.json of this home)."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit the question classifier on labelled questions; the gateway loads it at its next start."""
    with command_output(as_json) as output:
        rows = read_labelled(file)
        extra = [row for other in also or () for row in read_labelled(other)]
        in_force = load_settings().paths.classifier_file
        target = out or in_force
        output.info(f"fitting on {len(rows) + len(extra)} questions")
        command = ["fingerpost route fit", file.name, *(f"--also {f.name}" for f in also or ())]
        lines = [] if notice is None else read_lines(notice)
        fitted = fit(rows, extra, made_by=" ".join(command), notice=lines)
        write_classifier(target, fitted.text)
        note_file("route fit", target, in_force)
        figures = {
            **fitted.figures,
            "file": str(target),
            "version": fitted.classifier.version,
            "certain_from": dict(fitted.classifier.document.certain_from),
        }
        output.result(figures, lambda console: _print_fit(console, figures))


def measure(
    rows: Sequence[LabelledQuestion],
    train: Sequence[LabelledQuestion] | None,
    classifier: Classifier,
    output: Output,
) -> dict[str, Any]:
    """Return the figures of `route eval`.

    They are of the classifier in force. A row it was fitted on (`seen_in_fit` is their share) is
    judged by the fold that was fitted without it, so that nothing is trained on what it is asked.
    """
    classifier = replace(classifier, leaves_out=True)
    for row in rows[:50]:
        _read(row, classifier)
    signals, took_ms = [], []
    for row in rows:
        began = time.perf_counter()
        signals.append(_read(row, classifier))
        took_ms.append((time.perf_counter() - began) * 1000)
    guesses = [each.guess for each in signals if each.guess is not None]
    certain = [
        (guess.label, row.label)
        for guess, row in zip(guesses, rows, strict=True)
        if guess.is_certain
    ]
    seen = sum(classifier.has_seen(row.query) for row in rows) / len(rows)
    quality = measure_quality(rows, [guess.label for guess in guesses])
    try:
        beside = baseline(rows, train).macro_f1
    except TooFewLabelledQuestions as exc:
        output.info(f"no baseline: {exc}")
        beside = None
    return {
        **quality.as_dict(),
        "baseline_macro_f1": beside,
        "latency_ms": _tail(took_ms),
        "abstained": round(1 - len(certain) / len(rows), 4),
        "accuracy_where_certain": _share(certain),
        "taken_for_chitchat": _taken_for_chitchat(rows, signals),
        "seen_in_fit": round(seen, 4),
        "classifier": {
            "version": classifier.version,
            "made_by": classifier.document.made_by,
        },
    }


def _read(row: LabelledQuestion, classifier: Classifier) -> Signals:
    """Read a question as `/chat` does."""
    return read_signals(row.query, row.history, classifier=classifier)


def _share(pairs: Sequence[tuple[str, str]]) -> float | None:
    return round(sum(a == b for a, b in pairs) / len(pairs), 4) if pairs else None


def _taken_for_chitchat(
    rows: Sequence[LabelledQuestion], signals: Sequence[Signals]
) -> dict[str, float]:
    """Return, for each label, the share of rows that would be answered as chit-chat."""
    taken: dict[str, list[bool]] = {}
    for row, signal in zip(rows, signals, strict=True):
        taken.setdefault(row.label.value, []).append(signal.chitchat)
    return {label: round(sum(each) / len(each), 4) for label, each in sorted(taken.items())}


def _tail(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "p50": round(ordered[len(ordered) // 2], 3),
        "p99": round(ordered[int(len(ordered) * 0.99)], 3),
    }


def _print_eval(out: Console, figures: Mapping[str, Any]) -> None:
    beside = figures["baseline_macro_f1"]
    out.print(
        f"macro-F1 {figures['macro_f1']:.3f}, accuracy {figures['accuracy']:.3f} on "
        f"{figures['rows']} questions; baseline {'-' if beside is None else f'{beside:.3f}'}"
    )
    if figures["seen_in_fit"]:
        out.print(
            f"{figures['seen_in_fit']:.0%} of them were fitted on, "
            "and are evaluated by the fold that left them out"
        )
    _print_parts(out, figures)
    took = figures["latency_ms"]
    out.print(f"latency p50 {took['p50']:.2f} ms, p99 {took['p99']:.2f} ms")
    out.print(
        f"uncertain on {figures['abstained']:.0%}, which get the default strategy of the use case"
    )


def _print_fit(out: Console, figures: Mapping[str, Any]) -> None:
    out.print(
        f"macro-F1 {figures['macro_f1']:.3f} in {figures['folds']} folds, "
        f"baseline {figures['baseline_macro_f1']:.3f}"
    )
    _print_parts(out, figures)
    apart = figures.get("leave_one_source_out")
    if apart is not None:
        shares = ", ".join(f"{n} {p['accuracy']:.2f}" for n, p in apart["by_source"].items())
        out.print(f"leave one source out: macro-F1 {apart['macro_f1']:.3f}; accuracy {shares}")
    out.print(f"written: {figures['file']}; the gateway loads it when it next starts")


def _print_parts(out: Console, figures: Mapping[str, Any]) -> None:
    for name, part in figures["by_lang"].items():
        out.print(f"  {name:<16} macro-F1 {part['macro_f1']:.3f}  ({part['rows']})", markup=False)
    for name, part in figures["by_label"].items():
        out.print(
            f"  {name:<16} F1 {part['f1']:.3f}, precision {part['precision']:.3f}, "
            f"recall {part['recall']:.3f}  ({part['rows']})",
            markup=False,
        )

"""`fingerpost adapters eval`: is an adapter better than its base model, and may it be published?

Works without a running service, on the adapters, the base model and the database of this home.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from adapters import FEW_SHOT, Evaluation, EvaluationEvent, load_rows
from service.cli.local import TENANT, open_local
from service.cli.output import JsonOption, command_output
from service.fine_tuning.evaluation import evaluate_and_record

_ARMS = {"base": "base model", "few_shot": "few-shot", "adapter": "adapter", "live": "live now"}


def evaluate(
    adapter: Annotated[
        str,
        typer.Argument(
            metavar="ADAPTER",
            help="Id of the adapter (<task>@<sha8>), or a task for its live adapter.",
        ),
    ],
    data: Annotated[
        Path,
        typer.Option(
            "--data", help="Labelled rows of its task (.jsonl) that it was not trained on."
        ),
    ],
    few_shot: Annotated[
        int, typer.Option("--few-shot", min=0, max=8, help="Examples in the few-shot prompts.")
    ] = FEW_SHOT,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Evaluate on at most this many rows.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare an adapter with its base model; the verdict decides whether it may be published."""
    with command_output(as_json) as output:
        rows = load_rows([data])
        with open_local() as local, output.progress("evaluating") as bar:

            def show(event: EvaluationEvent) -> None:
                bar.show(event.done / event.total, event.message)

            found = evaluate_and_record(
                local.settings,
                local.registry,
                local.adapter_folder(adapter),
                rows,
                tenant=TENANT,
                few_shot=few_shot,
                limit=limit,
                on_progress=show,
            )
            local.note_change("adapters eval", "adapters", str(found.as_dict()["adapter_id"]))
        output.result(found.as_dict(), lambda out: _print(out, found))


def _print(out: Console, found: Evaluation) -> None:
    document = found.as_dict()
    out.print(f"{document['adapter_id']}: {document['verdict']}", markup=False)
    for reason in document["reasons"]:
        out.print(f"  {reason}", markup=False)
    out.print(
        f"{document['metric']} on {document['rows']} rows of {document['task']}", markup=False
    )
    for arm, name in _ARMS.items():
        if (score := document[arm]) is not None:
            speed = document["latency"][arm]["tokens_per_s"]
            interval = f"[{score['low']:.3f}, {score['high']:.3f}]"
            beside = "".join(f"  {n} {value:.3f}" for n, value in document["beside"][arm].items())
            line = f"  {name:12}{score['score']:.3f} {interval}{beside}  {speed:.0f} tokens/s"
            out.print(line, markup=False)
    for name, guard in document["guards"].items():
        line = f"  guard {name}: {guard['adapter']} of {guard['items']}, base {guard['base']}"
        out.print(line, markup=False)
    if (seen := document["seen_answers"]) is not None:
        scores = f"base {seen['base']:.3f}, adapter {seen['adapter']:.3f}"
        out.print(f"  {seen['rows']} rows with answers seen in training: {scores}", markup=False)
    for kind, values in document["slot_values"].items():
        scores = f"base {values['base']:.3f}, adapter {values['adapter']:.3f}"
        line = f"  {values['pairs']} slot values {kind} in training: {scores}"
        out.print(line, markup=False)
    for reason, count in document["left_out"].items():
        out.print(f"  {count} rows skipped: {reason.replace('_', ' ')}", markup=False)

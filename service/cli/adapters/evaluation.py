"""`fingerpost adapters eval`: is an adapter better than its base model, and may it serve?

Works without a running service, on the adapters, the base model and the database of this home.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from adapters import FEW_SHOT, AdapterNotFound, AdapterRegistry, EvaluationEvent, load_rows
from service.access import LOOPBACK_CALLER
from service.cli.output import JsonOption, reporting
from service.fine_tuning.evaluation import evaluate_and_record
from service.fine_tuning.training import open_registry
from service.settings import Settings, load_settings

_ARMS = {"base": "base model", "few_shot": "few-shot", "adapter": "adapter", "live": "live now"}


def evaluate(
    adapter: Annotated[
        str, typer.Argument(metavar="ADAPTER", help="Id: <task>@<sha8>, or a task with a live one.")
    ],
    data: Annotated[Path, typer.Option("--data", help="Rows of its task, .jsonl, not trained on.")],
    few_shot: Annotated[
        int, typer.Option("--few-shot", min=0, max=8, help="Examples in few-shot prompts.")
    ] = FEW_SHOT,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Ask so many rows only.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge an adapter against its base model; the verdict decides whether it may be published."""
    with reporting(as_json) as report:
        settings = load_settings()
        rows = load_rows([data])
        with home_registry(settings) as registry, report.meter("evaluating") as meter:

            def show(event: EvaluationEvent) -> None:
                meter.show(event.done / event.total, event.message)

            found = evaluate_and_record(
                settings,
                registry,
                find_folder(settings, registry, adapter),
                rows,
                tenant=LOOPBACK_CALLER.tenant,
                few_shot=few_shot,
                limit=limit,
                on_progress=show,
            ).as_dict()
        report.result(found, lambda out: _print(out, found))


def find_folder(settings: Settings, registry: AdapterRegistry | None, name: str) -> Path:
    """Return the folder of an adapter, by its id or by the task it serves.

    Raises:
        AdapterNotFound: This home has no such adapter; those it has are named.
    """
    if "@" not in name and registry is not None:
        return registry.resolve(name, tenant=LOOPBACK_CALLER.tenant).folder
    directory = settings.paths.adapters
    known = sorted(p.name for p in directory.glob("*@*") if p.is_dir() and p.name[0] != ".")
    if name not in known:
        there = f"there are {', '.join(known)}" if known else "there are none"
        raise AdapterNotFound(f"there is no adapter {name} in {directory}; {there}")
    return directory / name


@contextmanager
def home_registry(settings: Settings) -> Iterator[AdapterRegistry | None]:
    """Yield this home's registry; none where nothing was ever started here."""
    if settings.state.url is None and not settings.paths.database.is_file():
        yield None
        return
    with open_registry(settings) as registry:
        yield registry


def _print(out: Console, found: Mapping[str, Any]) -> None:
    out.print(f"{found['adapter_id']}: {found['verdict']}", markup=False)
    for reason in found["reasons"]:
        out.print(f"  {reason}", markup=False)
    out.print(f"{found['metric']} on {found['rows']} rows of {found['task']}", markup=False)
    for arm, name in _ARMS.items():
        if (score := found[arm]) is not None:
            speed = found["latency"][arm]["tokens_per_s"]
            interval = f"[{score['low']:.3f}, {score['high']:.3f}]"
            beside = "".join(f"  {n} {value:.3f}" for n, value in found["beside"][arm].items())
            line = f"  {name:12}{score['score']:.3f} {interval}{beside}  {speed:.0f} tokens/s"
            out.print(line, markup=False)
    for name, guard in found["guards"].items():
        line = f"  guard {name}: {guard['adapter']} of {guard['items']}, base {guard['base']}"
        out.print(line, markup=False)
    for reason, count in found["left_out"].items():
        out.print(f"  {count} rows not asked: {reason.replace('_', ' ')}", markup=False)

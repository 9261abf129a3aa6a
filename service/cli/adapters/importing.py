"""`fingerpost adapters import|merge`: an adapter from elsewhere, one made into a base model.

Works without a running service, on the adapters, the base model and the database of this home.
"""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from adapters import AdapterNotFound, import_adapter, load_rows, merge_adapter
from service.access import LOOPBACK_CALLER
from service.api.schemas.adapters import AdapterReply
from service.cli.adapters.evaluation import find_folder, home_registry
from service.cli.output import JsonOption, reporting
from service.fine_tuning.training import find_base, open_registry
from service.settings import child_environment, load_settings


def run_import(
    source: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="PEFT folder, or a .zip or .tar.gz with one.")
    ],
    task: Annotated[str, typer.Option("--task", help="What it is for; first part of its id.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Rows of its task, .jsonl, to see its effect on.")
    ] = None,
    base_is: Annotated[
        str | None,
        typer.Option("--base-is", metavar="NAME", help="Its settings' name of the model here."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Import an adapter that was trained elsewhere; `publish` lets it serve."""
    with reporting(as_json) as report:
        settings = load_settings()
        settings.paths.make()
        base = find_base(settings)
        with report.meter("importing") as meter:
            meter.show(None, "computing reference log-probabilities")
            folder = import_adapter(
                source,
                task=task,
                base=base,
                into=settings.paths.adapters,
                environment=child_environment(),
                base_is=base_is,
                rows=load_rows([data]) if data else (),
                settings=settings.adapters,
            )
        with open_registry(settings) as registry:
            adapter = registry.register(folder, tenant=LOOPBACK_CALLER.tenant, base=base)
        told = AdapterReply.of(adapter).model_dump(mode="json")
        report.result(told, f"imported {adapter.adapter_id}")


def merge(
    adapter: Annotated[
        str, typer.Argument(metavar="ADAPTER", help="Id: <task>@<sha8>, or a task with a live one.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The new folder of the merged model.")],
    as_json: JsonOption = False,
) -> None:
    """Merge an adapter into its base model; the result can be served as a base model."""
    with reporting(as_json) as report:
        settings = load_settings()
        with home_registry(settings) as registry, report.meter("merging") as meter:
            folder = find_folder(settings, registry, adapter)
            if registry is not None:
                with suppress(AdapterNotFound):  # a folder that nobody registered has its name
                    registry.verify(registry.get(folder.name, tenant=LOOPBACK_CALLER.tenant))
            made = merge_adapter(
                folder,
                out=out,
                base=find_base(settings),
                environment=child_environment(),
                on_progress=lambda message: meter.show(None, message),
                settings=settings.adapters,
            )
        serve = f'[engine]\nbase_model = "{made.model.id}"\nmodel_path = "{made.model.folder}"'
        human = (
            f"{made.model.folder}: {made.model.id}, {made.check.error:.4f} nats from base and "
            f"adapter (at most {made.check.tolerance:.4f})\nto serve it:\n{serve}"
        )
        report.result({**made.as_dict(), "serve": serve}, human)

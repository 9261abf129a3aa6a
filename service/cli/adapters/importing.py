"""`fingerpost adapters import|merge`: import an adapter, merge one into its base model.

Works without a running service, on the adapters, the base model and the database of this home.
"""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from adapters import AdapterNotFound, load_rows, merge_adapter
from adapters import import_adapter as import_folder
from service.api.schemas.adapters import AdapterReply
from service.cli.local import TENANT, open_local
from service.cli.output import JsonOption, command_output
from service.fine_tuning.training import find_base
from service.settings import child_environment


def import_adapter(
    source: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="PEFT adapter folder, or a .zip or .tar.gz of one."),
    ],
    task: Annotated[
        str, typer.Option("--task", help="The task it is for; becomes the first part of its id.")
    ],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Rows of its task (.jsonl) on which its effect is measured."),
    ] = None,
    base_is: Annotated[
        str | None,
        typer.Option(
            "--base-is",
            metavar="NAME",
            help="Base model name in its settings that stands for this home's base model.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Import an adapter that was trained elsewhere; `adapters publish` makes it live."""
    with command_output(as_json) as output:
        with open_local() as local:
            base = find_base(local.settings)
            with output.progress("importing") as bar:
                bar.show(None, "computing reference log-probabilities")
                folder = import_folder(
                    source,
                    task=task,
                    base=base,
                    into=local.settings.paths.adapters,
                    environment=child_environment(),
                    base_is=base_is,
                    rows=load_rows([data]) if data else (),
                    settings=local.settings.adapters,
                )
            adapter = local.registry.register(folder, tenant=TENANT, base=base)
            local.note_change(
                "adapters import", "adapters", adapter.adapter_id, after=adapter.sha256
            )
        output.result(
            AdapterReply.of(adapter).model_dump(mode="json"), f"imported {adapter.adapter_id}"
        )


def merge(
    adapter: Annotated[
        str,
        typer.Argument(
            metavar="ADAPTER",
            help="Id of the adapter (<task>@<sha8>), or a task for its live adapter.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder to create for the merged model.")],
    as_json: JsonOption = False,
) -> None:
    """Merge an adapter into its base model; the result can serve as a base model."""
    with command_output(as_json) as output:
        with open_local() as local, output.progress("merging") as bar:
            folder = local.adapter_folder(adapter)
            with suppress(AdapterNotFound):  # an unregistered folder has only its name to verify
                local.registry.verify(local.registry.get(folder.name, tenant=TENANT))
            made = merge_adapter(
                folder,
                out=out,
                base=find_base(local.settings),
                environment=child_environment(),
                on_progress=lambda message: bar.show(None, message),
                settings=local.settings.adapters,
            )
        serve = f'[engine]\nbase_model = "{made.model.id}"\nmodel_path = "{made.model.folder}"'
        human = (
            f"{made.model.folder}: {made.model.id}, {made.check.error:.4f} nats from base and "
            f"adapter (at most {made.check.tolerance:.4f})\nto serve it:\n{serve}"
        )
        output.result({**made.as_dict(), "serve": serve}, human)

"""The commands of `fingerpost train`.

They know configurations, jobs and journals; they do not know how one trains.
"""

from pathlib import Path
from typing import Annotated

import typer

from adapters import (
    TrainingRun,
    ask_to_cancel,
    check_training,
    list_runs,
    load_run_config,
    parse_training_config,
    read_events,
    read_run,
)
from service.api.schemas.shapes import JsonObject
from service.cli.adapters.serving import change_adapter
from service.cli.client import Gateway, segment
from service.cli.output import (
    FAILED,
    PARTIAL,
    CommandFailed,
    JsonOption,
    UrlOption,
    command_output,
)
from service.cli.replies import AnyReply
from service.cli.train.by_gateway import train_by_gateway
from service.cli.train.following import follow, fraction_of, show_event
from service.cli.train.keys import name_base, read_keys, use_keys
from service.cli.train.local import train_here
from service.cli.train.words import (
    curve_lines,
    describe_check,
    describe_run,
    done_document,
    notable_lines,
    run_document,
)
from service.fine_tuning.training import find_base, new_run_id
from service.messages.spoken import say
from service.settings import child_environment, load_settings
from service.supervision.instance import read_instance

app = typer.Typer(help="Train adapters, and follow training runs.", no_args_is_help=True)

ConfigArgument = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIG", help="Training configuration (YAML).", exists=True, dir_okay=False
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key; may be repeated."),
]
ForceOption = Annotated[
    bool,
    typer.Option(
        "--force", help="Train on fewer rows than the minimum of a pilot; this is recorded."
    ),
]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="Id of the run, as `train ls` shows it.")
]


@app.command("check")
def check(
    config: ConfigArgument,
    changes: SetOption = None,
    force: ForceOption = False,
    probe: Annotated[
        bool,
        typer.Option(
            "--probe", help="Also test whether a linear classifier already predicts the labels."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Check whether a run can start and estimate its time and memory, without training."""
    with command_output(as_json) as output:
        settings = load_settings()
        base = find_base(settings)
        keys = use_keys(output, read_keys(config, changes, force=force))
        keys = name_base(keys, base.id)
        parsed = parse_training_config(keys, folder=config.parent, name=str(config))
        with output.progress("checking") as bar:
            found = check_training(
                parsed,
                base=base,
                environment=child_environment(),
                settings=settings.adapters,
                runs=list_runs(settings.paths.trainings),
                probe=probe,
                on_progress=lambda event: bar.show(event.done / event.total, event.message),
            )
        output.result(found.as_dict(), describe_check(found))
        if not found.can_train:
            raise typer.Exit(FAILED)


@app.command("run")
def run(
    config: ConfigArgument,
    changes: SetOption = None,
    force: ForceOption = False,
    publish: Annotated[
        bool, typer.Option("--publish", help="Publish the adapter once it is trained.")
    ] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train an adapter; --json prints one event per line, and the adapter in the last line."""
    with command_output(as_json) as output:
        keys = use_keys(output, read_keys(config, changes, force=force))
        settings = load_settings()
        if url is not None or read_instance(settings.paths) is not None:
            gateway = Gateway.find(url)
            journals = None if url is not None else settings.paths.trainings
            job = train_by_gateway(gateway, output, config, keys, journals=journals)
            adapter_id = job.reply.adapter_id
            document: JsonObject = {"run": job.reply.id, "adapter": adapter_id, "job": job.body}
            if job.reply.result is not None and job.reply.result.evaluation_error:
                document["evaluation_error"] = job.reply.result.evaluation_error
        elif publish:
            message = "Publishing needs a gateway. Start it with `fingerpost up`."
            raise CommandFailed(message, code="usage")
        else:
            values = name_base(keys, settings.engine.base_model)
            parsed = parse_training_config(values, folder=config.parent, name=str(config))
            document = train_here(output, parsed, settings.paths.trainings / new_run_id())
        adapter = str(document["adapter"])
        human = _describe_trained(document)
        if publish and "evaluation_error" not in document:
            path = f"/adapters/{segment(adapter)}/publish"
            document["published"] = change_adapter(gateway, output, path)
            human += ", it is live now"
        elif publish:
            human += "; not published"
        output.result({"event": "done", "adapter_id": adapter, **document}, human)
        _refuse_unjudged(document)


@app.command("ls")
def list_all(as_json: JsonOption = False) -> None:
    """List the training runs of this home, newest first."""
    with command_output(as_json) as output:
        runs = list_runs(load_settings().paths.trainings)
        page = {"object": "list", "data": [run_document(one) for one in runs], "has_more": False}
        output.result(page, "\n".join(describe_run(one) for one in runs) or "no training runs yet")


@app.command("show")
def show(run_id: RunArgument, as_json: JsonOption = False) -> None:
    """Show a run with its loss curve and its messages."""
    with command_output(as_json) as output:
        folder = _folder(run_id)
        found, events = read_run(folder), read_events(folder)
        lines = [describe_run(found), *curve_lines(events), *notable_lines(events)]
        if found.error:
            lines.append(found.error)
        output.result({**run_document(found), "events": list(events)}, "\n".join(lines))


@app.command("watch")
def watch(run_id: RunArgument, as_json: JsonOption = False) -> None:
    """Follow a run to its end; --json prints one event per line, the adapter in the last line."""
    with command_output(as_json) as output:
        folder = _folder(run_id)
        read_run(folder)
        with output.progress("training") as bar:
            for event in follow(folder, lambda: read_run(folder).status != "running"):
                show_event(output, bar, event, fraction_of(event))
        found = read_run(folder)
        _refuse_unfinished(found)
        lines = [*curve_lines(read_events(folder)), f"trained {found.adapter_id}"]
        output.result(done_document(found), "\n".join(lines))


@app.command("cancel")
def cancel(run_id: RunArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Stop a run; its last checkpoint is kept for `train resume`."""
    with command_output(as_json) as output:
        settings = load_settings()
        folder = settings.paths.trainings / run_id
        if url is not None or not folder.is_dir():  # a queued job has no journal yet
            path = f"/v1/fine_tuning/jobs/{segment(run_id)}/cancel"
            body = Gateway.find(url).post(path, AnyReply).body
        else:
            ask_to_cancel(_folder(run_id))
            body = run_document(read_run(folder))
        output.result(body, f"{run_id} has been asked to stop")


@app.command("resume")
def resume(run_id: RunArgument, as_json: JsonOption = False) -> None:
    """Resume a run from its last checkpoint, in this process."""
    with command_output(as_json) as output:
        folder = _folder(run_id)
        found = read_run(folder)
        if found.status == "succeeded":
            output.result(done_document(found), f"has succeeded already: {found.adapter_id}")
            return
        document = train_here(output, load_run_config(folder), folder)
        output.result(document, _describe_trained(document))
        _refuse_unjudged(document)


def _describe_trained(document: JsonObject) -> str:
    failed = document.get("evaluation_error")
    return f"trained {document['adapter']}" + (
        f"; the evaluation failed: {failed}" if failed else ""
    )


def _refuse_unjudged(document: JsonObject) -> None:
    """End the command as one that did a part of it, where the evaluation failed."""
    if "evaluation_error" in document:
        raise typer.Exit(PARTIAL)


def _refuse_unfinished(found: TrainingRun) -> None:
    if found.status != "succeeded":
        message = found.error or f"The run {found.run_id} was {found.status}."
        hint = say("command.resume", run=found.run_id)
        raise CommandFailed(message, code=f"training_{found.status}", hint=hint, status=500)


def _folder(run_id: str) -> Path:
    if "/" in run_id or run_id.startswith("."):
        raise CommandFailed(f"{run_id!r} is not the id of a run.", code="usage")
    return load_settings().paths.trainings / run_id

"""`fingerpost train check|run|ls|show|watch|cancel|resume`.

Where a gateway runs in this home, or `--url` names one, `run` is a job of its worker and outlives
the command; elsewhere this process trains itself. Both keep the run's journal in the home, and
the other commands read it there. It knows jobs and journals; it does not know how one trains.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from adapters import (
    TrainingCheck,
    TrainingEvent,
    TrainingRun,
    ask_to_cancel,
    check_training,
    list_runs,
    load_run_config,
    parse_training_config,
    read_events,
    read_run,
)
from service.cli.adapters.serving import act
from service.cli.client import Gateway, segment
from service.cli.output import (
    FAILED,
    CommandFailed,
    JsonOption,
    Meter,
    Report,
    UrlOption,
    problem,
    reporting,
)
from service.cli.use_cases import read_mapping
from service.fine_tuning.training import find_base, new_run_id, train_here
from service.settings import Settings, child_environment, load_settings
from service.supervision.instance import read_instance

app = typer.Typer(help="Train adapters, and look after what is training.", no_args_is_help=True)

_POLL_S = 0.5
_BARS = "▁▂▃▄▅▆▇█"
_CURVE_WIDTH = 60

ConfigArgument = Annotated[
    Path, typer.Argument(help="Training configuration (YAML).", exists=True, dir_okay=False)
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change one key; may be given several times."),
]
ForceOption = Annotated[
    bool, typer.Option("--force", help="Train on fewer rows than a pilot needs; it is recorded.")
]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Id, as `train ls` shows it.")]


@app.command("check")
def check(
    config: ConfigArgument,
    changes: SetOption = None,
    force: ForceOption = False,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Ask also whether a linear layer already tells the labels."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what stands against a run, and what it would take; trains nothing."""
    with reporting(as_json) as report:
        settings = load_settings()
        base = find_base(settings)
        keys = _keys_for(read_keys(config, changes, force=force), base.id)
        parsed = parse_training_config(keys, folder=config.parent, name=str(config))
        with report.meter("checking") as meter:
            found = check_training(
                parsed,
                base=base,
                environment=child_environment(),
                settings=settings.adapters,
                runs=list_runs(settings.paths.trainings),
                probe=probe,
                on_progress=lambda event: meter.show(event.done / event.total, event.message),
            )
        report.result(found.as_dict(), _describe_check(found))
        if not found.can_train:
            raise typer.Exit(FAILED)


@app.command("run")
def run(
    config: ConfigArgument,
    changes: SetOption = None,
    force: ForceOption = False,
    publish: Annotated[
        bool, typer.Option("--publish", help="Let the adapter serve once it is trained.")
    ] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train an adapter; with --json one event a line, the last names the adapter."""
    with reporting(as_json) as report:
        keys = read_keys(config, changes, force=force)
        settings = load_settings()
        if url is not None or read_instance(settings.paths) is not None:
            gateway = Gateway.find(url)
            journals = None if url is not None else settings.paths.trainings
            job = train_by_gateway(gateway, report, config, keys, journals=journals)
            document = {"run": job["id"], "adapter": job.get("adapter_id"), "job": job}
        elif publish:
            raise CommandFailed(
                problem("Publishing needs a gateway. Start it with `fingerpost up`.", code="usage")
            )
        else:
            document = _run_here(settings, report, config, keys)
        adapter = str(document["adapter"])
        human = f"trained {adapter}"
        if publish:
            document["published"] = act(gateway, report, f"/adapters/{segment(adapter)}/publish")
            human += ", it serves now"
        report.result({"event": "done", "adapter_id": adapter, **document}, human)


@app.command("ls")
def list_all(as_json: JsonOption = False) -> None:
    """List the training runs of this home, newest first."""
    with reporting(as_json) as report:
        runs = list_runs(load_settings().paths.trainings)
        page = {"object": "list", "data": [_run_dict(one) for one in runs], "has_more": False}
        report.result(page, "\n".join(_describe(one) for one in runs) or "none yet")


@app.command("show")
def show(run_id: RunArgument, as_json: JsonOption = False) -> None:
    """Show one run with its loss curve and what it said."""
    with reporting(as_json) as report:
        folder = _folder(run_id)
        found, events = read_run(folder), read_events(folder)
        lines = [_describe(found), *_curve_lines(events)]
        lines += [f"{event['event']}: {event.get('message', '')}" for event in _notable(events)]
        if found.error:
            lines.append(found.error)
        report.result({**_run_dict(found), "events": events}, "\n".join(lines))


@app.command("watch")
def watch(run_id: RunArgument, as_json: JsonOption = False) -> None:
    """Follow a run to its end; with --json one event a line, the last names the adapter."""
    with reporting(as_json) as report:
        folder = _folder(run_id)
        read_run(folder)
        with report.meter("training") as meter:
            for event in _follow(folder, lambda: read_run(folder).status != "running"):
                _tell(report, meter, event)
        found = read_run(folder)
        _refuse_unfinished(found)
        lines = [*_curve_lines(read_events(folder)), f"trained {found.adapter_id}"]
        report.result(_done(found), "\n".join(lines))


@app.command("cancel")
def cancel(run_id: RunArgument, url: UrlOption = None, as_json: JsonOption = False) -> None:
    """Stop a run; its last checkpoint stays for `train resume`."""
    with reporting(as_json) as report:
        settings = load_settings()
        folder = settings.paths.trainings / run_id
        if url is not None or not folder.is_dir():  # a job that waits has no journal yet
            body = Gateway.find(url).post(f"/v1/fine_tuning/jobs/{segment(run_id)}/cancel")
        else:
            ask_to_cancel(_folder(run_id))
            body = _run_dict(read_run(folder))
        report.result(body, f"{run_id} is asked to stop")


@app.command("resume")
def resume(run_id: RunArgument, as_json: JsonOption = False) -> None:
    """Go on with a run from its last checkpoint, in this process."""
    with reporting(as_json) as report:
        settings = load_settings()
        folder = _folder(run_id)
        document = _train(settings, report, load_run_config(folder), folder)
        report.result(document, f"trained {document['adapter']}")


def read_keys(config: Path, changes: list[str] | None, *, force: bool = False) -> dict[str, Any]:
    """Return the keys of a configuration with the changes of the command line.

    Raises:
        CommandFailed: The file cannot be read, or a change has no `=`.
    """
    keys = read_mapping(config)
    for change in changes or []:
        key, equals, value = change.partition("=")
        if not equals:
            raise CommandFailed(
                problem(f"--set {change}: write KEY=VALUE, such as seed=7.", code="usage")
            )
        keys[key.strip()] = yaml.safe_load(value)
    return {**keys, "force": True} if force else keys


def train_by_gateway(
    gateway: Gateway,
    report: Report,
    config: Path,
    keys: Mapping[str, Any],
    *,
    journals: Path | None = None,
) -> Any:
    """Run one training job to its end and return it.

    Args:
        gateway: Where the job runs.
        report: Told the events.
        config: The configuration's file; rows are found from there.
        keys: What it says.
        journals: Where the gateway keeps its runs' journals, if that is this machine.

    Raises:
        CommandFailed: The configuration or the rows were refused, or the training failed.
    """
    keys = dict(keys)
    file_id = _upload(gateway, *training_rows(config, keys.pop("dataset", None)))
    if replayed := keys.get("replay_dataset"):
        keys["replay_dataset"] = [_upload(gateway, *training_rows(config, replayed))]
    body: dict[str, Any] = {"training_file": file_id, "config": keys}
    if isinstance(keys.get("task"), str):
        body["suffix"] = keys["task"]
    if isinstance(keys.get("seed"), int):
        body["seed"] = keys["seed"]
    job = gateway.post("/v1/fine_tuning/jobs", json=body)
    path = f"/v1/fine_tuning/jobs/{segment(job['id'])}"
    report.say(f"training run {job['id']}")
    with report.meter("training") as meter:
        try:
            if journals is not None:
                ended = _has_ended(gateway, path)
                for event in _follow(journals / job["id"], ended):
                    _tell(report, meter, event)
            return gateway.finish(path, meter)
        except KeyboardInterrupt:
            gateway.post(f"{path}/cancel")
            raise


def _upload(gateway: Gateway, name: str, content: bytes) -> str:
    upload = {"file": (name, content, "application/jsonl")}
    file = gateway.post("/v1/files", data={"purpose": "fine-tune"}, files=upload)
    return str(file["id"])


def training_rows(config: Path, dataset: object) -> tuple[str, bytes]:
    """Return name and content of the rows that a configuration names, joined if several.

    Raises:
        CommandFailed: No dataset is named, or a file cannot be read.
    """
    names = [dataset] if isinstance(dataset, str) else dataset
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise CommandFailed(
            problem(f"{config}: `dataset` must name a .jsonl file or several.", code="invalid_file")
        )
    try:
        contents = [(config.parent / name).read_bytes().rstrip() for name in names]
    except OSError as exc:
        raise CommandFailed(problem(f"{config}: dataset: {exc}", code="invalid_file")) from exc
    return Path(names[0]).name, b"\n".join(contents) + b"\n"


def _run_here(
    settings: Settings, report: Report, config: Path, keys: Mapping[str, Any]
) -> dict[str, Any]:
    values = _keys_for(keys, settings.engine.base_model)
    parsed = parse_training_config(values, folder=config.parent, name=str(config))
    folder = settings.paths.trainings / new_run_id()
    return _train(settings, report, parsed, folder)


def _train(settings: Settings, report: Report, config: Any, folder: Path) -> dict[str, Any]:
    report.say(f"training run {folder.name}")
    with report.meter("training") as meter:

        def on_progress(event: TrainingEvent) -> None:
            _tell(report, meter, event.as_dict())

        train_here(settings, config, run_dir=folder, on_progress=on_progress)
    return _done(read_run(folder))


def _done(found: TrainingRun) -> dict[str, Any]:
    fields = {"event": "done", "run": found.run_id, "adapter": found.adapter_id}
    return {**fields, "adapter_id": found.adapter_id, "steps": found.steps, "loss": found.loss}


def _tell(report: Report, meter: Meter, event: Mapping[str, Any]) -> None:
    """Pass one event on: a line of JSON, or the bar. The last line is the command's result."""
    if event["event"] in ("done", "failed", "cancelled"):
        return
    if event["event"] in ("warning", "resumed"):
        report.say(f"{event['event']}: {event.get('message', '')}")
    report.line(event)
    step, steps = event.get("step"), event.get("steps")
    meter.show(step / steps if step is not None and steps else None, _note(event))


def _note(event: Mapping[str, Any]) -> str:
    note = str(event.get("message", ""))
    if event.get("tokens_per_s"):
        note += f", {event['tokens_per_s']:.0f} tokens/s"
    if event.get("eta_s") is not None:
        note += f", {event['eta_s']:.0f} s left"
    return note


def _follow(folder: Path, has_ended: Callable[[], bool]) -> Iterator[dict[str, Any]]:
    """Yield a run's events as they come, until it has ended and all of them were told."""
    after = 0
    while True:
        ended = has_ended()
        for event in read_events(folder, after=after):
            after = event["id"] + 1
            yield event
        if ended:
            return
        time.sleep(_POLL_S)


def _has_ended(gateway: Gateway, path: str) -> Callable[[], bool]:
    return lambda: gateway.get(path)["status"] in ("succeeded", "failed", "cancelled")


def _refuse_unfinished(found: TrainingRun) -> None:
    if found.status != "succeeded":
        message = found.error or f"The run {found.run_id} was {found.status}."
        hint = f"`fingerpost train resume {found.run_id}` goes on from the last checkpoint."
        raise CommandFailed(
            problem(message, code=f"training_{found.status}", hint=hint, status=500)
        )


def _folder(run_id: str) -> Path:
    if "/" in run_id or run_id.startswith("."):
        raise CommandFailed(problem(f"{run_id!r} is no id of a run.", code="usage"))
    return load_settings().paths.trainings / run_id


def _keys_for(keys: Mapping[str, Any], base_id: str) -> dict[str, Any]:
    """Name the served base model where the configuration names none, or just `base`."""
    named = keys.get("model_name_or_path") or "base"
    return {**keys, "model_name_or_path": base_id if named == "base" else named}


def _run_dict(found: TrainingRun) -> dict[str, Any]:
    return {"id": found.run_id, "object": "training_run", **found.as_dict()}


def _describe(found: TrainingRun) -> str:
    parts = [f"{found.run_id}  {found.status}  {found.stage} {found.task}"]
    if found.step is not None and found.steps:
        parts.append(f"step {found.step} of {found.steps}")
    if found.loss is not None:
        parts.append(f"loss {found.loss:.3f}")
    if found.status == "running":
        parts.append(f"last sign of life {max(0.0, time.time() - found.updated_at):.0f} s ago")
    if found.checkpoint_step is not None and found.status != "running":
        parts.append(f"can resume from step {found.checkpoint_step}")
    if found.adapter_id:
        parts.append(found.adapter_id)
    return "  ".join(parts)


def _notable(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] not in ("progress", "heartbeat")]


def _curve_lines(events: list[dict[str, Any]]) -> list[str]:
    losses = [float(event["loss"]) for event in events if event.get("loss") is not None]
    if not losses:
        return []
    count = min(_CURVE_WIDTH, len(losses))
    points = [losses[i * len(losses) // count] for i in range(count)]
    low, high = min(points), max(points)
    scale = (len(_BARS) - 1) / ((high - low) or 1.0)
    bars = "".join(_BARS[round((point - low) * scale)] for point in points)
    return [f"loss {losses[0]:.3f} {bars} {losses[-1]:.3f}"]


def _describe_check(found: TrainingCheck) -> str:
    lines = [f"{found.stage} {found.task} on {found.base_model}"]
    if found.minimums is not None:
        rows = found.minimums
        lines.append(
            f"rows: {rows.rows} (pilot {rows.pilot}, go-live {rows.min_rows}, recommended "
            f"{rows.recommended}): {rows.verdict}"
        )
    if found.counts is not None:
        counts = found.counts
        lines.append(
            f"tokens: {counts['tokens']} in {counts['answers']} answers; cut {counts['tokens_cut']}"
        )
    if found.estimate is not None:
        about = found.estimate
        lines.append(
            f"about {about.time_s / 60:.0f} min for {about.steps} steps "
            f"({about.tokens_per_s:.0f} tokens/s, {about.rate_from}), "
            f"{about.memory_bytes / 1e9:.1f} GB of memory"
        )
    if found.probe is not None:
        lines.append(f"linear probe: {found.probe.says}")
    if found.not_probed is not None:
        lines.append(f"linear probe left out: {found.not_probed}")
    lines += [f"warning: {text}" for text in found.warnings]
    lines += [f"refused: {text}" for text in found.problems]
    return "\n".join([*lines, "it can be trained" if found.can_train else "it cannot be trained"])

"""`fingerpost train CONFIG.yaml`: upload the rows, train, and publish if asked."""

from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.adapters import act
from service.cli.gateway import Gateway, segment
from service.cli.reporting import CommandFailed, JsonOption, Report, UrlOption, problem, reporting
from service.cli.use_cases import read_mapping

ConfigArgument = Annotated[
    Path, typer.Argument(help="Training configuration (YAML).", exists=True, dir_okay=False)
]


def train(
    config: ConfigArgument,
    publish: Annotated[
        bool, typer.Option("--publish", help="Let the adapter serve once it is trained.")
    ] = False,
    url: UrlOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train an adapter from a configuration with LLaMA-Factory's keys."""
    with reporting(as_json) as report:
        gateway = Gateway.find(url)
        job = train_adapter(gateway, report, config)
        document: dict[str, Any] = {"job": job, "adapter_id": job.get("adapter_id")}
        human = f"trained {job.get('adapter_id')}"
        if publish:
            adapter = str(job["adapter_id"])
            document["published"] = act(gateway, report, f"/adapters/{segment(adapter)}/publish")
            human += ", it serves now"
        report.result(document, human)


def train_adapter(gateway: Gateway, report: Report, config: Path) -> Any:
    """Run one training job to its end and return it.

    Raises:
        CommandFailed: The configuration or the rows were refused, or the training failed.
    """
    keys = read_mapping(config)
    rows = training_rows(config, keys.pop("dataset", None))
    upload = {"file": (rows[0], rows[1], "application/jsonl")}
    file = gateway.post("/v1/files", data={"purpose": "fine-tune"}, files=upload)
    body: dict[str, Any] = {"training_file": file["id"], "config": keys}
    if isinstance(keys.get("task"), str):
        body["suffix"] = keys["task"]
    if isinstance(keys.get("seed"), int):
        body["seed"] = keys["seed"]
    job = gateway.post("/v1/fine_tuning/jobs", json=body)
    report.say(f"training job {job['id']}")
    with report.meter("training") as meter:
        try:
            return gateway.finish(f"/v1/fine_tuning/jobs/{segment(job['id'])}", meter)
        except KeyboardInterrupt:
            gateway.post(f"/v1/fine_tuning/jobs/{segment(job['id'])}/cancel")
            raise


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

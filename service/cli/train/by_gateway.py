"""A training run as a job of the gateway: its rows are uploaded, its events followed.

It knows the file and job endpoints; it does not know how one trains.
"""

from pathlib import Path

from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway, Received, Upload, segment
from service.cli.output import CommandFailed, Output
from service.cli.replies import IdReply, TrainingJobReply
from service.cli.train.following import follow, fraction_of, show_event


def train_by_gateway(
    gateway: Gateway,
    output: Output,
    config: Path,
    keys: JsonObject,
    *,
    journals: Path | None = None,
) -> Received[TrainingJobReply]:
    """Run one training job to its end and return it.

    Args:
        gateway: Where the job runs.
        output: Where events are written.
        config: The configuration's file; paths of rows are relative to its folder.
        keys: What the configuration says.
        journals: Where the gateway keeps its runs' journals, if that is this machine.

    Raises:
        CommandFailed: The configuration or the rows were refused, or the training failed.
    """
    keys = dict(keys)
    file_id = _upload(gateway, *training_rows(config, keys.pop("dataset", None)))
    if replayed := keys.get("replay_dataset"):
        keys["replay_dataset"] = [_upload(gateway, *training_rows(config, replayed))]
    body: JsonObject = {"training_file": file_id, "config": keys}
    if isinstance(keys.get("task"), str):
        body["suffix"] = keys["task"]
    if isinstance(keys.get("seed"), int):
        body["seed"] = keys["seed"]
    job_id = gateway.post("/v1/fine_tuning/jobs", IdReply, body=body).reply.id
    path = f"/v1/fine_tuning/jobs/{segment(job_id)}"
    output.info(f"training run {job_id}")
    with output.progress("training") as bar:
        try:
            if journals is not None:
                for event in follow(journals / job_id, lambda: _has_ended(gateway, path)):
                    show_event(output, bar, event, fraction_of(event))
            return gateway.finish(path, TrainingJobReply, bar)
        except KeyboardInterrupt:
            gateway.post(f"{path}/cancel", IdReply)
            raise


def training_rows(config: Path, dataset: object) -> tuple[str, bytes]:
    """Return name and content of the rows that a configuration names, joined if several.

    Raises:
        CommandFailed: No dataset is named, or a file cannot be read.
    """
    names = [dataset] if isinstance(dataset, str) else dataset
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        message = f"{config}: `dataset` must name one .jsonl file or a list of them."
        raise CommandFailed(message, code="invalid_file")
    try:
        contents = [(config.parent / name).read_bytes().rstrip() for name in names]
    except OSError as exc:
        raise CommandFailed(f"{config}: dataset: {exc}", code="invalid_file") from exc
    return Path(names[0]).name, b"\n".join(contents) + b"\n"


def _upload(gateway: Gateway, name: str, content: bytes) -> str:
    upload = Upload(name, content, {"purpose": "fine-tune"}, "application/jsonl")
    return gateway.call("POST", "/v1/files", IdReply, upload=upload).reply.id


def _has_ended(gateway: Gateway, path: str) -> bool:
    return gateway.get(path, TrainingJobReply).reply.has_ended

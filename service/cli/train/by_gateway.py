"""A training run as a job of the gateway: its rows are uploaded, its events followed.

It knows the file and job endpoints; it does not know how one trains.
"""

from pathlib import Path

from pydantic import JsonValue

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
    file_id, *more = _upload_rows(gateway, config, "dataset", keys.pop("dataset", None))
    if more:
        keys["dataset"] = more
    if replayed := keys.get("replay_dataset"):
        keys["replay_dataset"] = _upload_rows(gateway, config, "replay_dataset", replayed)
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


def read_row_files(config: Path, key: str, named: object) -> list[tuple[str, bytes]]:
    """Return name and content of each file that a key of a configuration names.

    Raises:
        CommandFailed: It names none, or a file cannot be read.
    """
    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        message = f"{config}: `{key}` must name a file of rows or a list of them."
        raise CommandFailed(message, code="invalid_file")
    try:
        return [(Path(name).name, (config.parent / name).read_bytes()) for name in names]
    except OSError as exc:
        raise CommandFailed(f"{config}: {key}: {exc}", code="invalid_file") from exc


def _upload_rows(gateway: Gateway, config: Path, key: str, named: object) -> list[JsonValue]:
    """Upload the files that a key of a configuration names; return their ids."""
    return [_upload(gateway, *file) for file in read_row_files(config, key, named)]


def _upload(gateway: Gateway, name: str, content: bytes) -> str:
    upload = Upload(name, content, {"purpose": "fine-tune"}, "application/jsonl")
    return gateway.call("POST", "/v1/files", IdReply, upload=upload).reply.id


def _has_ended(gateway: Gateway, path: str) -> bool:
    return gateway.get(path, TrainingJobReply).reply.has_ended

"""A training run as a job of the gateway: its rows are uploaded, its events followed.

It knows the file and job endpoints; it does not know how one trains.
"""

from pathlib import Path

from adapters import DEFAULT_STAGE, METHODS, join_files
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
    method = METHODS.get(str(keys.get("stage", DEFAULT_STAGE)))
    pairs = method is not None and method.compares_answers
    rows = training_rows(config, keys.pop("dataset", None), pairs=pairs)
    file_id = _upload(gateway, *rows)
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


def training_rows(config: Path, dataset: object, *, pairs: bool = False) -> tuple[str, bytes]:
    """Return name and content of the rows that a configuration names.

    Several files become one of JSON Lines, row by row, whatever kinds of files they are.

    Args:
        config: The configuration's file.
        dataset: What it names, relative to its folder.
        pairs: Whether the rows are preference pairs.

    Raises:
        CommandFailed: No dataset is named, or its file cannot be read.
        InvalidTrainingData: One of several files holds bad rows; each is named by its own file
            and line.
    """
    names = [dataset] if isinstance(dataset, str) else dataset
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        message = f"{config}: `dataset` must name one file of rows or a list of them."
        raise CommandFailed(message, code="invalid_file")
    files = [config.parent / name for name in names]
    if len(files) > 1:
        return f"{files[0].stem}.jsonl", join_files(files, pairs=pairs)
    try:
        return files[0].name, files[0].read_bytes()
    except OSError as exc:
        raise CommandFailed(f"{config}: dataset: {exc}", code="invalid_file") from exc


def _upload(gateway: Gateway, name: str, content: bytes) -> str:
    upload = Upload(name, content, {"purpose": "fine-tune"}, "application/jsonl")
    return gateway.call("POST", "/v1/files", IdReply, upload=upload).reply.id


def _has_ended(gateway: Gateway, path: str) -> bool:
    return gateway.get(path, TrainingJobReply).reply.has_ended

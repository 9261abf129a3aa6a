"""`/v1/fine_tuning/jobs`: training runs under OpenAI's nouns.

A run is a job of the train lane; what it said and its checkpoints stand in the run's own folder.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response

from adapters import BaseModelMismatch, TrainingConfig, read_checkpoints, read_events
from service.api.dependencies import Caller, Context
from service.api.hyperparameters import (
    TrainingRequest,
    config_keys,
    hyperparameters_of,
    openai_method_of,
)
from service.context import AppContext
from service.errors import FileNotFound, InvalidRequest, JobNotFound, ModelNotFound
from service.stores.files import UploadedFile
from service.stores.job_kinds import TRAIN, TrainArgs, TrainResult
from service.stores.jobs import Job, Status

api = APIRouter(prefix="/v1/fine_tuning/jobs", tags=["adapters"])

MOST_LISTED = 1000
_LEVELS = {"warning": "warn", "cancelled": "warn", "failed": "error"}
_METRICS = {"steps": "total_steps", "loss": "train_loss", "held_out_loss": "valid_loss"}
_OF_THE_ROWS = ("invalid_training_data", "too_few_rows")


@api.post("")
async def create(
    context: Context,
    caller: Caller,
    body: TrainingRequest,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Queue a training run; a configuration that cannot work is refused now."""
    job = await to_thread.run_sync(partial(_create, context, caller, body, idempotency_key))
    headers = {"location": f"/v1/fine_tuning/jobs/{job.job_id}"}
    return JSONResponse(_training(job), 202, headers)


@api.get("")
def list_all(
    request: Request, context: Context, caller: Caller, limit: int = 20, after: str | None = None
) -> dict[str, Any]:
    """List the newest runs first; `metadata[key]=value` asks for those with this label."""
    limit = _clamp(limit)
    labels = {
        name.removeprefix("metadata[").removesuffix("]"): value
        for name, value in request.query_params.items()
        if name.startswith("metadata[")
    }
    found = context.jobs.list(
        tenant=caller.tenant, kind=TRAIN.name, metadata=labels, after=after, limit=limit + 1
    )
    data = [_training(job) for job in found[:limit]]
    return {"object": "list", "data": data, "has_more": len(found) > limit}


@api.get("/{job_id}")
def get_one(context: Context, caller: Caller, job_id: str) -> dict[str, Any]:
    """Return one training run."""
    return _training(_find(context, caller, job_id))


@api.get("/{job_id}/events")
def list_events(
    context: Context,
    caller: Caller,
    job_id: str,
    limit: int = 20,
    after: str | None = None,
    order: Literal["asc", "desc"] = "desc",
) -> dict[str, Any]:
    """List what a run said, the last word first; `order=asc` suits who follows it."""
    _find(context, caller, job_id)
    events = [_event(job_id, event) for event in read_events(_folder(context, job_id))]
    return _page(events if order == "asc" else events[::-1], limit, after)


@api.get("/{job_id}/checkpoints")
def list_checkpoints(
    context: Context, caller: Caller, job_id: str, limit: int = 10, after: str | None = None
) -> dict[str, Any]:
    """List the whole checkpoints of a run, the last first; of a run that is done, its adapter."""
    job = _find(context, caller, job_id)
    return _page(_checkpoints(job, _folder(context, job_id)), limit, after)


@api.post("/{job_id}/cancel")
def cancel(context: Context, caller: Caller, job_id: str) -> dict[str, Any]:
    """Stop a training run; its last checkpoint stays."""
    _find(context, caller, job_id)
    return _training(context.jobs.cancel(job_id, tenant=caller.tenant))


@api.post("/{job_id}/pause")
def pause(context: Context, caller: Caller, job_id: str) -> dict[str, Any]:
    """Stop a training run until it is resumed."""
    _find(context, caller, job_id)
    return _training(context.jobs.pause(job_id, tenant=caller.tenant))


@api.post("/{job_id}/resume")
def resume(context: Context, caller: Caller, job_id: str) -> dict[str, Any]:
    """Go on, from its last checkpoint, with a run that is paused, was cancelled or has failed."""
    _find(context, caller, job_id)
    return _training(context.jobs.resume(job_id, tenant=caller.tenant))


def _create(
    context: AppContext, caller: Caller, body: TrainingRequest, idempotency_key: str | None
) -> Job:
    file = _find_file(context, caller, body.training_file, "training_file")
    base = context.settings.engine.base_model
    _require_base(context, body)
    keys = config_keys(body, base=base, filename=file.filename)
    args = TrainArgs(file_id=file.file_id, config=keys)
    if body.metadata:
        args = args.model_copy(update={"metadata": body.metadata})
    if replayed := keys.get("replay_dataset"):
        ids = [replayed] if isinstance(replayed, str) else replayed
        found = [_find_file(context, caller, one, "config.replay_dataset") for one in ids]
        args = args.model_copy(update={"replay_file_ids": tuple(one.file_id for one in found)})
    return context.jobs.enqueue(TRAIN, args, tenant=caller.tenant, idempotency_key=idempotency_key)


def _find_file(context: AppContext, caller: Caller, file_id: str, param: str) -> UploadedFile:
    try:
        return context.files.get(file_id, tenant=caller.tenant)
    except FileNotFound as exc:
        raise FileNotFound(f"There is no uploaded file {file_id!r}.", param=param) from exc


def _require_base(context: AppContext, body: TrainingRequest) -> None:
    """Refuse another base model than the one that is served."""
    settings = context.settings
    base = settings.engine.base_model
    if body.model not in (None, "base", base):
        raise ModelNotFound(
            f"Only the base model that is served can be trained: {base!r}, not {body.model!r}.",
            param="model",
        )
    named = str(body.config.get("model_name_or_path") or base)
    if named not in (base, "base") and Path(named).resolve() != settings.base_model_path.resolve():
        raise BaseModelMismatch(f"config.model_name_or_path is {named}, served is {base}")


def _find(context: AppContext, caller: Caller, job_id: str) -> Job:
    try:
        job = context.jobs.get(job_id, tenant=caller.tenant)
    except JobNotFound as exc:
        raise _no_job(job_id) from exc
    if job.kind != TRAIN.name:
        raise _no_job(job_id)
    return job


def _no_job(job_id: str) -> JobNotFound:
    return JobNotFound(f"There is no training job {job_id!r}.", param="fine_tuning_job_id")


def _folder(context: AppContext, job_id: str) -> Path:
    return context.settings.paths.trainings / job_id


def _clamp(limit: int) -> int:
    return max(1, min(limit, MOST_LISTED))


def _page(rows: Sequence[Mapping[str, Any]], limit: int, after: str | None) -> dict[str, Any]:
    """Return the rows that follow the one whose id is `after`."""
    if after is not None:
        ids = [row["id"] for row in rows]
        if after not in ids:
            raise InvalidRequest(f"Nothing in this list has the id {after!r}.", param="after")
        rows = rows[ids.index(after) + 1 :]
    page = rows[: _clamp(limit)]
    return {"object": "list", "data": page, "has_more": len(rows) > len(page)}


def _training(job: Job) -> dict[str, Any]:
    args, result = TrainArgs.read(job.args), _result(job)
    keys = args.config
    method = openai_method_of(keys)
    chosen = hyperparameters_of(keys)
    eta_s = job.progress.get("eta_s") if job.status is Status.RUNNING else None
    return {
        "id": job.job_id,
        "object": "fine_tuning.job",
        "model": keys["model_name_or_path"],
        "created_at": int(job.created_at),
        "finished_at": int(job.updated_at) if job.has_ended else None,
        "estimated_finish": int(job.updated_at + eta_s) if isinstance(eta_s, float | int) else None,
        "status": _status(job),
        "training_file": args.file_id,
        "validation_file": None,
        "result_files": [],
        "fine_tuned_model": _model_name(job),
        "trained_tokens": None if result is None else result.metrics.get("tokens"),
        "hyperparameters": chosen,
        "method": {"type": method, method: {"hyperparameters": chosen}},
        "seed": keys.get("seed", TrainingConfig.model_fields["seed"].default),
        "metadata": args.metadata,
        "integrations": [],
        "organization_id": job.tenant,
        "error": _error(job),
        "adapter_id": None if result is None else result.adapter_id,
        "config": keys,
        "progress": dict(job.progress),
        "result": job.result or None,
    }


def _status(job: Job) -> str:
    """Return the status in OpenAI's words: until a run says something, its rows are read."""
    if job.is_pausing:
        return "pausing"
    is_new = job.status is Status.RUNNING and not job.progress
    return "validating_files" if is_new else str(job.status)


def _model_name(job: Job) -> str | None:
    result = _result(job)
    base_model = TrainArgs.read(job.args).config["model_name_or_path"]
    return None if result is None else f"{base_model}:{result.adapter_id}"


def _result(job: Job) -> TrainResult | None:
    return None if job.result is None else TrainResult.read(job.result)


def _error(job: Job) -> dict[str, Any] | None:
    if job.error is None:
        return None
    param = "training_file" if job.error.get("code") in _OF_THE_ROWS else None
    return {"param": param, **{key: value for key, value in job.error.items() if value is not None}}


def _event(job_id: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """Return one line of the run's journal; metrics stand under OpenAI's names as well."""
    data = {k: v for k, v in said.items() if k not in ("id", "created_at", "message")}
    data.update({theirs: said[ours] for ours, theirs in _METRICS.items() if ours in said})
    is_metrics = "loss" in said or "held_out_loss" in said
    return {
        "id": f"ftevent-{job_id}-{said['id']}",
        "object": "fine_tuning.job.event",
        "created_at": int(said["created_at"]),
        "level": _LEVELS.get(said["event"], "info"),
        "message": said.get("message") or str(said["event"]),
        "type": "metrics" if is_metrics else "message",
        "data": data,
    }


def _checkpoints(job: Job, folder: Path) -> list[dict[str, Any]]:
    if job.status is Status.SUCCEEDED:  # its adapter is what the last checkpoint became
        result = _result(job)
        made: Mapping[str, Any] = {} if result is None else result.metrics
        step, losses = made.get("steps"), (made.get("last_loss"), made.get("held_out_loss"))
        return [] if step is None else [_checkpoint(job, step, job.updated_at, *losses)]
    return [
        _checkpoint(job, found.step, found.created_at, found.loss, found.held_out_loss)
        for found in reversed(read_checkpoints(folder))
    ]


def _checkpoint(
    job: Job, step: int, created_at: float, loss: float | None, held_out_loss: float | None
) -> dict[str, Any]:
    served = _model_name(job)
    keys = TrainArgs.read(job.args).config
    return {
        "id": f"ftckpt-{job.job_id}-{step}",
        "object": "fine_tuning.job.checkpoint",
        "created_at": int(created_at),
        "fine_tuning_job_id": job.job_id,
        "fine_tuned_model_checkpoint": served
        or f"{keys['model_name_or_path']}:{keys['task']}:ckpt-step-{step}",
        "servable": served is not None,
        "step_number": step,
        "metrics": {"step": step, "train_loss": loss, "full_valid_loss": held_out_loss},
    }

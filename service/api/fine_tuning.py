"""`/v1/fine_tuning/jobs`: OpenAI-compatible fine-tuning jobs.

A run is a job of the train lane; its events and checkpoints are in the run's own folder.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import JsonValue

from adapters import BaseModelMismatch, read_checkpoints, read_events
from service.api.access.readable import readable_file
from service.api.http.audited import note_change
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.json_bodies import JsonRoute
from service.api.hyperparameters import config_keys
from service.api.schemas.fine_tuning import TrainingReply, TrainingRequest
from service.api.schemas.shapes import ListReply
from service.api.schemas.training_progress import CheckpointReply, EventReply, last_checkpoint
from service.context import AppContext
from service.errors import FileNotFound, InvalidRequest, JobNotFound, ModelNotFound
from service.stores.files import UploadedFile
from service.stores.job_kinds import TRAIN, TrainArgs
from service.stores.jobs import Job, Status

api = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/fine_tuning/jobs",
    tags=["fine-tuning"],
    responses=errors(400, 404, 409, 422, 507),
)

MOST_LISTED = 1000
# Keys that name uploaded files by their ids, and the argument of the job that they become.
_MORE_FILES = {"dataset": "more_file_ids", "replay_dataset": "replay_file_ids"}
Limit = Annotated[
    int, Query(description="Maximum number of entries, 1 to 1,000; other values are clamped.")
]
After = Annotated[str | None, Query(description="Last `id` of the previous page.")]
Row = TypeVar("Row", EventReply, CheckpointReply)


@api.post("", status_code=202)
async def create(
    *,
    request: Request,
    context: Context,
    caller: Caller,
    body: TrainingRequest,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
    response: Response,
) -> TrainingReply:
    """Queue a training run; an invalid configuration is refused at once."""
    job = await to_thread.run_sync(partial(_create, context, caller, body, idempotency_key))
    response.headers["location"] = f"/v1/fine_tuning/jobs/{job.job_id}"
    note_change(request, object_id=job.job_id)
    return TrainingReply.of(job)


@api.get("")
def list_all(
    *, request: Request, context: Context, caller: Caller, limit: Limit = 20, after: After = None
) -> ListReply[TrainingReply]:
    """List training runs, newest first; `metadata[key]=value` filters by label."""
    limit = _clamp(limit)
    labels = {
        name.removeprefix("metadata[").removesuffix("]"): value
        for name, value in request.query_params.items()
        if name.startswith("metadata[")
    }
    found = context.jobs.list(
        tenant=caller.tenant, kind=TRAIN.name, metadata=labels, after=after, limit=limit + 1
    )
    data = [TrainingReply.of(job) for job in found[:limit]]
    return ListReply[TrainingReply](data=data, has_more=len(found) > limit)


@api.get("/{job_id}")
def get_one(context: Context, caller: Caller, job_id: str) -> TrainingReply:
    """Return a training run."""
    return TrainingReply.of(_find(context, caller, job_id))


@api.get("/{job_id}/events")
def list_events(
    *,
    context: Context,
    caller: Caller,
    job_id: str,
    limit: Limit = 20,
    after: After = None,
    order: Literal["asc", "desc"] = "desc",
) -> ListReply[EventReply]:
    """List the events of a run, newest first; use `order=asc` to follow it."""
    _find(context, caller, job_id)
    events = [EventReply.of(job_id, event) for event in read_events(_folder(context, job_id))]
    page, has_more = _page(events if order == "asc" else events[::-1], limit, after)
    return ListReply[EventReply](data=page, has_more=has_more)


@api.get("/{job_id}/checkpoints")
def list_checkpoints(
    *, context: Context, caller: Caller, job_id: str, limit: Limit = 10, after: After = None
) -> ListReply[CheckpointReply]:
    """List the complete checkpoints of a run, newest first; a finished run has its adapter."""
    job = _find(context, caller, job_id)
    page, has_more = _page(_checkpoints(job, _folder(context, job_id)), limit, after)
    return ListReply[CheckpointReply](data=page, has_more=has_more)


@api.post("/{job_id}/cancel")
def cancel(context: Context, caller: Caller, job_id: str) -> TrainingReply:
    """Cancel a training run; its last checkpoint is kept."""
    _find(context, caller, job_id)
    return TrainingReply.of(context.jobs.cancel(job_id, tenant=caller.tenant))


@api.post("/{job_id}/pause")
def pause(context: Context, caller: Caller, job_id: str) -> TrainingReply:
    """Pause a training run until it is resumed."""
    _find(context, caller, job_id)
    return TrainingReply.of(context.jobs.pause(job_id, tenant=caller.tenant))


@api.post("/{job_id}/resume")
def resume(context: Context, caller: Caller, job_id: str) -> TrainingReply:
    """Resume a paused, cancelled or failed run from its last checkpoint."""
    _find(context, caller, job_id)
    return TrainingReply.of(context.jobs.resume(job_id, tenant=caller.tenant))


def _create(
    context: AppContext, caller: Caller, body: TrainingRequest, idempotency_key: str | None
) -> Job:
    file = _find_file(context, caller, body.training_file, "training_file")
    base = context.settings.engine.base_model
    _require_base(context, body)
    keys = config_keys(body, base=base, filename=file.filename)
    args = TrainArgs(file_id=file.file_id, config=keys)
    if body.metadata:
        args = args.model_copy(update={"metadata": dict(body.metadata)})
    for key, into in _MORE_FILES.items():
        found = _find_files(context, caller, key, body.config.get(key))
        if found:
            args = args.model_copy(update={into: found})
    return context.jobs.enqueue(
        TRAIN, args, tenant=caller.tenant, idempotency_key=idempotency_key, key_id=caller.key_id
    )


def _find_files(context: AppContext, caller: Caller, key: str, named: JsonValue) -> tuple[str, ...]:
    """Return the ids of the uploaded files that a key of the configuration names."""
    ids = named if isinstance(named, list) else [] if named is None else [named]
    param = f"config.{key}"
    return tuple(_find_file(context, caller, str(one), param).file_id for one in ids)


def _find_file(context: AppContext, caller: Caller, file_id: str, param: str) -> UploadedFile:
    try:
        return readable_file(context, caller, file_id)
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
        raise BaseModelMismatch(
            f"config.model_name_or_path is {named}, but the served model is {base}"
        )


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


def _page(rows: Sequence[Row], limit: int, after: str | None) -> tuple[list[Row], bool]:
    """Return the rows that follow the one whose id is `after`, and whether there are more."""
    if after is not None:
        ids = [row.id for row in rows]
        if after not in ids:
            raise InvalidRequest(f"There is no entry {after!r} in this list.", param="after")
        rows = rows[ids.index(after) + 1 :]
    page = list(rows[: _clamp(limit)])
    return page, len(rows) > len(page)


def _checkpoints(job: Job, folder: Path) -> list[CheckpointReply]:
    if job.status is Status.SUCCEEDED:
        last = last_checkpoint(job)
        return [] if last is None else [CheckpointReply.of(job, last)]
    return [CheckpointReply.of(job, found) for found in reversed(read_checkpoints(folder))]

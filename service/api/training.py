"""`/v1/files`, `/v1/fine_tuning/jobs` and `/adapters`: how an adapter is made and goes live."""

from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field
from starlette.datastructures import UploadFile

from adapters import parse_training_config
from service.api.state import state_of
from service.api.wire import Shape
from service.errors import InvalidRequest, JobNotFound
from service.jobs import Job, Lane, Status
from service.publishing import adapter_dict
from service.tables import DEFAULT_TENANT

api = APIRouter(tags=["adapters"])

OPENAI_STATUS = {
    Status.QUEUED: "queued",
    Status.RUNNING: "running",
    Status.SUCCEEDED: "succeeded",
    Status.FAILED: "failed",
    Status.CANCELLED: "cancelled",
}


class Supervised(Shape):
    """`method.supervised` of OpenAI's body."""

    hyperparameters: dict[str, Any] = Field(default_factory=dict)


class Method(Shape):
    """`method` of OpenAI's body."""

    type: str = "supervised"
    supervised: Supervised = Supervised()


class TrainingRequest(Shape):
    """Body of `POST /v1/fine_tuning/jobs`; `config` takes LLaMA-Factory's keys."""

    training_file: str
    model: str | None = None
    suffix: str | None = None
    seed: int | None = None
    method: Method = Method()
    config: dict[str, Any] = Field(default_factory=dict)


@api.post("/v1/files")
async def upload_file(request: Request) -> dict[str, Any]:
    """Keep a file of training rows."""
    async with request.form(max_files=1, max_fields=4) as form:
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise InvalidRequest("The multipart body has no part `file`.", param="file")
        purpose = str(form.get("purpose") or "fine-tune")
        content = await upload.read()
        name = upload.filename or "rows.jsonl"
    keep = partial(
        state_of(request).files.keep, name, content, purpose=purpose, tenant=DEFAULT_TENANT
    )
    return (await to_thread.run_sync(keep)).as_dict()


@api.get("/v1/files/{file_id}")
def get_file(request: Request, file_id: str) -> dict[str, Any]:
    """Return one uploaded file without its content."""
    return state_of(request).files.get(file_id, tenant=DEFAULT_TENANT).as_dict()


@api.post("/v1/fine_tuning/jobs")
async def start_training(
    request: Request,
    body: TrainingRequest,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Queue a training run; a configuration that cannot work is refused now."""
    state = state_of(request)
    file = await to_thread.run_sync(
        partial(state.files.get, body.training_file, tenant=DEFAULT_TENANT)
    )
    keys = {**body.method.supervised.hyperparameters, **body.config}
    keys["task"] = body.suffix or keys.get("task")
    keys["model_name_or_path"] = state.house.settings.engine.base_model
    keys["dataset"] = file.filename
    if body.seed is not None:
        keys["seed"] = body.seed
    parse_training_config(keys, name="config")
    enqueue = partial(
        state.jobs.enqueue,
        Lane.TRAIN,
        "train",
        {"file_id": file.file_id, "config": keys},
        tenant=DEFAULT_TENANT,
        idempotency_key=idempotency_key,
    )
    job = await to_thread.run_sync(enqueue)
    headers = {"location": f"/v1/fine_tuning/jobs/{job.job_id}"}
    return JSONResponse(_training(job, state.house.settings.engine.base_model), 202, headers)


@api.get("/v1/fine_tuning/jobs")
def list_trainings(request: Request, limit: int = 20) -> dict[str, Any]:
    """List the newest training runs first."""
    state = state_of(request)
    found = state.jobs.list(tenant=DEFAULT_TENANT, kind="train", limit=max(1, min(limit, 100)))
    base = state.house.settings.engine.base_model
    return {"object": "list", "data": [_training(job, base) for job in found], "has_more": False}


@api.get("/v1/fine_tuning/jobs/{job_id}")
def get_training(request: Request, job_id: str) -> dict[str, Any]:
    """Return one training run."""
    state = state_of(request)
    return _training(_find(request, job_id), state.house.settings.engine.base_model)


@api.get("/v1/fine_tuning/jobs/{job_id}/events")
def list_events(request: Request, job_id: str, after: int = 0) -> dict[str, Any]:
    """Return what the run said, from event number `after` on."""
    events = list(_find(request, job_id).progress.get("events", ()))
    data = [
        {"object": "fine_tuning.job.event", "id": number, "type": "metrics", "data": event}
        for number, event in enumerate(events)
        if number >= after
    ]
    return {"object": "list", "data": data, "has_more": False}


@api.post("/v1/fine_tuning/jobs/{job_id}/cancel")
def cancel_training(request: Request, job_id: str) -> dict[str, Any]:
    """Stop a training run."""
    state = state_of(request)
    _find(request, job_id)
    job = state.jobs.cancel(job_id, tenant=DEFAULT_TENANT)
    return _training(job, state.house.settings.engine.base_model)


@api.get("/adapters")
def list_adapters(request: Request) -> dict[str, Any]:
    """List every adapter, newest first."""
    found = state_of(request).house.measurements.registry.list(tenant=DEFAULT_TENANT)
    data = [adapter_dict(adapter) for adapter in reversed(found)]
    return {"object": "list", "data": data, "has_more": False}


@api.get("/adapters/{name}")
def get_adapter(request: Request, name: str) -> dict[str, Any]:
    """Return one adapter by its id, or the live one of a task."""
    registry = state_of(request).house.measurements.registry
    find = registry.get if "@" in name else registry.resolve
    return adapter_dict(find(name, tenant=DEFAULT_TENANT))


class PublishRequest(Shape):
    """Body of a publish; `override` says why an adapter may serve against its verdict."""

    override: str | None = Field(default=None, max_length=500)


@api.post("/adapters/{adapter_id}/publish")
async def publish(
    request: Request, adapter_id: str, body: PublishRequest | None = None
) -> dict[str, Any]:
    """Let an adapter answer for its task, after gate, list check and effect check."""
    publisher = state_of(request).publisher
    override = body.override if body is not None else None
    done = await publisher.publish(adapter_id, tenant=DEFAULT_TENANT, override=override)
    return done.as_dict()


@api.post("/adapters/{task}/rollback")
async def rollback(request: Request, task: str) -> dict[str, Any]:
    """Let the adapter before the present one answer again."""
    publisher = state_of(request).publisher
    return (await publisher.rollback(task, tenant=DEFAULT_TENANT)).as_dict()


@api.post("/adapters/{task}/withdraw")
async def withdraw(request: Request, task: str) -> dict[str, Any]:
    """Take a task out of service: its adapter no longer answers."""
    await state_of(request).publisher.withdraw(task, tenant=DEFAULT_TENANT)
    return {"object": "adapter_alias", "task": task, "adapter_id": None}


@api.post("/adapters/{adapter_id}/retire")
async def retire(request: Request, adapter_id: str) -> dict[str, Any]:
    """Take an adapter out of service."""
    publisher = state_of(request).publisher
    return adapter_dict(await publisher.retire(adapter_id, tenant=DEFAULT_TENANT))


def _find(request: Request, job_id: str) -> Job:
    job = state_of(request).jobs.get(job_id, tenant=DEFAULT_TENANT)
    if job.kind != "train":
        raise JobNotFound(f"There is no training job {job_id!r}.", param="id")
    return job


def _training(job: Job, base_model: str) -> dict[str, Any]:
    result = job.result or {}
    adapter_id = result.get("adapter_id")
    return {
        "id": job.job_id,
        "object": "fine_tuning.job",
        "model": base_model,
        "created_at": int(job.created_at),
        "finished_at": int(job.updated_at) if job.has_ended else None,
        "status": OPENAI_STATUS[job.status],
        "training_file": job.args["file_id"],
        "fine_tuned_model": f"{base_model}:{adapter_id}" if adapter_id else None,
        "adapter_id": adapter_id,
        "progress": {k: v for k, v in job.progress.items() if k != "events"},
        "result": result or None,
        "error": job.error,
    }

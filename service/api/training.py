"""`/v1/files` and `/adapters`: the rows an adapter is made of, and how it goes live."""

from dataclasses import asdict
from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import Field
from starlette.datastructures import UploadFile

from adapters import AdapterState
from service.api.dependencies import state_of
from service.api.wire import Shape
from service.engine.publisher import adapter_dict
from service.errors import InvalidRequest
from service.fine_tuning.training import draft_dict, list_drafts
from service.stores.tables import DEFAULT_TENANT

api = APIRouter(tags=["adapters"])


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


@api.get("/adapters")
def list_adapters(request: Request) -> dict[str, Any]:
    """List every adapter, newest first, and beside them the drafts: runs that made none yet."""
    house = state_of(request).house
    found = house.measurements.registry.list(tenant=DEFAULT_TENANT)
    data = [adapter_dict(adapter) for adapter in reversed(found)]
    drafts = [draft_dict(run) for run in list_drafts(house.settings.paths.trainings)]
    return {"object": "list", "data": data, "drafts": drafts, "has_more": False}


@api.get("/adapters/{name}")
def get_adapter(request: Request, name: str) -> dict[str, Any]:
    """Return one adapter by its id, the live one of a task, or a draft by its run's id."""
    house = state_of(request).house
    registry = house.measurements.registry
    if "@" in name:
        adapter = registry.get(name, tenant=DEFAULT_TENANT)
    elif drafts := [r for r in list_drafts(house.settings.paths.trainings) if r.run_id == name]:
        began = {"state": AdapterState.DRAFT, "at": drafts[0].created_at, "by": name}
        return {**draft_dict(drafts[0]), "history": [{**began, "why": "training began"}]}
    else:
        adapter = registry.resolve(name, tenant=DEFAULT_TENANT)
    history = registry.history(adapter.adapter_id, tenant=DEFAULT_TENANT)
    return {**adapter_dict(adapter), "history": [asdict(change) for change in history]}


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

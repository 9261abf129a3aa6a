"""`/v1/files` and `/adapters`: the rows an adapter is made of, and how it goes live."""

from dataclasses import asdict
from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import Field
from starlette.datastructures import UploadFile

from adapters import AdapterState
from service.api.dependencies import Caller, Context
from service.api.schemas.shapes import Body
from service.engine.publisher import adapter_dict
from service.errors import InvalidRequest
from service.fine_tuning.training import draft_dict, list_drafts

api = APIRouter(tags=["adapters"])


@api.post("/v1/files")
async def upload_file(request: Request, context: Context, caller: Caller) -> dict[str, Any]:
    """Keep a file of training rows."""
    async with request.form(max_files=1, max_fields=4) as form:
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise InvalidRequest("The multipart body has no part `file`.", param="file")
        purpose = str(form.get("purpose") or "fine-tune")
        content = await upload.read()
        name = upload.filename or "rows.jsonl"
    keep = partial(context.files.save, name, content, purpose=purpose, tenant=caller.tenant)
    return (await to_thread.run_sync(keep)).as_dict()


@api.get("/v1/files/{file_id}")
def get_file(context: Context, caller: Caller, file_id: str) -> dict[str, Any]:
    """Return one uploaded file without its content."""
    return context.files.get(file_id, tenant=caller.tenant).as_dict()


@api.get("/adapters")
def list_adapters(context: Context, caller: Caller) -> dict[str, Any]:
    """List every adapter, newest first, and beside them the drafts: runs that made none yet."""
    found = context.registry.list(tenant=caller.tenant)
    data = [adapter_dict(adapter) for adapter in reversed(found)]
    drafts = [draft_dict(run) for run in list_drafts(context.settings.paths.trainings)]
    return {"object": "list", "data": data, "drafts": drafts, "has_more": False}


@api.get("/adapters/{name}")
def get_adapter(context: Context, caller: Caller, name: str) -> dict[str, Any]:
    """Return one adapter by its id, the live one of a task, or a draft by its run's id."""
    registry = context.registry
    if "@" in name:
        adapter = registry.get(name, tenant=caller.tenant)
    elif drafts := [r for r in list_drafts(context.settings.paths.trainings) if r.run_id == name]:
        began = {"state": AdapterState.DRAFT, "at": drafts[0].created_at, "by": name}
        return {**draft_dict(drafts[0]), "history": [{**began, "why": "training began"}]}
    else:
        adapter = registry.resolve(name, tenant=caller.tenant)
    history = registry.history(adapter.adapter_id, tenant=caller.tenant)
    return {**adapter_dict(adapter), "history": [asdict(change) for change in history]}


class PublishRequest(Body):
    """Body of a publish; `override` says why an adapter may serve against its verdict."""

    override: str | None = Field(default=None, max_length=500)


@api.post("/adapters/{adapter_id}/publish")
async def publish(
    context: Context, caller: Caller, adapter_id: str, body: PublishRequest | None = None
) -> dict[str, Any]:
    """Let an adapter answer for its task, after gate, list check and effect check."""
    override = body.override if body is not None else None
    done = await context.publisher.publish(adapter_id, tenant=caller.tenant, override=override)
    return done.as_dict()


@api.post("/adapters/{task}/rollback")
async def rollback(context: Context, caller: Caller, task: str) -> dict[str, Any]:
    """Let the adapter before the present one answer again."""
    return (await context.publisher.rollback(task, tenant=caller.tenant)).as_dict()


@api.post("/adapters/{task}/withdraw")
async def withdraw(context: Context, caller: Caller, task: str) -> dict[str, Any]:
    """Take a task out of service: its adapter no longer answers."""
    await context.publisher.withdraw(task, tenant=caller.tenant)
    return {"object": "adapter_alias", "task": task, "adapter_id": None}


@api.post("/adapters/{adapter_id}/retire")
async def retire(context: Context, caller: Caller, adapter_id: str) -> dict[str, Any]:
    """Take an adapter out of service."""
    return adapter_dict(await context.publisher.retire(adapter_id, tenant=caller.tenant))

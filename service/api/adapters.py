"""`/adapters`: what is trained, what serves, and how an adapter goes live."""

from fastapi import APIRouter

from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.json_bodies import JsonRoute
from service.api.schemas.adapters import (
    AdapterDetailReply,
    AdapterListReply,
    AdapterReply,
    AliasReply,
    DraftDetailReply,
    DraftReply,
    PublishReply,
    PublishRequest,
)
from service.fine_tuning.training import list_drafts

api = APIRouter(
    route_class=JsonRoute,
    prefix="/adapters",
    tags=["adapters"],
    responses=errors(400, 404, 409, 422, 502, 503, 507),
)


@api.get("")
def list_adapters(context: Context, caller: Caller) -> AdapterListReply:
    """List every adapter, newest first, and beside them the drafts: runs that made none yet."""
    found = context.registry.list(tenant=caller.tenant)
    return AdapterListReply(
        data=[AdapterReply.of(adapter) for adapter in reversed(found)],
        drafts=[DraftReply.of(run) for run in list_drafts(context.settings.paths.trainings)],
    )


@api.get("/{name}")
def get_adapter(
    context: Context, caller: Caller, name: str
) -> AdapterDetailReply | DraftDetailReply:
    """Return one adapter by its id, the live one of a task, or a draft by its run's id."""
    registry = context.registry
    if "@" in name:
        adapter = registry.get(name, tenant=caller.tenant)
    elif drafts := [r for r in list_drafts(context.settings.paths.trainings) if r.run_id == name]:
        return DraftDetailReply.of(drafts[0])
    else:
        adapter = registry.resolve(name, tenant=caller.tenant)
    history = registry.history(adapter.adapter_id, tenant=caller.tenant)
    return AdapterDetailReply.with_history(adapter, history)


@api.post("/{adapter_id}/publish")
async def publish(
    context: Context, caller: Caller, adapter_id: str, body: PublishRequest | None = None
) -> PublishReply:
    """Let an adapter answer for its task, after gate, list check and effect check."""
    override = body.override if body is not None else None
    done = await context.publisher.publish(adapter_id, tenant=caller.tenant, override=override)
    return PublishReply.of_report(done)


@api.post("/{task}/rollback")
async def rollback(context: Context, caller: Caller, task: str) -> PublishReply:
    """Let the adapter before the present one answer again."""
    return PublishReply.of_report(await context.publisher.rollback(task, tenant=caller.tenant))


@api.post("/{task}/withdraw")
async def withdraw(context: Context, caller: Caller, task: str) -> AliasReply:
    """Take a task out of service: its adapter no longer answers."""
    await context.publisher.withdraw(task, tenant=caller.tenant)
    return AliasReply(task=task, adapter_id=None)


@api.post("/{adapter_id}/retire")
async def retire(context: Context, caller: Caller, adapter_id: str) -> AdapterReply:
    """Take an adapter out of service."""
    return AdapterReply.of(await context.publisher.retire(adapter_id, tenant=caller.tenant))

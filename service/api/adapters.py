"""`/adapters`: trained adapters, listed, published and taken out of service."""

from fastapi import APIRouter

from adapters import TrainingRun
from service import access
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
from service.context import AppContext
from service.fine_tuning.training import list_drafts

api = APIRouter(
    route_class=JsonRoute,
    prefix="/adapters",
    tags=["adapters"],
    responses=errors(400, 404, 409, 422, 502, 503, 507),
)


@api.get("")
def list_adapters(context: Context, caller: Caller) -> AdapterListReply:
    """List the adapters, newest first, and the drafts: runs without an adapter yet."""
    found = context.registry.list(tenant=caller.tenant)
    return AdapterListReply(
        data=[AdapterReply.of(adapter) for adapter in reversed(found)],
        drafts=[DraftReply.of(run) for run in _drafts(context, caller)],
    )


@api.get("/{name}")
def get_adapter(
    context: Context, caller: Caller, name: str
) -> AdapterDetailReply | DraftDetailReply:
    """Return an adapter by its id, the live adapter of a task, or a draft by its run id."""
    registry = context.registry
    if "@" in name:
        adapter = registry.get(name, tenant=caller.tenant)
    elif drafts := [run for run in _drafts(context, caller) if run.run_id == name]:
        return DraftDetailReply.of(drafts[0])
    else:
        adapter = registry.resolve(name, tenant=caller.tenant)
    history = registry.history(adapter.adapter_id, tenant=caller.tenant)
    return AdapterDetailReply.with_history(adapter, history)


@api.post("/{adapter_id}/publish")
async def publish(
    context: Context, caller: Caller, adapter_id: str, body: PublishRequest | None = None
) -> PublishReply:
    """Publish an adapter after gate, list check and effect check."""
    override = body.override if body is not None else None
    done = await context.publisher.publish(adapter_id, tenant=caller.tenant, override=override)
    return PublishReply.of_report(done)


@api.post("/{task}/rollback")
async def rollback(context: Context, caller: Caller, task: str) -> PublishReply:
    """Roll back to the previously published adapter."""
    return PublishReply.of_report(await context.publisher.rollback(task, tenant=caller.tenant))


@api.post("/{task}/withdraw")
async def withdraw(context: Context, caller: Caller, task: str) -> AliasReply:
    """Withdraw the live adapter of a task; rollback restores it."""
    await context.publisher.withdraw(task, tenant=caller.tenant)
    return AliasReply(task=task, adapter_id=None)


@api.post("/{adapter_id}/retire")
async def retire(context: Context, caller: Caller, adapter_id: str) -> AdapterReply:
    """Retire an adapter for good; a live one must be replaced or withdrawn first."""
    return AdapterReply.of(await context.publisher.retire(adapter_id, tenant=caller.tenant))


def _drafts(context: AppContext, caller: access.Caller) -> list[TrainingRun]:
    """Return the caller's drafts; a run without a job was started on this machine.

    Such a run is the loopback caller's, as the adapter that it makes is.
    """
    runs = list_drafts(context.settings.paths.trainings)
    owners = context.jobs.tenants_of([run.run_id for run in runs])
    local = access.LOOPBACK_CALLER.tenant
    return [run for run in runs if owners.get(run.run_id, local) == caller.tenant]

"""`/v1/vector_stores/{id}/syncs`: what the last sync of each folder did, as it reports itself."""

from collections.abc import Mapping
from dataclasses import replace

from fastapi import APIRouter

from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.json_bodies import JsonRoute
from service.api.schemas.shapes import ListReply
from service.api.schemas.syncs import NewSync, SyncReply, SyncReport

api = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/vector_stores",
    tags=["knowledge"],
    responses=errors(400, 404, 422, 503, 507),
)


@api.get("/{base_id}/syncs")
def list_syncs(context: Context, caller: Caller, base_id: str) -> ListReply[SyncReply]:
    """List the last sync of each folder, newest first.

    Reports name documents of any labels: a key that is bound to some is told their numbers.
    """
    found = context.knowledge.syncs.list(base_id, tenant=caller.tenant)
    if caller.access_labels is not None:
        found = [replace(one, report=_numbers(one.report)) for one in found]
    return ListReply[SyncReply](data=[SyncReply.of(one) for one in found])


@api.post("/{base_id}/syncs")
def begin_sync(context: Context, caller: Caller, base_id: str, body: NewSync) -> SyncReply:
    """Begin a sync: its report takes the place of the folder's last one."""
    begun, adopted = context.knowledge.syncs.begin(
        base_id,
        body.source,
        contents=body.contents,
        tenant=caller.tenant,
        access=caller.access_labels,
    )
    return SyncReply.of(begun, adopted)


@api.post("/{base_id}/syncs/{sync_id}")
def report_sync(
    context: Context, caller: Caller, *, base_id: str, sync_id: str, body: SyncReport
) -> SyncReply:
    """Store what a sync did so far, and how it ended."""
    found = context.knowledge.syncs.report(
        base_id, sync_id, state=body.state, report=body.report, tenant=caller.tenant
    )
    return SyncReply.of(found)


def _numbers(report: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in report.items() if isinstance(value, int | float)}

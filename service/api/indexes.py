"""The vector index of a knowledge base: checked at once, rebuilt and re-indexed by jobs."""

from functools import partial

from anyio import to_thread
from fastapi import APIRouter
from fastapi.responses import Response

from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.job_replies import accepted
from service.api.http.parameters import IdempotencyKey
from service.api.schemas.jobs import JobAccepted
from service.api.schemas.vector_stores import IndexChecked, Reconciled
from service.context import AppContext
from service.stores.job_kinds import REBUILD, REINDEX, IndexArgs, IndexResult, JobKind
from service.stores.jobs import Job

api = APIRouter(
    prefix="/v1/vector_stores",
    tags=["knowledge"],
    responses=errors(400, 404, 409, 422, 503, 507),
)


@api.post("/{base_id}/reconcile")
async def reconcile(context: Context, caller: Caller, base_id: str) -> Reconciled:
    """Reconcile the vector index with the database."""
    run = partial(context.knowledge.reconcile, base_id, tenant=caller.tenant)
    return Reconciled.of(await to_thread.run_sync(run))


@api.get("/{base_id}/check")
async def check(context: Context, caller: Caller, base_id: str) -> IndexChecked:
    """Show what reconcile would repair; nothing is changed."""
    run = partial(context.knowledge.check, base_id, tenant=caller.tenant)
    return IndexChecked.of(await to_thread.run_sync(run))


@api.post("/{base_id}/rebuild", status_code=202, response_model=JobAccepted)
async def rebuild(
    context: Context, caller: Caller, base_id: str, idempotency_key: IdempotencyKey = None
) -> Response:
    """Rebuild the index from the stored vectors, and swap when it is complete."""
    return accepted(await _start(REBUILD, base_id, context, caller, key=idempotency_key))


@api.post("/{base_id}/reindex", status_code=202, response_model=JobAccepted)
async def reindex(
    context: Context, caller: Caller, base_id: str, idempotency_key: IdempotencyKey = None
) -> Response:
    """Re-index: embed all documents with the next (or only) embedder, then swap."""
    return accepted(await _start(REINDEX, base_id, context, caller, key=idempotency_key))


async def _start(
    kind: JobKind[IndexArgs, IndexResult],
    base_id: str,
    context: AppContext,
    caller: Caller,
    *,
    key: str | None,
) -> Job:
    find = partial(context.knowledge.get_base, base_id, tenant=caller.tenant)
    await to_thread.run_sync(find)
    enqueue = partial(
        context.jobs.enqueue,
        kind,
        IndexArgs(base_id=base_id),
        tenant=caller.tenant,
        key_id=caller.key_id,
        subject=f"{base_id}#index",
        idempotency_key=key,
    )
    return await to_thread.run_sync(enqueue)

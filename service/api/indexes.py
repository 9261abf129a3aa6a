"""The vector index of a knowledge base: checked at once, rebuilt and re-indexed by jobs."""

from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header
from fastapi.responses import JSONResponse, Response

from service.api.dependencies import Caller, Context
from service.context import AppContext
from service.stores.job_kinds import REBUILD, REINDEX, IndexArgs, IndexResult, JobKind

api = APIRouter(prefix="/v1/vector_stores", tags=["knowledge"])

Key = Annotated[str | None, Header(max_length=200)]


@api.get("/{base_id}/check")
async def check(context: Context, caller: Caller, base_id: str) -> dict[str, Any]:
    """Tell what reconcile would repair; nothing is changed."""
    run = partial(context.knowledge.check, base_id, tenant=caller.tenant)
    found = await to_thread.run_sync(run)
    return {"object": "index_check", "in_step": found.in_step, **asdict(found)}


@api.post("/{base_id}/rebuild")
async def rebuild(
    context: Context, caller: Caller, base_id: str, idempotency_key: Key = None
) -> Response:
    """Fill a new generation of the index from the stored vectors and swap it in."""
    return await _start(context, caller, REBUILD, base_id, key=idempotency_key)


@api.post("/{base_id}/reindex")
async def reindex(
    context: Context, caller: Caller, base_id: str, idempotency_key: Key = None
) -> Response:
    """Embed all documents again with the next embedder, or the only one, and swap once."""
    return await _start(context, caller, REINDEX, base_id, key=idempotency_key)


async def _start(
    context: AppContext,
    caller: Caller,
    kind: JobKind[IndexArgs, IndexResult],
    base_id: str,
    *,
    key: str | None,
) -> Response:
    find = partial(context.knowledge.get_base, base_id, tenant=caller.tenant)
    await to_thread.run_sync(find)
    enqueue = partial(
        context.jobs.enqueue,
        kind,
        IndexArgs(base_id=base_id),
        tenant=caller.tenant,
        subject=f"{base_id}#index",
        idempotency_key=key,
    )
    job = await to_thread.run_sync(enqueue)
    headers = {"location": f"/jobs/{job.job_id}"}
    return JSONResponse({"job": job.as_dict()}, status_code=202, headers=headers)

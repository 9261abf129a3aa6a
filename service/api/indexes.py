"""The vector index of a knowledge base: checked at once, rebuilt and re-indexed by jobs."""

from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response

from service.api.dependencies import house_of, state_of
from service.stores.jobs import Lane
from service.stores.tables import DEFAULT_TENANT

api = APIRouter(prefix="/v1/vector_stores", tags=["knowledge"])

Key = Annotated[str | None, Header(max_length=200)]


@api.get("/{base_id}/check")
async def check(request: Request, base_id: str) -> dict[str, Any]:
    """Tell what reconcile would repair; nothing is changed."""
    run = partial(house_of(request).knowledge.check, base_id, tenant=DEFAULT_TENANT)
    found = await to_thread.run_sync(run)
    return {"object": "index_check", "in_step": found.in_step, **asdict(found)}


@api.post("/{base_id}/rebuild")
async def rebuild(request: Request, base_id: str, idempotency_key: Key = None) -> Response:
    """Fill a new generation of the index from the stored vectors and swap it in."""
    return await _start(request, "rebuild", base_id, idempotency_key)


@api.post("/{base_id}/reindex")
async def reindex(request: Request, base_id: str, idempotency_key: Key = None) -> Response:
    """Embed all documents again with the next embedder, or the only one, and swap once."""
    return await _start(request, "reindex", base_id, idempotency_key)


async def _start(request: Request, kind: str, base_id: str, key: str | None) -> Response:
    state = state_of(request)
    find = partial(state.house.knowledge.get_base, base_id, tenant=DEFAULT_TENANT)
    await to_thread.run_sync(find)
    enqueue = partial(
        state.jobs.enqueue,
        Lane.INDEX,
        kind,
        {"base_id": base_id},
        tenant=DEFAULT_TENANT,
        subject=f"{base_id}#index",
        idempotency_key=key,
    )
    job = await to_thread.run_sync(enqueue)
    headers = {"location": f"/jobs/{job.job_id}"}
    return JSONResponse({"job": job.as_dict()}, status_code=202, headers=headers)

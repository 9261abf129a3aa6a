"""`/jobs`: how long work stands, and the wait for it."""

from functools import partial
from typing import Any

import anyio
from anyio import to_thread
from fastapi import APIRouter

from service.api.dependencies import Caller, Context
from service.context import AppContext
from service.errors import JobFailed
from service.stores.job_kinds import Lane
from service.stores.jobs import Job, Status

api = APIRouter(prefix="/jobs", tags=["jobs"])

WAIT_POLL_S = 0.02


@api.get("")
def list_jobs(
    context: Context,
    caller: Caller,
    lane: Lane | None = None,
    limit: int = 20,
    after: str | None = None,
) -> dict[str, Any]:
    """List the newest jobs first; `after` is the `id` that ended the page before."""
    limit = max(1, min(limit, 100))
    found = context.jobs.list(tenant=caller.tenant, lane=lane, after=after, limit=limit + 1)
    data = [job.as_dict() for job in found[:limit]]
    return {"object": "list", "data": data, "has_more": len(found) > limit}


@api.get("/{job_id}")
def get_job(context: Context, caller: Caller, job_id: str) -> dict[str, Any]:
    """Return one job."""
    return context.jobs.get(job_id, tenant=caller.tenant).as_dict()


@api.post("/{job_id}/cancel")
def cancel_job(context: Context, caller: Caller, job_id: str) -> dict[str, Any]:
    """Ask for the end of a job."""
    return context.jobs.cancel(job_id, tenant=caller.tenant).as_dict()


async def wait_for(job: Job, context: AppContext, wait_s: float) -> Job:
    """Return `job` once it has ended, or as it stands after `wait_s`.

    Raises:
        JobFailed: It failed; carries the status of the error inside the worker. Or it was
            cancelled: 409.
    """
    with anyio.move_on_after(wait_s):
        while not job.has_ended:
            await anyio.sleep(WAIT_POLL_S)
            job = await to_thread.run_sync(partial(context.jobs.get, job.job_id, tenant=job.tenant))
    if job.status is Status.FAILED and job.error is not None:
        raise JobFailed(job.error)
    if job.status is Status.CANCELLED:
        message = f"Job {job.job_id} was cancelled before it was done."
        raise JobFailed({"code": "job_cancelled", "message": message, "status": 409})
    if job.has_ended:
        context.cache.invalidate()
    return job

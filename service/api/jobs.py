"""`/jobs`: background jobs, and waiting for one."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import anyio
from anyio import to_thread
from fastapi import APIRouter, Query

from service.api.access.bound_jobs import first_seen, seen
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.schemas.jobs import JobReply
from service.api.schemas.shapes import ListReply
from service.context import AppContext
from service.errors import JobFailed
from service.stores.job_kinds import Lane
from service.stores.jobs import Job, Status

api = APIRouter(prefix="/jobs", tags=["jobs"], responses=errors(400, 404, 422))

WAIT_POLL_S = 0.02
MOST_LISTED = 100


Limit = Annotated[
    int, Query(description="Maximum number of jobs, 1 to 100; other values are clamped.")
]
After = Annotated[str | None, Query(description="Last `id` of the previous page.")]


@api.get("")
def list_jobs(
    *,
    context: Context,
    caller: Caller,
    lane: Lane | None = None,
    limit: Limit = 20,
    after: After = None,
) -> ListReply[JobReply]:
    """List jobs, newest first."""
    limit = max(1, min(limit, MOST_LISTED))

    def read(after: str | None) -> Sequence[Job]:
        return context.jobs.list(tenant=caller.tenant, lane=lane, after=after, limit=limit + 1)

    found = first_seen(context, caller, read, after=after, most=limit + 1)
    data = [JobReply.of(job) for job in found[:limit]]
    return ListReply[JobReply](data=data, has_more=len(found) > limit)


@api.get("/{job_id}")
def get_job(context: Context, caller: Caller, job_id: str) -> JobReply:
    """Return a job."""
    return JobReply.of(seen(context, caller, job_id))


@api.post("/{job_id}/cancel")
def cancel_job(context: Context, caller: Caller, job_id: str) -> JobReply:
    """Request the cancellation of a job."""
    seen(context, caller, job_id)
    return JobReply.of(context.jobs.cancel(job_id, tenant=caller.tenant))


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
        message = f"Job {job.job_id} was cancelled before it finished."
        raise JobFailed({"code": "job_cancelled", "message": message, "status": 409})
    if job.has_ended:
        context.cache.invalidate()
    return job

"""Writes to one document: jobs of the ingest lane, one after the other, and how long is waited.

It knows order and waiting; it does not know what a write does.
"""

from functools import partial
from typing import Any, TypeVar

from anyio import to_thread
from fastapi.responses import Response

from service.access import Caller
from service.api.http.job_replies import accepted
from service.api.jobs import wait_for
from service.api.schemas.shapes import JsonObject
from service.context import AppContext
from service.stores.job_kinds import DeleteArgs, IngestArgs, JobKind, RollbackArgs

A = TypeVar("A", IngestArgs, DeleteArgs, RollbackArgs)


def held_by(caller: Caller) -> tuple[str, ...] | None:
    """Return the labels that whoever writes holds, as a job stores them; None: any."""
    labels = caller.access_labels
    return None if labels is None else tuple(sorted(labels))


async def write_in_order(
    kind: JobKind[A, Any],
    args: A,
    *,
    context: AppContext,
    caller: Caller,
    payload: bytes | None = None,
    idempotency_key: str | None = None,
) -> JsonObject | Response:
    """Return the result of a job of the ingest lane, or 202 where it takes too long to wait."""
    enqueue = partial(
        context.jobs.enqueue,
        kind,
        args.model_copy(update={"held": held_by(caller)}),
        tenant=caller.tenant,
        key_id=caller.key_id,
        payload=payload,
        subject=f"{args.base_id}/{args.external_id}",
        idempotency_key=idempotency_key,
    )
    job = await to_thread.run_sync(enqueue)
    job = await wait_for(job, context, context.settings.server.put_wait_s)
    return dict(job.result or {}) if job.has_ended else accepted(job)

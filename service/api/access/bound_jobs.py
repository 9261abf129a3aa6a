"""Which background jobs a caller sees: of its scopes, use cases and bases, of what it may read.

Any other is told as if there were none.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from knowledge import may_read
from service.access import Caller, Scope
from service.context import AppContext
from service.errors import JobNotFound
from service.stores.job_kinds import (
    COMPARE,
    DATA_CHECK,
    DELETE_DOCUMENT,
    INGEST,
    REBUILD,
    REINDEX,
    ROLLBACK,
    TRAIN,
)
from service.stores.jobs import Job

SCOPES: Mapping[str, Scope] = {
    INGEST.name: Scope.KB_WRITE,
    DELETE_DOCUMENT.name: Scope.KB_WRITE,
    ROLLBACK.name: Scope.KB_WRITE,
    REBUILD.name: Scope.KB_WRITE,
    REINDEX.name: Scope.KB_WRITE,
    TRAIN.name: Scope.TRAIN,
    DATA_CHECK.name: Scope.TRAIN,
    COMPARE.name: Scope.EXPERIMENTS,
}
"""The scope by which a job of each kind is started."""


DOCUMENTS = frozenset({INGEST.name, DELETE_DOCUMENT.name, ROLLBACK.name})
"""Kinds of jobs whose result or error names a document."""


def may_see(context: AppContext, caller: Caller, job: Job) -> bool:
    """Return whether a job of the caller's tenant is one that its key could have started."""
    scope = SCOPES.get(job.kind)
    base_id, use_case = job.args.get("base_id"), job.args.get("use_case")
    return (
        scope is not None
        and caller.may(scope)
        and (base_id is None or caller.may_use_base(str(base_id)))
        and (use_case is None or caller.may_use_case(str(use_case)))
        and (job.kind not in DOCUMENTS or _may_read(context, caller, job))
    )


def seen(context: AppContext, caller: Caller, job_id: str) -> Job:
    """Return a job.

    Raises:
        JobNotFound: There is none that the caller sees.
    """
    job = context.jobs.get(job_id, tenant=caller.tenant)
    if not may_see(context, caller, job):
        raise JobNotFound(f"There is no job {job_id!r}.", param="id")
    return job


def first_seen(
    context: AppContext,
    caller: Caller,
    read: Callable[[str | None], Sequence[Job]],
    *,
    after: str | None,
    most: int,
) -> list[Job]:
    """Return the first jobs that the caller sees.

    Args:
        context: Holds the documents that they are about.
        caller: Who asks.
        read: Gives the jobs after the named one, in order; none at the end.
        after: Where to begin.
        most: How many to return at most.
    """
    found: list[Job] = []
    while len(found) < most and (page := read(after)):
        found += [job for job in page if may_see(context, caller, job)]
        after = page[-1].job_id
    return found[:most]


def _may_read(context: AppContext, caller: Caller, job: Job) -> bool:
    """Return whether the caller may read of a document what a job tells of it.

    An error was worded for whoever started the job: it may name documents that guard another.
    """
    held = caller.access_labels
    if held is None or (job.key_id is not None and job.key_id == caller.key_id):
        return True
    args, result = job.args, job.result or {}
    labels: list[Any] = [args.get("access") or (), result.get("access_labels") or ()]
    return (
        job.error is None
        and all(may_read(each, held) for each in labels)
        and context.knowledge.versions.is_readable(
            str(args["base_id"]), str(args["external_id"]), tenant=job.tenant, access=held
        )
    )

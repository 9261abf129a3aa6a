"""Which background jobs a caller sees: those of its scopes, its use cases and its bases.

A job of another kind of work is told as if there were none.
"""

from collections.abc import Callable, Mapping, Sequence

from service.access import Caller, Scope
from service.errors import JobNotFound
from service.stores.job_kinds import (
    COMPARE,
    DATA_CHECK,
    DELETE_DOCUMENT,
    FILE_CHECK,
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
    FILE_CHECK.name: Scope.TRAIN,
    COMPARE.name: Scope.EXPERIMENTS,
}
"""The scope by which a job of each kind is started."""


def may_see(caller: Caller, job: Job) -> bool:
    """Return whether a job of the caller's tenant is one that its key could have started."""
    scope = SCOPES.get(job.kind)
    base_id, use_case = job.args.get("base_id"), job.args.get("use_case")
    return (
        scope is not None
        and caller.may(scope)
        and (base_id is None or caller.may_use_base(str(base_id)))
        and (use_case is None or caller.may_use_case(str(use_case)))
    )


def seen(caller: Caller, job: Job) -> Job:
    """Return the job.

    Raises:
        JobNotFound: The caller sees no such job; told as a missing one.
    """
    if not may_see(caller, job):
        raise JobNotFound(f"There is no job {job.job_id!r}.", param="id")
    return job


def first_seen(
    caller: Caller, read: Callable[[str | None], Sequence[Job]], *, after: str | None, most: int
) -> list[Job]:
    """Return the first jobs that the caller sees.

    Args:
        caller: Who asks.
        read: Gives the jobs after the named one, in order; none at the end.
        after: Where to begin.
        most: How many to return at most.
    """
    found: list[Job] = []
    while len(found) < most and (page := read(after)):
        found += [job for job in page if may_see(caller, job)]
        after = page[-1].job_id
    return found[:most]

"""The bodies of `/jobs`, and of every reply that a job was queued."""

from typing import Literal, Self

from pydantic import ConfigDict

from service.api.schemas.shapes import JsonObject, Reply
from service.stores.job_kinds import Lane
from service.stores.jobs import Job, Status


class JobErrorReply(Reply):
    """Why a job failed, with whatever else its error names, such as `param` or `hint`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    code: str
    message: str


class JobReply(Reply):
    """A job as it stands.

    Attributes:
        progress: What it said last; `fraction` is 0 to 1 where that is known.
        result: What it made, by its kind; null until it has succeeded.
        attempts: How often a worker took it up.
        created_at: Unix seconds, as is `updated_at`.
    """

    id: str
    object: Literal["job"] = "job"
    lane: Lane
    kind: str
    status: Status
    progress: JsonObject
    result: JsonObject | None
    error: JobErrorReply | None
    attempts: int
    created_at: float
    updated_at: float

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return a job as clients see it: neither its arguments nor its payload."""
        return cls(
            id=job.job_id,
            lane=job.lane,
            kind=job.kind,
            status=job.status,
            progress=dict(job.progress),
            result=None if job.result is None else dict(job.result),
            error=None if job.error is None else JobErrorReply.model_validate(dict(job.error)),
            attempts=job.attempts,
            created_at=job.created_at,
            updated_at=job.updated_at,
        )


class JobAccepted(Reply):
    """What is asked for is not done yet: the job that does it, also at `Location`."""

    job: JobReply

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return the reply of a request whose job goes on."""
        return cls(job=JobReply.of(job))

"""The bodies of `/jobs`, and the reply that a job was queued."""

from collections.abc import Mapping
from typing import Literal, Self

from pydantic import ConfigDict, JsonValue

from service.api.schemas.shapes import JsonObject, Reply
from service.messages.spoken import hint_of
from service.stores.job_kinds import Lane
from service.stores.jobs import Job, Status


class JobErrorReply(Reply):
    """Why a job failed, with the error's other keys, such as `param` or `hint`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    code: str
    message: str

    @classmethod
    def stored(cls, error: Mapping[str, JsonValue]) -> Self:
        """Return an error as it was stored, its hint in the language of the request."""
        told = cls.model_validate(dict(error))
        hint = hint_of(told.code, str(error.get("hint") or ""))
        return told.model_copy(update={"hint": hint} if hint else {})


class JobReply(Reply):
    """Current state of a job.

    Attributes:
        progress: Last progress report; `fraction` is 0 to 1 if known.
        result: Result, by kind of job; null until it has succeeded.
        attempts: Number of attempts.
        created_at: Unix seconds, like `updated_at`.
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
            error=None if job.error is None else JobErrorReply.stored(job.error),
            attempts=job.attempts,
            created_at=job.created_at,
            updated_at=job.updated_at,
        )


class JobAccepted(Reply):
    """The job that does the work; its path is also in `Location`."""

    job: JobReply

    @classmethod
    def of(cls, job: Job) -> Self:
        """Return the reply of a request whose job goes on."""
        return cls(job=JobReply.of(job))

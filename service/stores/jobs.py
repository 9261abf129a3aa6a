"""Long work as rows: enqueued by the gateway, claimed by a worker under a lease.

It knows states, lanes and leases; it does not know what a job does. A worker that dies stops
renewing its lease, and the job is claimed again; after `max_attempts` it fails. Jobs of the same
subject (say, one document) are done in the order they came, whatever happens to their workers.
"""

import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    and_,
    case,
    exists,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from service.errors import InvalidRequest, JobNotFound, WrongJobStatus
from service.stores.database import Database
from service.stores.tables import metadata


class Lane(StrEnum):
    """Queues that do not wait for each other."""

    INGEST = "ingest"
    INDEX = "index"
    TRAIN = "train"
    COMPARE = "compare"


class Status(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})
STOPPED = frozenset({Status.PAUSED, Status.FAILED, Status.CANCELLED})

# What a job may be asked for, in `cancel_asked`.
GO_ON, CANCEL, PAUSE = 0, 1, 2

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", String(40), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("lane", String(16), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("sequence", Float, nullable=False),
    Column("subject", String(600), nullable=True),
    Column("args", JSON, nullable=False),
    Column("payload", LargeBinary, nullable=True),
    Column("progress", JSON, nullable=False),
    Column("result", JSON, nullable=True),
    Column("error", JSON, nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("worker", String(64), nullable=True),
    Column("lease_until", Float, nullable=True),
    Column("cancel_asked", Integer, nullable=False),
    Column("idempotency_key", String(255), nullable=True, unique=True),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Index("jobs_by_lane", "lane", "status", "sequence"),
    Index("jobs_by_subject", "subject", "status"),
)

_AS_ASKED = case((jobs.c.cancel_asked == PAUSE, Status.PAUSED), else_=Status.CANCELLED)
_SEEN = [c for c in jobs.c if c.name not in ("payload", "sequence", "subject")]


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of long work as it stands."""

    job_id: str
    tenant: str
    lane: Lane
    kind: str
    status: Status
    args: Mapping[str, Any]
    progress: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    attempts: int
    worker: str | None
    lease_until: float | None
    cancel_asked: int
    idempotency_key: str | None
    created_at: float
    updated_at: float

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it, unless it is resumed."""
        return self.status in ENDED

    @property
    def is_pausing(self) -> bool:
        """Whether it still runs, but was asked to pause."""
        return self.status is Status.RUNNING and self.cancel_asked == PAUSE

    def as_dict(self) -> dict[str, Any]:
        """Return what a client sees."""
        return {
            "id": self.job_id,
            "object": "job",
            "lane": self.lane,
            "kind": self.kind,
            "status": self.status,
            "progress": dict(self.progress),
            "result": self.result,
            "error": self.error,
            "attempts": self.attempts,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
        }


class Jobs:
    """The jobs of one database."""

    def __init__(self, database: Database, *, lease_s: float = 15.0, max_attempts: int = 3) -> None:
        self._database = database
        self._write = database.execution_options(write=True)
        self._lease_s = lease_s
        self._max_attempts = max_attempts

    def enqueue(
        self,
        lane: Lane,
        kind: str,
        args: Mapping[str, Any],
        *,
        tenant: str,
        payload: bytes | None = None,
        subject: str | None = None,
        idempotency_key: str | None = None,
    ) -> Job:
        """Keep a new job, durably, and return it.

        A job with the same idempotency key is returned instead of a second one.

        Args:
            lane: Queue to stand in.
            kind: What is to be done.
            args: With what; kept as JSON.
            tenant: Whose job it is.
            payload: Bytes that go with it, kept until it has ended.
            subject: What it changes: begun only once every earlier job of the subject has ended.
            idempotency_key: The caller's own name for this request.

        Raises:
            InvalidRequest: The key was used for another request.
        """
        now = time.time()
        key = f"{tenant}:{idempotency_key}" if idempotency_key else None
        job_id = f"job_{uuid.uuid4().hex}"
        row = {
            "job_id": job_id,
            "tenant": tenant,
            "lane": lane,
            "kind": kind,
            "status": Status.QUEUED,
            "sequence": now,
            "subject": f"{tenant}:{subject}" if subject is not None else None,
            "args": dict(args),
            "payload": payload,
            "progress": {},
            "attempts": 0,
            "cancel_asked": 0,
            "idempotency_key": key,
            "created_at": now,
            "updated_at": now,
        }
        try:
            with self._write.begin() as connection:
                connection.execute(jobs.insert().values(row))
        except IntegrityError:
            if key is None:
                raise
            return self._same_key(key, kind, args)
        return self.get(job_id, tenant=tenant)

    def get(self, job_id: str, *, tenant: str) -> Job:
        """Return the job.

        Raises:
            JobNotFound: No job has this id.
        """
        query = select(*_SEEN).where(jobs.c.job_id == job_id, jobs.c.tenant == tenant)
        with self._database.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise JobNotFound(f"There is no job {job_id!r}.", param="id")
        return _job(row)

    def list(
        self,
        *,
        tenant: str,
        lane: Lane | None = None,
        kind: str | None = None,
        metadata: Mapping[str, str] | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[Job, ...]:
        """Return the newest jobs first.

        Args:
            tenant: Whose.
            lane: Of this queue alone.
            kind: Of this kind alone.
            metadata: With these labels among those their caller gave them.
            after: Id of the job that ended the page before.
            limit: Most jobs to return.

        Raises:
            InvalidRequest: No job is called `after`.
        """
        query = select(*_SEEN).where(jobs.c.tenant == tenant)
        if lane is not None:
            query = query.where(jobs.c.lane == lane)
        if kind is not None:
            query = query.where(jobs.c.kind == kind)
        for key, value in (metadata or {}).items():
            query = query.where(jobs.c.args[("metadata", key)].as_string() == value)
        place = tuple_(jobs.c.sequence, jobs.c.job_id)
        with self._database.connect() as connection:
            if after is not None:
                last = connection.execute(
                    select(jobs.c.sequence, jobs.c.job_id).where(
                        jobs.c.job_id == after, jobs.c.tenant == tenant
                    )
                ).one_or_none()
                if last is None:
                    raise InvalidRequest(f"There is no job {after!r}.", param="after")
                query = query.where(place < tuple_(*last))
            query = query.order_by(jobs.c.sequence.desc(), jobs.c.job_id.desc()).limit(limit)
            return tuple(_job(row) for row in connection.execute(query))

    def list_keys(self, prefix: str, *, tenant: str) -> tuple[Job, ...]:
        """Return the jobs whose idempotency keys are `prefix:00000` and on, in that order."""
        first, last = f"{tenant}:{prefix}:00000", f"{tenant}:{prefix}:99999"
        query = select(*_SEEN).where(jobs.c.idempotency_key.between(first, last))
        with self._database.connect() as connection:
            found = connection.execute(query.order_by(jobs.c.idempotency_key))
            return tuple(_job(row) for row in found)

    def payload(self, job_id: str) -> bytes:
        """Return the bytes that came with the job; empty once it has ended."""
        query = select(jobs.c.payload).where(jobs.c.job_id == job_id)
        with self._database.connect() as connection:
            return connection.execute(query).scalar_one() or b""

    def claim(self, lane: Lane, worker: str) -> Job | None:
        """Take the oldest job of `lane` that waits or whose worker has died, else None."""
        free = or_(
            jobs.c.status == Status.QUEUED,
            and_(jobs.c.status == Status.RUNNING, jobs.c.lease_until < time.time()),
        )
        waiting = select(jobs.c.job_id, jobs.c.attempts, jobs.c.cancel_asked).where(
            jobs.c.lane == lane, free, ~_has_to_wait()
        )
        with self._database.connect() as connection:  # most polls end here, without a write lock
            if connection.execute(waiting.limit(1)).first() is None:
                return None
        with self._write.begin() as connection:
            oldest = waiting.order_by(jobs.c.sequence).limit(1).with_for_update(skip_locked=True)
            found = connection.execute(oldest).first()
            if found is None:
                return None
            if found.cancel_asked or found.attempts >= self._max_attempts:
                self._give_up(connection, found)
                return None
            now = time.time()  # the lock may have been waited for
            taken = (
                update(jobs)
                .where(jobs.c.job_id == found.job_id)
                .values(
                    status=Status.RUNNING,
                    worker=worker,
                    attempts=jobs.c.attempts + 1,
                    lease_until=now + self._lease_s,
                    updated_at=now,
                )
                .returning(*_SEEN)
            )
            return _job(connection.execute(taken).one())

    def renew(self, job: Job, worker: str, progress: Mapping[str, Any] | None = None) -> bool:
        """Extend the lease; return False where the job was cancelled or taken by another."""
        with self._write.begin() as connection:
            now = time.time()  # the lock may have been waited for
            values: dict[str, Any] = {"lease_until": now + self._lease_s, "updated_at": now}
            if progress is not None:
                values["progress"] = dict(progress)
            kept = connection.execute(
                update(jobs).where(_held(job, worker)).values(values).returning(jobs.c.cancel_asked)
            ).scalar_one_or_none()
        return kept == 0

    def succeed(self, job: Job, worker: str, result: Mapping[str, Any]) -> None:
        """Record the result of a job this worker still holds."""
        self._end(job, worker, status=Status.SUCCEEDED, result=dict(result))

    def fail(self, job: Job, worker: str, error: Mapping[str, Any]) -> None:
        """Record why a job this worker still holds has failed for good."""
        self._end(job, worker, status=Status.FAILED, error=dict(error))

    def mark_cancelled(self, job: Job, worker: str) -> None:
        """Record that a job this worker still holds was stopped on request, or paused."""
        self._end(job, worker, status=_AS_ASKED)

    def requeue(self, job: Job, worker: str) -> None:
        """Let another worker begin the job anew at once; this attempt does not count."""
        with self._write.begin() as connection:
            connection.execute(
                update(jobs)
                .where(_held(job, worker))
                .values(
                    status=Status.QUEUED,
                    worker=None,
                    lease_until=None,
                    attempts=jobs.c.attempts - 1,
                    updated_at=time.time(),
                )
            )

    def cancel(self, job_id: str, *, tenant: str) -> Job:
        """Ask for the end of a job: at once while it waits, soon while it runs."""
        self.get(job_id, tenant=tenant)
        self._ask(job_id, CANCEL, of=(Status.QUEUED, Status.PAUSED), payload=None)
        return self.get(job_id, tenant=tenant)

    def pause(self, job_id: str, *, tenant: str) -> Job:
        """Ask a job to stop for now, at once while it waits, soon while it runs.

        A job that came with a payload loses it once it has run: only work that keeps its own
        state can be paused.

        Raises:
            WrongJobStatus: It has ended, or is asked to.
        """
        job = self.get(job_id, tenant=tenant)
        if job.has_ended or job.cancel_asked == CANCEL:
            state = job.status if job.has_ended else "being cancelled"
            raise WrongJobStatus(f"Job {job_id} is {state}: there is nothing to pause.", param="id")
        self._ask(job_id, PAUSE, of=(Status.QUEUED,))
        return self.get(job_id, tenant=tenant)

    def resume(self, job_id: str, *, tenant: str) -> Job:
        """Queue a job again that is paused, was cancelled or has failed; its attempts start anew.

        Raises:
            WrongJobStatus: It runs, or has succeeded.
        """
        stopped = and_(jobs.c.job_id == job_id, jobs.c.tenant == tenant)
        anew = {"status": Status.QUEUED, "cancel_asked": GO_ON, "attempts": 0, "error": None}
        with self._write.begin() as connection:
            connection.execute(
                update(jobs)
                .where(stopped, jobs.c.status.in_(STOPPED))
                .values(worker=None, lease_until=None, updated_at=time.time(), **anew)
            )
        job = self.get(job_id, tenant=tenant)
        if job.status is not Status.QUEUED:
            state = "still stopping" if job.cancel_asked and not job.has_ended else job.status
            raise WrongJobStatus(f"Job {job_id} is {state}: nothing to resume.", param="id")
        return job

    def _ask(self, job_id: str, wish: int, *, of: Iterable[Status], **values: Any) -> None:
        """Keep what a job is asked for; one whose status is among `of` has it at once."""
        with self._write.begin() as connection:
            connection.execute(
                update(jobs).where(jobs.c.job_id == job_id).values(cancel_asked=wish)
            )
            connection.execute(
                update(jobs)
                .where(jobs.c.job_id == job_id, jobs.c.status.in_(of))
                .values(status=_AS_ASKED, updated_at=time.time(), **values)
            )

    def _same_key(self, key: str, kind: str, args: Mapping[str, Any]) -> Job:
        query = select(*_SEEN).where(jobs.c.idempotency_key == key)
        with self._database.connect() as connection:
            job = _job(connection.execute(query).one())
        if (job.kind, job.args) != (kind, dict(args)):
            raise InvalidRequest(
                f"Idempotency-Key was already used for another {job.kind} job; choose a new key.",
                param="idempotency-key",
            )
        return job

    def _give_up(self, connection: Connection, found: Any) -> None:
        asked = bool(found.cancel_asked)
        message = f"Its worker died {found.attempts} times; see the worker's log."
        connection.execute(
            update(jobs)
            .where(jobs.c.job_id == found.job_id)
            .values(
                status=_AS_ASKED if asked else Status.FAILED,
                error=None if asked else {"code": "worker_died", "message": message},
                payload=None,
                updated_at=time.time(),
            )
        )

    def _end(self, job: Job, worker: str, **values: Any) -> None:
        with self._write.begin() as connection:
            connection.execute(
                update(jobs)
                .where(_held(job, worker))
                .values(payload=None, lease_until=None, updated_at=time.time(), **values)
            )


def _has_to_wait() -> Any:
    """Return whether an earlier job of the same subject has not ended."""
    earlier = jobs.alias("earlier")
    return exists().where(
        earlier.c.subject == jobs.c.subject,
        earlier.c.status.in_((Status.QUEUED, Status.RUNNING)),
        earlier.c.sequence < jobs.c.sequence,
    )


def _held(job: Job, worker: str) -> Any:
    return and_(
        jobs.c.job_id == job.job_id,
        jobs.c.worker == worker,
        jobs.c.status == Status.RUNNING,
        jobs.c.attempts == job.attempts,
    )


def _job(row: Any) -> Job:
    values = dict(row._mapping)
    values["lane"] = Lane(values["lane"])
    values["status"] = Status(values["status"])
    return Job(**values)

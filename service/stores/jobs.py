"""Jobs: long work as rows, enqueued, listed, cancelled, paused and resumed by the gateway.

It knows a job's row and its status; it does not know what a job does, nor how a worker claims it
(`leases.py`).
"""

import time
import uuid
from collections.abc import Collection, Iterable, Mapping
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
    Select,
    String,
    Table,
    and_,
    case,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from service.errors import InvalidRequest, JobNotFound, WrongJobStatus
from service.limits.settings import LimitSettings
from service.repeat_errors import IdempotencyKeyReused, LimitReached
from service.stores.database import Database
from service.stores.job_kinds import A, JobKind, Lane
from service.stores.json_value import JsonObject
from service.stores.requests.request_names import request_name
from service.stores.tables import metadata


class Status(StrEnum):
    """The status of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED})
STOPPED = frozenset({Status.PAUSED, Status.FAILED, Status.CANCELLED})

# What was requested of a running job, in the column `cancel_asked`.
CONTINUE, CANCEL, PAUSE = 0, 1, 2

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
    Column("key_id", String(64), nullable=True),
    Index("jobs_by_lane", "lane", "status", "sequence"),
    Index("jobs_by_subject", "subject", "status"),
)

AS_REQUESTED = case((jobs.c.cancel_asked == PAUSE, Status.PAUSED), else_=Status.CANCELLED)
JOB_COLUMNS = [c for c in jobs.c if c.name not in ("payload", "sequence", "subject")]
NEWEST = (jobs.c.sequence.desc(), jobs.c.job_id.desc())


@dataclass(frozen=True, slots=True)
class Job:
    """One job; its arguments and result are read by the classes of its `JobKind`."""

    job_id: str
    tenant: str
    lane: Lane
    kind: str
    status: Status
    args: JsonObject
    progress: JsonObject
    result: JsonObject | None
    error: JsonObject | None
    attempts: int
    worker: str | None
    lease_until: float | None
    cancel_asked: int
    idempotency_key: str | None
    created_at: float
    updated_at: float
    key_id: str | None = None  # the API key that it was requested with

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it, unless it is resumed."""
        return self.status in ENDED

    @property
    def is_pausing(self) -> bool:
        """Whether it still runs, but is to be paused."""
        return self.status is Status.RUNNING and self.cancel_asked == PAUSE


class Jobs:
    """The jobs of one database."""

    def __init__(self, database: Database, limits: LimitSettings | None = None) -> None:
        self._database = database
        self._most_queued = tuple((limits or LimitSettings()).of("queued_jobs"))
        self._write = database.execution_options(write=True)

    def enqueue(
        self,
        kind: JobKind[A, Any],
        args: A,
        *,
        tenant: str,
        payload: bytes | None = None,
        subject: str | None = None,
        idempotency_key: str | None = None,
        batch_place: str | None = None,
        key_id: str | None = None,
    ) -> Job:
        """Store a new job and return it.

        A job that this API key requested under the same idempotency key is returned instead of a
        second one; so is the job at this place of a batch.

        Args:
            kind: What to do.
            args: Its arguments, stored as JSON.
            tenant: Whose job it is.
            payload: Bytes that it needs, stored until it has ended.
            subject: What it changes: it starts once every earlier job of the subject has ended.
            idempotency_key: The caller's own name for this request, of any length.
            batch_place: `BATCH_ID:00000`, by which `list_batch` finds it; in place of the above.
            key_id: The API key of the request.

        Raises:
            IdempotencyKeyReused: The key was used for another request.
            LimitReached: As many jobs are queued as the API key or the tenant may have; retry.
        """
        now = time.time()
        name = batch_place or (idempotency_key and request_name(key_id, idempotency_key))
        key = f"{tenant}:{name}" if name else None
        job_id = f"job_{uuid.uuid4().hex}"
        row = {
            "job_id": job_id,
            "tenant": tenant,
            "lane": kind.lane,
            "kind": kind.name,
            "status": Status.QUEUED,
            "sequence": now,
            "subject": f"{tenant}:{subject}" if subject is not None else None,
            "args": args.to_json(),
            "payload": payload,
            "progress": {},
            "attempts": 0,
            "cancel_asked": 0,
            "idempotency_key": key,
            "created_at": now,
            "updated_at": now,
            "key_id": key_id,
        }
        try:
            with self._write.begin() as connection:
                self._require_room(connection, tenant, key_id, key)
                connection.execute(jobs.insert().values(row))
        except IntegrityError:
            if key is None:
                raise
            return self._get_by_key(key, kind, args)
        return self.get(job_id, tenant=tenant)

    def get(self, job_id: str, *, tenant: str) -> Job:
        """Return the job.

        Raises:
            JobNotFound: No job has this id.
        """
        query = select(*JOB_COLUMNS).where(jobs.c.job_id == job_id, jobs.c.tenant == tenant)
        with self._database.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise JobNotFound(f"There is no job {job_id!r}.", param="id")
        return read_job(row)

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
            lane: Only jobs of this lane.
            kind: Only jobs of this kind.
            metadata: Only jobs whose labels include these.
            after: Id of the last job of the previous page.
            limit: Most jobs to return.

        Raises:
            InvalidRequest: No job is called `after`.
        """
        query = select(*JOB_COLUMNS).where(jobs.c.tenant == tenant)
        if lane is not None:
            query = query.where(jobs.c.lane == lane)
        if kind is not None:
            query = query.where(jobs.c.kind == kind)
        for key, value in (metadata or {}).items():
            query = query.where(jobs.c.args[("metadata", key)].as_string() == value)
        position = tuple_(jobs.c.sequence, jobs.c.job_id)
        with self._database.connect() as connection:
            if after is not None:
                last = connection.execute(
                    select(jobs.c.sequence, jobs.c.job_id).where(
                        jobs.c.job_id == after, jobs.c.tenant == tenant
                    )
                ).one_or_none()
                if last is None:
                    raise InvalidRequest(f"There is no job {after!r}.", param="after")
                query = query.where(position < tuple_(*last))
            query = query.order_by(*NEWEST).limit(limit)
            return tuple(read_job(row) for row in connection.execute(query))

    def tenants_of(self, job_ids: Collection[str]) -> dict[str, str]:
        """Return the tenant of each of these jobs that there is, for whoever tells them apart."""
        query = select(jobs.c.job_id, jobs.c.tenant).where(jobs.c.job_id.in_(job_ids))
        with self._database.connect() as connection:
            return {row.job_id: row.tenant for row in connection.execute(query)}

    def list_batch(self, batch_id: str, *, tenant: str) -> tuple[Job, ...]:
        """Return the jobs of a batch, whose places are `BATCH_ID:00000` and on, in that order."""
        first, last = f"{tenant}:{batch_id}:00000", f"{tenant}:{batch_id}:99999"
        of_it = jobs.c.tenant == tenant, jobs.c.idempotency_key.between(first, last)
        return self._read(select(*JOB_COLUMNS).where(*of_it).order_by(jobs.c.idempotency_key))

    def list_by_subject(self, subject: str, *, tenant: str, limit: int) -> tuple[Job, ...]:
        """Return the newest jobs that change `subject`, the newest first."""
        of_it = jobs.c.tenant == tenant, jobs.c.subject == f"{tenant}:{subject}"
        return self._read(select(*JOB_COLUMNS).where(*of_it).order_by(*NEWEST).limit(limit))

    def list_unsuccessful(self, lane: Lane, folder: str, *, tenant: str) -> tuple[Job, ...]:
        """Return the jobs without success whose subject begins with `folder/`, the newest first."""
        query = select(*JOB_COLUMNS).where(
            jobs.c.tenant == tenant,
            jobs.c.lane == lane,
            jobs.c.status.in_([status for status in Status if status is not Status.SUCCEEDED]),
            jobs.c.subject.startswith(f"{tenant}:{folder}/", autoescape=True),
        )
        return self._read(query.order_by(*NEWEST))

    def list_unfinished(self, kind: str, *, tenant: str) -> tuple[Job, ...]:
        """Return the jobs of a kind that wait, run or are paused, the newest first."""
        query = select(*JOB_COLUMNS).where(
            jobs.c.tenant == tenant,
            jobs.c.kind == kind,
            jobs.c.status.in_((Status.QUEUED, Status.RUNNING, Status.PAUSED)),
        )
        return self._read(query.order_by(jobs.c.sequence.desc()))

    def _read(self, query: Select[Any]) -> tuple[Job, ...]:
        with self._database.connect() as connection:
            return tuple(read_job(row) for row in connection.execute(query))

    def payload(self, job_id: str, *, tenant: str) -> bytes:
        """Return the bytes that the job was enqueued with; empty once it has ended.

        Raises:
            JobNotFound: No job has this id.
        """
        self.get(job_id, tenant=tenant)
        query = select(jobs.c.payload).where(jobs.c.job_id == job_id)
        with self._database.connect() as connection:
            return connection.execute(query).scalar_one() or b""

    def cancel(self, job_id: str, *, tenant: str) -> Job:
        """Cancel a job: at once while it waits, soon while it runs."""
        self.get(job_id, tenant=tenant)
        self._request(job_id, CANCEL, at_once=(Status.QUEUED, Status.PAUSED), payload=None)
        return self.get(job_id, tenant=tenant)

    def pause(self, job_id: str, *, tenant: str) -> Job:
        """Pause a job: at once while it waits, soon while it runs.

        The payload of a job is deleted once it has run: only work that stores its own state can
        be paused.

        Raises:
            WrongJobStatus: It has ended, or is being cancelled.
        """
        job = self.get(job_id, tenant=tenant)
        if job.has_ended or job.cancel_asked == CANCEL:
            state = job.status if job.has_ended else "being cancelled"
            raise WrongJobStatus(f"Job {job_id} is {state} and cannot be paused.", param="id")
        self._request(job_id, PAUSE, at_once=(Status.QUEUED,))
        return self.get(job_id, tenant=tenant)

    def resume(self, job_id: str, *, tenant: str) -> Job:
        """Queue a paused, cancelled or failed job again; its attempts are counted anew.

        Raises:
            WrongJobStatus: It runs, or has succeeded.
        """
        is_job = and_(jobs.c.job_id == job_id, jobs.c.tenant == tenant)
        reset = {"status": Status.QUEUED, "cancel_asked": CONTINUE, "attempts": 0, "error": None}
        with self._write.begin() as connection:
            connection.execute(
                update(jobs)
                .where(is_job, jobs.c.status.in_(STOPPED))
                .values(worker=None, lease_until=None, updated_at=time.time(), **reset)
            )
        job = self.get(job_id, tenant=tenant)
        if job.status is not Status.QUEUED:
            state = "still stopping" if job.cancel_asked and not job.has_ended else job.status
            raise WrongJobStatus(f"Job {job_id} is {state} and cannot be resumed.", param="id")
        return job

    def _request(
        self, job_id: str, request: int, *, at_once: Iterable[Status], **values: Any
    ) -> None:
        """Record a request; it takes effect at once in the statuses of `at_once`."""
        with self._write.begin() as connection:
            connection.execute(
                update(jobs).where(jobs.c.job_id == job_id).values(cancel_asked=request)
            )
            connection.execute(
                update(jobs)
                .where(jobs.c.job_id == job_id, jobs.c.status.in_(at_once))
                .values(status=AS_REQUESTED, updated_at=time.time(), **values)
            )

    def _require_room(
        self, connection: Connection, tenant: str, key_id: str | None, key: str | None
    ) -> None:
        """Refuse another job where the limit is reached; one that is repeated is there already."""
        if not self._most_queued:
            return
        repeated = select(jobs.c.job_id).where(jobs.c.idempotency_key == key)
        if key is not None and connection.execute(repeated).first() is not None:
            return
        for whose, most in self._most_queued:
            waiting = select(func.count()).where(
                jobs.c.tenant == tenant, jobs.c.status == Status.QUEUED
            )
            if whose == "key":
                waiting = waiting.where(jobs.c.key_id.is_not_distinct_from(key_id))
            if connection.execute(waiting).scalar_one() >= most:
                raise LimitReached(
                    f"{most} jobs of this {whose} are queued already, the most that may be; "
                    "retry when one has started.",
                    limit=f"{whose}.queued_jobs",
                )

    def _get_by_key(self, key: str, kind: JobKind[A, Any], args: A) -> Job:
        query = select(*JOB_COLUMNS).where(jobs.c.idempotency_key == key)
        with self._database.connect() as connection:
            job = read_job(connection.execute(query).one())
        if (job.kind, job.args) != (kind.name, args.to_json()):
            raise IdempotencyKeyReused(
                f"Idempotency-Key was already used for another {job.kind} job; choose a new key.",
                param="idempotency-key",
            )
        return job


def read_job(row: Any) -> Job:
    """Return the job of a row of `JOB_COLUMNS`."""
    values = dict(row._mapping)
    values["lane"] = Lane(values["lane"])
    values["status"] = Status(values["status"])
    return Job(**values)

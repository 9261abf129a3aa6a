"""Leases: jobs claimed by workers, renewed while they run, and ended.

It knows lanes, attempts and the order of jobs; it does not know what a job does. A worker that dies
stops renewing its lease, and the job is claimed again; after `max_attempts` it fails. Jobs of the
same subject (say, one document) are done in the order they were enqueued, whatever happens to their
workers. A worker serves all tenants: a claimed job carries its own.
"""

import time
from typing import Any

from sqlalchemy import Connection, and_, exists, or_, select, update

from service.stores.database import Database
from service.stores.job_kinds import JobResult, Lane
from service.stores.jobs import AS_REQUESTED, CONTINUE, JOB_COLUMNS, Job, Status, jobs, read_job
from service.stores.json_value import JsonMapping, JsonObject


class Leases:
    """The leases of the jobs of one database."""

    def __init__(self, database: Database, *, lease_s: float, max_attempts: int) -> None:
        self.lease_s = lease_s
        self._database = database
        self._write = database.execution_options(write=True)
        self._max_attempts = max_attempts
        self._clock_offset: float | None = None  # of the wall clock from one that never jumps

    def claim(self, lane: Lane, worker: str) -> Job | None:
        """Lease the oldest job of `lane` that waits or whose lease has expired, if any."""
        self._allow_for_jumps()
        is_free = or_(
            jobs.c.status == Status.QUEUED,
            and_(jobs.c.status == Status.RUNNING, jobs.c.lease_until < time.time()),
        )
        waiting = select(jobs.c.job_id, jobs.c.attempts, jobs.c.cancel_asked).where(
            jobs.c.lane == lane, is_free, ~_is_blocked()
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
            now = time.time()  # read here: the lock may have taken a while
            lease = (
                update(jobs)
                .where(jobs.c.job_id == found.job_id)
                .values(
                    status=Status.RUNNING,
                    worker=worker,
                    attempts=jobs.c.attempts + 1,
                    lease_until=now + self.lease_s,
                    updated_at=now,
                )
                .returning(*JOB_COLUMNS)
            )
            return read_job(connection.execute(lease).one())

    def renew(self, job: Job, worker: str, progress: JsonMapping | None = None) -> bool:
        """Extend the lease; return False if the job was stopped or is leased to another worker."""
        with self._write.begin() as connection:
            now = time.time()  # read here: the lock may have taken a while
            values: JsonObject = {"lease_until": now + self.lease_s, "updated_at": now}
            if progress is not None:
                values["progress"] = dict(progress)
            request = connection.execute(
                update(jobs)
                .where(_is_leased(job, worker))
                .values(values)
                .returning(jobs.c.cancel_asked)
            ).scalar_one_or_none()
        return request == CONTINUE

    def succeed(self, job: Job, worker: str, result: JobResult) -> None:
        """Record the result of a job, if it is still leased to `worker`."""
        self._end(job, worker, status=Status.SUCCEEDED, result=result.to_json())

    def fail(self, job: Job, worker: str, error: JsonMapping) -> None:
        """Record why a job has failed for good, if it is still leased to `worker`."""
        self._end(job, worker, status=Status.FAILED, error=dict(error))

    def mark_cancelled(self, job: Job, worker: str) -> None:
        """Record that a job was cancelled or paused, if it is still leased to `worker`."""
        self._end(job, worker, status=AS_REQUESTED)

    def requeue(self, job: Job, worker: str) -> None:
        """Queue the job again, for any worker; this attempt does not count."""
        with self._write.begin() as connection:
            connection.execute(
                update(jobs)
                .where(_is_leased(job, worker))
                .values(
                    status=Status.QUEUED,
                    worker=None,
                    lease_until=None,
                    attempts=jobs.c.attempts - 1,
                    updated_at=time.time(),
                )
            )

    def _allow_for_jumps(self) -> None:
        """After the wall clock was set, let every lease run as long as a new one from now.

        Leases are compared across machines, so they are times of the wall clock. Set forward, it
        would take jobs from workers that are alive; set back, keep those of dead workers for as
        long. A living worker renews its lease in time, whatever the clock.
        """
        now = time.time()
        offset, known = now - time.monotonic(), self._clock_offset
        self._clock_offset = offset
        if known is not None and abs(offset - known) < self.lease_s / 3:
            return  # slow corrections, too: a lease is renewed three times while it lasts
        is_beyond = jobs.c.lease_until > now + self.lease_s
        if known is not None and offset > known:
            is_beyond = or_(is_beyond, jobs.c.lease_until < now)
        beyond = and_(jobs.c.status == Status.RUNNING, is_beyond)
        with self._database.connect() as connection:
            if connection.execute(select(jobs.c.job_id).where(beyond).limit(1)).first() is None:
                return
        with self._write.begin() as connection:
            until = time.time() + self.lease_s
            connection.execute(update(jobs).where(beyond).values(lease_until=until))

    def _give_up(self, connection: Connection, found: Any) -> None:
        is_requested = bool(found.cancel_asked)
        message = f"Its worker died {found.attempts} times; see the worker's log."
        connection.execute(
            update(jobs)
            .where(jobs.c.job_id == found.job_id)
            .values(
                status=AS_REQUESTED if is_requested else Status.FAILED,
                error=None if is_requested else {"code": "worker_died", "message": message},
                payload=None,
                updated_at=time.time(),
            )
        )

    def _end(self, job: Job, worker: str, **values: Any) -> None:
        with self._write.begin() as connection:
            connection.execute(
                update(jobs)
                .where(_is_leased(job, worker))
                .values(payload=None, lease_until=None, updated_at=time.time(), **values)
            )


def _is_blocked() -> Any:
    """Return whether an earlier job of the same subject has not ended."""
    earlier = jobs.alias("earlier")
    return exists().where(
        earlier.c.subject == jobs.c.subject,
        earlier.c.status.in_((Status.QUEUED, Status.RUNNING)),
        earlier.c.sequence < jobs.c.sequence,
    )


def _is_leased(job: Job, worker: str) -> Any:
    return and_(
        jobs.c.job_id == job.job_id,
        jobs.c.worker == worker,
        jobs.c.status == Status.RUNNING,
        jobs.c.attempts == job.attempts,
    )

"""The worker: one thread for each lane of jobs.

It knows how a job is leased, renewed and ended; it does not know what a job does. The leases of a
killed worker expire, and another worker claims its jobs.
"""

import logging
import os
import socket
import threading
from collections.abc import Mapping

from sqlalchemy.exc import SQLAlchemyError

from service.context import AppContext
from service.errors import error_fields, status_of
from service.stores.job_kinds import Lane
from service.stores.jobs import Job
from service.stores.json_value import JsonMapping
from service.stores.leases import Leases
from service.worker.handlers import Cancelled, Work, handlers

log = logging.getLogger(__name__)


class Worker:
    """Claims jobs and runs their handlers until it is stopped."""

    def __init__(self, leases: Leases, work: Mapping[str, Work], *, poll_s: float) -> None:
        self._leases = leases
        self._work = work
        self._poll_s = poll_s
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._stop = threading.Event()

    def run(self) -> None:
        """Work in every lane; returns after `stop`, once no job runs."""
        lanes = [threading.Thread(target=self._run_lane, args=(lane,), name=lane) for lane in Lane]
        for thread in lanes:
            thread.start()
        for thread in lanes:
            thread.join()

    def stop(self) -> None:
        """Claim no more jobs, and requeue those that can be stopped."""
        self._stop.set()

    def _run_lane(self, lane: Lane) -> None:
        while not self._stop.is_set():
            try:
                job = self._leases.claim(lane, self._name)
                if job is not None:
                    self._run_job(job)
                    continue
            except Exception:  # the jobs of a lane without its thread would wait forever
                log.exception("lane %s failed; retrying", lane)
                self._stop.wait(1.0)
            self._stop.wait(self._poll_s)

    def _run_job(self, job: Job) -> None:
        log.info("job %s (%s) starts, attempt %d", job.job_id, job.kind, job.attempts)
        with _Lease(self._leases, job, self._name, stop=self._stop) as lease:
            try:
                result = self._work[job.kind](job, lease.report)
            except Cancelled:
                leases = self._leases
                end = leases.requeue if self._stop.is_set() else leases.mark_cancelled
                end(job, self._name)
                return
            except Exception as exc:
                log.exception("job %s (%s) failed", job.job_id, job.kind)
                error = {**error_fields(exc), "status": status_of(exc)}
                self._leases.fail(job, self._name, error)
                return
        self._leases.succeed(job, self._name, result)
        log.info("job %s (%s) succeeded", job.job_id, job.kind)


class _Lease:
    """Renews a job's lease in the background and stores its progress."""

    def __init__(self, leases: Leases, job: Job, worker: str, *, stop: threading.Event) -> None:
        self._leases = leases
        self._job = job
        self._worker = worker
        self._every_s = leases.lease_s / 3
        self._stop = stop
        self._ended = threading.Event()
        self._is_ours = True
        self._thread = threading.Thread(target=self._renew_until_ended, name=f"lease-{job.job_id}")

    def __enter__(self) -> "_Lease":
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def report(self, progress: JsonMapping | None = None) -> bool:
        """Store the progress; return whether the work should go on."""
        if progress is not None:
            self._renew(progress)
        return self._is_ours and not self._stop.is_set()

    def _renew_until_ended(self) -> None:
        while not self._ended.wait(self._every_s):
            self._renew(None)

    def _renew(self, progress: JsonMapping | None) -> None:
        try:
            self._is_ours = self._leases.renew(self._job, self._worker, progress)
        except SQLAlchemyError:
            log.exception("lease of %s not renewed; retrying", self._job.job_id)


def build_worker(context: AppContext) -> Worker:
    """Return a worker for every lane of one home."""
    config = context.settings.jobs
    leases = Leases(context.database, lease_s=config.lease_s, max_attempts=config.max_attempts)
    return Worker(leases, handlers(context), poll_s=config.poll_s)

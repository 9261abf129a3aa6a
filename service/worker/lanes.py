"""Does the long work, one thread for each lane.

It knows how a job is held and ended, and which room does it. A worker that is killed loses its
leases, and another takes the jobs up.
"""

import logging
import os
import socket
import threading
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from knowledge import ReconcileReport
from service.context import AppContext
from service.errors import error_fields, status_of
from service.stores.jobs import Job, Jobs, Lane
from service.worker.handlers import Cancelled, Work, handlers

log = logging.getLogger(__name__)

NOTHING_TO_DO = ReconcileReport()
RECONCILE_S = 5.0  # an index that was away is whole again about this long after it is back


class Worker:
    """Claims jobs and has them done until it is told to stop."""

    def __init__(self, jobs: Jobs, work: Mapping[str, Work], *, poll_s: float, lease_s: float):
        self._jobs = jobs
        self._work = work
        self._poll_s = poll_s
        self._lease_s = lease_s
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._stop = threading.Event()

    def run(self) -> None:
        """Work in every lane; returns after `stop`, once no job is held."""
        lanes = [threading.Thread(target=self._run_lane, args=(lane,), name=lane) for lane in Lane]
        for thread in lanes:
            thread.start()
        for thread in lanes:
            thread.join()

    def stop(self) -> None:
        """Take no more jobs, and hand back those that can be stopped."""
        self._stop.set()

    def _run_lane(self, lane: Lane) -> None:
        while not self._stop.is_set():
            try:
                job = self._jobs.claim(lane, self._name)
                if job is not None:
                    self._do(job)
                    continue
            except Exception:  # a lane that ends would leave its jobs waiting forever
                log.exception("lane %s failed; tried again", lane)
                self._stop.wait(1.0)
            self._stop.wait(self._poll_s)

    def _do(self, job: Job) -> None:
        log.info("job %s (%s) begins, attempt %d", job.job_id, job.kind, job.attempts)
        with _Lease(self._jobs, job, self._name, self._lease_s, self._stop) as lease:
            try:
                result = self._work[job.kind](job, lease.report)
            except Cancelled:
                end = self._jobs.hand_back if self._stop.is_set() else self._jobs.mark_cancelled
                end(job, self._name)
                return
            except Exception as exc:
                log.exception("job %s (%s) failed", job.job_id, job.kind)
                fault = {**error_fields(exc), "status": status_of(exc)}
                self._jobs.fail(job, self._name, fault)
                return
        self._jobs.succeed(job, self._name, result)
        log.info("job %s (%s) is done", job.job_id, job.kind)


class _Lease:
    """Renews a job's lease in the background and passes its progress on."""

    def __init__(
        self, jobs: Jobs, job: Job, worker: str, lease_s: float, stop: threading.Event
    ) -> None:
        self._jobs = jobs
        self._job = job
        self._worker = worker
        self._every_s = lease_s / 3
        self._stop = stop
        self._ended = threading.Event()
        self._held = True
        self._thread = threading.Thread(target=self._keep, name=f"lease-{job.job_id}")

    def __enter__(self) -> "_Lease":
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._ended.set()
        self._thread.join()

    def report(self, progress: Mapping[str, Any] | None = None) -> bool:
        """Tell how far the work is; returns whether it should go on."""
        if progress is not None:
            self._renew(progress)
        return self._held and not self._stop.is_set()

    def _keep(self) -> None:
        while not self._ended.wait(self._every_s):
            self._renew(None)

    def _renew(self, progress: Mapping[str, Any] | None) -> None:
        try:
            self._held = self._jobs.renew(self._job, self._worker, progress)
        except SQLAlchemyError:
            log.exception("lease of %s not renewed; tried again", self._job.job_id)


def build_worker(context: AppContext) -> Worker:
    """Return a worker for every lane of one home."""
    jobs = context.settings.jobs
    return Worker(context.jobs, handlers(context), poll_s=jobs.poll_s, lease_s=jobs.lease_s)

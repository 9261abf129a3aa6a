"""A worker does jobs, survives what they throw, and may be killed in the middle of one."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ConfigDict
from sqlalchemy.exc import OperationalError

from knowledge import EmptyDocument
from service.stores.database import Database, create_tables, open_database
from service.stores.job_kinds import JobArgs, JobKind, JobResult, Lane
from service.stores.jobs import Job, Jobs, Status
from service.stores.leases import Leases
from service.stores.tables import metadata
from service.worker.handlers import Cancelled, Report, Work
from service.worker.lanes import Worker
from tests.service.waiting import eventually

TENANT = "default"
LEASE_S = 0.3


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/state.db")
    create_tables(opened, metadata)
    yield opened
    opened.dispose()


@pytest.fixture
def jobs(database: Database) -> Jobs:
    return Jobs(database)


class Args(JobArgs):
    """Any arguments."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Result(JobResult):
    """Any result."""

    model_config = ConfigDict(frozen=True, extra="allow")


Working = Callable[..., AbstractContextManager[Worker]]


@pytest.fixture
def working(database: Database) -> Working:
    """Return what lets a worker run with some kinds of work."""
    leases = Leases(database, lease_s=LEASE_S, max_attempts=3)

    @contextmanager
    def run(**work: Work) -> Iterator[Worker]:
        worker = Worker(leases, work, poll_s=0.01)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            yield worker
        finally:
            worker.stop()
            thread.join(10)
            assert not thread.is_alive()

    return run


def add(jobs: Jobs, kind: str, lane: Lane = Lane.INGEST, **args: object) -> str:
    named = JobKind(kind, lane, Args, Result)
    return jobs.enqueue(named, Args(**args), tenant=TENANT, payload=b"text").job_id


def ended(jobs: Jobs, job_id: str) -> Job:
    eventually(lambda: jobs.get(job_id, tenant=TENANT).has_ended)
    return jobs.get(job_id, tenant=TENANT)


def test_a_worker_does_a_job_and_keeps_its_result(jobs: Jobs, working: Working) -> None:
    def double(job: Job, report: Report) -> JobResult:
        n = job.args["n"]
        assert isinstance(n, int)
        return Result.read({"twice": n * 2})

    with working(double=double):
        done = ended(jobs, add(jobs, "double", n=21))
    assert (done.status, done.result) == (Status.SUCCEEDED, {"twice": 42})


def test_progress_is_seen_while_the_job_runs(jobs: Jobs, working: Working) -> None:
    go_on = threading.Event()

    def slow(job: Job, report: Report) -> JobResult:
        report({"fraction": 0.5})
        go_on.wait(10)
        return JobResult()

    with working(slow=slow):
        job_id = add(jobs, "slow")
        eventually(lambda: jobs.get(job_id, tenant=TENANT).progress == {"fraction": 0.5})
        go_on.set()
        ended(jobs, job_id)


def test_a_long_job_keeps_its_lease(jobs: Jobs, working: Working) -> None:
    go_on = threading.Event()

    def long(job: Job, report: Report) -> JobResult:
        go_on.wait(10)
        return JobResult()

    with working(long=long):
        job_id = add(jobs, "long")
        eventually(lambda: jobs.get(job_id, tenant=TENANT).status is Status.RUNNING)
        until = jobs.get(job_id, tenant=TENANT).lease_until or 0.0
        eventually(lambda: (jobs.get(job_id, tenant=TENANT).lease_until or 0.0) > until + LEASE_S)
        go_on.set()
        assert ended(jobs, job_id).attempts == 1


def test_an_error_of_a_room_is_told_with_its_code_and_status(jobs: Jobs, working: Working) -> None:
    def refuse(job: Job, report: Report) -> JobResult:
        raise EmptyDocument("x.md holds no text")

    with working(refuse=refuse):
        done = ended(jobs, add(jobs, "refuse"))
    assert done.status is Status.FAILED
    assert done.error is not None
    assert (done.error["code"], done.error["status"]) == ("empty_document", 400)
    assert done.error["message"] == "x.md holds no text"


def test_an_unexpected_error_fails_the_job_and_says_nothing_of_its_inside(
    jobs: Jobs, working: Working
) -> None:
    def broken(job: Job, report: Report) -> JobResult:
        raise RuntimeError("INSERT INTO secret_table VALUES ('password')")

    with working(broken=broken):
        done = ended(jobs, add(jobs, "broken"))
        after = ended(jobs, add(jobs, "unknown kind"))
    assert done.status is Status.FAILED
    assert done.error is not None
    assert done.error["code"] == "internal_error"
    for told in ("Traceback", "secret", "test_worker.py", "line "):
        assert told not in str(done)
    assert after.error is not None  # the lane lives on
    assert after.error["code"] == "internal_error"


def test_training_does_not_keep_an_upload_waiting(jobs: Jobs, working: Working) -> None:
    go_on = threading.Event()

    def wait(job: Job, report: Report) -> JobResult:
        go_on.wait(10)
        return JobResult()

    def quick(job: Job, report: Report) -> JobResult:
        return JobResult()

    with working(train=wait, ingest=quick):
        training = add(jobs, "train", Lane.TRAIN)
        assert ended(jobs, add(jobs, "ingest")).status is Status.SUCCEEDED
        assert not jobs.get(training, tenant=TENANT).has_ended
        go_on.set()
        ended(jobs, training)


def until_told(job: Job, report: Report) -> JobResult:
    """Work that looks up whether it should go on."""
    while report(None):
        time.sleep(0.01)
    raise Cancelled


def test_a_running_job_is_cancelled(jobs: Jobs, working: Working) -> None:
    with working(until_told=until_told):
        job_id = add(jobs, "until_told")
        eventually(lambda: jobs.get(job_id, tenant=TENANT).status is Status.RUNNING)
        jobs.cancel(job_id, tenant=TENANT)
        assert ended(jobs, job_id).status is Status.CANCELLED


def test_a_worker_that_is_stopped_hands_its_job_to_the_next(jobs: Jobs, working: Working) -> None:
    with working(until_told=until_told):
        job_id = add(jobs, "until_told")
        eventually(lambda: jobs.get(job_id, tenant=TENANT).status is Status.RUNNING)
    handed_back = jobs.get(job_id, tenant=TENANT)
    assert (handed_back.status, handed_back.attempts) == (Status.QUEUED, 0)
    assert jobs.payload(job_id, tenant=TENANT) == b"text"


def test_a_database_that_fails_for_a_moment_does_not_fail_the_job(
    jobs: Jobs, working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    renew = Leases.renew
    failures = iter([OperationalError("UPDATE", {}, Exception("database is locked"))])

    def flaky(*arguments: Any) -> bool:
        for failure in failures:
            raise failure
        return renew(*arguments)

    def tells(job: Job, report: Report) -> JobResult:
        return Result.read({"goes_on": [report({"n": 1}), report({"n": 2})]})

    monkeypatch.setattr(Leases, "renew", flaky)
    with working(tells=tells):
        done = ended(jobs, add(jobs, "tells"))
    assert done.result == {"goes_on": [True, True]}
    assert done.progress == {"n": 2}


def test_a_lane_outlives_a_database_that_fails(
    jobs: Jobs, working: Working, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = Leases.claim
    failures = iter([OperationalError("SELECT", {}, Exception("disk I/O error"))] * len(Lane))

    def flaky(*arguments: Any) -> Job | None:
        for failure in failures:
            raise failure
        return claim(*arguments)

    monkeypatch.setattr(Leases, "claim", flaky)
    with working(quick=lambda job, report: JobResult()):
        assert ended(jobs, add(jobs, "quick")).status is Status.SUCCEEDED


DYING = """
    import sys, time
    from service.stores.database import open_database
    from service.stores.leases import Leases
    from service.worker.lanes import Worker

    def work(job, report):
        report({"by": "the one that dies"})
        time.sleep(60)

    leases = Leases(open_database(sys.argv[1]), lease_s=0.3, max_attempts=3)
    Worker(leases, {"ingest": work}, poll_s=0.01).run()
"""


@pytest.mark.timeout(60, func_only=True)
def test_the_job_of_a_killed_worker_is_taken_up_and_done_by_another(
    jobs: Jobs, working: Working, tmp_path: Path
) -> None:
    job_id = add(jobs, "ingest", name="returns.md")
    url = f"sqlite:///{tmp_path}/state.db"
    killed = subprocess.Popen([sys.executable, "-c", textwrap.dedent(DYING), url])
    try:
        begun = {"by": "the one that dies"}
        eventually(lambda: jobs.get(job_id, tenant=TENANT).progress == begun, within_s=40)
        held = jobs.get(job_id, tenant=TENANT)
        assert held.worker is not None
        assert held.worker.endswith(f":{killed.pid}")
        killed.send_signal(signal.SIGKILL)
        assert killed.wait(10) == -signal.SIGKILL
    finally:
        killed.kill()
        killed.wait()

    def finish(job: Job, report: Report) -> JobResult:
        payload = jobs.payload(job.job_id, tenant=TENANT)
        return Result.read({"name": job.args["name"], "payload": payload.decode()})

    with working(ingest=finish):
        done = ended(jobs, job_id)
    assert done.status is Status.SUCCEEDED
    assert done.result == {"name": "returns.md", "payload": "text"}
    assert done.attempts == 2
    assert done.worker is not None
    assert done.worker.endswith(f":{os.getpid()}")

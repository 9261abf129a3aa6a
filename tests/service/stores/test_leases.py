"""Leases: who may claim a job, in which order, and who may end it."""

import threading
import time
from collections.abc import Callable

import pytest

from service.errors import JobNotFound, WrongJobStatus
from service.stores.database import Database
from service.stores.job_kinds import JobResult, Lane
from service.stores.jobs import Jobs, Status
from service.stores.leases import Leases
from tests.service.stores.named_jobs import NAMED, TENANT, TRAIN, Named, add, claimed


class Count(JobResult):
    chunks: int


def test_a_lane_is_worked_off_in_the_order_of_arrival(queue: Jobs, leases: Leases) -> None:
    names = [add(queue, name).args["name"] for name in ("a", "b", "c")]
    done = []
    for _ in names:
        job = claimed(leases)
        leases.succeed(job, "w1", JobResult())
        done.append(job.args["name"])
    assert done == names
    assert leases.claim(Lane.INGEST, "w1") is None


def test_lanes_do_not_block_each_other(queue: Jobs, leases: Leases) -> None:
    add(queue, "training", TRAIN)
    held = claimed(leases, lane=Lane.TRAIN)
    add(queue, "upload")
    assert claimed(leases, lane=Lane.INGEST).args["name"] == "upload"
    assert leases.claim(Lane.TRAIN, "w2") is None
    assert held.lane is Lane.TRAIN


def test_two_workers_never_get_the_same_job(queue: Jobs, leases: Leases) -> None:
    add(queue, "a")
    add(queue, "b")
    taken = [claimed(leases, "w1"), claimed(leases, "w2")]
    assert {job.args["name"] for job in taken} == {"a", "b"}
    assert leases.claim(Lane.INGEST, "w3") is None


def test_a_job_whose_lease_ran_out_is_taken_up_by_another_worker(
    queue: Jobs, leases: Leases, leases_run_out: Callable[[], None]
) -> None:
    add(queue)
    first = claimed(leases, "dead")
    leases_run_out()
    second = claimed(leases, "alive")
    assert (second.job_id, second.worker, second.attempts) == (first.job_id, "alive", 2)


def test_a_renewed_lease_is_kept(
    queue: Jobs, leases: Leases, leases_run_out: Callable[[], None]
) -> None:
    add(queue)
    job = claimed(leases)
    leases_run_out()
    assert leases.renew(job, "w1", {"done": 1})
    assert leases.claim(Lane.INGEST, "w2") is None
    assert queue.get(job.job_id, tenant=TENANT).progress == {"done": 1}


def test_a_worker_that_lost_its_job_can_neither_renew_nor_end_it(
    queue: Jobs, leases: Leases, leases_run_out: Callable[[], None]
) -> None:
    add(queue)
    lost = claimed(leases, "slow")
    leases_run_out()
    claimed(leases, "quick")
    assert not leases.renew(lost, "slow", {"done": 99})
    leases.succeed(lost, "slow", Count(chunks=0))
    leases.fail(lost, "slow", {"code": "x"})
    leases.mark_cancelled(lost, "slow")
    leases.requeue(lost, "slow")
    now = queue.get(lost.job_id, tenant=TENANT)
    assert (now.status, now.worker, now.result, now.error) == (
        Status.RUNNING,
        "quick",
        None,
        None,
    )
    assert now.progress == {}


def test_a_worker_of_the_same_name_cannot_end_its_own_earlier_attempt(
    queue: Jobs, leases: Leases, leases_run_out: Callable[[], None]
) -> None:
    add(queue)
    before = claimed(leases, "host:1")
    leases_run_out()
    claimed(leases, "host:1")
    leases.succeed(before, "host:1", JobResult())
    assert queue.get(before.job_id, tenant=TENANT).status is Status.RUNNING


def test_a_job_that_kills_its_workers_is_given_up(
    queue: Jobs, leases: Leases, leases_run_out: Callable[[], None]
) -> None:
    job = add(queue)
    for worker in ("w1", "w2", "w3"):
        claimed(leases, worker)
        leases_run_out()
    assert leases.claim(Lane.INGEST, "w4") is None
    now = queue.get(job.job_id, tenant=TENANT)
    assert now.status is Status.FAILED
    assert now.error is not None
    assert now.error["code"] == "worker_died"
    assert queue.payload(job.job_id, tenant=TENANT) == b""


def test_a_job_handed_back_is_free_at_once_and_has_lost_no_attempt(
    queue: Jobs, leases: Leases
) -> None:
    add(queue)
    leases.requeue(claimed(leases, "leaving"), "leaving")
    again = claimed(leases, "next")
    assert (again.worker, again.attempts) == ("next", 1)
    assert queue.payload(again.job_id, tenant=TENANT) == b"text"


def test_a_waiting_job_is_cancelled_at_once(queue: Jobs, leases: Leases) -> None:
    job = add(queue)
    assert queue.cancel(job.job_id, tenant=TENANT).status is Status.CANCELLED
    assert leases.claim(Lane.INGEST, "w1") is None
    assert queue.payload(job.job_id, tenant=TENANT) == b""


def test_a_running_job_is_told_to_stop_by_its_lease(queue: Jobs, leases: Leases) -> None:
    add(queue)
    job = claimed(leases)
    assert leases.renew(job, "w1")
    assert queue.cancel(job.job_id, tenant=TENANT).status is Status.RUNNING
    assert not leases.renew(job, "w1")
    leases.mark_cancelled(job, "w1")
    assert queue.get(job.job_id, tenant=TENANT).status is Status.CANCELLED


def test_a_cancelled_job_whose_worker_died_is_not_begun_again(
    queue: Jobs, leases: Leases, leases_run_out: Callable[[], None]
) -> None:
    add(queue)
    job = claimed(leases, "dead")
    queue.cancel(job.job_id, tenant=TENANT)
    leases_run_out()
    assert leases.claim(Lane.INGEST, "w2") is None
    now = queue.get(job.job_id, tenant=TENANT)
    assert (now.status, now.error) == (Status.CANCELLED, None)


def test_a_job_that_has_ended_stays_as_it_ended(queue: Jobs, leases: Leases) -> None:
    add(queue)
    job = claimed(leases)
    leases.succeed(job, "w1", Count(chunks=3))
    leases.fail(job, "w1", {"code": "late"})
    now = queue.cancel(job.job_id, tenant=TENANT)
    assert (now.status, now.result, now.error) == (Status.SUCCEEDED, {"chunks": 3}, None)


@pytest.mark.parametrize("end", ["succeed", "fail", "mark_cancelled"])
def test_the_payload_goes_with_the_end_of_the_job(queue: Jobs, leases: Leases, end: str) -> None:
    add(queue)
    job = claimed(leases)
    assert queue.payload(job.job_id, tenant=TENANT) == b"text"
    {
        "succeed": lambda: leases.succeed(job, "w1", JobResult()),
        "fail": lambda: leases.fail(job, "w1", {}),
        "mark_cancelled": lambda: leases.mark_cancelled(job, "w1"),
    }[end]()
    assert queue.payload(job.job_id, tenant=TENANT) == b""


def test_jobs_of_one_subject_keep_their_order_when_a_worker_dies(
    queue: Jobs, leases: Leases, leases_run_out: Callable[[], None]
) -> None:
    add(queue, "old text", subject="handbook/returns.md")
    add(queue, "new text", subject="handbook/returns.md")
    add(queue, "other", subject="handbook/repairs.md")
    claimed(leases, "dead")
    assert claimed(leases, "alive").args["name"] == "other"  # the new text must not overtake
    leases_run_out()
    again = claimed(leases, "alive")
    assert again.args["name"] == "old text"
    leases.succeed(again, "alive", JobResult())
    assert claimed(leases, "alive").args["name"] == "new text"


def test_the_same_subject_of_another_tenant_does_not_wait(queue: Jobs, leases: Leases) -> None:
    for tenant in ("a", "b"):
        queue.enqueue(NAMED, Named(name=tenant), tenant=tenant, subject="x")
    assert [claimed(leases).args["name"], claimed(leases).args["name"]] == ["a", "b"]


def test_a_lease_begins_when_the_row_is_taken_not_when_it_was_asked_for(
    queue: Jobs, leases: Leases, database: Database
) -> None:
    add(queue)
    locked, released = threading.Event(), []

    def hold_the_write_lock() -> None:
        with database.execution_options(write=True).begin():
            locked.set()
            time.sleep(0.3)
            released.append(time.time())

    holder = threading.Thread(target=hold_the_write_lock)
    holder.start()
    locked.wait(5)
    job = claimed(leases)
    holder.join()
    assert job.lease_until is not None
    assert job.lease_until >= released[0] + 15.0


def test_a_waiting_job_is_paused_at_once_and_goes_on_when_resumed(
    queue: Jobs, leases: Leases
) -> None:
    job = add(queue)
    assert queue.pause(job.job_id, tenant=TENANT).status is Status.PAUSED
    assert not queue.get(job.job_id, tenant=TENANT).has_ended
    assert leases.claim(Lane.INGEST, "w1") is None
    assert queue.resume(job.job_id, tenant=TENANT).status is Status.QUEUED
    again = claimed(leases)
    assert (again.job_id, again.attempts) == (job.job_id, 1)
    assert leases.renew(again, "w1")


def test_a_running_job_that_was_asked_to_pause_is_paused_when_it_stops(
    queue: Jobs, leases: Leases
) -> None:
    add(queue)
    job = claimed(leases)
    assert queue.pause(job.job_id, tenant=TENANT).is_pausing
    assert not leases.renew(job, "w1")
    with pytest.raises(WrongJobStatus, match="still stopping"):
        queue.resume(job.job_id, tenant=TENANT)
    leases.mark_cancelled(job, "w1")
    assert queue.get(job.job_id, tenant=TENANT).status is Status.PAUSED


def test_a_pausing_job_whose_worker_died_is_paused(
    queue: Jobs, leases: Leases, leases_run_out: Callable[[], None]
) -> None:
    add(queue)
    job = claimed(leases, "dead")
    queue.pause(job.job_id, tenant=TENANT)
    leases_run_out()
    assert leases.claim(Lane.INGEST, "w2") is None
    assert queue.get(job.job_id, tenant=TENANT).status is Status.PAUSED


def test_a_cancelled_or_failed_job_is_resumed_and_a_done_one_is_not(
    queue: Jobs, leases: Leases
) -> None:
    job = add(queue)
    leases.fail(claimed(leases), "w1", {"code": "x"})
    again = queue.resume(job.job_id, tenant=TENANT)
    assert (again.status, again.error, again.attempts) == (Status.QUEUED, None, 0)
    queue.cancel(job.job_id, tenant=TENANT)
    queue.resume(job.job_id, tenant=TENANT)
    held = claimed(leases)
    assert leases.renew(held, "w1")  # the wish to cancel is over
    leases.succeed(held, "w1", JobResult())
    with pytest.raises(WrongJobStatus, match="succeeded"):
        queue.resume(job.job_id, tenant=TENANT)
    with pytest.raises(JobNotFound):
        queue.resume(job.job_id, tenant="other")


class Clocks:
    """The wall clock and the one that never jumps, as a test sets them."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_000_000.0, 500.0

    def pass_by(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    monkeypatch.setattr("service.stores.leases.time", made)
    return made


HOUR_S = 3600.0


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
def test_a_clock_that_jumps_takes_no_job_from_a_worker_that_is_alive(
    queue: Jobs, leases: Leases, clocks: Clocks, jump_s: float
) -> None:
    add(queue)
    held = claimed(leases, "alive")
    for _ in range(4):
        clocks.wall += jump_s
        assert leases.claim(Lane.INGEST, "other") is None
        for _ in range(6):  # a worker renews its lease three times while it lasts
            clocks.pass_by(leases.lease_s / 3)
            assert leases.renew(held, "alive")
            assert leases.claim(Lane.INGEST, "other") is None
        jump_s = -jump_s
    leases.succeed(held, "alive", Count(chunks=1))
    assert queue.get(held.job_id, tenant=TENANT).status is Status.SUCCEEDED


@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S])
def test_a_dead_workers_job_is_taken_up_in_time_whatever_the_clock(
    queue: Jobs, leases: Leases, clocks: Clocks, jump_s: float
) -> None:
    add(queue)
    first = claimed(leases, "dead")
    clocks.wall += jump_s
    assert leases.claim(Lane.INGEST, "alive") is None
    clocks.pass_by(leases.lease_s + 1)
    second = claimed(leases, "alive")
    assert (second.job_id, second.attempts) == (first.job_id, 2)


def test_a_worker_that_starts_after_the_clock_was_set_back_waits_no_longer_than_a_lease(
    queue: Jobs, leases: Leases, clocks: Clocks, database: Database
) -> None:
    add(queue)
    claimed(leases, "dead")
    clocks.wall -= HOUR_S
    later = Leases(database, lease_s=leases.lease_s, max_attempts=3)
    assert later.claim(Lane.INGEST, "later") is None
    clocks.pass_by(leases.lease_s + 1)
    assert claimed(later, "later").attempts == 2

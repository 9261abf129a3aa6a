"""Rows of long work: who may take them, in which order, and who may end them."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.exc import IntegrityError

from service.errors import InvalidRequest, JobNotFound, WrongJobStatus
from service.stores.database import create_tables, open_database
from service.stores.jobs import Job, Jobs, Lane, Status, jobs
from service.stores.tables import metadata

TENANT = "default"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path}/state.db")
    create_tables(opened, metadata)
    yield opened
    opened.dispose()


@pytest.fixture
def queue(database: Engine) -> Jobs:
    return Jobs(database)


@pytest.fixture
def leases_run_out(database: Engine) -> Callable[[], None]:
    """Return what lets every lease run out, as if no worker had renewed it."""

    def run_out() -> None:
        with database.execution_options(write=True).begin() as connection:
            connection.execute(update(jobs).values(lease_until=1.0))

    return run_out


def add(
    queue: Jobs,
    name: str = "a",
    lane: Lane = Lane.INGEST,
    *,
    subject: str | None = None,
    idempotency_key: str | None = None,
) -> Job:
    return queue.enqueue(
        lane,
        "ingest",
        {"name": name},
        tenant=TENANT,
        payload=b"text",
        subject=subject,
        idempotency_key=idempotency_key,
    )


def claimed(queue: Jobs, worker: str = "w1", lane: Lane = Lane.INGEST) -> Job:
    job = queue.claim(lane, worker)
    assert job is not None
    return job


def test_a_new_job_waits(queue: Jobs) -> None:
    job = add(queue)
    assert (job.status, job.attempts, job.has_ended) == (Status.QUEUED, 0, False)
    assert queue.get(job.job_id, tenant=TENANT) == job


def test_a_job_is_seen_by_its_own_tenant_only(queue: Jobs) -> None:
    job = add(queue)
    with pytest.raises(JobNotFound):
        queue.get(job.job_id, tenant="other")
    assert queue.list(tenant="other") == ()
    with pytest.raises(JobNotFound):
        queue.cancel(job.job_id, tenant="other")


def test_the_same_idempotency_key_is_the_same_job(queue: Jobs) -> None:
    first = add(queue, idempotency_key="k1")
    again = add(queue, idempotency_key="k1")
    other = add(queue, idempotency_key="k2")
    assert again.job_id == first.job_id
    assert other.job_id != first.job_id
    assert len(queue.list(tenant=TENANT)) == 2


def test_an_idempotency_key_belongs_to_one_tenant(queue: Jobs) -> None:
    ours = queue.enqueue(Lane.INGEST, "ingest", {}, tenant="a", idempotency_key="k")
    theirs = queue.enqueue(Lane.INGEST, "ingest", {}, tenant="b", idempotency_key="k")
    assert ours.job_id != theirs.job_id


def test_an_idempotency_key_is_not_taken_for_another_request(queue: Jobs) -> None:
    add(queue, "a", idempotency_key="k1")
    with pytest.raises(InvalidRequest, match="Idempotency-Key"):
        add(queue, "b", idempotency_key="k1")
    with pytest.raises(InvalidRequest, match="Idempotency-Key"):
        queue.enqueue(Lane.TRAIN, "train", {"name": "a"}, tenant=TENANT, idempotency_key="k1")


def test_a_row_that_breaks_another_constraint_is_not_taken_for_a_repetition(
    queue: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = add(queue)
    monkeypatch.setattr("service.stores.jobs.uuid.uuid4", lambda: _Same(first.job_id))
    with pytest.raises(IntegrityError):
        add(queue)


class _Same:
    def __init__(self, job_id: str) -> None:
        self.hex = job_id.removeprefix("job_")


def test_a_lane_is_worked_off_in_the_order_of_arrival(queue: Jobs) -> None:
    names = [add(queue, name).args["name"] for name in ("a", "b", "c")]
    done = []
    for _ in names:
        job = claimed(queue)
        queue.succeed(job, "w1", {})
        done.append(job.args["name"])
    assert done == names
    assert queue.claim(Lane.INGEST, "w1") is None


def test_lanes_do_not_block_each_other(queue: Jobs) -> None:
    add(queue, "training", Lane.TRAIN)
    held = claimed(queue, lane=Lane.TRAIN)
    add(queue, "upload", Lane.INGEST)
    assert claimed(queue, lane=Lane.INGEST).args["name"] == "upload"
    assert queue.claim(Lane.TRAIN, "w2") is None
    assert held.lane is Lane.TRAIN


def test_two_workers_never_get_the_same_job(queue: Jobs) -> None:
    add(queue, "a")
    add(queue, "b")
    taken = [claimed(queue, "w1"), claimed(queue, "w2")]
    assert {job.args["name"] for job in taken} == {"a", "b"}
    assert queue.claim(Lane.INGEST, "w3") is None


def test_a_job_whose_lease_ran_out_is_taken_up_by_another_worker(
    queue: Jobs, leases_run_out: Callable[[], None]
) -> None:
    add(queue)
    first = claimed(queue, "dead")
    leases_run_out()
    second = claimed(queue, "alive")
    assert (second.job_id, second.worker, second.attempts) == (first.job_id, "alive", 2)


def test_a_renewed_lease_is_kept(queue: Jobs, leases_run_out: Callable[[], None]) -> None:
    add(queue)
    job = claimed(queue)
    leases_run_out()
    assert queue.renew(job, "w1", {"done": 1})
    assert queue.claim(Lane.INGEST, "w2") is None
    assert queue.get(job.job_id, tenant=TENANT).progress == {"done": 1}


def test_a_worker_that_lost_its_job_can_neither_renew_nor_end_it(
    queue: Jobs, leases_run_out: Callable[[], None]
) -> None:
    add(queue)
    lost = claimed(queue, "slow")
    leases_run_out()
    claimed(queue, "quick")
    assert not queue.renew(lost, "slow", {"done": 99})
    queue.succeed(lost, "slow", {"from": "slow"})
    queue.fail(lost, "slow", {"code": "x"})
    queue.mark_cancelled(lost, "slow")
    queue.requeue(lost, "slow")
    now = queue.get(lost.job_id, tenant=TENANT)
    assert (now.status, now.worker, now.result, now.error) == (
        Status.RUNNING,
        "quick",
        None,
        None,
    )
    assert now.progress == {}


def test_a_worker_of_the_same_name_cannot_end_its_own_earlier_attempt(
    queue: Jobs, leases_run_out: Callable[[], None]
) -> None:
    add(queue)
    before = claimed(queue, "host:1")
    leases_run_out()
    claimed(queue, "host:1")
    queue.succeed(before, "host:1", {})
    assert queue.get(before.job_id, tenant=TENANT).status is Status.RUNNING


def test_a_job_that_kills_its_workers_is_given_up(
    queue: Jobs, leases_run_out: Callable[[], None]
) -> None:
    job = add(queue)
    for worker in ("w1", "w2", "w3"):
        claimed(queue, worker)
        leases_run_out()
    assert queue.claim(Lane.INGEST, "w4") is None
    now = queue.get(job.job_id, tenant=TENANT)
    assert now.status is Status.FAILED
    assert now.error is not None
    assert now.error["code"] == "worker_died"
    assert queue.payload(job.job_id) == b""


def test_a_job_handed_back_is_free_at_once_and_has_lost_no_attempt(queue: Jobs) -> None:
    add(queue)
    queue.requeue(claimed(queue, "leaving"), "leaving")
    again = claimed(queue, "next")
    assert (again.worker, again.attempts) == ("next", 1)
    assert queue.payload(again.job_id) == b"text"


def test_a_waiting_job_is_cancelled_at_once(queue: Jobs) -> None:
    job = add(queue)
    assert queue.cancel(job.job_id, tenant=TENANT).status is Status.CANCELLED
    assert queue.claim(Lane.INGEST, "w1") is None
    assert queue.payload(job.job_id) == b""


def test_a_running_job_is_told_to_stop_by_its_lease(queue: Jobs) -> None:
    add(queue)
    job = claimed(queue)
    assert queue.renew(job, "w1")
    assert queue.cancel(job.job_id, tenant=TENANT).status is Status.RUNNING
    assert not queue.renew(job, "w1")
    queue.mark_cancelled(job, "w1")
    assert queue.get(job.job_id, tenant=TENANT).status is Status.CANCELLED


def test_a_cancelled_job_whose_worker_died_is_not_begun_again(
    queue: Jobs, leases_run_out: Callable[[], None]
) -> None:
    add(queue)
    job = claimed(queue, "dead")
    queue.cancel(job.job_id, tenant=TENANT)
    leases_run_out()
    assert queue.claim(Lane.INGEST, "w2") is None
    now = queue.get(job.job_id, tenant=TENANT)
    assert (now.status, now.error) == (Status.CANCELLED, None)


def test_a_job_that_has_ended_stays_as_it_ended(queue: Jobs) -> None:
    add(queue)
    job = claimed(queue)
    queue.succeed(job, "w1", {"chunks": 3})
    queue.fail(job, "w1", {"code": "late"})
    now = queue.cancel(job.job_id, tenant=TENANT)
    assert (now.status, now.result, now.error) == (Status.SUCCEEDED, {"chunks": 3}, None)


@pytest.mark.parametrize("end", ["succeed", "fail", "mark_cancelled"])
def test_the_payload_goes_with_the_end_of_the_job(queue: Jobs, end: str) -> None:
    add(queue)
    job = claimed(queue)
    assert queue.payload(job.job_id) == b"text"
    {
        "succeed": lambda: queue.succeed(job, "w1", {}),
        "fail": lambda: queue.fail(job, "w1", {}),
        "mark_cancelled": lambda: queue.mark_cancelled(job, "w1"),
    }[end]()
    assert queue.payload(job.job_id) == b""


def test_jobs_of_one_subject_keep_their_order_when_a_worker_dies(
    queue: Jobs, leases_run_out: Callable[[], None]
) -> None:
    add(queue, "old text", subject="handbook/returns.md")
    add(queue, "new text", subject="handbook/returns.md")
    add(queue, "other", subject="handbook/repairs.md")
    claimed(queue, "dead")
    assert claimed(queue, "alive").args["name"] == "other"  # the new text must not overtake
    leases_run_out()
    again = claimed(queue, "alive")
    assert again.args["name"] == "old text"
    queue.succeed(again, "alive", {})
    assert claimed(queue, "alive").args["name"] == "new text"


def test_the_same_subject_of_another_tenant_does_not_wait(queue: Jobs) -> None:
    for tenant in ("a", "b"):
        queue.enqueue(Lane.INGEST, "ingest", {"of": tenant}, tenant=tenant, subject="x")
    assert [claimed(queue).args["of"], claimed(queue).args["of"]] == ["a", "b"]


def test_the_newest_jobs_are_listed_first_by_lane_and_kind(queue: Jobs) -> None:
    for name in ("a", "b", "c"):
        add(queue, name)
    queue.enqueue(Lane.TRAIN, "train", {"name": "t"}, tenant=TENANT)
    names = [job.args["name"] for job in queue.list(tenant=TENANT)]
    assert names == ["t", "c", "b", "a"]
    assert [j.args["name"] for j in queue.list(tenant=TENANT, lane=Lane.INGEST, limit=2)] == [
        "c",
        "b",
    ]
    assert [j.args["name"] for j in queue.list(tenant=TENANT, kind="train")] == ["t"]


def test_what_a_client_sees_holds_neither_arguments_nor_payload(queue: Jobs) -> None:
    shown = add(queue, "secret text").as_dict()
    assert shown["object"] == "job"
    assert "secret text" not in str(shown)


def test_jobs_outlive_the_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    first = open_database(url)
    create_tables(first, metadata)
    job = add(Jobs(first))
    first.dispose()
    second = open_database(url)
    assert Jobs(second).get(job.job_id, tenant=TENANT) == job
    second.dispose()


def test_a_lease_begins_when_the_row_is_taken_not_when_it_was_asked_for(
    queue: Jobs, database: Engine
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
    job = claimed(queue)
    holder.join()
    assert job.lease_until is not None
    assert job.lease_until >= released[0] + 15.0


def test_a_waiting_job_is_paused_at_once_and_goes_on_when_resumed(queue: Jobs) -> None:
    job = add(queue)
    assert queue.pause(job.job_id, tenant=TENANT).status is Status.PAUSED
    assert not queue.get(job.job_id, tenant=TENANT).has_ended
    assert queue.claim(Lane.INGEST, "w1") is None
    assert queue.resume(job.job_id, tenant=TENANT).status is Status.QUEUED
    again = claimed(queue)
    assert (again.job_id, again.attempts) == (job.job_id, 1)
    assert queue.renew(again, "w1")


def test_a_running_job_that_was_asked_to_pause_is_paused_when_it_stops(queue: Jobs) -> None:
    add(queue)
    job = claimed(queue)
    assert queue.pause(job.job_id, tenant=TENANT).is_pausing
    assert not queue.renew(job, "w1")
    with pytest.raises(WrongJobStatus, match="still stopping"):
        queue.resume(job.job_id, tenant=TENANT)
    queue.mark_cancelled(job, "w1")
    assert queue.get(job.job_id, tenant=TENANT).status is Status.PAUSED


def test_a_pausing_job_whose_worker_died_is_paused(
    queue: Jobs, leases_run_out: Callable[[], None]
) -> None:
    add(queue)
    job = claimed(queue, "dead")
    queue.pause(job.job_id, tenant=TENANT)
    leases_run_out()
    assert queue.claim(Lane.INGEST, "w2") is None
    assert queue.get(job.job_id, tenant=TENANT).status is Status.PAUSED


def test_a_paused_job_can_be_cancelled_and_a_cancelled_one_not_paused(queue: Jobs) -> None:
    job = add(queue)
    queue.pause(job.job_id, tenant=TENANT)
    assert queue.cancel(job.job_id, tenant=TENANT).status is Status.CANCELLED
    with pytest.raises(WrongJobStatus, match="cancelled"):
        queue.pause(job.job_id, tenant=TENANT)


def test_a_cancelled_or_failed_job_is_resumed_and_a_done_one_is_not(queue: Jobs) -> None:
    job = add(queue)
    queue.fail(claimed(queue), "w1", {"code": "x"})
    again = queue.resume(job.job_id, tenant=TENANT)
    assert (again.status, again.error, again.attempts) == (Status.QUEUED, None, 0)
    queue.cancel(job.job_id, tenant=TENANT)
    queue.resume(job.job_id, tenant=TENANT)
    held = claimed(queue)
    assert queue.renew(held, "w1")  # the wish to cancel is over
    queue.succeed(held, "w1", {})
    with pytest.raises(WrongJobStatus, match="succeeded"):
        queue.resume(job.job_id, tenant=TENANT)
    with pytest.raises(JobNotFound):
        queue.resume(job.job_id, tenant="other")


def test_jobs_are_listed_in_pages_by_the_last_one_seen(queue: Jobs) -> None:
    ids = [add(queue, name).job_id for name in "abc"]
    first = queue.list(tenant=TENANT, limit=2)
    rest = queue.list(tenant=TENANT, after=first[-1].job_id, limit=2)
    assert [job.job_id for job in (*first, *rest)] == ids[::-1]
    with pytest.raises(InvalidRequest, match="nobody"):
        queue.list(tenant=TENANT, after="nobody")


def test_jobs_of_the_same_moment_are_all_listed(
    queue: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.stores.jobs.time.time", lambda: 5.0)
    ids = {add(queue, name).job_id for name in "abc"}
    seen: list[str] = []
    while found := queue.list(tenant=TENANT, after=seen[-1] if seen else None, limit=1):
        seen.append(found[0].job_id)
    assert (len(seen), set(seen)) == (3, ids)


def test_jobs_are_found_by_the_labels_their_caller_gave_them(queue: Jobs) -> None:
    for team in ("red", "blue"):
        args = {"metadata": {"team": team, "a key": "x"}}
        queue.enqueue(Lane.TRAIN, "train", args, tenant=TENANT)
    add(queue)
    (found,) = queue.list(tenant=TENANT, metadata={"team": "red", "a key": "x"})
    assert found.args["metadata"]["team"] == "red"
    assert queue.list(tenant=TENANT, metadata={"team": "green"}) == ()

"""Rows of long work: enqueued, listed, cancelled and paused, each for its own tenant."""

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from service.api.schemas.jobs import JobReply
from service.errors import InvalidRequest, JobNotFound, WrongJobStatus
from service.limits.settings import Allowance, LimitSettings
from service.repeat_errors import IdempotencyKeyReused, LimitReached
from service.stores.database import Database, create_tables, open_database
from service.stores.job_kinds import Lane
from service.stores.jobs import Job, Jobs, Status
from service.stores.tables import metadata
from tests.service.stores.named_jobs import NAMED, TENANT, TRAIN, Named, add


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
    ours = queue.enqueue(NAMED, Named(name="x"), tenant="a", idempotency_key="k")
    theirs = queue.enqueue(NAMED, Named(name="x"), tenant="b", idempotency_key="k")
    assert ours.job_id != theirs.job_id


def test_an_idempotency_key_belongs_to_one_api_key(queue: Jobs) -> None:
    def enqueue(key_id: str | None) -> Job:
        args = Named(name="x")
        return queue.enqueue(NAMED, args, tenant=TENANT, idempotency_key="k", key_id=key_id)

    made = {key_id: enqueue(key_id).job_id for key_id in (None, "key_1", "key_2")}
    assert len(set(made.values())) == 3
    assert {key_id: enqueue(key_id).job_id for key_id in made} == made


def test_the_longest_idempotency_key_fits_its_column(queue: Jobs) -> None:
    tenant = "t" * 64
    job = queue.enqueue(NAMED, Named(name="x"), tenant=tenant, idempotency_key="k" * 200)
    assert len(str(job.idempotency_key)) <= 255  # PostgreSQL refuses what SQLite takes


def test_no_idempotency_key_is_taken_for_a_place_in_a_batch(queue: Jobs) -> None:
    first = queue.enqueue(NAMED, Named(name="x"), tenant=TENANT, batch_place="vsfb_1:00000")
    queue.enqueue(NAMED, Named(name="y"), tenant=TENANT, idempotency_key="vsfb_1:00001")
    assert queue.list_batch("vsfb_1", tenant=TENANT) == (first,)


def test_an_idempotency_key_is_not_taken_for_another_request(queue: Jobs) -> None:
    add(queue, "a", idempotency_key="k1")
    with pytest.raises(IdempotencyKeyReused, match="Idempotency-Key"):
        add(queue, "b", idempotency_key="k1")
    with pytest.raises(IdempotencyKeyReused, match="Idempotency-Key"):
        queue.enqueue(TRAIN, Named(name="a"), tenant=TENANT, idempotency_key="k1")


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


def test_the_newest_jobs_are_listed_first_by_lane_and_kind(queue: Jobs) -> None:
    for name in ("a", "b", "c"):
        add(queue, name)
    queue.enqueue(TRAIN, Named(name="t"), tenant=TENANT)
    names = [job.args["name"] for job in queue.list(tenant=TENANT)]
    assert names == ["t", "c", "b", "a"]
    assert [j.args["name"] for j in queue.list(tenant=TENANT, lane=Lane.INGEST, limit=2)] == [
        "c",
        "b",
    ]
    assert [j.args["name"] for j in queue.list(tenant=TENANT, kind="train")] == ["t"]


def test_what_a_client_sees_holds_neither_arguments_nor_payload(queue: Jobs) -> None:
    shown = JobReply.of(add(queue, "secret text")).model_dump()
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


def test_a_paused_job_can_be_cancelled_and_a_cancelled_one_not_paused(queue: Jobs) -> None:
    job = add(queue)
    queue.pause(job.job_id, tenant=TENANT)
    assert queue.cancel(job.job_id, tenant=TENANT).status is Status.CANCELLED
    with pytest.raises(WrongJobStatus, match="cancelled"):
        queue.pause(job.job_id, tenant=TENANT)


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
        args = Named(name="n", metadata={"team": team, "a key": "x"})
        queue.enqueue(TRAIN, args, tenant=TENANT)
    add(queue)
    (found,) = queue.list(tenant=TENANT, metadata={"team": "red", "a key": "x"})
    assert found.args["metadata"] == {"team": "red", "a key": "x"}
    assert queue.list(tenant=TENANT, metadata={"team": "green"}) == ()


def test_jobs_are_listed_by_what_they_change_the_newest_first(queue: Jobs) -> None:
    first, second = (add(queue, subject="handbook/a.md") for _ in range(2))
    add(queue, subject="handbook/b.md")
    found = queue.list_by_subject("handbook/a.md", tenant=TENANT, limit=10)
    assert [job.job_id for job in found] == [second.job_id, first.job_id]
    assert queue.list_by_subject("handbook/a.md", tenant=TENANT, limit=1) == (found[0],)
    assert queue.list_by_subject("handbook/a.md", tenant="other", limit=10) == ()


def test_jobs_without_success_are_listed_by_the_folder_of_what_they_change(queue: Jobs) -> None:
    waiting = add(queue, subject="hand_book/a.md")
    cancelled = queue.cancel(add(queue, subject="hand_book/b.md").job_id, tenant=TENANT)
    for elsewhere in ("hand_book2/a.md", "handxbook/a.md"):
        add(queue, subject=elsewhere)
    found = queue.list_unsuccessful(waiting.lane, "hand_book", tenant=TENANT)
    assert [job.job_id for job in found] == [cancelled.job_id, waiting.job_id]
    other = next(lane for lane in Lane if lane is not waiting.lane)
    assert queue.list_unsuccessful(other, "hand_book", tenant=TENANT) == ()
    assert queue.list_unsuccessful(waiting.lane, "hand_book", tenant="other") == ()


def test_a_key_and_a_tenant_have_only_so_many_jobs_queued(database: Database) -> None:
    limits = LimitSettings(key=Allowance(queued_jobs=1), tenant=Allowance(queued_jobs=2))
    jobs = Jobs(database, limits)

    def enqueue(key_id: str | None, name: str | None = None, tenant: str = TENANT) -> Job:
        return jobs.enqueue(
            NAMED, Named(name="x"), tenant=tenant, key_id=key_id, idempotency_key=name
        )

    job = enqueue("key_1", "one")
    with pytest.raises(LimitReached, match="1 jobs of this key"):
        enqueue("key_1")
    assert enqueue("key_1", "one") == job
    enqueue(None)
    with pytest.raises(LimitReached, match="2 jobs of this tenant"):
        enqueue("key_2")
    enqueue("key_2", tenant="another")
    jobs.cancel(job.job_id, tenant=TENANT)
    assert enqueue("key_1").key_id == "key_1"

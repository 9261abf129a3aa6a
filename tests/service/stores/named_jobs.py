"""Jobs with a name and nothing else, for tests of the job table."""

from collections.abc import Mapping

from service.stores.job_kinds import JobArgs, JobKind, JobResult, Lane
from service.stores.jobs import Job, Jobs
from service.stores.leases import Leases

TENANT = "default"


class Named(JobArgs):
    """Arguments of a job that only has a name."""

    name: str
    metadata: Mapping[str, str] | None = None


NAMED = JobKind("ingest", Lane.INGEST, Named, JobResult)
TRAIN = JobKind("train", Lane.TRAIN, Named, JobResult)


def add(
    queue: Jobs,
    name: str = "a",
    kind: JobKind[Named, JobResult] = NAMED,
    *,
    subject: str | None = None,
    idempotency_key: str | None = None,
) -> Job:
    return queue.enqueue(
        kind,
        Named(name=name),
        tenant=TENANT,
        payload=b"text",
        subject=subject,
        idempotency_key=idempotency_key,
    )


def claimed(leases: Leases, worker: str = "w1", lane: Lane = Lane.INGEST) -> Job:
    job = leases.claim(lane, worker)
    assert job is not None
    return job

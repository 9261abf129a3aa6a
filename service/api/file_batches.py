"""`/v1/vector_stores/{id}/file_batches`: uploaded files become documents, one job per file.

It knows OpenAI's shape of a batch and that a file's name is its document's id; the jobs are those
of any other document, so the order of writes to one document holds here as well.
"""

import hashlib
import uuid
from collections import Counter
from collections.abc import Sequence
from functools import partial

from anyio import to_thread
from fastapi import APIRouter

from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.json_bodies import JsonRoute
from service.api.http.parameters import After, IdempotencyKey, Limit
from service.api.schemas.file_batches import MAX_FILES, BatchFile, FileBatch, NewBatch
from service.api.schemas.shapes import ListReply
from service.context import AppContext
from service.errors import InvalidRequest, JobNotFound
from service.stores.files import UploadedFile
from service.stores.job_kinds import INGEST, IngestArgs
from service.stores.jobs import Job

api = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/vector_stores",
    tags=["knowledge"],
    responses=errors(400, 404, 422, 507),
)


@api.post("/{base_id}/file_batches")
async def create_batch(
    *,
    context: Context,
    caller: Caller,
    base_id: str,
    body: NewBatch,
    idempotency_key: IdempotencyKey = None,
) -> FileBatch:
    """Add uploaded files as documents; a repeated key returns the same batch."""
    run = partial(_create, body, base_id, context=context, caller=caller, key=idempotency_key)
    batch_id, jobs = await to_thread.run_sync(run)
    return FileBatch.of(batch_id, jobs)


@api.get("/{base_id}/file_batches/{batch_id}")
def get_batch(context: Context, caller: Caller, base_id: str, batch_id: str) -> FileBatch:
    """Return a batch with the number of files in each status."""
    return FileBatch.of(batch_id, _jobs_of(context, caller, base_id, batch_id))


@api.get("/{base_id}/file_batches/{batch_id}/files")
def list_files(
    *,
    context: Context,
    caller: Caller,
    base_id: str,
    batch_id: str,
    limit: Limit = 100,
    after: After = None,
) -> ListReply[BatchFile]:
    """List the files of a batch with their status; 1 to 500 a page."""
    jobs = _jobs_of(context, caller, base_id, batch_id)
    ids = [job.args["file_id"] for job in jobs]
    if after is not None and after not in ids:
        raise InvalidRequest(f"{after!r} is not a file of this batch.", param="after")
    rest = jobs[ids.index(after) + 1 :] if after is not None else jobs
    page = rest[: max(1, min(limit, MAX_FILES))]
    data = [BatchFile.of(job) for job in page]
    return ListReply[BatchFile](data=data, has_more=len(rest) > len(page))


@api.post("/{base_id}/file_batches/{batch_id}/cancel")
def cancel_batch(context: Context, caller: Caller, base_id: str, batch_id: str) -> FileBatch:
    """Cancel the remaining files; documents already added stay."""
    for job in _jobs_of(context, caller, base_id, batch_id):
        context.jobs.cancel(job.job_id, tenant=caller.tenant)
    return get_batch(context, caller, base_id, batch_id)


def _create(
    body: NewBatch, base_id: str, *, context: AppContext, caller: Caller, key: str | None
) -> tuple[str, Sequence[Job]]:
    context.knowledge.get_base(base_id, tenant=caller.tenant)
    files = [
        context.files.get(file_id, tenant=caller.tenant) for file_id in dict.fromkeys(body.file_ids)
    ]
    _refuse_equal_names(files)
    name = hashlib.sha256(f"{base_id}\0{key}".encode()).hexdigest()[:32] if key else None
    batch_id = f"vsfb_{name or uuid.uuid4().hex}"
    known = context.jobs.list_by_key(batch_id, tenant=caller.tenant)
    if known and [job.args["file_id"] for job in known] != [f.file_id for f in files][: len(known)]:
        raise InvalidRequest(
            "Idempotency-Key was already used for a batch of other files; choose a new key.",
            param="idempotency-key",
        )
    labels = body.access_labels
    for number, file in enumerate(files):
        context.jobs.enqueue(
            INGEST,
            IngestArgs(
                base_id=base_id,
                external_id=file.filename,
                filename=file.filename,
                attributes=body.attributes,
                access=None if labels is None else tuple(sorted(set(labels))),
                sha256=file.sha256,
                file_id=file.file_id,
            ),
            tenant=caller.tenant,
            payload=context.files.content(file.file_id, tenant=caller.tenant),
            subject=f"{base_id}/{file.filename}",
            idempotency_key=f"{batch_id}:{number:05}",
        )
    return batch_id, context.jobs.list_by_key(batch_id, tenant=caller.tenant)


def _refuse_equal_names(files: Sequence[UploadedFile]) -> None:
    """Raise `InvalidRequest` where one document would replace another of the same batch."""
    names = Counter(file.filename for file in files)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise InvalidRequest(
            f"{names[twice[0]]} files of this batch are named {twice[0]!r}, and a file's name is "
            "its document's id: upload them under different names.",
            param="file_ids",
        )


def _jobs_of(context: AppContext, caller: Caller, base_id: str, batch_id: str) -> Sequence[Job]:
    context.knowledge.get_base(base_id, tenant=caller.tenant)
    jobs = context.jobs.list_by_key(batch_id, tenant=caller.tenant)
    if not batch_id.startswith("vsfb_") or not jobs or jobs[0].args["base_id"] != base_id:
        raise JobNotFound(f"There is no file batch {batch_id!r} in {base_id!r}.", param="id")
    return jobs

"""`/v1/vector_stores/{id}/file_batches`: uploaded files become documents, one job per file.

It knows OpenAI's shape of a batch and that a file's name is its document's id; the jobs are those
of any other document, so the order of writes to one document holds here as well.
"""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Query

from knowledge import Chunking, KnowledgeBase
from service.api.access.bound_jobs import may_see
from service.api.access.readable import readable_file
from service.api.document_writes import held_by
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.json_bodies import JsonRoute
from service.api.http.parameters import After, IdempotencyKey, Limit
from service.api.schemas.file_batches import (
    MAX_FILES,
    BatchFile,
    BatchStatus,
    FileBatch,
    FileChunking,
    NewBatch,
    NewFile,
    VectorStoreFile,
)
from service.api.schemas.shapes import ListReply
from service.context import AppContext
from service.errors import InvalidRequest, JobNotFound
from service.repeat_errors import IdempotencyKeyReused
from service.stores.files import UploadedFile
from service.stores.job_kinds import INGEST, IngestArgs
from service.stores.jobs import Job, Status
from service.stores.requests.request_names import request_name

api = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/vector_stores",
    tags=["knowledge"],
    responses=errors(400, 404, 422, 507),
)


Order = Annotated[Literal["asc", "desc"], Query(description="By the time of adding.")]
Before = Annotated[str | None, Query(description="First `id` of the page that follows.")]
StatusFilter = Annotated[
    BatchStatus | None, Query(alias="filter", description="Only files of this status.")
]
F = TypeVar("F", bound=VectorStoreFile)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list of files is asked for."""

    limit: int
    after: str | None = None
    before: str | None = None
    status: BatchStatus | None = None


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
def list_batch_files(
    *,
    context: Context,
    caller: Caller,
    base_id: str,
    batch_id: str,
    limit: Limit = 100,
    after: After = None,
    before: Before = None,
    order: Order = "asc",
    status: StatusFilter = None,
) -> ListReply[BatchFile]:
    """List the files of a batch with their status; 1 to 500 a page."""
    jobs = _jobs_of(context, caller, base_id, batch_id)
    chunking = chunking_of(context, context.knowledge.get_base(base_id, tenant=caller.tenant))
    rows = [
        BatchFile.of_batch(job, chunking, file_bytes=_added_bytes(context, job)) for job in jobs
    ]
    if order == "desc":
        rows.reverse()
    page = Page(max(1, min(limit, MAX_FILES)), after=after, before=before, status=status)
    return page_of(rows, page)


@api.post("/{base_id}/file_batches/{batch_id}/cancel")
def cancel_batch(context: Context, caller: Caller, base_id: str, batch_id: str) -> FileBatch:
    """Cancel the remaining files; documents already added stay."""
    for job in _jobs_of(context, caller, base_id, batch_id):
        context.jobs.cancel(job.job_id, tenant=caller.tenant)
    return get_batch(context, caller, base_id, batch_id)


def enqueue_file(
    wish: NewFile,
    file: UploadedFile,
    base_id: str,
    *,
    context: AppContext,
    caller: Caller,
    access_labels: Sequence[str] | None = None,
    idempotency_key: str | None = None,
    batch_place: str | None = None,
) -> Job:
    """Have an uploaded file added as the document of its name."""
    return context.jobs.enqueue(
        INGEST,
        IngestArgs(
            base_id=base_id,
            external_id=file.filename,
            filename=file.filename,
            attributes=wish.attributes,
            access=None if access_labels is None else tuple(sorted(set(access_labels))),
            sha256=file.sha256,
            file_id=file.file_id,
            held=held_by(caller),
        ),
        tenant=caller.tenant,
        key_id=caller.key_id,
        payload=context.files.content(file.file_id, tenant=caller.tenant),
        subject=f"{base_id}/{file.filename}",
        idempotency_key=idempotency_key,
        batch_place=batch_place,
    )


def chunking_of(context: AppContext, base: KnowledgeBase) -> Chunking:
    """Return how the documents of a knowledge base are cut."""
    return base.chunking or context.settings.knowledge.chunking


def refuse_other_chunking(wish: NewFile, chunking: Chunking) -> None:
    """Raise `InvalidRequest` where a file wishes to be cut otherwise than its base is."""
    if wish.chunking_strategy is None or wish.chunking_strategy.type == "auto":
        return
    sizes, static = FileChunking.of(chunking).static, wish.chunking_strategy.static
    if sizes is not None and static is not None and dict(sizes) == dict(static):
        return
    raise InvalidRequest(
        "All documents of a vector store are cut alike, here with max_chunk_size_tokens "
        f"{chunking.chunk_tokens} and chunk_overlap_tokens {chunking.overlap_tokens}: leave "
        "`chunking_strategy` out, or create a vector store with a `chunking` of its own.",
        param="chunking_strategy",
    )


def page_of(rows: Sequence[F], page: Page) -> ListReply[F]:
    """Return the rows of one page.

    Raises:
        InvalidRequest: `after` or `before` is none of them.
    """
    ids = [row.id for row in rows]
    for name, place in (("after", page.after), ("before", page.before)):
        if place is not None and place not in ids:
            raise InvalidRequest(f"{place!r} is not a file of this list.", param=name)
    first = 0 if page.after is None else ids.index(page.after) + 1
    last = len(rows) if page.before is None else ids.index(page.before)
    found = [row for row in rows[first:last] if page.status in (None, row.status)]
    shown = found[: page.limit]
    if page.before is not None and page.after is None:
        shown = found[-page.limit :]  # those right before it
    return ListReply[F](data=list(shown), has_more=len(found) > len(shown))


def _create(
    body: NewBatch, base_id: str, *, context: AppContext, caller: Caller, key: str | None
) -> tuple[str, Sequence[Job]]:
    base = context.knowledge.get_base(base_id, tenant=caller.tenant)
    wishes = body.new_files
    files = [readable_file(context, caller, wish.file_id) for wish in wishes]
    _refuse_equal_names(files)
    for wish in wishes:
        refuse_other_chunking(wish, chunking_of(context, base))
    name = request_name(base_id, caller.key_id, key) if key else uuid.uuid4().hex
    batch_id = f"vsfb_{name[:32]}"
    known = context.jobs.list_batch(batch_id, tenant=caller.tenant)
    if known and [job.args["file_id"] for job in known] != [f.file_id for f in files][: len(known)]:
        raise IdempotencyKeyReused(
            "Idempotency-Key was already used for a batch of other files; choose a new key.",
            param="idempotency-key",
        )
    for number, (wish, file) in enumerate(zip(wishes, files, strict=True)):
        enqueue_file(
            wish,
            file,
            base_id,
            context=context,
            caller=caller,
            access_labels=body.access_labels,
            batch_place=f"{batch_id}:{number:05}",
        )
    return batch_id, context.jobs.list_batch(batch_id, tenant=caller.tenant)


def _added_bytes(context: AppContext, job: Job) -> int:
    """Return the size of a file that was added, 0 of any other."""
    if job.status is not Status.SUCCEEDED:
        return 0
    return context.files.get(str(job.args["file_id"]), tenant=job.tenant).bytes


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
    jobs = context.jobs.list_batch(batch_id, tenant=caller.tenant)
    is_batch = batch_id.startswith("vsfb_") and jobs and jobs[0].args["base_id"] == base_id
    found = [job for job in jobs if is_batch and may_see(context, caller, job)]
    if not found:
        raise JobNotFound(f"There is no file batch {batch_id!r} in {base_id!r}.", param="id")
    return found

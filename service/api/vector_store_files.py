"""`/v1/vector_stores/{id}/files`: documents of a knowledge base as OpenAI's clients name them.

A file is in a vector store where a document has its name and its bytes. It is known by the id of
the uploaded file, and a document that was put in otherwise by the id of the document.
"""

from dataclasses import dataclass
from functools import partial

from anyio import to_thread
from fastapi import APIRouter
from fastapi.responses import Response

from knowledge import Chunking, Document, DocumentNotFound
from service.api.access.bound_jobs import may_see
from service.api.access.readable import readable_file
from service.api.document_writes import write_in_order
from service.api.file_batches import (
    Before,
    Order,
    Page,
    StatusFilter,
    chunking_of,
    enqueue_file,
    page_of,
    refuse_other_chunking,
)
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.job_replies import ACCEPTED
from service.api.http.json_bodies import JsonRoute
from service.api.http.parameters import After, IdempotencyKey, Limit
from service.api.schemas.file_batches import (
    DeletedFile,
    FileChange,
    FileContent,
    FileText,
    NewFile,
    VectorStoreFile,
)
from service.api.schemas.shapes import ListReply
from service.context import AppContext
from service.errors import FileNotFound, InvalidRequest, JobFailed
from service.stores.files import UploadedFile
from service.stores.job_kinds import DELETE_DOCUMENT, INGEST, DeleteArgs, IngestArgs, Lane
from service.stores.jobs import Job

api = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/vector_stores",
    tags=["knowledge"],
    responses=errors(400, 404, 409, 413, 415, 422, 503, 507),
)

MOST_LISTED = 100  # OpenAI's limit
RECENT_WRITES = 50  # of one document: earlier ones say nothing of its state now


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a vector store.

    Attributes:
        uploaded: The uploaded file; None where there is none of this name and these bytes.
        document: What is in the vector store; None while it is added, or where that failed.
        job: Adds it now, or failed to; None where it is in.
    """

    uploaded: UploadedFile | None
    document: Document | None
    job: Job | None

    @property
    def external_id(self) -> str:
        """The id of its document."""
        if self.document is not None:
            return self.document.external_id
        assert self.uploaded is not None
        return self.uploaded.filename

    @property
    def created_at(self) -> float:
        """When it was added, or was to be."""
        made = self.document if self.job is None else self.job
        assert made is not None
        return made.created_at

    def as_reply(self, chunking: Chunking) -> VectorStoreFile:
        """Return the file as OpenAI's clients read it."""
        if self.job is not None:
            return VectorStoreFile.of_job(self.job, chunking)
        assert self.document is not None
        file_id = self.uploaded.file_id if self.uploaded else self.document.document_id
        return VectorStoreFile.of_document(self.document, chunking, file_id=file_id)


@api.post("/{base_id}/files")
def add_file(
    *,
    context: Context,
    caller: Caller,
    base_id: str,
    body: NewFile,
    idempotency_key: IdempotencyKey = None,
) -> VectorStoreFile:
    """Add an uploaded file as a document; its status is `in_progress` until it is searchable."""
    base = context.knowledge.get_base(base_id, tenant=caller.tenant)
    chunking = chunking_of(context, base)
    file = readable_file(context, caller, body.file_id)
    refuse_other_chunking(body, chunking)
    job = enqueue_file(
        body, file, base_id, context=context, caller=caller, idempotency_key=idempotency_key
    )
    return VectorStoreFile.of_job(job, chunking)


@api.get("/{base_id}/files")
def list_files(
    *,
    context: Context,
    caller: Caller,
    base_id: str,
    limit: Limit = 20,
    after: After = None,
    before: Before = None,
    order: Order = "desc",
    status: StatusFilter = None,
) -> ListReply[VectorStoreFile]:
    """List the files, those that are being added or failed among them; 1 to 100 a page."""
    base = context.knowledge.get_base(base_id, tenant=caller.tenant)
    chunking = chunking_of(context, base)
    known = context.files.ids_by_content(tenant=caller.tenant)
    rows: dict[str, tuple[float, VectorStoreFile]] = {}
    listed = context.knowledge.list_documents(
        base_id, tenant=caller.tenant, access=caller.access_labels
    )
    for document in listed:
        content = (document.external_id, document.content_hash)
        file_id = known.get(content, document.document_id)
        row = VectorStoreFile.of_document(document, chunking, file_id=file_id)
        rows[file_id] = (document.created_at, row)
    for file_id in _unfinished(context, caller, base_id):
        try:
            found = find_file(context, caller, base_id, file_id)
        except (FileNotFound, DocumentNotFound):
            continue  # deleted, or replaced by another file of its name
        rows[file_id] = (found.created_at, found.as_reply(chunking))
    by_time = sorted(rows.items(), key=lambda row: (row[1][0], row[0]), reverse=order == "desc")
    page = Page(max(1, min(limit, MOST_LISTED)), after=after, before=before, status=status)
    return page_of([row for _, (_, row) in by_time], page)


@api.get("/{base_id}/files/{file_id}")
def get_store_file(context: Context, caller: Caller, base_id: str, file_id: str) -> VectorStoreFile:
    """Return a file with its status; document ids and external ids name files as well."""
    base = context.knowledge.get_base(base_id, tenant=caller.tenant)
    return find_file(context, caller, base_id, file_id).as_reply(chunking_of(context, base))


@api.post("/{base_id}/files/{file_id}")
async def change_file(
    *, context: Context, caller: Caller, base_id: str, file_id: str, body: FileChange
) -> VectorStoreFile:
    """Replace the attributes of a file."""
    find = partial(find_file, context, caller, base_id, file_id)
    found = await to_thread.run_sync(find)
    file, document = found.uploaded, found.document
    if file is None:
        raise InvalidRequest(
            f"{file_id!r} was not added from an uploaded file, so its bytes are not kept: send it "
            f"again with its attributes, PUT /v1/vector_stores/{base_id}/documents/"
            f"{found.external_id}.",
            param="file_id",
        )
    args = IngestArgs(
        base_id=base_id,
        external_id=file.filename,
        filename=file.filename,
        attributes=body.attributes or {},
        sha256=file.sha256,
        file_id=file.file_id,
        synced_from=(document.synced_from or "") if document is not None else "",
    )
    content = partial(context.files.content, file.file_id, tenant=caller.tenant)
    payload = await to_thread.run_sync(content)
    await write_in_order(INGEST, args, context=context, caller=caller, payload=payload)
    return await to_thread.run_sync(partial(get_store_file, context, caller, base_id, file_id))


@api.delete("/{base_id}/files/{file_id}", response_model=DeletedFile, responses=ACCEPTED)
async def delete_file(
    context: Context, caller: Caller, base_id: str, file_id: str
) -> DeletedFile | Response:
    """Take a file out of the vector store; no later answer contains its text."""
    find = partial(find_file, context, caller, base_id, file_id)
    found = await to_thread.run_sync(find)
    if found.job is not None and not found.job.has_ended:
        cancel = partial(context.jobs.cancel, found.job.job_id, tenant=caller.tenant)
        await to_thread.run_sync(cancel)
    args = DeleteArgs(base_id=base_id, external_id=found.external_id)
    try:
        result = await write_in_order(DELETE_DOCUMENT, args, context=context, caller=caller)
    except JobFailed as exc:
        if exc.code != DocumentNotFound.code or found.document is not None:
            raise
        result = {}  # it was never in
    return result if isinstance(result, Response) else DeletedFile(id=file_id)


@api.get("/{base_id}/files/{file_id}/content")
def get_file_text(context: Context, caller: Caller, base_id: str, file_id: str) -> FileContent:
    """Return the text of a file as it was read."""
    found = find_file(context, caller, base_id, file_id)
    if found.document is None:
        assert found.job is not None
        raise InvalidRequest(
            f"{file_id!r} has no text here: its status is {found.job.status}.", param="file_id"
        )
    document = found.document.document_id
    read = context.knowledge.document_text(
        base_id, document, tenant=caller.tenant, access=caller.access_labels
    )
    return FileContent(data=[FileText(text=read.text)])


def find_file(context: AppContext, caller: Caller, base_id: str, file_id: str) -> Found:
    """Return a file of a vector store by the id of the uploaded file or of the document.

    Raises:
        CollectionNotFound: There is no such vector store.
        DocumentNotFound: No file and no document has this id.
        FileNotFound: The uploaded file is not in the vector store.
    """
    context.knowledge.get_base(base_id, tenant=caller.tenant)
    try:
        file = readable_file(context, caller, file_id)
    except FileNotFound:
        return _of_document(context, caller, base_id, file_id)
    job = _last_write(context, caller, base_id, file)
    document = _document_with(context, caller, base_id, file)
    if job is not None and not job.has_ended:
        return Found(file, document, job)
    if document is not None:
        return Found(file, document, None)
    if job is not None and job.result is None:
        return Found(file, None, job)
    raise FileNotFound(
        f"The file {file_id!r} is not in the vector store {base_id!r}.", param="file_id"
    )


def _of_document(context: AppContext, caller: Caller, base_id: str, name: str) -> Found:
    document = context.knowledge.get_document(
        base_id, name, tenant=caller.tenant, access=caller.access_labels
    )
    known = context.files.ids_by_content(tenant=caller.tenant)
    file_id = known.get((document.external_id, document.content_hash))
    file = None if file_id is None else context.files.get(file_id, tenant=caller.tenant)
    return Found(file, document, None)


def _last_write(
    context: AppContext, caller: Caller, base_id: str, file: UploadedFile
) -> Job | None:
    """Return the last job that added this file, unless its document was deleted after that."""
    subject = f"{base_id}/{file.filename}"
    for job in context.jobs.list_by_subject(subject, tenant=caller.tenant, limit=RECENT_WRITES):
        if job.kind == DELETE_DOCUMENT.name:
            return None
        if job.kind == INGEST.name and job.args.get("file_id") == file.file_id:
            return job if may_see(context, caller, job) else None
    return None


def _document_with(
    context: AppContext, caller: Caller, base_id: str, file: UploadedFile
) -> Document | None:
    """Return the document of this name and these bytes, if there is one."""
    try:
        found = context.knowledge.get_document(
            base_id, file.filename, tenant=caller.tenant, access=caller.access_labels
        )
    except DocumentNotFound:
        return None
    return found if found.content_hash == file.sha256 else None


def _unfinished(context: AppContext, caller: Caller, base_id: str) -> list[str]:
    """Return the ids of the uploaded files that were to be added without success so far."""
    jobs = context.jobs.list_unsuccessful(Lane.INGEST, base_id, tenant=caller.tenant)
    mine = (job for job in jobs if job.kind == INGEST.name and may_see(context, caller, job))
    named = (job.args.get("file_id") for job in mine)
    return list(dict.fromkeys(str(file_id) for file_id in named if file_id is not None))

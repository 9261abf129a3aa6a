"""`/v1/files`: uploaded rows, kept until a training run or a data check uses them."""

from functools import partial
from typing import Annotated, Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from starlette.datastructures import UploadFile

from service.api.access.authentication import require_still_valid
from service.api.access.readable import readable_file, readable_files
from service.api.http.audited import note_change
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.limited import COUNTED
from service.api.http.paths import fault_of_name
from service.api.http.uploads import form_of
from service.api.idempotency.answered_once import ONCE
from service.api.schemas.files import DeletedFileReply, FileReply
from service.api.schemas.shapes import ListReply
from service.context import AppContext
from service.errors import InvalidRequest, WrongJobStatus
from service.stores.files import UploadedFile
from service.stores.job_kinds import FILE_CHECK, TRAIN, FileCheckArgs
from service.stores.jobs import Job, Jobs

api = APIRouter(prefix="/v1/files", tags=["files"], responses=errors(400, 404, 409, 422, 507))

MOST_NAME_CHARS = 512  # as the id of a document, which the name becomes
MOST_PURPOSE_CHARS = 32

ROWS = "fine-tune"  # the purpose of training rows, in OpenAI's word
_UPLOAD = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {
            "type": "string",
            "contentMediaType": "application/octet-stream",
            "description": "The rows, one JSON object a line; at most `server.max_body_bytes`.",
        },
        "purpose": {"type": "string", "default": ROWS},
    },
}
MEDIA_TYPE = "application/octet-stream"  # a client saves it, a browser shows nothing of it
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The bytes as they were uploaded.",
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}
_MULTIPART = {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD}}}


@api.post("", openapi_extra={"requestBody": _MULTIPART}, dependencies=COUNTED + ONCE)
async def upload_file(request: Request, context: Context, caller: Caller) -> FileReply:
    """Upload a file: training rows, which are then checked in the background, or a document."""
    async with form_of(request, max_fields=4) as form:
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise InvalidRequest("The multipart body has no part `file`.", param="file")
        said = form.get("purpose")
        purpose = str(said or ROWS)
        content = await upload.read()
        name = upload.filename or "rows.jsonl"
    _require_plain("name of the file", name, most=MOST_NAME_CHARS, param="file")
    _require_plain("purpose", purpose, most=MOST_PURPOSE_CHARS, param="purpose")
    await require_still_valid(request)
    keep = partial(context.files.save, name, content, purpose=purpose, tenant=caller.tenant)
    file = await to_thread.run_sync(keep)
    note_change(request, object_id=file.file_id, after=file.sha256)
    if said != ROWS:  # a document may come without a purpose, and cannot be checked
        return await to_thread.run_sync(_reply, context, file)
    return await to_thread.run_sync(_with_check, context, caller, file)


def _require_plain(what: str, text: str, *, most: int, param: str) -> None:
    """Raise `InvalidRequest` where no document could be reached under a name, or no column is."""
    reason = fault_of_name(text) if len(text) <= most else f"has more than {most} characters"
    if reason is not None:
        raise InvalidRequest(f"The {what} {reason}.", param=param)


@api.get("")
def list_files(
    *,
    context: Context,
    caller: Caller,
    purpose: str | None = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 10_000,
    order: Literal["asc", "desc"] = "desc",
    after: Annotated[str | None, Query(description="Last `id` of the previous page.")] = None,
) -> ListReply[FileReply]:
    """List uploaded files, newest first."""
    found = readable_files(
        context,
        caller,
        purpose=purpose,
        after=after,
        newest_first=order == "desc",
        limit=limit + 1,
    )
    data = [_reply(context, file) for file in found[:limit]]
    return ListReply[FileReply](data=data, has_more=len(found) > limit)


@api.get("/{file_id}")
def get_file(context: Context, caller: Caller, file_id: str) -> FileReply:
    """Return an uploaded file without its content, with the check of its training rows."""
    return _reply(context, readable_file(context, caller, file_id))


def _with_check(context: AppContext, caller: Caller, file: UploadedFile) -> FileReply:
    """Return a file of training rows, with the job that checks it."""
    if file.check_job is None:
        job = context.jobs.enqueue(
            FILE_CHECK,
            FileCheckArgs(file_id=file.file_id),
            tenant=caller.tenant,
            key_id=caller.key_id,
        )
        file = context.files.note_check_job(file.file_id, job.job_id, tenant=caller.tenant)
    return _reply(context, file)


def _reply(context: AppContext, file: UploadedFile) -> FileReply:
    job = file.check_job and context.jobs.get(file.check_job, tenant=file.tenant)
    return FileReply.of(file, job or None)


@api.get("/{file_id}/content", response_class=Response, responses=_BYTES)
def get_content(context: Context, caller: Caller, file_id: str) -> Response:
    """Return the bytes of uploaded rows; documents are read in their vector store."""
    file = readable_file(context, caller, file_id)
    if file.purpose != ROWS:  # whoever may train may not read every document
        raise InvalidRequest(
            f"Only files of purpose {ROWS!r} are given back, and {file_id!r} is of purpose "
            f"{file.purpose!r}.",
            param="file_id",
        )
    content = context.files.content(file_id, tenant=caller.tenant)
    return Response(content, media_type=MEDIA_TYPE)


@api.delete("/{file_id}")
def delete_file(
    request: Request, context: Context, caller: Caller, file_id: str
) -> DeletedFileReply:
    """Delete an uploaded file; a training run that has not ended keeps the files it reads."""
    readable_file(context, caller, file_id)
    if job := find_reader(context.jobs, file_id, tenant=caller.tenant):
        raise WrongJobStatus(
            f"The training job {job.job_id} reads {file_id!r} and has not ended; cancel it first.",
            param="file_id",
        )
    context.files.delete(file_id, tenant=caller.tenant)
    note_change(request, object_id=file_id)
    return DeletedFileReply(id=file_id)


def find_reader(jobs: Jobs, file_id: str, *, tenant: str) -> Job | None:
    """Return a training job that has not ended and reads the file; None if there is none."""
    for job in jobs.list_unfinished(TRAIN.name, tenant=tenant):
        args = TRAIN.args.read(job.args)
        if file_id in (args.file_id, *args.more_file_ids, *args.replay_file_ids):
            return job
    return None

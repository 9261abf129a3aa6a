"""`/v1/files`: uploaded rows, kept until a training run or a data check uses them."""

from functools import partial

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile

from service.api.access.authentication import require_still_valid
from service.api.http.audited import note_change
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.idempotency.answered_once import ONCE
from service.api.schemas.files import FileReply
from service.context import AppContext
from service.errors import InvalidRequest
from service.stores.files import UploadedFile
from service.stores.job_kinds import FILE_CHECK, FileCheckArgs

api = APIRouter(prefix="/v1/files", tags=["files"], responses=errors(400, 404, 409, 422, 507))

TRAINING = "fine-tune"  # the purpose of files of training rows

_UPLOAD = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {
            "type": "string",
            "contentMediaType": "application/octet-stream",
            "description": "The rows, one JSON object a line; at most `server.max_body_bytes`.",
        },
        "purpose": {"type": "string", "default": TRAINING},
    },
}
_MULTIPART = {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD}}}


@api.post("", openapi_extra={"requestBody": _MULTIPART}, dependencies=ONCE)
async def upload_file(request: Request, context: Context, caller: Caller) -> FileReply:
    """Upload a file: training rows, which are then checked in the background, or a document."""
    async with request.form(max_files=1, max_fields=4) as form:
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise InvalidRequest("The multipart body has no part `file`.", param="file")
        said = form.get("purpose")
        purpose = str(said or TRAINING)
        content = await upload.read()
        name = upload.filename or "rows.jsonl"
    await require_still_valid(request)
    keep = partial(context.files.save, name, content, purpose=purpose, tenant=caller.tenant)
    file = await to_thread.run_sync(keep)
    note_change(request, object_id=file.file_id, after=file.sha256)
    if said != TRAINING:  # a document may come without a purpose, and cannot be checked
        return await to_thread.run_sync(_reply, context, file)
    return await to_thread.run_sync(_with_check, context, caller, file)


@api.get("/{file_id}")
def get_file(context: Context, caller: Caller, file_id: str) -> FileReply:
    """Return an uploaded file without its content, with the check of its training rows."""
    return _reply(context, context.files.get(file_id, tenant=caller.tenant))


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

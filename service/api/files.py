"""`/v1/files`: uploaded rows, kept until a training run or a data check uses them."""

from functools import partial

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile

from service.api.access.authentication import require_still_valid
from service.api.access.readable import readable_file
from service.api.http.audited import note_change
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.paths import fault_of_name
from service.api.http.uploads import form_of
from service.api.idempotency.answered_once import ONCE
from service.api.schemas.files import FileReply
from service.errors import InvalidRequest

api = APIRouter(prefix="/v1/files", tags=["files"], responses=errors(400, 404, 409, 422, 507))

MOST_NAME_CHARS = 512  # as the id of a document, which the name becomes
MOST_PURPOSE_CHARS = 32

_UPLOAD = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {
            "type": "string",
            "contentMediaType": "application/octet-stream",
            "description": "The rows, one JSON object a line; at most `server.max_body_bytes`.",
        },
        "purpose": {"type": "string", "default": "fine-tune"},
    },
}
_MULTIPART = {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD}}}


@api.post("", openapi_extra={"requestBody": _MULTIPART}, dependencies=ONCE)
async def upload_file(request: Request, context: Context, caller: Caller) -> FileReply:
    """Upload a file: training rows or a document."""
    async with form_of(request, max_fields=4) as form:
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise InvalidRequest("The multipart body has no part `file`.", param="file")
        purpose = str(form.get("purpose") or "fine-tune")
        content = await upload.read()
        name = upload.filename or "rows.jsonl"
    _require_plain("name of the file", name, most=MOST_NAME_CHARS, param="file")
    _require_plain("purpose", purpose, most=MOST_PURPOSE_CHARS, param="purpose")
    await require_still_valid(request)
    keep = partial(context.files.save, name, content, purpose=purpose, tenant=caller.tenant)
    file = await to_thread.run_sync(keep)
    note_change(request, object_id=file.file_id, after=file.sha256)
    return FileReply.of(file)


def _require_plain(what: str, text: str, *, most: int, param: str) -> None:
    """Raise `InvalidRequest` where no document could be reached under a name, or no column is."""
    reason = fault_of_name(text) if len(text) <= most else f"has more than {most} characters"
    if reason is not None:
        raise InvalidRequest(f"The {what} {reason}.", param=param)


@api.get("/{file_id}")
def get_file(context: Context, caller: Caller, file_id: str) -> FileReply:
    """Return an uploaded file without its content."""
    return FileReply.of(readable_file(context, caller, file_id))

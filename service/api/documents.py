"""`/v1/vector_stores/{id}/documents`: what a knowledge base holds.

Every write goes through the ingest lane, the one ingest path; reads ask the room.
"""

import hashlib
from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from knowledge import DocumentTooLarge, KnowledgeBase
from service.api.access.authentication import require_still_valid
from service.api.document_writes import write_in_order
from service.api.http.audited import note_change
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.job_replies import ACCEPTED
from service.api.http.limited import COUNTED
from service.api.http.parameters import After, IdempotencyKey, Limit
from service.api.http.uploads import Upload, read_upload
from service.api.idempotency.answered_once import ONCE
from service.api.schemas.documents import (
    DeletedDocument,
    DocumentReply,
    DocumentWithText,
    IngestedDocument,
)
from service.api.schemas.shapes import ListReply
from service.context import AppContext
from service.stores.job_kinds import DELETE_DOCUMENT, INGEST, DeleteArgs, IngestArgs
from service.stores.locked_files import read_locked

api = APIRouter(
    prefix="/v1/vector_stores",
    tags=["knowledge"],
    responses=errors(400, 404, 409, 413, 415, 422, 503, 507),
)

MOST_LISTED = 1000
SyncedFrom = Annotated[
    str | None,
    Query(description="Delete it only if the sync of this folder wrote it; 409 otherwise."),
]
# The endpoint reads its body itself, so that a large file is never held as text.
BODY_OF_PUT = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/InlineDocument"}},
            "multipart/form-data": {"schema": {"$ref": "#/components/schemas/DocumentUpload"}},
        },
    }
}


@api.get("/{base_id}/documents")
def list_documents(
    *, context: Context, caller: Caller, base_id: str, limit: Limit = 100, after: After = None
) -> ListReply[DocumentReply]:
    """List documents, oldest first; `after` is the last `external_id` of the previous page.

    A page has 1 to 1,000.
    """
    limit = max(1, min(limit, MOST_LISTED))
    found = context.knowledge.list_documents(
        base_id,
        tenant=caller.tenant,
        access=caller.access_labels,
        limit=limit + 1,
        after=after,
    )
    data = [DocumentReply.of(document) for document in found[:limit]]
    return ListReply[DocumentReply](data=data, has_more=len(found) > limit)


@api.get("/{base_id}/documents/{external_id:path}")
def get_document(
    context: Context, caller: Caller, base_id: str, external_id: str
) -> DocumentWithText:
    """Return a document with its text."""
    found = context.knowledge.document_text(
        base_id, external_id, tenant=caller.tenant, access=caller.access_labels
    )
    return DocumentWithText.with_text(found)


@api.put(
    "/{base_id}/documents/{external_id:path}",
    response_model=IngestedDocument,
    responses=ACCEPTED,
    openapi_extra=BODY_OF_PUT,
    dependencies=COUNTED + ONCE,
)
async def put_document(
    *,
    request: Request,
    caller: Caller,
    context: Context,
    base_id: str,
    external_id: str,
    idempotency_key: IdempotencyKey = None,
) -> IngestedDocument | Response:
    """Add or replace a document: 200 when it is searchable, or 202 with the job.

    A file sent with a `password` is read at once, so that the password need not be stored.
    """
    base = await _require_base(context, caller, base_id)
    upload = await read_upload(request, external_id)
    await require_still_valid(request)
    filename, content = upload.filename, upload.content
    limit = context.settings.knowledge.max_document_bytes
    if len(content) > limit:
        raise DocumentTooLarge(
            f"{filename} has {len(content)} bytes; knowledge.max_document_bytes is {limit}."
        )
    args = _ingest_args(base_id, external_id, upload)
    note_change(request, after=args.sha256)
    if upload.password is not None:
        args = args.model_copy(update={"was_locked": True})
        limits = context.settings.knowledge.parse_limits
        password = upload.password
        read = partial(read_locked, filename, content, password, limits=limits, ocr=base.ocr)
        content = await to_thread.run_sync(read, limiter=context.locked_file_limiter)
    result = await write_in_order(
        INGEST,
        args,
        context=context,
        caller=caller,
        payload=content,
        idempotency_key=idempotency_key,
    )
    return result if isinstance(result, Response) else IngestedDocument.model_validate(result)


@api.delete(
    "/{base_id}/documents/{external_id:path}",
    response_model=DeletedDocument,
    responses=ACCEPTED,
)
async def delete_document(
    *,
    context: Context,
    caller: Caller,
    base_id: str,
    external_id: str,
    synced_from: SyncedFrom = None,
) -> DeletedDocument | Response:
    """Delete a document with the texts of all its versions; no later answer contains any."""
    await _require_base(context, caller, base_id)
    args = DeleteArgs(base_id=base_id, external_id=external_id, synced_from=synced_from)
    result = await write_in_order(DELETE_DOCUMENT, args, context=context, caller=caller)
    return result if isinstance(result, Response) else DeletedDocument.model_validate(result)


def _ingest_args(base_id: str, external_id: str, upload: Upload) -> IngestArgs:
    labels = upload.access_labels
    return IngestArgs(
        base_id=base_id,
        external_id=external_id,
        filename=upload.filename,
        attributes=upload.attributes,
        access=None if labels is None else tuple(sorted(set(labels))),
        sha256=hashlib.sha256(upload.content).hexdigest(),  # other content, other request
        synced_from=upload.synced_from,
        encoding=upload.encoding,
    )


async def _require_base(context: AppContext, caller: Caller, base_id: str) -> KnowledgeBase:
    find = partial(context.knowledge.get_base, base_id, tenant=caller.tenant)
    return await to_thread.run_sync(find)

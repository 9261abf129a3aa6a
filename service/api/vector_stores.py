"""`/v1/vector_stores`: knowledge bases and their documents, under OpenAI's nouns.

Every write goes through the ingest lane, the one ingest path; reads ask the room.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Annotated, Any, TypeVar

from anyio import to_thread
from fastapi import APIRouter, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import Field, ValidationError
from starlette.datastructures import FormData, UploadFile

from knowledge import Chunking, Document, DocumentTooLarge, KnowledgeBase, UnsupportedFile
from service.api.dependencies import Caller, Context
from service.api.jobs import wait_for
from service.api.schemas.shapes import Body
from service.chat.citations import passage_dict
from service.context import AppContext
from service.errors import InvalidRequest
from service.stores.job_kinds import DELETE_DOCUMENT, INGEST, DeleteArgs, IngestArgs, JobKind
from service.stores.jobs import Job
from service.stores.locked_files import read_locked
from service.stores.use_cases import ID_PATTERN

T = TypeVar("T")
A = TypeVar("A", IngestArgs, DeleteArgs)
api = APIRouter(prefix="/v1/vector_stores", tags=["knowledge"])


class NewBase(Body):
    """Body of `POST /v1/vector_stores`."""

    name: str = Field(min_length=1, max_length=256)
    id: str | None = Field(default=None, pattern=ID_PATTERN)
    chunking: Chunking | None = None


class InlineDocument(Body):
    """JSON body of a document's PUT."""

    filename: str = Field(min_length=1, max_length=512)
    content: str
    attributes: dict[str, str | int | float | bool] = Field(default_factory=dict)
    access_labels: tuple[str, ...] | None = None


class SearchRequest(Body):
    """Body of a search."""

    query: str = Field(min_length=1)
    max_num_results: int | None = Field(default=None, ge=1, le=50)
    max_tokens: int | None = Field(default=None, ge=1)
    filters: dict[str, Any] = Field(default_factory=dict)
    access_labels: tuple[str, ...] = ()


@api.post("")
async def create_base(context: Context, caller: Caller, body: NewBase) -> dict[str, Any]:
    """Make a knowledge base."""
    create = partial(
        context.knowledge.create_base,
        body.name,
        tenant=caller.tenant,
        base_id=body.id,
        chunking=body.chunking,
    )
    base = await to_thread.run_sync(create)
    context.cache.invalidate()
    return _base(base)


@api.get("")
def list_bases(
    context: Context, caller: Caller, limit: int = 1000, after: str | None = None
) -> dict[str, Any]:
    """List the knowledge bases, oldest first; `after` is the `id` that ended the page before."""
    found = context.knowledge.list_bases(tenant=caller.tenant)
    if after is not None:
        ids = [str(base.base_id) for base in found]
        if after not in ids:
            raise InvalidRequest(f"There is no knowledge base {after!r}.", param="after")
        found = found[ids.index(after) + 1 :]
    page = found[: max(1, min(limit, 1000))]
    data = [_base(base) for base in page]
    return {"object": "list", "data": data, "has_more": len(found) > len(page)}


@api.get("/{base_id}")
def get_base(context: Context, caller: Caller, base_id: str) -> dict[str, Any]:
    """Return one knowledge base, and what is measured of it for the router."""
    knowledge = context.knowledge
    base = knowledge.get_base(base_id, tenant=caller.tenant)
    measured = asdict(knowledge.measure([base_id], tenant=caller.tenant))
    for shown_already in ("documents", "chunks"):
        del measured[shown_already]
    return {**_base(base), "measured": measured}


@api.delete("/{base_id}")
async def delete_base(context: Context, caller: Caller, base_id: str) -> dict[str, Any]:
    """Delete a knowledge base with all its documents."""
    delete = partial(context.knowledge.delete_base, base_id, tenant=caller.tenant)
    await to_thread.run_sync(delete)
    context.cache.invalidate()
    return {"id": base_id, "object": "vector_store.deleted", "deleted": True}


@api.get("/{base_id}/documents")
def list_documents(
    context: Context, caller: Caller, base_id: str, limit: int = 100, after: str | None = None
) -> dict[str, Any]:
    """List documents, oldest first; `after` is the document that ended the page before."""
    limit = max(1, min(limit, 1000))
    found = context.knowledge.list_documents(
        base_id, tenant=caller.tenant, limit=limit + 1, after=after
    )
    page = found[:limit]
    data = [_document(document) for document in page]
    return {"object": "list", "data": data, "has_more": len(found) > len(page)}


@api.get("/{base_id}/documents/{external_id:path}")
def get_document(
    context: Context, caller: Caller, base_id: str, external_id: str
) -> dict[str, Any]:
    """Return one document with its text."""
    found = context.knowledge.document_text(base_id, external_id, tenant=caller.tenant)
    return {**_document(found.document), "text": found.text}


@api.put("/{base_id}/documents/{external_id:path}")
async def put_document(
    request: Request,
    caller: Caller,
    context: Context,
    base_id: str,
    external_id: str,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> Response:
    """Add or replace a document: 200 once it is searchable, else 202 with the job.

    A file that comes with a `password` is read here and now, so that nobody has to keep it.
    """
    await _require_base(context, caller, base_id)
    upload = await _read_upload(request, external_id)
    filename, content = upload.filename, upload.content
    limit = context.settings.knowledge.max_document_bytes
    if len(content) > limit:
        raise DocumentTooLarge(
            f"{filename} has {len(content)} bytes; knowledge.max_document_bytes is {limit}."
        )
    labels = upload.access_labels
    args = IngestArgs(
        base_id=base_id,
        external_id=external_id,
        filename=filename,
        attributes=upload.attributes,
        access=None if labels is None else tuple(sorted(set(labels))),
        sha256=hashlib.sha256(content).hexdigest(),  # another content is another request
    )
    if upload.password is not None:
        args = args.model_copy(update={"was_locked": True})
        limits = context.settings.knowledge.parse_limits
        read = partial(read_locked, filename, content, upload.password, limits=limits)
        content = await to_thread.run_sync(read, limiter=context.locked_file_limiter)
    job = await _enqueue(context, caller, INGEST, args, payload=content, key=idempotency_key)
    return await _reply(job, context)


@api.delete("/{base_id}/documents/{external_id:path}")
async def delete_document(
    context: Context, caller: Caller, base_id: str, external_id: str
) -> Response:
    """Delete a document; no later answer holds its text."""
    await _require_base(context, caller, base_id)
    args = DeleteArgs(base_id=base_id, external_id=external_id)
    job = await _enqueue(context, caller, DELETE_DOCUMENT, args)
    return await _reply(job, context)


@api.post("/{base_id}/search")
async def search(
    context: Context, caller: Caller, base_id: str, body: SearchRequest
) -> dict[str, Any]:
    """Return the passages for a query, best first."""
    found = await to_thread.run_sync(
        partial(
            context.knowledge.retrieve,
            body.query,
            base_ids=[base_id],
            tenant=caller.tenant,
            top_k=body.max_num_results,
            max_tokens=body.max_tokens,
            filters=body.filters,
            access=body.access_labels,
        )
    )
    data = [
        {
            **passage_dict(passage),
            "file_id": passage.document_id,
            "external_id": passage.external_id,
            "relevance": passage.relevance,
            "above_floor": passage.is_relevant,
            "attributes": dict(passage.attributes),
            "content": [{"type": "text", "text": passage.text}],
        }
        for passage in found.passages
    ]
    return {
        "object": "vector_store.search_results.page",
        "search_query": found.query,
        "data": data,
        "has_more": False,
        "passages_over_budget": found.passages_over_budget,
        "degraded": found.degraded,
        "retrievers": list(found.retrievers),
        "left_out": [asdict(item) for item in found.left_out],
    }


@api.post("/{base_id}/reconcile")
async def reconcile(context: Context, caller: Caller, base_id: str) -> dict[str, Any]:
    """Make the vector index agree with the database."""
    run = partial(context.knowledge.reconcile, base_id, tenant=caller.tenant)
    return {"object": "reconcile_report", **asdict(await to_thread.run_sync(run))}


async def _require_base(context: AppContext, caller: Caller, base_id: str) -> KnowledgeBase:
    find = partial(context.knowledge.get_base, base_id, tenant=caller.tenant)
    return await to_thread.run_sync(find)


@dataclass(frozen=True, slots=True)
class _Upload:
    filename: str
    content: bytes
    attributes: Mapping[str, Any]
    access_labels: Sequence[str] | None
    password: str | None = field(default=None, repr=False)


async def _read_upload(request: Request, external_id: str) -> _Upload:
    """Read a multipart or JSON upload."""
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "application/json":
        try:
            body = InlineDocument.model_validate_json(await request.body())
        except ValidationError as exc:
            raise RequestValidationError(exc.errors()) from exc
        return _Upload(body.filename, body.content.encode(), body.attributes, body.access_labels)
    if kind != "multipart/form-data":
        raise UnsupportedFile(
            f"A document comes as multipart/form-data with a part `file`, or as application/json "
            f"with filename and content; not as {kind or 'nothing named'}."
        )
    async with request.form(max_files=1, max_fields=4) as form:
        upload = form.get("file")
        if not isinstance(upload, UploadFile):
            raise InvalidRequest("The multipart body has no part `file`.", param="file")
        attributes = _json_field(form, "attributes", dict) or {}
        labels = _json_field(form, "access_labels", list)
        if not all(isinstance(label, str) for label in labels or ()):
            raise InvalidRequest(
                "`access_labels` must be a JSON list of text.", param="access_labels"
            )
        password = form.get("password")
        return _Upload(
            upload.filename or external_id,
            await upload.read(),
            attributes,
            labels,
            password if isinstance(password, str) and password else None,
        )


def _json_field(form: FormData, name: str, kind: type[T]) -> T | None:
    """Return a form field that holds JSON of one kind, None where it is not there."""
    field = form.get(name)
    if not isinstance(field, str):
        return None
    try:
        value = json.loads(field)
    except ValueError as exc:
        raise InvalidRequest(f"`{name}` is not JSON.", param=name) from exc
    if not isinstance(value, kind):
        shape = "an object" if kind is dict else "a list"
        raise InvalidRequest(f"`{name}` must be {shape} in JSON.", param=name)
    return value


async def _enqueue(
    context: AppContext,
    caller: Caller,
    kind: JobKind[A, Any],
    args: A,
    *,
    payload: bytes | None = None,
    key: str | None = None,
) -> Job:
    return await to_thread.run_sync(
        partial(
            context.jobs.enqueue,
            kind,
            args,
            tenant=caller.tenant,
            payload=payload,
            subject=f"{args.base_id}/{args.external_id}",
            idempotency_key=key,
        )
    )


async def _reply(job: Job, context: AppContext) -> Response:
    job = await wait_for(job, context, context.settings.server.put_wait_s)
    if job.has_ended:
        return JSONResponse({"object": "vector_store.document", **(job.result or {})})
    headers = {"location": f"/jobs/{job.job_id}"}
    return JSONResponse({"job": job.as_dict()}, status_code=202, headers=headers)


def _base(base: KnowledgeBase) -> dict[str, Any]:
    return {
        "id": base.base_id,
        "object": "vector_store",
        "name": base.name,
        "created_at": int(base.created_at),
        "documents": base.documents,
        "chunks": base.chunks,
        "usage_bytes": base.text_bytes,
        "chunking": None if base.chunking is None else base.chunking.model_dump(),
        "status": "completed",
    }


def _document(document: Document) -> dict[str, Any]:
    body = asdict(document)
    body["access_labels"] = body.pop("access")
    return {"object": "vector_store.document", **body}

"""`/v1/vector_stores`: knowledge bases, under OpenAI's name for them."""

from functools import partial

from anyio import to_thread
from fastapi import APIRouter, Request

from service.access_errors import BaseNotAllowed
from service.api.http.audited import note_change
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.json_bodies import JsonRoute
from service.api.http.parameters import After, Limit
from service.api.schemas.shapes import ListReply
from service.api.schemas.vector_stores import (
    BaseChange,
    MeasuredVectorStore,
    NewBase,
    VectorStore,
    VectorStoreDeleted,
)
from service.errors import InvalidRequest

api = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/vector_stores",
    tags=["knowledge"],
    responses=errors(400, 404, 409, 422, 503, 507),
)

MOST_LISTED = 1000


@api.post("")
async def create_base(
    request: Request, context: Context, caller: Caller, body: NewBase
) -> VectorStore:
    """Create a knowledge base."""
    if caller.knowledge_bases is not None and body.id not in caller.knowledge_bases:
        allowed = ", ".join(sorted(caller.knowledge_bases))
        raise BaseNotAllowed(f"The API key can make no knowledge base but {allowed}.", param="id")
    create = partial(
        context.knowledge.create_base,
        body.name,
        tenant=caller.tenant,
        base_id=body.id,
        chunking=body.chunking,
        keep_versions=body.keep_versions,
        ocr=body.ocr,
    )
    base = await to_thread.run_sync(create)
    note_change(request, object_id=base.base_id)
    context.cache.invalidate()
    return VectorStore.of(base)


@api.get("")
def list_bases(
    context: Context, caller: Caller, limit: Limit = MOST_LISTED, after: After = None
) -> ListReply[VectorStore]:
    """List the knowledge bases, oldest first; 1 to 1,000 a page."""
    every = context.knowledge.list_bases(tenant=caller.tenant)
    found = [base for base in every if caller.may_use_base(base.base_id)]
    if after is not None:
        ids = [str(base.base_id) for base in found]
        if after not in ids:
            raise InvalidRequest(f"There is no knowledge base {after!r}.", param="after")
        found = found[ids.index(after) + 1 :]
    page = found[: max(1, min(limit, MOST_LISTED))]
    data = [VectorStore.of(base) for base in page]
    return ListReply[VectorStore](data=data, has_more=len(found) > len(page))


@api.get("/{base_id}")
def get_base(context: Context, caller: Caller, base_id: str) -> MeasuredVectorStore:
    """Return a knowledge base with the figures measured for the router."""
    knowledge = context.knowledge
    base = knowledge.get_base(base_id, tenant=caller.tenant)
    measured = knowledge.measure([base_id], tenant=caller.tenant)
    return MeasuredVectorStore.measured_as(base, measured)


@api.post("/{base_id}")
def change_base(
    context: Context, caller: Caller, base_id: str, body: BaseChange
) -> MeasuredVectorStore:
    """Change the settings of a knowledge base; documents sent from now on are read by them."""
    if body.keep_versions is not None:
        context.knowledge.versions.keep(base_id, body.keep_versions, tenant=caller.tenant)
    if body.ocr is not None:
        context.knowledge.change_base(base_id, tenant=caller.tenant, ocr=body.ocr)
    return get_base(context, caller, base_id)


@api.delete("/{base_id}")
async def delete_base(context: Context, caller: Caller, base_id: str) -> VectorStoreDeleted:
    """Delete a knowledge base and all its documents."""
    delete = partial(context.knowledge.delete_base, base_id, tenant=caller.tenant)
    await to_thread.run_sync(delete)
    context.cache.invalidate()
    return VectorStoreDeleted(id=base_id)

"""`/v1/vector_stores/{id}/search`: passages for a query, without an answer."""

from functools import partial

from anyio import to_thread
from fastapi import APIRouter

from knowledge import read_filter
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.json_bodies import JsonRoute
from service.api.schemas.search import SearchReply, SearchRequest

api = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/vector_stores",
    tags=["knowledge"],
    responses=errors(400, 404, 409, 422, 503),
)


@api.post("/{base_id}/search")
async def search(
    context: Context, caller: Caller, base_id: str, body: SearchRequest
) -> SearchReply:
    """Search for passages, best first."""
    named = body.access_labels if "access_labels" in body.model_fields_set else None
    labels = caller.labels(named)
    retrieve = partial(
        context.knowledge.retrieve,
        body.query,
        base_ids=[base_id],
        tenant=caller.tenant,
        top_k=body.max_num_results,
        max_tokens=body.max_tokens,
        filters=read_filter(body.filters or {}),
        access=labels or (),
    )
    return SearchReply.of(await to_thread.run_sync(retrieve))

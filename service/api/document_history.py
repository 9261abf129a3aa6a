"""What happened to the documents of a knowledge base: versions, newest first."""

from typing import Annotated

from fastapi import APIRouter, Query

from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.parameters import After, Limit
from service.api.schemas.documents import DocumentVersionReply
from service.api.schemas.shapes import ListReply

api = APIRouter(
    prefix="/v1/vector_stores", tags=["knowledge"], responses=errors(400, 404, 422, 503)
)

DocumentName = Annotated[
    str | None, Query(description="Only the document with this `external_id`.")
]


@api.get("/{base_id}/history")
def list_history(
    *,
    context: Context,
    caller: Caller,
    base_id: str,
    document: DocumentName = None,
    limit: Limit = 100,
    after: After = None,
) -> ListReply[DocumentVersionReply]:
    """List the versions of one or all documents, newest first; 1 to 1,000 a page."""
    limit = max(1, min(limit, 1000))
    found = context.knowledge.versions.history(
        base_id, document, tenant=caller.tenant, limit=limit + 1, after=after
    )
    data = [DocumentVersionReply.of(entry) for entry in found[:limit]]
    return ListReply[DocumentVersionReply](data=data, has_more=len(found) > limit)

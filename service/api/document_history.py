"""What happened to the documents of a knowledge base: versions, compared and taken back.

A reader's `access_labels` count as in a search; without them the caller's own count.
"""

from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query
from fastapi.responses import Response

from service.api.document_writes import write_in_order
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.job_replies import ACCEPTED
from service.api.http.json_bodies import JsonRoute
from service.api.http.parameters import After, IdempotencyKey, Limit
from service.api.schemas.document_history import (
    DocumentVersionReply,
    Rollback,
    StaleDocumentReply,
    StaleReply,
    VersionDiffReply,
    VersionTextReply,
)
from service.api.schemas.documents import IngestedDocument
from service.api.schemas.shapes import ListReply
from service.stores.job_kinds import ROLLBACK, RollbackArgs

api = APIRouter(
    route_class=JsonRoute,
    prefix="/v1/vector_stores",
    tags=["knowledge"],
    responses=errors(400, 404, 409, 422, 503, 507),
)

MOST_LISTED = 1000
MOST_NUMBER = 2**31 - 1  # of versions and days: what every database's integers hold

DocumentName = Annotated[
    str | None, Query(description="Only the document with this `external_id`.")
]
OneDocument = Annotated[str, Query(description="The document's `external_id`.")]
Version = Annotated[int, Query(ge=1, le=MOST_NUMBER, description="Number of a version.")]
Labels = Annotated[
    list[str] | None,
    Query(description="Access labels of the reader; left out: all that the caller may read."),
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
    limit = max(1, min(limit, MOST_LISTED))
    found = context.knowledge.versions.history(
        base_id,
        document,
        tenant=caller.tenant,
        access=caller.access_labels,
        limit=limit + 1,
        after=after,
    )
    data = [DocumentVersionReply.of(entry) for entry in found[:limit]]
    return ListReply[DocumentVersionReply](data=data, has_more=len(found) > limit)


@api.get("/{base_id}/version")
def get_version(
    *,
    context: Context,
    caller: Caller,
    base_id: str,
    document: OneDocument,
    version: Version,
    access_labels: Labels = None,
) -> VersionTextReply:
    """Return the text of a version, if it is active or was kept (`keep_versions`)."""
    found = context.knowledge.versions.text(
        base_id,
        document,
        version,
        tenant=caller.tenant,
        access=caller.labels(access_labels),
    )
    return VersionTextReply.of(base_id, found)


@api.get("/{base_id}/diff")
def diff_versions(
    *,
    context: Context,
    caller: Caller,
    base_id: str,
    document: OneDocument,
    old: Version,
    new: Annotated[
        int | None,
        Query(ge=1, le=MOST_NUMBER, description="Left out: the active version."),
    ] = None,
    access_labels: Labels = None,
) -> VersionDiffReply:
    """Return how the texts of two versions differ, as a unified diff."""
    found = context.knowledge.versions.diff(
        base_id,
        document,
        old,
        new,
        tenant=caller.tenant,
        access=caller.labels(access_labels),
    )
    return VersionDiffReply.of(base_id, found)


@api.post("/{base_id}/rollback", response_model=IngestedDocument, responses=ACCEPTED)
async def roll_back(
    *,
    context: Context,
    caller: Caller,
    base_id: str,
    body: Rollback,
    idempotency_key: IdempotencyKey = None,
) -> IngestedDocument | Response:
    """Write the text of an earlier version as a new one; labels are those of the document now."""
    look = partial(
        context.knowledge.versions.text,
        base_id,
        body.document,
        body.version,
        tenant=caller.tenant,
        access=caller.labels(None),
    )
    found = await to_thread.run_sync(look)
    args = RollbackArgs(base_id=base_id, external_id=found.external_id, version=body.version)
    result = await write_in_order(
        ROLLBACK, args, context=context, caller=caller, idempotency_key=idempotency_key
    )
    return result if isinstance(result, Response) else IngestedDocument.model_validate(result)


@api.get("/{base_id}/stale")
def list_stale(
    *,
    context: Context,
    caller: Caller,
    base_id: str,
    days: Annotated[int, Query(ge=1, le=MOST_NUMBER, description="Neither changed nor cited.")],
    limit: Limit = 100,
    after: After = None,
) -> StaleReply:
    """List documents that nobody changed or cited for `days` days; 1 to 1,000 a page."""
    limit = max(1, min(limit, MOST_LISTED))
    found = context.knowledge.usage.stale(
        base_id,
        days,
        tenant=caller.tenant,
        access=caller.access_labels,
        limit=limit + 1,
        after=after,
    )
    data = [StaleDocumentReply.of(document) for document in found.documents[:limit]]
    has_more = len(found.documents) > limit
    return StaleReply(data=data, has_more=has_more, citations_since=found.citations_since)

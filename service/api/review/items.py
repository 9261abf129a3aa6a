"""`/review_items`: training rows that people accept, edit or reject."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from adapters import row_of
from service.api.http.audited import note_change
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.json_bodies import JsonRoute
from service.api.http.parameters import After, Limit
from service.api.schemas.review.items import (
    AcceptRequest,
    AddedReply,
    BatchReply,
    DeletedBatchReply,
    EditRequest,
    RejectRequest,
    ReviewItemReply,
    ReviewRequest,
)
from service.api.schemas.shapes import ListReply
from service.stores.review.items import MAX_BATCH_CHARS, Decision, ReviewStatus

api = APIRouter(
    route_class=JsonRoute, prefix="/review_items", tags=["review"], responses=errors(400, 404, 422)
)
batches = APIRouter(prefix="/review_batches", tags=["review"], responses=errors(404, 422))

MOST_LISTED = 1000

OfStatus = Annotated[ReviewStatus | None, Query(description="Only rows in this state.")]
OfBatch = Annotated[
    str | None, Query(max_length=MAX_BATCH_CHARS, description="Only rows of this batch.")
]
BatchName = Annotated[str, Path(max_length=MAX_BATCH_CHARS)]


@api.post("")
def add(request: Request, context: Context, caller: Caller, body: ReviewRequest) -> AddedReply:
    """Put rows into the queue; a row that the batch has already is not added again."""
    rows = [row_of(row.model_dump(mode="json")) for row in body.rows]
    added = context.review_items.add(rows, body.batch, tenant=caller.tenant)
    note_change(request, object_id=body.batch)
    return AddedReply(batch=body.batch, added=added, already_there=len(rows) - added)


@api.get("")
def list_items(
    *,
    context: Context,
    caller: Caller,
    status: OfStatus = None,
    batch: OfBatch = None,
    limit: Limit = 20,
    after: After = None,
) -> ListReply[ReviewItemReply]:
    """List rows of the queue, those that came first first, 1 to 1,000 a page."""
    limit = max(1, min(limit, MOST_LISTED))
    found = context.review_items.list(
        tenant=caller.tenant, status=status, batch=batch, after=after, limit=limit + 1
    )
    data = [ReviewItemReply.of(item) for item in found[:limit]]
    return ListReply[ReviewItemReply](data=data, has_more=len(found) > limit)


@api.get("/{item_id}")
def get_item(context: Context, caller: Caller, item_id: str) -> ReviewItemReply:
    """Return one row of the queue."""
    return ReviewItemReply.of(context.review_items.get(item_id, tenant=caller.tenant))


@api.post("/{item_id}/accept", responses=errors(409))
def accept(context: Context, caller: Caller, item_id: str, body: AcceptRequest) -> ReviewItemReply:
    """Let a row stand as it is: it counts as read by hand."""
    decision = Decision("accepted", caller.key_id, body.note, again=body.again)
    return ReviewItemReply.of(context.review_items.decide(item_id, decision, tenant=caller.tenant))


@api.post("/{item_id}/edit", responses=errors(409))
def edit(context: Context, caller: Caller, item_id: str, body: EditRequest) -> ReviewItemReply:
    """Replace the conversation of a row: the changed row counts as read by hand."""
    item = context.review_items.get(item_id, tenant=caller.tenant)
    turns = [turn.model_dump(mode="json") for turn in body.messages]
    changed = row_of({**item.row, "messages": [*turns]})
    decision = Decision("edited", caller.key_id, body.note, edited=changed, again=body.again)
    return ReviewItemReply.of(context.review_items.decide(item_id, decision, tenant=caller.tenant))


@api.post("/{item_id}/reject", responses=errors(409))
def reject(context: Context, caller: Caller, item_id: str, body: RejectRequest) -> ReviewItemReply:
    """Reject a row: the data check fails where it is still trained on."""
    decision = Decision("rejected", caller.key_id, body.note, again=body.again)
    return ReviewItemReply.of(context.review_items.decide(item_id, decision, tenant=caller.tenant))


@batches.get("")
def list_batches(context: Context, caller: Caller) -> ListReply[BatchReply]:
    """List the batches by name, with how many rows of each are in which state."""
    counted = context.review_items.count(tenant=caller.tenant)
    data = [BatchReply.model_validate({"id": batch, **counts}) for batch, counts in counted.items()]
    return ListReply[BatchReply](data=data)


@batches.delete("/{batch:path}")
def delete_batch(context: Context, caller: Caller, batch: BatchName) -> DeletedBatchReply:
    """Delete a batch with its rows and decisions."""
    rows = context.review_items.delete_batch(batch, tenant=caller.tenant)
    return DeletedBatchReply(id=batch, rows=rows)

"""`GET /audit`: who changed what, and when."""

from typing import Annotated

from fastapi import APIRouter, Query

from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.parameters import Limit
from service.api.schemas.admin.audit import ChangeReply
from service.api.schemas.shapes import ListReply

api = APIRouter(prefix="/audit", tags=["audit"], responses=errors(422))

MOST_LISTED = 1000
MOST_SEQ = 2**53  # what JSON readers keep exactly
Since = Annotated[
    float | None,
    Query(description="Only changes from this time on, Unix seconds.", allow_inf_nan=False),
]
AfterId = Annotated[
    int | None, Query(ge=1, le=MOST_SEQ, description="Last `id` of the previous page.")
]


@api.get("")
def list_changes(
    *,
    context: Context,
    caller: Caller,
    since: Since = None,
    limit: Limit = 100,
    after: AfterId = None,
) -> ListReply[ChangeReply]:
    """List the changes of the caller's tenant, newest first, 1 to 1,000 a page."""
    limit = max(1, min(limit, MOST_LISTED))
    found = context.audit.list(tenant=caller.tenant, since=since, before_seq=after, limit=limit + 1)
    data = [ChangeReply.of(row) for row in found[:limit]]
    return ListReply[ChangeReply](data=data, has_more=len(found) > limit)

"""`GET /audit`: who changed what, and when."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query

from service import access
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.parameters import Limit
from service.api.schemas.admin.audit import ChangeReply
from service.api.schemas.shapes import ListReply
from service.stores.requests.chain import AuditRow

api = APIRouter(prefix="/audit", tags=["audit"], responses=errors(422))

MOST_LISTED = 1000
OF_DOCUMENTS = ("/v1/vector_stores/{base_id}/", "/v1/files")
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
    """List the changes of the caller's tenant, newest first, 1 to 1,000 a page.

    Names and digests are null in others' changes to documents for a key that is bound to access
    labels or knowledge bases, and to use cases that the key is not bound to.
    """
    limit = max(1, min(limit, MOST_LISTED))
    found = context.audit.list(tenant=caller.tenant, since=since, before_seq=after, limit=limit + 1)
    data = [ChangeReply.of(_told(caller, row)) for row in found[:limit]]
    return ListReply[ChangeReply](data=data, has_more=len(found) > limit)


def _told(caller: access.Caller, row: AuditRow) -> AuditRow:
    """Return a change as the caller may know of it: labels may have changed since it was made."""
    is_own = row.key_id is not None and row.key_id == caller.key_id
    is_bound = caller.access_labels is not None or caller.knowledge_bases is not None
    is_hidden = is_bound and any(path in row.action for path in OF_DOCUMENTS)
    if "/use_cases/{" in row.action and row.object_id is not None:
        is_hidden = not caller.may_use_case(row.object_id.partition("/")[0])
    return (
        replace(row, object_id=None, before=None, after=None) if is_hidden and not is_own else row
    )

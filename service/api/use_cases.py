"""`/use_cases`: what a team declares about one job."""

from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter

from service.api.dependencies import Caller, Context
from service.errors import InvalidRequest
from service.stores.use_cases import UseCase

api = APIRouter(prefix="/use_cases", tags=["use cases"])


@api.put("/{use_case_id}")
async def put_use_case(
    context: Context, caller: Caller, use_case_id: str, body: UseCase
) -> UseCase:
    """Keep a use case, replacing one of the same id."""
    if body.id != use_case_id:
        raise InvalidRequest(
            f"The body's id {body.id!r} is not the path's {use_case_id!r}.", param="id"
        )
    await to_thread.run_sync(
        context.policy.with_thresholds, body.thresholds
    )  # refuses what it must
    await to_thread.run_sync(partial(context.use_cases.put, body, tenant=caller.tenant))
    context.cache.invalidate()
    return body


@api.get("")
def list_use_cases(context: Context, caller: Caller) -> dict[str, Any]:
    """List all use cases."""
    found = context.use_cases.list(tenant=caller.tenant)
    data = [use_case.model_dump(mode="json") for use_case in found]
    return {"object": "list", "data": data, "has_more": False}


@api.get("/{use_case_id}")
def get_use_case(context: Context, caller: Caller, use_case_id: str) -> UseCase:
    """Return one use case."""
    return context.use_cases.get(use_case_id, tenant=caller.tenant)


@api.delete("/{use_case_id}")
async def delete_use_case(context: Context, caller: Caller, use_case_id: str) -> dict[str, Any]:
    """Forget a use case."""
    await to_thread.run_sync(partial(context.use_cases.delete, use_case_id, tenant=caller.tenant))
    context.cache.invalidate()
    return {"id": use_case_id, "object": "use_case", "deleted": True}

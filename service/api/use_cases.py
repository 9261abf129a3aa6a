"""`/use_cases`: what a team declares about one task of the model."""

from functools import partial

from anyio import to_thread
from fastapi import APIRouter

from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.json_bodies import JsonRoute
from service.api.schemas.shapes import ListReply
from service.api.schemas.use_cases import DeletedUseCaseReply, SavedUseCaseReply
from service.errors import InvalidRequest
from service.routing.missing_knowledge import missing_knowledge
from service.stores.use_cases import UseCase

api = APIRouter(
    route_class=JsonRoute,
    prefix="/use_cases",
    tags=["use cases"],
    responses=errors(400, 404, 422, 507),
)


@api.put("/{use_case_id}")
async def put_use_case(
    context: Context, caller: Caller, use_case_id: str, body: UseCase
) -> SavedUseCaseReply:
    """Create or replace a use case."""
    if body.id != use_case_id:
        raise InvalidRequest(
            f"The body's id {body.id!r} is not the path's {use_case_id!r}.", param="id"
        )
    refuse_unknown = partial(context.policy.with_thresholds, body.thresholds)
    await to_thread.run_sync(refuse_unknown)
    await to_thread.run_sync(partial(context.use_cases.put, body, tenant=caller.tenant))
    context.cache.invalidate()
    bases = await to_thread.run_sync(partial(context.knowledge.list_bases, tenant=caller.tenant))
    warnings = missing_knowledge(body, {base.base_id: base.chunks for base in bases})
    return SavedUseCaseReply(**body.model_dump(by_alias=True), warnings=warnings)


@api.get("")
def list_use_cases(context: Context, caller: Caller) -> ListReply[UseCase]:
    """List the use cases."""
    every = context.use_cases.list(tenant=caller.tenant)
    found = [each for each in every if caller.may_use_case(each.id)]
    return ListReply[UseCase](data=found)


@api.get("/{use_case_id}")
def get_use_case(context: Context, caller: Caller, use_case_id: str) -> UseCase:
    """Return a use case."""
    return context.use_cases.get(use_case_id, tenant=caller.tenant)


@api.delete("/{use_case_id}")
async def delete_use_case(
    context: Context, caller: Caller, use_case_id: str
) -> DeletedUseCaseReply:
    """Delete a use case."""
    await to_thread.run_sync(partial(context.use_cases.delete, use_case_id, tenant=caller.tenant))
    context.cache.invalidate()
    return DeletedUseCaseReply(id=use_case_id)

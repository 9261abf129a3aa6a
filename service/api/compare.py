"""`/compare`: the strategies compared on a team's own questions."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response
from pydantic import JsonValue

from service.api.access.bound_jobs import may_see
from service.api.access.bound_questions import require_use_case
from service.api.http.audited import note_change
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.json_bodies import JsonRoute
from service.api.schemas.compare import (
    CompareRequest,
    ComparisonJobReply,
    ComparisonReply,
    FinishedComparisonReply,
    RegretReply,
)
from service.api.schemas.shapes import ListReply
from service.compare import parse_outcomes, parse_set, regret_of
from service.context import AppContext
from service.errors import CompareNotFound, JobNotFound
from service.stores.comparisons import Comparison
from service.stores.job_kinds import COMPARE, CompareArgs, CompareResult
from service.stores.jobs import Job

api = APIRouter(
    route_class=JsonRoute, prefix="/compare", tags=["compare"], responses=errors(400, 404, 422, 507)
)

MOST_LISTED = 100
Limit = Annotated[
    int, Query(description="Maximum number of comparisons, 1 to 100; other values are clamped.")
]
After = Annotated[str | None, Query(description="Last `id` of the previous page.")]


class LinesResponse(Response):
    """One JSON object a line."""

    media_type = "application/x-ndjson"


@api.post("", status_code=202)
async def start(
    *,
    request: Request,
    context: Context,
    caller: Caller,
    body: CompareRequest,
    response: Response,
) -> ComparisonJobReply:
    """Queue a comparison; an invalid question set is refused at once."""
    parse_set(body.rows)
    require_use_case(caller, body.use_case)
    await context.use_case(body.use_case, tenant=caller.tenant)
    enqueue = partial(
        context.jobs.enqueue,
        COMPARE,
        CompareArgs(**body.model_dump(mode="json")),
        tenant=caller.tenant,
        key_id=caller.key_id,
    )
    job = await to_thread.run_sync(enqueue)
    response.headers["location"] = f"/compare/{job.job_id}"
    note_change(request, object_id=job.job_id)
    return ComparisonJobReply.of(job)


@api.get("")
def list_comparisons(
    *,
    context: Context,
    caller: Caller,
    use_case: str | None = None,
    limit: Limit = 20,
    after: After = None,
) -> ListReply[ComparisonReply]:
    """List the finished comparisons, newest first."""
    limit = max(1, min(limit, MOST_LISTED))
    found = context.comparisons.list(
        tenant=caller.tenant,
        use_case=use_case,
        allowed=caller.use_cases,
        after=after,
        limit=limit + 1,
    )
    data = [ComparisonReply.of(comparison) for comparison in found[:limit]]
    return ListReply[ComparisonReply](data=data, has_more=len(found) > limit)


@api.get("/{comparison_id}")
def get_comparison(
    context: Context, caller: Caller, comparison_id: str
) -> FinishedComparisonReply | ComparisonJobReply:
    """Return a comparison by its own id or its job's id."""
    if comparison_id.startswith("cmp_"):
        return FinishedComparisonReply.of(_finished(context, caller, comparison_id))
    job = _job(context, caller, comparison_id)
    return ComparisonJobReply.of(job, _comparison(context, caller, job))


@api.get("/{comparison_id}/outcomes", response_class=LinesResponse)
def get_outcomes(context: Context, caller: Caller, comparison_id: str) -> LinesResponse:
    """Return the outcomes: one JSON line for each question and strategy."""
    rows = _outcomes(context, caller, comparison_id)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return LinesResponse(lines)


@api.get("/{comparison_id}/regret")
def get_regret(context: Context, caller: Caller, comparison_id: str) -> RegretReply:
    """Measure the regret of the active policy on a comparison's outcomes."""
    rows = _outcomes(context, caller, comparison_id)
    placed = ((f"outcome {number}", row) for number, row in enumerate(rows, start=1))
    return RegretReply.of(regret_of(parse_outcomes(placed), context.policy))


def _outcomes(
    context: AppContext, caller: Caller, comparison_id: str
) -> Sequence[Mapping[str, JsonValue]]:
    if comparison_id.startswith("cmp_"):
        return _finished(context, caller, comparison_id).outcomes
    job = _job(context, caller, comparison_id)
    comparison = _comparison(context, caller, job)
    if comparison is None:
        raise CompareNotFound(f"Comparison {comparison_id!r} has no outcomes ({job.status}).")
    return comparison.outcomes


def _finished(context: AppContext, caller: Caller, comparison_id: str) -> Comparison:
    found = context.comparisons.get(comparison_id, tenant=caller.tenant)
    if not caller.may_use_case(found.use_case):
        raise CompareNotFound(f"There is no comparison {comparison_id!r}.", param="id")
    return found


def _job(context: AppContext, caller: Caller, job_id: str) -> Job:
    try:
        job = context.jobs.get(job_id, tenant=caller.tenant)
    except JobNotFound as exc:
        raise CompareNotFound(f"There is no comparison {job_id!r}.", param="id") from exc
    if job.kind != COMPARE.name or not may_see(context, caller, job):
        raise CompareNotFound(f"There is no comparison {job_id!r}.", param="id")
    return job


def _comparison(context: AppContext, caller: Caller, job: Job) -> Comparison | None:
    """Return what a job made, or None as long as it has made nothing."""
    if job.result is None:
        return None
    return context.comparisons.get(
        CompareResult.read(job.result).comparison_id, tenant=caller.tenant
    )

"""`/compare`: the strategies on a team's own questions."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from service.api.dependencies import Caller, Context
from service.api.schemas.shapes import Body
from service.compare import COMPARED, StrategyName, parse_outcomes, parse_set, regret_of
from service.context import AppContext
from service.errors import CompareNotFound, JobNotFound
from service.stores.job_kinds import COMPARE, CompareArgs, CompareResult
from service.stores.jobs import Job, Status

api = APIRouter(prefix="/compare", tags=["compare"])


class CompareRequest(Body):
    """Body of `POST /compare`."""

    use_case: str
    rows: list[dict[str, Any]]
    strategies: Annotated[tuple[StrategyName, ...], Field(min_length=1)] = COMPARED
    concurrency: int = Field(default=4, ge=1, le=64)


@api.post("")
async def start(context: Context, caller: Caller, body: CompareRequest) -> Response:
    """Queue a comparison; a question set that is not valid is refused now."""
    parse_set(body.rows)
    await context.use_case(body.use_case, tenant=caller.tenant)
    enqueue = partial(
        context.jobs.enqueue,
        COMPARE,
        CompareArgs(**body.model_dump(mode="json")),
        tenant=caller.tenant,
    )
    job = await to_thread.run_sync(enqueue)
    headers = {"location": f"/compare/{job.job_id}"}
    return JSONResponse(_as_dict(job, None), status_code=202, headers=headers)


@api.get("")
def list_comparisons(
    context: Context,
    caller: Caller,
    use_case: str | None = None,
    limit: int = 20,
    after: str | None = None,
) -> dict[str, Any]:
    """List the finished comparisons, newest first; `after` is the `id` that ended the page."""
    limit = max(1, min(limit, 100))
    found = context.comparisons.list(
        tenant=caller.tenant, use_case=use_case, after=after, limit=limit + 1
    )
    data = [c.as_dict() for c in found[:limit]]
    return {"object": "list", "data": data, "has_more": len(found) > limit}


@api.get("/{comparison_id}")
def get_comparison(context: Context, caller: Caller, comparison_id: str) -> dict[str, Any]:
    """Return a comparison by its own id or by its job's."""
    if comparison_id.startswith("cmp_"):
        found = context.comparisons.get(comparison_id, tenant=caller.tenant)
        return {**found.as_dict(), "status": Status.SUCCEEDED, "progress": {"fraction": 1.0}}
    job = _job(context, caller, comparison_id)
    return _as_dict(job, _summary(context, caller, job))


@api.get("/{comparison_id}/outcomes")
def get_outcomes(context: Context, caller: Caller, comparison_id: str) -> Response:
    """Return one JSON line for each question and strategy."""
    rows = _outcomes(context, caller, comparison_id)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    return Response(lines, media_type="application/x-ndjson")


@api.get("/{comparison_id}/regret")
def get_regret(context: Context, caller: Caller, comparison_id: str) -> dict[str, Any]:
    """Judge the policy in force on a comparison's outcomes."""
    rows = _outcomes(context, caller, comparison_id)
    placed = ((f"outcome {number}", row) for number, row in enumerate(rows, start=1))
    return regret_of(parse_outcomes(placed), context.policy)


def _outcomes(
    context: AppContext, caller: Caller, comparison_id: str
) -> Sequence[Mapping[str, Any]]:
    if not comparison_id.startswith("cmp_"):
        job = _job(context, caller, comparison_id)
        if job.result is None:
            raise CompareNotFound(f"Comparison {comparison_id!r} has no outcomes ({job.status}).")
        comparison_id = CompareResult.read(job.result).comparison_id
    return context.comparisons.get(comparison_id, tenant=caller.tenant).outcomes


def _job(context: AppContext, caller: Caller, job_id: str) -> Job:
    try:
        job = context.jobs.get(job_id, tenant=caller.tenant)
    except JobNotFound as exc:
        raise CompareNotFound(f"There is no comparison {job_id!r}.", param="id") from exc
    if job.kind != COMPARE.name:
        raise CompareNotFound(f"There is no comparison {job_id!r}.", param="id")
    return job


def _summary(context: AppContext, caller: Caller, job: Job) -> dict[str, Any] | None:
    if job.result is None:
        return None
    comparison_id = CompareResult.read(job.result).comparison_id
    return dict(context.comparisons.get(comparison_id, tenant=caller.tenant).summary)


def _as_dict(job: Job, summary: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "id": job.job_id,
        "object": "comparison",
        "status": job.status,
        "use_case": job.args["use_case"],
        "progress": dict(job.progress),
        "created_at": job.created_at,
        "summary": summary,
        "error": job.error,
    }

"""`/use_cases/{id}/data_checks`: are a use case's training rows good enough?"""

import json
from functools import partial
from typing import Any

from anyio import to_thread
from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from adapters import parse_any_rows
from service.api.dependencies import Caller, Context
from service.api.jobs import wait_for
from service.api.schemas.shapes import Body
from service.context import AppContext
from service.errors import InvalidRequest
from service.stores.job_kinds import DATA_CHECK, DataCheckArgs, DataCheckResult

api = APIRouter(prefix="/use_cases/{use_case_id}/data_checks", tags=["data checks"])


class DataCheckRequest(Body):
    """Body of a check: an uploaded file of rows, or the rows themselves."""

    file_id: str | None = None
    rows: list[dict[str, Any]] | None = None
    domain: str | None = Field(default=None, max_length=4_000)
    scenarios: tuple[str, ...] | None = Field(default=None, max_length=200)
    min_similarity: float | None = Field(default=None, ge=-1, le=1)


@api.post("")
async def check(
    context: Context, caller: Caller, use_case_id: str, body: DataCheckRequest
) -> Response:
    """Check rows: 200 with the result once it is there, else 202 with the job.

    Rows that cannot be read are refused now. The result becomes the use case's measured facts.
    """
    use_case = await context.use_case(use_case_id, tenant=caller.tenant)
    name, content = await to_thread.run_sync(_content, context, caller, body)
    await to_thread.run_sync(parse_any_rows, content, name)
    args = DataCheckArgs(
        use_case=use_case_id,
        filename=name,
        domain=use_case.domain_description if body.domain is None else body.domain,
        scenarios=use_case.scenarios if body.scenarios is None else body.scenarios,
        min_similarity=body.min_similarity,
    )
    enqueue = partial(
        context.jobs.enqueue,
        DATA_CHECK,
        args,
        tenant=caller.tenant,
        payload=content,
    )
    job = await to_thread.run_sync(enqueue)
    job = await wait_for(job, context, context.settings.server.put_wait_s)
    if job.result is None:
        headers = {"location": f"/jobs/{job.job_id}"}
        return JSONResponse({"job": job.as_dict()}, status_code=202, headers=headers)
    check_id = DataCheckResult.read(job.result).data_check
    read = partial(_get, context, caller, use_case_id, check_id)
    return JSONResponse(await to_thread.run_sync(read))


@api.get("")
def list_checks(
    context: Context, caller: Caller, use_case_id: str, limit: int = 20
) -> dict[str, Any]:
    """List the checks of a use case, newest first; the first gives its measured facts."""
    context.use_cases.get(use_case_id, tenant=caller.tenant)
    found = context.data_checks.list(
        use_case_id, tenant=caller.tenant, limit=max(1, min(limit, 100))
    )
    return {"object": "list", "data": [one.as_dict() for one in found], "has_more": False}


@api.get("/{check_id}")
def get_check(context: Context, caller: Caller, use_case_id: str, check_id: str) -> dict[str, Any]:
    """Return one check."""
    return _get(context, caller, use_case_id, check_id)


def _get(context: AppContext, caller: Caller, use_case_id: str, check_id: str) -> dict[str, Any]:
    found = context.data_checks.get(check_id, use_case=use_case_id, tenant=caller.tenant)
    return found.as_dict()


def _content(context: AppContext, caller: Caller, body: DataCheckRequest) -> tuple[str, bytes]:
    """Return the name and the bytes of what is to be checked."""
    if (body.file_id is None) == (body.rows is None):
        raise InvalidRequest("Send either `file_id` or `rows`.", param="file_id")
    if body.file_id is None:
        lines = (json.dumps(row, ensure_ascii=False) for row in body.rows or ())
        return "rows.jsonl", "\n".join(lines).encode()
    file = context.files.get(body.file_id, tenant=caller.tenant)
    return file.filename, context.files.content(body.file_id, tenant=caller.tenant)

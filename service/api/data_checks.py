"""`/use_cases/{id}/data_checks`: whether a use case's training rows are good enough."""

import json
from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query
from fastapi.responses import Response

from adapters import parse_any_rows
from service.api.access.readable import readable_file
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.job_replies import ACCEPTED, accepted
from service.api.http.json_bodies import JsonRoute
from service.api.jobs import wait_for
from service.api.schemas.data_checks import DataCheckReply, DataCheckRequest
from service.api.schemas.shapes import ListReply
from service.context import AppContext
from service.errors import InvalidRequest
from service.stores.job_kinds import DATA_CHECK, DataCheckArgs, DataCheckResult

api = APIRouter(
    route_class=JsonRoute,
    prefix="/use_cases/{use_case_id}/data_checks",
    tags=["data checks"],
    responses=errors(400, 404, 409, 422, 507),
)

MOST_LISTED = 100

Limit = Annotated[
    int, Query(description="Maximum number of checks, 1 to 100; other values are clamped.")
]


@api.post("", response_model=DataCheckReply, responses=ACCEPTED)
async def check(
    context: Context, caller: Caller, use_case_id: str, body: DataCheckRequest
) -> DataCheckReply | Response:
    """Check training rows: 200 with the result, or 202 with the job.

    Unreadable rows are refused at once. The result becomes the use case's measured facts.
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
        manual_sample_share=use_case.manual_sample_share,
    )
    enqueue = partial(
        context.jobs.enqueue,
        DATA_CHECK,
        args,
        tenant=caller.tenant,
        key_id=caller.key_id,
        payload=content,
    )
    job = await to_thread.run_sync(enqueue)
    job = await wait_for(job, context, context.settings.server.put_wait_s)
    if job.result is None:
        return accepted(job)
    check_id = DataCheckResult.read(job.result).data_check
    read = partial(_get, context, caller, use_case_id, check_id)
    return await to_thread.run_sync(read)


@api.get("")
def list_checks(
    context: Context, caller: Caller, use_case_id: str, limit: Limit = 20
) -> ListReply[DataCheckReply]:
    """List the checks of a use case, newest first; the newest gives its measured facts."""
    context.use_cases.get(use_case_id, tenant=caller.tenant)
    found = context.data_checks.list(
        use_case_id, tenant=caller.tenant, limit=max(1, min(limit, MOST_LISTED))
    )
    return ListReply[DataCheckReply](data=[DataCheckReply.of(one) for one in found])


@api.get("/{check_id}")
def get_check(context: Context, caller: Caller, use_case_id: str, check_id: str) -> DataCheckReply:
    """Return one check."""
    return _get(context, caller, use_case_id, check_id)


def _get(context: AppContext, caller: Caller, use_case_id: str, check_id: str) -> DataCheckReply:
    found = context.data_checks.get(check_id, use_case=use_case_id, tenant=caller.tenant)
    return DataCheckReply.of(found)


def _content(context: AppContext, caller: Caller, body: DataCheckRequest) -> tuple[str, bytes]:
    """Return the name and the bytes of what is to be checked."""
    if (body.file_id is None) == (body.rows is None):
        raise InvalidRequest("Send either `file_id` or `rows`.", param="file_id")
    if body.file_id is None:
        lines = (json.dumps(row, ensure_ascii=False) for row in body.rows or ())
        return "rows.jsonl", "\n".join(lines).encode()
    file = readable_file(context, caller, body.file_id)
    return file.filename, context.files.content(body.file_id, tenant=caller.tenant)

"""The one shape of every error reply: an OpenAI error envelope that is also RFC 9457.

It knows replies; the status of each error stands in `service/errors.py`.
"""

import json
import logging
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from knowledge import StorageFull, is_disk_full
from service.api.http.offered import PREFIX, not_offered, offered_endpoints
from service.api.schemas.errors import ErrorReply, error_body, error_body_of
from service.api.schemas.shapes import JsonObject
from service.errors import ROOTS
from service.messages.faults import faults_of, message_of
from service.messages.spoken import content_language, say

log = logging.getLogger(__name__)

RETRY_AFTER_S = "2"
_MEANINGS = {
    400: "The request is well-formed but not valid.",
    401: "No valid API key came with the request.",
    403: "The key lacks a scope; or, without keys, the request comes from another host's page.",
    404: "What the request names does not exist.",
    409: "The request conflicts with the current state.",
    413: "The body, or a file in it, exceeds a limit.",
    415: "The type of the body or of the file is not supported.",
    422: "The request is malformed, or its file is damaged or password-protected.",
    429: "A limit is reached; `retry-after` says for how long.",
    500: "Internal error; see the gateway's log for the request id.",
    502: "The model server refused the request or stopped in the middle of an answer.",
    503: "Temporarily unavailable; try again later.",
    507: "The disk is full.",
}
Responses = dict[int | str, dict[str, Any]]


def errors(*statuses: int) -> Responses:
    """Return the error replies of these statuses, as `responses=` of a router or endpoint."""
    return {status: {"model": ErrorReply, "description": _MEANINGS[status]} for status in statuses}


ERRORS = errors(401, 403, 413, 429, 500)  # of every endpoint; a router names those of its own


def problem_of(exc: Exception, *, path: str, request_id: str) -> JsonObject:
    """Return the body for any room's error; one that is not ours says nothing of its inside."""
    if isinstance(exc, ROOTS):
        return error_body_of(exc, instance=path, request_id=request_id)
    log.exception("request %s failed", request_id, exc_info=exc)
    message = f"Internal error; see the gateway's log for request {request_id}."
    return error_body(500, message, code="internal_error", instance=path, request_id=request_id)


def reply(body: JsonObject) -> Response:
    """Return the HTTP reply for an error body."""
    status, instance = body["status"], body["instance"]
    assert isinstance(status, int)
    headers = {"content-language": content_language(), "vary": "accept-language"}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="fingerpost"'
    is_in_progress = status == 409 and body.get("retryable") is True
    if status in (429, 503) or is_in_progress:
        headers["retry-after"] = str(body.get("retry_after_s", RETRY_AFTER_S))
    if status == 500:
        headers["connection"] = "close"  # the server ends the connection of a request that failed
    if status == 409 and not is_in_progress:
        headers["x-should-retry"] = "false"  # the openai client repeats a 409 otherwise
    return Response(
        _encoded(body),
        status_code=status,
        headers=headers,
        media_type=error_media_type(str(instance)),
    )


def error_media_type(path: str) -> str:
    """Return the media type of errors: OpenAI's clients under `/v1/` read no other JSON."""
    return "application/json" if path.startswith("/v1/") else "application/problem+json"


def _encoded(body: JsonObject) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # half a surrogate pair, as JSON may escape it: it is told as it came
        return json.dumps(body).encode()


def request_id_of(request: Request) -> str:
    """Return the id this request was given on its way in."""
    return str(request.scope.get("request_id", "unknown"))


def install(app: FastAPI) -> None:
    """Answer every error of `app` in the one shape."""

    async def ours(request: Request, exc: Exception) -> Response:
        return reply(problem_of(exc, path=request.url.path, request_id=request_id_of(request)))

    async def stored(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, DBAPIError)
        if not is_disk_full(exc):
            raise exc  # logged and told as any failure inside
        return await ours(request, StorageFull("the disk of the database is full; free some space"))

    async def malformed(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, RequestValidationError)
        faults = faults_of(exc.errors(), exc.body)
        return reply(
            error_body(
                422,
                message_of(faults),
                code="malformed_request",
                instance=request.url.path,
                request_id=request_id_of(request),
                param=faults[0].field or None if faults else None,
                errors=[{"field": fault.field, "reason": fault.reason} for fault in faults],
            )
        )

    async def plain(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, HTTPException)
        code = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
        hint = say("gateway.no_path") if exc.status_code == 404 else ""
        is_unknown = exc.status_code in (404, 405) and request.url.path.startswith(PREFIX)
        offered = offered_endpoints(request.app) if is_unknown else []
        body = error_body(
            exc.status_code,
            not_offered(request.method, offered) if is_unknown else str(exc.detail),
            code=code.get(exc.status_code, "http_error"),
            hint=hint,
            instance=request.url.path,
            request_id=request_id_of(request),
        )
        return reply({**body, "endpoints": [*offered]} if is_unknown else body)

    for root in ROOTS:
        app.add_exception_handler(root, ours)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(DBAPIError, stored)
    app.add_exception_handler(Exception, ours)

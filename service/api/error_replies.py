"""The one shape of every error reply: an OpenAI error envelope that is also RFC 9457.

It knows replies; the status of each error stands in `service/errors.py`.
"""

import logging
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from knowledge import StorageFull, is_disk_full
from service.errors import ROOTS, error_fields, status_of

log = logging.getLogger(__name__)

RETRY_AFTER_S = "2"
TITLES = {
    400: "Bad request",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Content too large",
    415: "Unsupported media type",
    422: "Malformed payload",
    429: "Too many requests",
    500: "Internal error",
    502: "Bad gateway",
    503: "Not available now",
    507: "No space left",
}


def problem_body(
    status: int,
    message: str,
    *,
    code: str,
    path: str,
    request_id: str,
    param: str | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """Return the body of an error reply, or of an `error` event in a stream."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {
        "type": f"urn:fingerpost:problem:{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": message,
        "instance": path,
        "request_id": request_id,
        **extra,
        "error": {"message": message, "type": kind, "param": param, "code": code},
    }


def problem_of(exc: Exception, *, path: str, request_id: str) -> dict[str, Any]:
    """Return the body for any room's error; one that is not ours says nothing of its inside."""
    if not isinstance(exc, ROOTS):
        log.exception("request %s failed", request_id, exc_info=exc)
        message = f"Something failed inside; the gateway's log names request {request_id}."
        return problem_body(500, message, code="internal_error", path=path, request_id=request_id)
    fields = error_fields(exc)
    return problem_body(
        status_of(exc),
        fields.pop("message"),
        code=fields.pop("code"),
        path=path,
        request_id=request_id,
        **fields,
    )


def reply(body: dict[str, Any]) -> Response:
    """Return the HTTP reply for an error body."""
    status = body["status"]
    openai = body["instance"].startswith("/v1/")
    headers = {"retry-after": RETRY_AFTER_S} if status in (429, 503) else {}
    if status == 409:
        headers["x-should-retry"] = "false"  # the openai client repeats a 409 otherwise
    return Response(
        orjson.dumps(body),
        status_code=status,
        headers=headers,
        media_type="application/json" if openai else "application/problem+json",
    )


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
        return await ours(request, StorageFull("the disk of the database is full; make room"))

    async def malformed(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, RequestValidationError)
        faults = [
            {"field": ".".join(str(part) for part in fault["loc"]), "reason": fault["msg"]}
            for fault in exc.errors()
        ]
        message = "; ".join(f"{fault['field']}: {fault['reason']}" for fault in faults)
        return reply(
            problem_body(
                422,
                f"The request is malformed: {message}",
                code="malformed_request",
                path=request.url.path,
                request_id=request_id_of(request),
                param=faults[0]["field"] if faults else None,
                errors=faults,
            )
        )

    async def plain(request: Request, exc: Exception) -> Response:
        assert isinstance(exc, HTTPException)
        code = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}
        return reply(
            problem_body(
                exc.status_code,
                str(exc.detail),
                code=code.get(exc.status_code, "http_error"),
                path=request.url.path,
                request_id=request_id_of(request),
            )
        )

    for root in ROOTS:
        app.add_exception_handler(root, ours)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, plain)
    app.add_exception_handler(DBAPIError, stored)
    app.add_exception_handler(Exception, ours)

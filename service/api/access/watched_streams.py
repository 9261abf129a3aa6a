"""Ends a stream whose key is revoked or expires while it runs, with an error as its last event."""

from collections.abc import Callable

from fastapi import Request

from service.api.access.authentication import refusal_during
from service.api.http.error_replies import problem_of, request_id_of
from service.api.http.streams import Watch, sse
from service.api.schemas.shapes import JsonObject


def named_error(problem: JsonObject) -> bytes:
    """Return a problem as `/chat` tells it: an event named `error`."""
    return sse(problem, "error")


def key_watch(request: Request, tell: Callable[[JsonObject], bytes] = sse) -> Watch:
    """Return what an `EventStream` asks from time to time.

    Args:
        request: Whose key is looked at.
        tell: Writes the problem as an event of this protocol.
    """

    async def watch() -> bytes | None:
        refusal = await refusal_during(request.scope)
        if refusal is None:
            return None
        return tell(problem_of(refusal, path=request.url.path, request_id=request_id_of(request)))

    return watch

"""Server-sent events: one place for framing, keep-alive and the end of a stream.

It knows events and bytes; it does not know what they mean.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import TypeVar

import anyio
import orjson
from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from service.api.http.error_replies import Responses
from service.api.schemas.shapes import JsonObject, Reply

KEEP_ALIVE_S = 15.0  # proxies cut silent connections after 30 to 60 s
KEEP_ALIVE = b": keep-alive\n\n"
WATCH_S = 0.1  # with what the gateway remembers of keys, half a second at most
T = TypeVar("T")
Watch = Callable[[], Awaitable[bytes | None]]


def sse(data: Reply | JsonObject, event: str | None = None) -> bytes:
    """Return one event with JSON data."""
    head = b"" if event is None else b"event: %b\n" % event.encode()
    return b"%bdata: %b\n\n" % (head, _json(data))


def json_reply(body: Reply) -> Response:
    """Return a whole body as JSON, without the keys that were not set."""
    return Response(_json(body), media_type="application/json")


def _json(data: Reply | JsonObject) -> bytes:
    if isinstance(data, Reply):
        return data.model_dump_json(exclude_unset=True).encode()
    return orjson.dumps(data)


def event_stream(
    whole: type[Reply], events: Mapping[str, type[Reply]], *, ending: str | None = None
) -> Responses:
    """Return the description of a reply that is whole, or a stream if the body asks for one.

    Args:
        whole: The reply without a stream.
        events: Data of the stream's events by the event's name; no name: unnamed events.
        ending: Data of the last event, where that is no JSON.
    """
    kinds = [_event_schema(name, data) for name, data in events.items()]
    if ending is not None:
        kinds.append({"properties": {"data": {"const": ending}}, "required": ["data"]})
    described = {"itemSchema": {"type": "object", "anyOf": kinds}}
    return {200: {"model": whole, "content": {"text/event-stream": described}}}


def _event_schema(name: str, data: type[Reply]) -> JsonObject:
    told: JsonObject = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": f"#/components/schemas/{data.__name__}"},
    }
    if not name:
        return {"properties": {"data": told}, "required": ["data"]}
    return {"properties": {"event": {"const": name}, "data": told}, "required": ["event", "data"]}


class EventStream(StreamingResponse):
    """A reply that sends frames as they come, and a comment when none came for long."""

    def __init__(self, frames: AsyncGenerator[bytes, None], watch: Watch | None = None) -> None:
        """Send `frames`; they end early with the last frame that `watch` gives, if it gives one."""
        headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
        super().__init__(frames, media_type="text/event-stream", headers=headers)
        self._frames = frames  # closed at once when the client leaves: the engine must be freed
        self._sent_at = time.monotonic()
        self._watch = watch
        self._last: bytes | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send headers, frames and the end, until the client leaves; called by Starlette."""
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        async with anyio.create_task_group() as group, aclosing(self._frames) as frames:
            group.start_soon(self._until_gone, receive, group.cancel_scope)
            group.start_soon(self._keep_alive, send)
            with anyio.CancelScope() as sending:
                if self._watch is not None:
                    group.start_soon(self._end_early, self._watch, sending)
                async for frame in frames:
                    self._sent_at = time.monotonic()
                    await send({"type": "http.response.body", "body": frame, "more_body": True})
            group.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": self._last or b"", "more_body": False})

    async def _until_gone(self, receive: Receive, scope: anyio.CancelScope) -> None:
        await self.listen_for_disconnect(receive)
        scope.cancel()

    async def _end_early(self, watch: Watch, sending: anyio.CancelScope) -> None:
        while self._last is None:
            await anyio.sleep(WATCH_S)
            self._last = await watch()
        sending.cancel()

    async def _keep_alive(self, send: Send) -> None:
        while True:
            silent_s = time.monotonic() - self._sent_at
            if silent_s >= KEEP_ALIVE_S:
                self._sent_at = time.monotonic()
                await send({"type": "http.response.body", "body": KEEP_ALIVE, "more_body": True})
                silent_s = 0.0
            await anyio.sleep(KEEP_ALIVE_S - silent_s)


async def unless_gone(request: Request, work: Callable[[], Awaitable[T]]) -> T | None:
    """Return what `work` returns, or None when the client left first and it was cancelled."""
    results: list[T] = []
    failures: list[Exception] = []

    async def run(scope: anyio.CancelScope) -> None:
        try:
            results.append(await work())
        except Exception as exc:  # handed on below, without an ExceptionGroup around it
            failures.append(exc)
        scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(run, group.cancel_scope)
        while (await request.receive())["type"] != "http.disconnect":
            pass
        group.cancel_scope.cancel()
    if failures:
        raise failures[0]
    return results[0] if results else None

"""Server-sent events: one place for framing, keep-alive and the end of a stream.

It knows events and bytes; it does not know what they mean.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import anyio
from fastapi import Request
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

KEEP_ALIVE_S = 15.0  # proxies cut silent connections after 30 to 60 s
KEEP_ALIVE = b": keep-alive\n\n"
HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
T = TypeVar("T")


def sse(data: Any, event: str | None = None) -> bytes:
    """Return one event with JSON data."""
    return format_sse_event(data_str=json.dumps(data, ensure_ascii=False), event=event)


def event_stream(frames: AsyncIterator[bytes]) -> StreamingResponse:
    """Return a reply that sends `frames` as they come, and a comment when none comes for long."""
    return StreamingResponse(
        with_keep_alive(frames), media_type="text/event-stream", headers=HEADERS
    )


async def with_keep_alive(frames: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield `frames`, with a comment for every `KEEP_ALIVE_S` of silence."""
    send, receive = anyio.create_memory_object_stream[bytes](1)

    async def pump() -> None:
        async with send:
            async for frame in frames:
                await send.send(frame)

    async with anyio.create_task_group() as group:
        group.start_soon(pump)
        async with receive:
            while True:
                frame = KEEP_ALIVE
                with anyio.move_on_after(KEEP_ALIVE_S):
                    try:
                        frame = await receive.receive()
                    except anyio.EndOfStream:
                        return
                yield frame


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

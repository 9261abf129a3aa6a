"""An answer of the model server while it comes: text, function calls, usage and the reason it ends.

It knows the server's events; it does not know how they were asked for.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
from pydantic import JsonValue

from service.engine.refusals import failure
from service.errors import EngineUnavailable, StreamBroken
from service.settings import EngineSettings


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens counted by the model server."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Tokens of the prompt and of the answer."""
        return self.prompt_tokens + self.completion_tokens

    def as_dict(self) -> dict[str, int]:
        """Return every count by name."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total_tokens,
            "cached_tokens": self.cached_tokens,
        }

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cached_tokens + other.cached_tokens,
        )


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A function that the model wants called; `arguments` are JSON as the model wrote it."""

    call_id: str
    name: str
    arguments: str


@dataclass(slots=True)
class Generation:
    """A running answer: iterate `chunks`, then read the other fields.

    Attributes:
        chunks: The text, as it comes over the network.
        calls: Function calls that the server's parser found in the answer.
        finish_reason: Why the model stopped.
        is_finished: Whether the server ended the stream as it should.
        usage: Tokens counted by the server.
    """

    chunks: AsyncIterator[str]
    calls: dict[int, ToolCall] = field(default_factory=dict)
    finish_reason: str | None = None
    is_finished: bool = False
    usage: Usage = Usage(0, 0)


async def read_generation(
    response: aiohttp.ClientResponse, limits: EngineSettings, *, waits: bool
) -> Generation:
    """Return the answer that comes in `response`; it is read by its `chunks`.

    Args:
        response: Whose headers have come; it waits for the first token's time.
        limits: How long a token may take.
        waits: Return once the first text has come; a fault before it is raised here.
    """
    generation = Generation(_no_chunks())
    generation.chunks = _read_chunks(response, generation, limits)
    if waits:
        generation.chunks = await _begun(generation.chunks)
    return generation


async def _no_chunks() -> AsyncIterator[str]:
    return
    yield ""


async def _begun(chunks: AsyncIterator[str]) -> AsyncIterator[str]:
    """Return `chunks` once the first has come, with it."""
    first = await anext(chunks, None)

    async def all_of_them() -> AsyncIterator[str]:
        if first is not None:
            yield first
            async for chunk in chunks:
                yield chunk

    return all_of_them()


async def _read_chunks(
    response: aiohttp.ClientResponse, generation: Generation, limits: EngineSettings
) -> AsyncIterator[str]:
    """Yield the text of each network read, until the server says that the answer is whole."""
    rest = b""
    has_begun = False
    try:
        while received := await response.content.readany():
            *lines, rest = (rest + received).split(b"\n")
            text = "".join([_read_line(line, generation) for line in lines])
            if text and not has_begun:
                has_begun = True
                _expect_more_within(limits.idle_timeout_s, response)
            if text:
                yield text
            if generation.is_finished:
                break
    except aiohttp.ServerTimeoutError as exc:
        raise _overdue(limits, has_begun=has_begun) from exc
    except aiohttp.ClientError as exc:
        raise StreamBroken(
            f"The model server stopped during the answer ({type(exc).__name__})."
        ) from exc
    if text := _read_line(rest, generation):
        yield text
    if not generation.is_finished or generation.finish_reason is None:
        raise StreamBroken("The model server ended the stream without a finish reason.")


def _expect_more_within(seconds: float, response: aiohttp.ClientResponse) -> None:
    """Let the connection wait so long from now on; until the first token it may take longer.

    The connection's own timer: `asyncio.timeout` around each read costs 40 µs a piece.
    """
    connection = response.connection  # None once the stream has ended
    if connection is not None and connection.protocol is not None:
        connection.protocol.read_timeout = seconds
        connection.protocol.start_timeout()


def _overdue(limits: EngineSettings, *, has_begun: bool) -> StreamBroken | EngineUnavailable:
    """Return the failure of a server from which nothing came in time."""
    if has_begun:
        return StreamBroken(
            f"The model server sent no further token within {limits.idle_timeout_s:g} s "
            "(engine.idle_timeout_s)."
        )
    return EngineUnavailable(
        f"The model server sent no first token within {limits.first_token_timeout_s:g} s "
        "(engine.first_token_timeout_s)."
    )


def _read_line(line: bytes, generation: Generation) -> str:
    """Return the text in one line of the stream; only `data:` lines before the end have any."""
    if generation.is_finished or not line.startswith(b"data:"):
        return ""
    data = line[5:].strip()
    if data == b"[DONE]":
        generation.is_finished = True
        return ""
    return _read_event(data, generation)


def _read_event(data: bytes, generation: Generation) -> str:
    """Store usage and finish reason in `generation`; return the event's text."""
    try:
        event = orjson.loads(data)
    except ValueError as exc:
        raise StreamBroken("The model server sent an event that is not JSON.") from exc
    if not isinstance(event, dict):
        raise StreamBroken("The model server sent an event that is not a JSON object.")
    if "error" in event:
        raise failure(event["error"])
    if event.get("usage"):
        generation.usage = _read_usage(event["usage"])
    choices = event.get("choices") or ()
    if not choices:
        return ""
    generation.finish_reason = choices[0].get("finish_reason") or generation.finish_reason
    delta = choices[0].get("delta") or {}
    for call in delta.get("tool_calls") or ():
        _add_call(call, generation.calls)
    return delta.get("content") or ""


def _add_call(piece: Mapping[str, Any], calls: dict[int, ToolCall]) -> None:
    """Join a piece of a function call to what came of it before."""
    number, function = piece.get("index", 0), piece.get("function") or {}
    so_far = calls.get(number, ToolCall("", "", ""))
    calls[number] = ToolCall(
        so_far.call_id or piece.get("id") or "",
        so_far.name or function.get("name") or "",
        so_far.arguments + (function.get("arguments") or ""),
    )


def _read_usage(usage: Mapping[str, JsonValue]) -> Usage:
    details = usage.get("prompt_tokens_details")
    return Usage(
        prompt_tokens=_read_count(usage, "prompt_tokens"),
        completion_tokens=_read_count(usage, "completion_tokens"),
        cached_tokens=_read_count(details, "cached_tokens") if isinstance(details, dict) else 0,
    )


def _read_count(usage: Mapping[str, JsonValue], name: str) -> int:
    count = usage.get(name)
    return count if isinstance(count, int) else 0

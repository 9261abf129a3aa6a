"""JSON bodies read by RFC 8259 alone: no half characters, no NaN, no bottomless nesting.

Python's own reader takes all three, and each fails later, where the value is written. A key that
stands twice in one object is refused too: of two readers each may take another value.
"""

import json
import re
from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute

_KEY_ENDS = re.compile(rb'"[ \t\r\n]*:')
MAX_DEPTH = 100  # orjson writes at most 254 levels, and a body becomes part of a larger one
_ESCAPES = re.compile(
    rb"(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?P<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\.",
    re.DOTALL,
)


def read_json(body: bytes) -> Any:
    """Return what a body says; half of a surrogate pair is read as U+FFFD.

    Texts cut within an emoji have such halves, and no one can write them as UTF-8.

    Raises:
        JSONDecodeError: It is not JSON, nested too deeply, or has a key twice in one object;
            FastAPI answers 422.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        whole = _ESCAPES.sub(_without_half, body)
        if whole == body:
            raise
        value = orjson.loads(whole)
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise orjson.JSONDecodeError(f"nested more than {MAX_DEPTH} levels deep", "", 0)
    if len(_KEY_ENDS.findall(body)) != _count_keys(value):  # or a text looks like a key
        json.loads(body, object_pairs_hook=_require_single_keys, parse_int=str, parse_float=str)
    return value


def _require_single_keys(pairs: list[tuple[str, Any]]) -> None:
    seen = set[str]()
    for key, _ in pairs:
        if key in seen:
            raise orjson.JSONDecodeError(f"the key {key[:100]!r} stands twice in one object", "", 0)
        seen.add(key)


def _count_keys(value: Any) -> int:
    """Return how many keys the objects in `value` have, those within each other too."""
    waiting, keys = [value], 0
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            keys += len(one)
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return keys


def _without_half(found: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if found["half"] else found[0]


def _depth(value: Any) -> int:
    """Return how deep lists and objects are nested, counted no further than is allowed."""
    level, depth = [value], 0
    while depth <= MAX_DEPTH:
        level = [one for one in level if isinstance(one, dict | list)]
        if not level:
            return depth
        depth += 1
        level = [
            inner for one in level for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return depth


class JsonRequest(Request):
    """A request whose JSON body is read strictly."""

    async def json(self) -> Any:
        """Return the body.

        Raises:
            JSONDecodeError: It is not JSON; FastAPI answers 422.
        """
        return read_json(await self.body())


class JsonRoute(APIRoute):
    """An endpoint that takes a JSON body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the endpoint's handler; called by FastAPI."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(JsonRequest(request.scope, request.receive))

        return strictly

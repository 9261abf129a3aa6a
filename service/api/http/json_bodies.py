"""JSON bodies read by RFC 8259 alone: no half characters, no NaN, no bottomless nesting.

Python's own reader takes all three, and each fails later, where the value is written.
"""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute


class JsonRequest(Request):
    """A request whose JSON body is read strictly."""

    async def json(self) -> Any:
        """Return the body.

        Raises:
            JSONDecodeError: It is not JSON; FastAPI answers 422.
        """
        return orjson.loads(await self.body())


class JsonRoute(APIRoute):
    """An endpoint that takes a JSON body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the endpoint's handler; called by FastAPI."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(JsonRequest(request.scope, request.receive))

        return strictly

"""Stands before every route: refuses whoever may not use it, before a byte of the body is read.

It knows routes and what they are bound to; who the caller is says `authentication.py`.
"""

from collections.abc import Iterable

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Asgi

from knowledge import CollectionNotFound
from service.access import Caller
from service.api.access.authentication import caller_of
from service.api.http.scopes import Needs, needs_of
from service.context import AppContext
from service.errors import UseCaseNotFound


class Gate:
    """The application of one route, behind what its row of `NEEDS` asks for."""

    def __init__(self, app: ASGIApp, needs: Needs) -> None:
        self._app = app
        self._needs = needs

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        """Let the request through with its caller, or refuse it."""
        context: AppContext = scope["app"].state.context
        caller = await caller_of(scope, self._needs, context)
        _require_bound(caller, scope.get("path_params", {}))
        scope["caller"] = caller
        await self._app(scope, receive, send)


def protect(routes: Iterable[BaseRoute]) -> None:
    """Put a gate before each route that has none yet.

    Raises:
        LookupError: A route has no row in the table of scopes.
    """
    for route in routes:
        assert isinstance(route, Route), "the table knows no other kind"
        if not isinstance(route.app, Gate):
            route.app = Gate(route.app, needs_of(route.path, route.methods or set()))


def _require_bound(caller: Caller, named: dict[str, str]) -> None:
    """Refuse what the key is not bound to, as if it did not exist.

    Raises:
        CollectionNotFound, UseCaseNotFound: In the words in which a missing one is told.
    """
    base_id, use_case_id = named.get("base_id"), named.get("use_case_id")
    if base_id is not None and not caller.may_use_base(base_id):
        raise CollectionNotFound(f"no knowledge base {base_id!r}; create it first")
    if use_case_id is not None and not caller.may_use_case(use_case_id):
        raise UseCaseNotFound(
            f"There is no use case {use_case_id!r}; PUT /use_cases/{use_case_id} creates it.",
            param="use_case",
        )

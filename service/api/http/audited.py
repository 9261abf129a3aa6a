"""Writes every change that a request makes to the audit log, before the reply is sent.

It knows routes; it does not know what an endpoint does. A route with another method than GET
counts as a change unless it is named in `QUESTIONS`, so a new one is never forgotten. A request
that fails has changed nothing; a write that goes on as a job is noted when it is accepted.
"""

from collections.abc import AsyncGenerator
from functools import partial
from itertools import starmap

from anyio import to_thread
from fastapi import APIRouter, Depends, Request, params
from fastapi.routing import APIRoute

from service import access
from service.api.http.dependencies import caller_of, context_of
from service.api.idempotency.exchange import exchange_of
from service.stores.requests.chain import Change

READING = frozenset({"GET", "HEAD", "OPTIONS"})
QUESTIONS = frozenset(
    {
        "POST /chat",
        "POST /route",
        "POST /advise",
        "POST /v1/chat/completions",
        "POST /v1/responses",
        "POST /v1/embeddings",
        "POST /v1/vector_stores/{base_id}/search",
    }
)
"""Routes that take a body and change nothing."""


async def audited(request: Request) -> AsyncGenerator[None, None]:
    """Note the change once the endpoint has made it."""
    yield
    if is_change(request.method, action_of(request)):
        change = change_of(request, caller_of(request))
        await to_thread.run_sync(partial(context_of(request).audit.append, change))


def audit_of(router: APIRouter) -> list[params.Depends]:
    """Return the `dependencies=` of a router: `audited`, if one of its routes changes anything."""
    actions = [
        (method, action(method, route.path))
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    ]
    # Its end comes before the reply is sent.
    return [Depends(audited, scope="function")] if any(starmap(is_change, actions)) else []


def is_change(method: str, action: str) -> bool:
    """Return whether a route counts as a change."""
    return method not in READING and action not in QUESTIONS


def note_change(
    request: Request,
    *,
    object_id: str | None = None,
    before: str | None = None,
    after: str | None = None,
) -> None:
    """Say what a request changes where its path and body do not.

    Args:
        request: The request.
        object_id: What was made, where the path does not name it.
        before: SHA-256 of what was there.
        after: SHA-256 of what is there now.
    """
    note = exchange_of(request).change
    note.object_id = object_id or note.object_id
    note.before = before or note.before
    note.after = after or note.after


def change_of(request: Request, caller: access.Caller) -> Change:
    """Return the change of a request: its route, what the path names, and a digest of the body.

    The digest is that of the body as sent, unless the endpoint says another; a deletion has none.
    """
    exchange = exchange_of(request)
    note, action = exchange.change, action_of(request)
    sent = exchange.body_sha256 if exchange.received_bytes else None
    named = "/".join(str(value) for value in request.path_params.values())
    return Change(
        tenant=caller.tenant,
        key_id=caller.key_id,
        via="http",
        action=action,
        kind=kind_of(action.partition(" ")[2]),
        object_id=note.object_id or named,
        before=note.before,
        after=None if request.method == "DELETE" else note.after or sent,
    )


def action_of(request: Request) -> str:
    """Return method and path of the route, with the names of its parameters."""
    return action(request.method, request.scope["route"].path)


def action(method: str, path: str) -> str:
    """Return a method and the path that a route declares, as the log names them."""
    return f"{method} {path.replace(':path}', '}')}"


def kind_of(path: str) -> str:
    """Return what a route is about: the word before its last parameter, else its last word."""
    words = [word for word in path.split("/") if word]
    named = [word for word, after in zip(words, words[1:], strict=False) if after[0] == "{"]
    return named[-1] if named else words[-1]

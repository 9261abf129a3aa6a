"""Holds every request to the limits of its key and tenant, and tells in headers what is left.

It knows routes and headers; counting is in `service/limits`. Requests whose body is no JSON are
refused before they are counted.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
from fastapi import Request

from service import access
from service.api.http.dependencies import Caller, Context
from service.api.idempotency.exchange import Exchange, exchange_of
from service.chat.answer import answer
from service.chat.events import Answer, DeltaEvent, Event
from service.chat.question import Question
from service.context import AppContext
from service.limits.counters import Allowed, Resource, User

UPLOADS = frozenset(
    {"POST /v1/files", "PUT /v1/vector_stores/{base_id}/documents/{external_id:path}"}
)
UNCOUNTED = frozenset({"/health", "/ready"})
"""Asked by whatever watches the gateway."""
UPLOAD_LIMIT = "upload_bytes_per_hour"


async def within_limits(
    request: Request, context: Context, caller: Caller
) -> AsyncGenerator[None, None]:
    """Count the request and what it uploads; a dependency of every route.

    Raises:
        LimitReached: A limit is used up.
    """
    limits, exchange = context.limits, exchange_of(request)
    path: str = request.scope["route"].path
    if not limits.is_on or path in UNCOUNTED:
        yield
        return
    user = user_of(caller)
    _tell(exchange, await limits.take("requests_per_minute", user), "requests")
    if limits.counts_tokens:
        _tell(exchange, await limits.tokens_left(user), "tokens")
    if f"{request.method} {path}" not in UPLOADS:
        yield
        return
    length = request.headers.get("content-length", "")
    announced = int(length) if length.isdigit() else 0
    await limits.take(UPLOAD_LIMIT, user, cost=max(announced, 1))
    try:
        yield
    finally:  # a body of unannounced length is counted once it has been read
        await limits.add(UPLOAD_LIMIT, user, cost=exchange.received_bytes - max(announced, 1))


async def counted_answer(
    question: Question, context: AppContext, caller: access.Caller
) -> AsyncGenerator[Event, None]:
    """Answer `question`, and count its tokens against the caller's limits.

    Of an answer that is broken off nobody knows the tokens: its pieces are counted.

    Raises:
        LimitReached: No tokens are left; as every failure of `answer`.
    """
    limits, user = context.limits, user_of(caller)
    if not limits.counts_tokens:
        async with aclosing(answer(question, context)) as events:
            async for event in events:
                yield event
        return
    await limits.require_tokens(user)
    prompt = pieces = 0
    try:
        async with aclosing(answer(question, context)) as events:
            async for event in events:
                pieces += isinstance(event, DeltaEvent) and not event.is_refusal
                if isinstance(event, Answer):
                    prompt, pieces = event.usage.prompt_tokens, event.usage.completion_tokens
                yield event
    finally:
        with anyio.CancelScope(shield=True):
            await limits.add_tokens(user, prompt=prompt, completion=pieces)


def user_of(caller: access.Caller) -> User:
    """Return whose limits a request is held to."""
    return User(caller.tenant, caller.key_id)


def _tell(exchange: Exchange, allowed: Allowed | None, resource: Resource) -> None:
    if allowed is not None:
        headers = allowed.headers(resource)
        exchange.added_headers += [(name.encode(), value.encode()) for name, value in headers]

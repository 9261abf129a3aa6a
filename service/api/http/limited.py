"""Holds every request to the limits of its key and tenant, and tells in headers what is left.

It knows routes and headers; counting is in `service/limits`. Requests whose body is no JSON are
refused before they are counted.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
from fastapi import Depends, Request

from service import access
from service.api.http.dependencies import caller_of, context_of
from service.api.idempotency.exchange import Exchange, exchange_of
from service.chat.answer import answer
from service.chat.events import Answer, DeltaEvent, Event
from service.chat.question import Question
from service.context import AppContext
from service.limits.counters import Allowed, Resource, User

UNCOUNTED = frozenset({"/health", "/ready"})
"""Asked by whatever watches the gateway."""
UPLOAD_LIMIT = "upload_bytes_per_hour"


async def within_limits(request: Request) -> None:
    """Count the request; a dependency of every route.

    Raises:
        LimitReached: A limit is used up.
    """
    limits, exchange = context_of(request).limits, exchange_of(request)
    if not limits.is_on or request.scope["route"].path in UNCOUNTED:
        return
    user = user_of(caller_of(request))
    _tell(exchange, await limits.take("requests_per_minute", user), "requests")
    if limits.counts_tokens:
        _tell(exchange, await limits.tokens_left(user), "tokens")


async def counted_upload(request: Request) -> AsyncGenerator[None, None]:
    """Count what the request uploads.

    Raises:
        LimitReached: The limit is used up.
    """
    limits, user = context_of(request).limits, user_of(caller_of(request))
    length = request.headers.get("content-length", "")
    announced = max(1, int(length)) if length.isdigit() else 1
    await limits.take(UPLOAD_LIMIT, user, cost=announced)
    try:
        yield
    finally:  # a body of unannounced length is counted once it has been read
        received = exchange_of(request).received_bytes
        await limits.add(UPLOAD_LIMIT, user, cost=received - announced)


COUNTED = [Depends(counted_upload)]
"""`dependencies=` of a route that takes a file."""


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

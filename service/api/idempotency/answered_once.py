"""`Idempotency-Key`: a request that is sent again gets the first reply, for ten minutes.

It knows requests and replies; how they are stored it does not know. Streams are never stored, nor
failures of the server: those requests are answered anew.
"""

import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import anyio
import orjson
from anyio import to_thread
from fastapi import Depends, FastAPI, Header, Request
from fastapi.responses import Response

from service.api.http.dependencies import caller_of, context_of
from service.api.http.json_bodies import read_json
from service.api.idempotency.exchange import WholeReply, exchange_of
from service.context import AppContext
from service.stores.requests.first_replies import FirstReply, RepeatableRequest

IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=200,
        description=(
            "A repeated key with the same request returns the first reply, for 10 minutes; "
            "with another request: 409."
        ),
    ),
]
STORED_HEADERS = frozenset({"content-type", "location", "content-language"})
NOT_STORED = frozenset({202, 408, 425, 429, 499})
"""The same request may get another reply a moment later; the job of a 202 is found by the key."""
SERVER_ERROR = 500
REPLAYED = "idempotent-replayed"


class Repeated(Exception):  # no failure: the first reply ends the request
    """The request was answered before."""

    def __init__(self, reply: FirstReply) -> None:
        super().__init__(reply.status)
        self.reply = reply


async def answered_once(request: Request, idempotency_key: IdempotencyKey = None) -> None:
    """Answer a repeated request with its first reply; a dependency of single routes.

    Raises:
        Repeated: It was answered before.
        IdempotencyKeyReused: The key was sent with another request.
        IdempotencyInProgress: The first request is being answered; retry.
    """
    if not idempotency_key:
        return
    body = await request.body()
    fields = _fields(request, body)
    if fields.get("stream") is True:
        return
    user, caller = fields.get("user"), caller_of(request)
    repeatable = RepeatableRequest(
        caller.tenant,
        caller.key_id,
        idempotency_key,
        _digest(request, exchange_of(request).body_sha256),
        user if isinstance(user, str) else None,
    )
    context = context_of(request)
    first = await to_thread.run_sync(context.first_replies.claim, repeatable)
    if first is not None:
        raise Repeated(first)
    exchange_of(request).at_end = partial(_store, context, repeatable)


ONCE = [Depends(answered_once)]
"""`dependencies=` of a route whose requests may be repeated."""


def install(app: FastAPI) -> None:
    """Send the first reply where a request is repeated."""

    async def replay(_request: Request, exc: Exception) -> Response:
        assert isinstance(exc, Repeated)
        headers = {**exc.reply.headers, REPLAYED: "true"}
        return Response(exc.reply.body, status_code=exc.reply.status, headers=headers)

    app.add_exception_handler(Repeated, replay)


async def _store(context: AppContext, request: RepeatableRequest, reply: WholeReply | None) -> None:
    """Store the reply, or let the request be answered anew; also when the client has left."""
    replies = context.first_replies
    with anyio.CancelScope(shield=True):
        if reply is None or reply.status >= SERVER_ERROR or reply.status in NOT_STORED:
            await to_thread.run_sync(replies.release, request)
            return
        named = {name.decode("latin-1").lower(): value for name, value in reply.headers}
        headers = {k: v.decode("latin-1") for k, v in named.items() if k in STORED_HEADERS}
        if headers.get("content-type", "").startswith("text/event-stream"):
            await to_thread.run_sync(replies.release, request)
            return
        first = FirstReply(reply.status, headers, reply.body)
        await to_thread.run_sync(replies.save, request, first)


def _fields(request: Request, body: bytes) -> Mapping[str, Any]:
    """Return the fields of a JSON body; of any other, none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        return {}
    try:
        value = read_json(body)
    except orjson.JSONDecodeError:
        return {}  # the endpoint refuses it
    return value if isinstance(value, dict) else {}


def _digest(request: Request, body_sha256: str) -> str:
    """Return the digest of method, path, query and body."""
    asked = (request.method, request.url.path, request.url.query, body_sha256)
    return hashlib.sha256("\n".join(asked).encode()).hexdigest()

"""What is known of one request and its reply while they pass: sizes, a digest, added headers.

Pure ASGI, and nothing is buffered unless a reply is to be stored. It knows bytes and headers; it
does not know who calls, nor what is done with what it gathers.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

RawHeader = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class WholeReply:
    """A reply as it was sent."""

    status: int
    headers: tuple[RawHeader, ...]
    body: bytes


AtEnd = Callable[[WholeReply | None], Awaitable[None]]


@dataclass(slots=True)
class ChangeNote:
    """What an endpoint says of the change that it makes; None: see `audited.change_of`."""

    object_id: str | None = None
    before: str | None = None
    after: str | None = None


@dataclass(slots=True)
class Exchange:
    """One request and its reply.

    Attributes:
        received_bytes: Bytes of the body that have been read.
        added_headers: Headers that the reply gets; added until it begins.
        change: What the endpoint says of its change.
        at_end: Given the whole reply, or None where it was cut off; awaited before the last part
            is sent, so that whoever has the reply finds it stored.
    """

    received_bytes: int = 0
    added_headers: list[RawHeader] = field(default_factory=list)
    change: ChangeNote = field(default_factory=ChangeNote)
    at_end: AtEnd | None = None
    _sha256: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    @property
    def body_sha256(self) -> str:
        """Digest of the body as far as it has been read."""
        return self._sha256.hexdigest()

    def add(self, part: bytes) -> None:
        """Count a part of the body."""
        self.received_bytes += len(part)
        self._sha256.update(part)


def exchange_of(request: HTTPConnection) -> Exchange:
    """Return what is gathered about `request`."""
    exchange: Exchange = request.scope["exchange"]
    return exchange


class ExchangeLayer:
    """Gathers an `Exchange` for every request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange()
        scope["exchange"] = exchange

        async def counting() -> Message:
            message = await receive()
            if part := message.get("body"):
                exchange.add(part)
            return message

        outgoing = _Outgoing(send, exchange)
        try:
            await self._app(scope, counting, outgoing)
        finally:
            await outgoing.end(None)


class _Outgoing:
    """Sends a reply with the added headers, and gathers it where somebody waits for it."""

    def __init__(self, send: Send, exchange: Exchange) -> None:
        self._send = send
        self._exchange = exchange
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *self._exchange.added_headers]
            self._start = message
        elif self._exchange.at_end is not None:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self.end(self._whole())
        await self._send(message)

    async def end(self, reply: WholeReply | None) -> None:
        """Hand the reply on, once."""
        at_end, self._exchange.at_end = self._exchange.at_end, None
        if at_end is not None:
            await at_end(reply)

    def _whole(self) -> WholeReply | None:
        if self._start is None:
            return None
        headers = tuple((name, value) for name, value in self._start["headers"])
        return WholeReply(self._start["status"], headers, b"".join(self._parts))

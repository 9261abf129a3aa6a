"""What is gathered of a request and its reply."""

import hashlib

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from service.api.idempotency.exchange import ExchangeLayer, WholeReply, exchange_of

pytestmark = pytest.mark.anyio


class App:
    """Reads its body in part, and answers."""

    def __init__(self, reply: Response | None) -> None:
        self.reply = reply
        self.ended: list[WholeReply | None] = []
        self.seen: tuple[int, str] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        exchange = exchange_of(request)
        await request.body()
        self.seen = (exchange.received_bytes, exchange.body_sha256)
        exchange.added_headers.append((b"x-added", b"1"))

        async def at_end(reply: WholeReply | None) -> None:
            self.ended.append(reply)

        exchange.at_end = at_end
        if self.reply is None:
            raise RuntimeError("broken")
        await self.reply(scope, receive, send)


async def post(app: App, body: bytes) -> httpx.Response:
    transport = httpx.ASGITransport(ExchangeLayer(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.post("/", content=body)


async def test_the_body_is_counted_and_digested() -> None:
    app = App(PlainTextResponse("ok"))
    await post(app, b"some text")
    assert app.seen == (9, hashlib.sha256(b"some text").hexdigest())


async def test_headers_are_added_to_the_reply() -> None:
    reply = await post(App(PlainTextResponse("ok")), b"")
    assert reply.headers["x-added"] == "1"


async def test_the_whole_reply_is_handed_on_once() -> None:
    app = App(PlainTextResponse("ok", status_code=201))
    await post(app, b"")
    [whole] = app.ended
    assert whole is not None
    assert (whole.status, whole.body) == (201, b"ok")


async def test_a_request_without_a_reply_ends_too() -> None:
    app = App(None)
    with pytest.raises(RuntimeError, match="broken"):
        await post(app, b"")
    assert app.ended == [None]

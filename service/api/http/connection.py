"""One connection of the gateway: what must arrive in time, and which heads are refused.

uvicorn parses; here stands what it leaves open: how long a head or body may take, how large a head
may be, and the forms of a request that a proxy in front and the gateway might read differently.
"""

import asyncio
import socket
import uuid
from asyncio.events import TimerHandle
from collections.abc import Sequence
from enum import Enum, auto
from functools import partial
from typing import Any

import orjson
import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.api.schemas.errors import error_body
from service.api.schemas.shapes import JsonObject

MAX_HEAD_BYTES = 64 * 1024  # as h11's default; nginx takes 32 KiB, HAProxy 16
MIN_BYTES_PER_S = 500  # of a body; as Apache's RequestReadTimeout
MAX_OVERHEAD_BYTES = 64 * 1024  # of chunk heads and trailers beside a body
MAX_OVERHEAD_SHARE = 8  # a chunk of one byte has five beside it
RECEIVE_TIMEOUT_S = 30.0
MAX_JOINED_BYTES = 64 * 1024  # so that a slow reader is noticed
RawHeaders = Sequence[tuple[bytes, bytes]]


class Part(Enum):
    """What the connection expects next."""

    NOTHING = auto()  # a further request, if the client likes
    HEAD = auto()
    BODY = auto()


class JoinedWrites(asyncio.Transport):
    """A transport that sends what is written in one turn of the event loop by one system call.

    A head and the first events of a stream would take three, and wake the client as often.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data` at the end of this turn, or at once where much is waiting."""
        if not self._parts:
            self._loop.call_soon(self._flush)
        self._parts.append(bytes(data))
        self._size += len(data)
        if self._size > MAX_JOINED_BYTES:
            self._flush()

    def close(self) -> None:
        """Close once all is sent."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once; what was not sent is lost."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Return whether it is closed or being closed."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what is known of the connection."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Receive nothing for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Receive again."""
        self._transport.resume_reading()

    def _flush(self) -> None:
        joined, self._parts, self._size = b"".join(self._parts), [], 0
        if joined and not self._transport.is_closing():
            self._transport.write(joined)


class Connection(HttpToolsProtocol):
    """uvicorn's connection with a limit of time, and stricter about heads."""

    receive_timeout_s = RECEIVE_TIMEOUT_S

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._part = Part.HEAD
        self._message = 0  # counts the requests of this connection
        self._has_begun = False
        self._waited_bytes = 0  # of this message, but for those that came with its first ones
        self._body_bytes = 0
        self._body_bytes_before = 0  # at the beginning of the present wait
        self._was_paused = False
        self._reason = ""
        self._wait: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(JoinedWrites(transport, self.loop))
        self._await_rest()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; wait for the rest if there is one."""
        before = (self._message, self._part)
        super().data_received(data)
        if self.transport.is_closing():
            self._stop_waiting()
            return
        is_same = self._message == before[0]
        self._waited_bytes = self._waited_bytes + len(data) if is_same else 0
        if self._is_bloated():
            self._reason = "The head, or what surrounds the body, is too large."
            self.send_400_response("")
        elif (self._message, self._part) != before:
            self._await_rest()

    def on_message_begin(self) -> None:
        """Expect a head; called by the parser, as those below are."""
        super().on_message_begin()
        if self._part is Part.NOTHING:
            self._message += 1
        self._part, self._has_begun, self._body_bytes = Part.HEAD, True, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; trailers are dropped, since the head was judged without them."""
        if self._part is Part.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin the request unless its head is refused."""
        fault = fault_of_head(
            self.parser.get_method(), self.url, self.parser.get_http_version(), self.headers
        )
        if fault is not None:
            self._reason = fault
            raise ValueError(fault)  # the parser stops and `send_400_response` is called
        super().on_headers_complete()
        self._part = Part.BODY

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        self._body_bytes += len(body)
        super().on_body(body)
        self._was_paused = self._was_paused or self.flow.read_paused

    def on_message_complete(self) -> None:
        """Expect nothing more of this request."""
        super().on_message_complete()
        self._part = Part.NOTHING

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no valid request, and close."""
        reason = self._reason or "The request is not valid HTTP/1.1."
        self._refuse(error_body(400, reason, code="invalid_http", instance=""))

    def _is_bloated(self) -> bool:
        if self._part is Part.HEAD:
            return self._waited_bytes > MAX_HEAD_BYTES
        most = self._body_bytes * (1 + MAX_OVERHEAD_SHARE) + MAX_OVERHEAD_BYTES
        return self._part is Part.BODY and self._waited_bytes > most

    def _await_rest(self) -> None:
        self._stop_waiting()
        if self._part is not Part.NOTHING:
            self._body_bytes_before, self._was_paused = self._body_bytes, False
            self._wait = self.loop.call_later(self.receive_timeout_s, self._judge_progress)

    def _stop_waiting(self) -> None:
        if self._wait is not None:
            self._wait.cancel()
            self._wait = None

    def _judge_progress(self) -> None:
        """Close the connection unless enough has arrived, or the gateway itself did not read."""
        if self.transport.is_closing() or self._part is Part.NOTHING:
            return
        if self._is_excused():
            self._await_rest()
        elif not self._has_begun:
            self.transport.close()  # nobody asked anything
        else:
            late = f"The request did not arrive whole within {self.receive_timeout_s:g} s."
            self._refuse(error_body(408, late, code="request_timeout", instance=""))

    def _is_excused(self) -> bool:
        if self._part is Part.HEAD:
            return self._is_answering()
        arrived = self._body_bytes - self._body_bytes_before
        return (
            arrived >= MIN_BYTES_PER_S * self.receive_timeout_s
            or self._was_paused
            or self.flow.read_paused
            or self.cycle.waiting_for_100_continue
        )

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse(self, problem: JsonObject) -> None:
        """Answer if this request is the one whose answer comes next, and close."""
        is_own = self._part is Part.BODY and not self.pipeline
        if not self._is_answering() or (is_own and not self.cycle.response_started):
            self.transport.write(_reply(problem))
        if self._is_answering():
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


class Server(uvicorn.Server):
    """uvicorn's server, on which a TLS handshake may take as long as a head."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen; uvicorn has no option for the limit, and asyncio's own is 60 s."""
        if self.config.is_ssl:
            loop, protocol = asyncio.get_running_loop(), self.config.http_protocol_class
            assert issubclass(protocol, Connection)
            loop.create_server = partial(  # type: ignore[method-assign]  # of this loop alone
                loop.create_server, ssl_handshake_timeout=protocol.receive_timeout_s
            )
        await super().startup(sockets)


def connection_class(receive_timeout_s: float) -> type[Connection]:
    """Return the class of connections on which a head, and each pause of a body, may take so long.

    Args:
        receive_timeout_s: A body must bring `MIN_BYTES_PER_S` on average over each such span.
    """
    return type("TimedConnection", (Connection,), {"receive_timeout_s": receive_timeout_s})


def fault_of_head(method: bytes, target: bytes, version: str, headers: RawHeaders) -> str | None:
    """Return why a head is refused that the parser accepts, or None.

    Each is a form that some proxies read differently, or that no client of ours sends.

    Args:
        method: Of the request.
        target: The address as it was sent.
        version: Of HTTP.
        headers: Names in lower case, with their values.
    """
    coding = [value.strip().lower() for name, value in headers if name == b"transfer-encoding"]
    hosts = sum(name == b"host" for name, _ in headers)
    odd = next((name for name, value in headers if not value.isascii()), None)
    size = len(target) + sum(len(name) + len(value) + 4 for name, value in headers)
    faults = {
        "The request is neither HTTP/1.1 nor HTTP/1.0.": version not in ("1.0", "1.1"),
        "The request's address must begin with `/` and have no `#`.": not (
            target.startswith(b"/") or (target == b"*" and method == b"OPTIONS")
        )
        or b"#" in target,
        "A request has exactly one Host header.": hosts > 1 or (not hosts and version == "1.1"),
        "The only Transfer-Encoding is `chunked`, in HTTP/1.1.": bool(coding)
        and (coding != [b"chunked"] or version == "1.0"),
        f"The header {(odd or b'').decode('ascii')} is not ASCII.": odd is not None,
        f"The head has more than {MAX_HEAD_BYTES:,} bytes.": size > MAX_HEAD_BYTES,
    }
    return next((fault for fault, applies in faults.items() if applies), None)


def _reply(problem: JsonObject) -> bytes:
    request_id, status = f"req_{uuid.uuid4().hex}", problem["status"]
    assert isinstance(status, int)
    body = orjson.dumps({**problem, "request_id": request_id})
    head = (
        f"content-type: application/problem+json\r\ncontent-length: {len(body)}\r\n"
        f"x-request-id: {request_id}\r\nconnection: close\r\n\r\n"
    )
    return b"".join([STATUS_LINE[status], head.encode(), body])

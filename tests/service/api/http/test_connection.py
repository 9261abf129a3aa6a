"""Raw requests to the real gateway: what no client of HTTP sends, and what never arrives."""

import asyncio
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import httpx
import pytest

from service.api.http.connection import (
    MAX_HEAD_BYTES,
    MAX_JOINED_BYTES,
    JoinedWrites,
    fault_of_head,
)
from service.settings import Settings
from tests.service.conftest import Running

HOST = b"Host: localhost\r\n"
NEXT = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
QUICK_S = 1.0  # receive_timeout_s of the tests that wait for it


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST /chat HTTP/1.1", *lines, b"", body])


REFUSED = {
    "two lengths": post(b"Host: localhost", b"Content-Length: 0", b"Content-Length: 44"),
    "the same length twice": post(b"Host: localhost", b"Content-Length: 0", b"Content-Length: 0"),
    "a list of lengths": post(b"Host: localhost", b"Content-Length: 0, 0"),
    "a signed length": post(b"Host: localhost", b"Content-Length: +0"),
    "a length beyond 64 bits": post(b"Host: localhost", b"Content-Length: " + b"9" * 30),
    "a length and chunks": post(
        *(b"Host: localhost", b"Content-Length: 5", b"Transfer-Encoding: chunked"),
        body=b"0\r\n\r\n",
    ),
    "chunks and a length": post(
        *(b"Host: localhost", b"Transfer-Encoding: chunked", b"Content-Length: 5"),
        body=b"0\r\n\r\n",
    ),
    "another coding": post(
        b"Host: localhost", b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"
    ),
    "an unknown coding": post(b"Host: localhost", b"Transfer-Encoding: xchunked"),
    "two codings": post(
        b"Host: localhost", b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"
    ),
    "a coding after a tabulator": post(b"Host: localhost", b"Transfer-Encoding: \x0bchunked"),
    "chunks in HTTP/1.0": b"POST /chat HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks with bare line feeds": post(
        b"Host: localhost", b"Transfer-Encoding: chunked", body=b"1\nx\n0\n\n"
    ),
    "a negative chunk": post(b"Host: localhost", b"Transfer-Encoding: chunked", body=b"-1\r\n"),
    "a chunk beyond 64 bits": post(
        b"Host: localhost", b"Transfer-Encoding: chunked", body=b"f" * 17 + b"\r\n"
    ),
    "a folded line": b"GET /health HTTP/1.1\r\n" + HOST + b"X-A: b\r\n c: d\r\n\r\n",
    "a folded first line": b"GET /health HTTP/1.1\r\n Host: localhost\r\n\r\n",
    "bare line feeds": b"GET /health HTTP/1.1\nHost: localhost\n\n",
    "one bare line feed": b"GET /health HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
    "a bare carriage return": b"GET /health HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n",
    "a space before the colon": b"GET /health HTTP/1.1\r\nHost : localhost\r\n\r\n",
    "a space in a name": b"GET /health HTTP/1.1\r\n" + HOST + b"X Y: z\r\n\r\n",
    "no Host": b"GET /health HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /health HTTP/1.1\r\n" + HOST + HOST + b"\r\n",
    "an absolute address": b"GET http://localhost/health HTTP/1.1\r\n" + HOST + b"\r\n",
    "an absolute foreign address": b"GET http://evil.example/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT localhost:443 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a fragment": b"GET /health#x HTTP/1.1\r\n" + HOST + b"\r\n",
    "an asterisk": b"GET * HTTP/1.1\r\n" + HOST + b"\r\n",
    "a path that is not ASCII": "GET /é HTTP/1.1\r\n".encode() + HOST + b"\r\n",
    "a query that is not ASCII": "GET /health?é HTTP/1.1\r\n".encode() + HOST + b"\r\n",
    "a name that is not ASCII": b"GET /health HTTP/1.1\r\n" + HOST + "é: e\r\n\r\n".encode(),
    "a value that is not ASCII": b"GET /health HTTP/1.1\r\n" + HOST + "X: é\r\n\r\n".encode(),
    "NUL in a value": b"GET /health HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
    "NUL in the path": b"GET /hea\0lth HTTP/1.1\r\n" + HOST + b"\r\n",
    "no version": b"GET /health\r\n\r\n",
    "an unknown version": b"GET /health HTTP/1.2\r\n" + HOST + b"\r\n",
    "the beginning of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a huge value": b"GET /health HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
    "a huge path": b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a huge name": b"GET /health HTTP/1.1\r\n" + HOST + b"a" * 70_000 + b": b\r\n\r\n",
    "many headers": b"GET /health HTTP/1.1\r\n" + HOST + b"a: b\r\n" * 12_000 + b"\r\n",
    "noise": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 40,
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    server = settings.server.model_copy(update={"receive_timeout_s": QUICK_S})
    return settings.model_copy(update={"server": server})


@pytest.fixture
def port(running: Running) -> int:
    return int(running.client.base_url.port or 0)


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def rest_of(link: socket.socket) -> bytes:
    """Return what comes until the gateway closes."""
    received = b""
    try:
        while piece := link.recv(65_536):
            received += piece
    except ConnectionResetError:
        pass  # it closed while we were still sending
    return received


def exchange(port: int, sent: bytes) -> bytes:
    with closing(connected(port)) as link:
        try:
            link.sendall(sent)
        except (ConnectionResetError, BrokenPipeError):
            pass
        return rest_of(link)


def statuses(received: bytes) -> list[int]:
    """Return the status of each reply; one may begin where the body of another ends."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


def test_a_request_that_could_be_read_two_ways_is_refused_and_what_follows_is_not_read(
    port: int,
) -> None:
    answered = {name: statuses(exchange(port, sent + NEXT)) for name, sent in REFUSED.items()}
    wrong = {name: found for name, found in answered.items() if found not in ([400], [])}
    assert wrong == {}
    assert sum(found == [400] for found in answered.values()) > len(REFUSED) - 5


def test_a_refusal_has_the_shape_of_every_error(port: int) -> None:
    head, _, body = exchange(port, REFUSED["two Hosts"]).partition(b"\r\n\r\n")
    assert b"connection: close" in head.lower()
    assert b"content-type: application/problem+json" in head.lower()
    assert b'"code":"invalid_http"' in body
    assert b"exactly one Host header" in body


def test_a_refused_request_gives_no_answer_to_the_one_before_it(
    running: Running, port: int
) -> None:
    running.engine.switches.pause_s = 0.5
    question = b'{"messages":[{"role":"user","content":"Hi"}],"strategy":"prompt_only"}'
    length = f"Content-Length: {len(question)}".encode()
    kind = b"Content-Type: application/json"
    first = post(b"Host: localhost", kind, length, body=question)
    assert statuses(exchange(port, first + REFUSED["two Hosts"])) in ([], [200])


def test_trailers_do_not_become_headers(port: int) -> None:
    chunks = b"2\r\n{}\r\n0\r\nHost: evil.example\r\nX-Request-Id: trailed\r\n\r\n"
    kind = b"Content-Type: application/json"
    sent = post(b"Host: localhost", kind, b"Transfer-Encoding: chunked", body=chunks)
    last = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    received = exchange(port, sent + last)
    assert statuses(received) == [422, 200]
    assert b"trailed" not in received


def test_an_upgrade_is_answered_as_the_request_that_it_is(port: int) -> None:
    for protocol in (b"websocket", b"h2c"):
        upgrade = b"Connection: Upgrade\r\nUpgrade: " + protocol + b"\r\n\r\n"
        received = exchange(port, b"GET /health HTTP/1.1\r\n" + HOST + upgrade)
        assert statuses(received) == [200]


def test_chunk_extensions_without_end_are_cut_off(port: int) -> None:
    head = post(b"Host: localhost", b"Transfer-Encoding: chunked")
    began = time.monotonic()
    assert statuses(exchange(port, head + b"1;a=" + b"b" * 2_000_000)) in ([400], [])
    assert time.monotonic() - began < QUICK_S


HALVES = {
    "nothing": b"",
    "half a head": b"GET /health HTTP/1.1\r\nHost: loc",
    "no body": post(b"Host: localhost", b"Content-Length: 10"),
    "half a body": post(b"Host: localhost", b"Content-Length: 10", body=b'{"mes'),
    "half a chunk": post(b"Host: localhost", b"Transfer-Encoding: chunked", body=b"a\r\n{"),
    "half of the next head": NEXT + b"GET /hea",
}


@pytest.mark.parametrize("name", HALVES)
def test_what_does_not_arrive_is_closed(port: int, name: str) -> None:
    began = time.monotonic()
    found = statuses(exchange(port, HALVES[name]))
    assert QUICK_S * 0.9 < time.monotonic() - began < QUICK_S * 4
    whole = [200] if name.startswith("half of the next") else []
    assert found == (whole if name == "nothing" else [*whole, 408])


@pytest.mark.parametrize("name", HALVES)
def test_what_arrives_byte_by_byte_is_closed(port: int, name: str) -> None:
    began = time.monotonic()
    with closing(connected(port)) as link:
        link.sendall(HALVES[name])
        link.settimeout(0.1)
        while time.monotonic() - began < QUICK_S * 6:
            try:
                link.sendall(b"a")
                if not link.recv(65_536):
                    break
            except TimeoutError:
                continue
            except (ConnectionResetError, BrokenPipeError):
                break
    assert time.monotonic() - began < QUICK_S * 4


def test_a_body_that_arrives_slowly_but_steadily_is_taken(running: Running, port: int) -> None:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    body = b'{"filename":"slow.md","content":"' + b"Lamps are returned. " * 120 + b'"}'
    head = b"PUT /v1/vector_stores/handbook/documents/slow.md HTTP/1.1\r\n" + HOST
    head += b"Content-Type: application/json\r\nConnection: close\r\n"
    with closing(connected(port)) as link:
        link.sendall(head + f"Content-Length: {len(body)}\r\n\r\n".encode())
        for start in range(0, len(body), 200):
            link.sendall(body[start : start + 200])
            time.sleep(0.2)
        assert statuses(rest_of(link)) == [200]


@pytest.fixture
def half_open(port: int) -> Iterator[list[socket.socket]]:
    sent = list(HALVES.values())
    with ExitStack() as stack:
        links = [stack.enter_context(closing(connected(port))) for _ in range(300)]
        for number, link in enumerate(links):
            link.sendall(sent[number % len(sent)])
        yield links


def test_300_half_open_requests_keep_nobody_waiting_and_are_all_closed(
    running: Running, half_open: list[socket.socket]
) -> None:
    began = time.monotonic()
    assert httpx.get(f"{running.client.base_url}/health", timeout=5).status_code == 200
    assert running.ask(strategy="prompt_only").status_code == 200
    for link in half_open:
        rest_of(link)
    assert time.monotonic() - began < QUICK_S * 8


@pytest.mark.parametrize(
    ("fault", "target", "version", "headers"),
    [
        (None, b"/", "1.1", [(b"host", b"a")]),
        (None, b"/", "1.0", []),
        (None, b"/", "1.1", [(b"host", b"a"), (b"transfer-encoding", b" Chunked")]),
        ("neither", b"/", "0.9", []),
        ("begin with", b"a", "1.1", [(b"host", b"a")]),
        ("exactly one Host", b"/", "1.1", []),
        ("exactly one Host", b"/", "1.0", [(b"host", b"a"), (b"host", b"a")]),
        ("`chunked`", b"/", "1.0", [(b"transfer-encoding", b"chunked")]),
        ("header x is", b"/", "1.1", [(b"host", b"a"), (b"x", b"\xe9")]),
        ("more than", b"/", "1.1", [(b"host", b"a"), (b"x", b"a" * MAX_HEAD_BYTES)]),
    ],
)
def test_the_reason_of_a_refused_head_is_named(
    fault: str | None, target: bytes, version: str, headers: list[tuple[bytes, bytes]]
) -> None:
    found = fault_of_head(b"GET", target, version, headers)
    assert found is None if fault is None else fault in (found or "")


class Wire(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.is_closed, "written after the end"
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


@pytest.mark.anyio
async def test_what_is_written_in_one_turn_is_sent_together() -> None:
    wire = Wire()
    joined = JoinedWrites(wire, asyncio.get_running_loop())
    joined.write(b"head ")
    joined.write(b"body")
    assert wire.sent == []
    await asyncio.sleep(0)
    assert wire.sent == [b"head body"]
    joined.write(b"more")
    await asyncio.sleep(0)
    assert wire.sent == [b"head body", b"more"]


@pytest.mark.anyio
async def test_much_is_sent_at_once_so_that_a_slow_reader_is_noticed() -> None:
    wire = Wire()
    joined = JoinedWrites(wire, asyncio.get_running_loop())
    joined.write(b"a")
    joined.write(b"b" * MAX_JOINED_BYTES)
    assert [len(part) for part in wire.sent] == [MAX_JOINED_BYTES + 1]
    await asyncio.sleep(0)
    assert len(wire.sent) == 1


@pytest.mark.anyio
async def test_the_end_is_sent_before_the_connection_closes_and_nothing_after() -> None:
    wire = Wire()
    joined = JoinedWrites(wire, asyncio.get_running_loop())
    joined.write(b"end")
    joined.close()
    assert (wire.sent, wire.is_closed) == ([b"end"], True)
    joined.write(b"late")
    await asyncio.sleep(0)
    assert wire.sent == [b"end"]

"""A gateway of canned replies on loopback: the command line is tested as a client of HTTP."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from service.cli import app
from service.messages.spoken import speak


@dataclass
class Call:
    """One request as it arrived."""

    method: str
    path: str
    body: bytes
    language: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class CannedGateway:
    """Answers what a test laid down; a list is answered one after the other, the last one stays."""

    url: str = ""
    replies: dict[str, list[tuple[int, Any]]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)

    def answer(self, request: str, *bodies: Any, status: int = 200) -> None:
        """Lay down the replies to `METHOD /path`."""
        self.replies[request] = [(status, body) for body in bodies]

    def refuse(self, request: str, status: int, code: str, message: str) -> None:
        """Lay down an error body."""
        error = {"message": message, "code": code, "type": "x", "param": None}
        body = {"status": status, "detail": message, "hint": "do this", "error": error}
        self.answer(request, body, status=status)

    def take(self, call: Call) -> tuple[int, Any]:
        """Return the next reply to a call."""
        self.calls.append(call)
        laid = self.replies.get(f"{call.method} {call.path.partition('?')[0]}")
        if laid is None:
            return 404, {"status": 404, "detail": f"nothing at {call.path}", "error": {}}
        return laid.pop(0) if len(laid) > 1 else laid[0]

    def sent(self, request: str) -> Call:
        """Return the last call of `METHOD /path`."""
        return [c for c in self.calls if f"{c.method} {c.path.partition('?')[0]}" == request][-1]


@pytest.fixture
def gateway() -> Iterator[CannedGateway]:
    """Yield a gateway that answers what the test says."""
    canned = CannedGateway()

    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            language = self.headers.get("accept-language", "")
            sent = self.rfile.read(length)
            status, body = canned.take(Call(self.command, self.path, sent, language))
            is_text = isinstance(body, str)
            content = body.encode() if is_text else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "text/plain" if is_text else "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _reply

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    canned.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield canned
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    """Leave no language behind for tests that print without a command line."""
    yield
    speak("en")


Run = Callable[..., Result]


@pytest.fixture
def run(gateway: CannedGateway, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs `fingerpost` against the canned gateway."""
    monkeypatch.setattr("service.cli.client._POLL_S", 0.01)

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--url", gateway.url])

    return invoke

"""The gateway behind nginx and HAProxy, each as deploy/proxies configures it."""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.access import Scope
from service.network.forwarding import Proxies, came_from_this_machine
from service.network.tls import verification
from service.settings import Settings
from service.stores.access.api_keys import ApiKeys, NewKey
from tests.fakes.certificates import KeyPair, make_key_pair
from tests.fakes.proxies import CONFIGURATIONS, PAUSE_S, program, proxy
from tests.service.conftest import Running
from tests.service.waiting import eventually

NAME = "answers.example.com"
QUESTION = [{"role": "user", "content": "Within how many days can a lamp be returned?"}]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    update = {"trusted_proxies": ("127.0.0.1",), "allowed_hosts": (NAME,)}
    server = settings.server.model_copy(update=update)
    return settings.model_copy(update={"server": server})


@pytest.fixture
def pair(tmp_path: Path) -> KeyPair:
    return make_key_pair(tmp_path / "tls", NAME)


@pytest.fixture(params=CONFIGURATIONS)
def port(
    request: pytest.FixtureRequest, running: Running, pair: KeyPair, tmp_path: Path
) -> Iterator[int]:
    if program(request.param) is None:
        pytest.skip(f"{request.param} is not installed; `deploy/test.sh --long` installs it")
    gateway = int(running.client.base_url.port or 0)
    with proxy(request.param, tmp_path / "proxy", gateway=gateway, pair=pair) as port:
        yield port


@pytest.fixture
def outside(running: Running, port: int, pair: KeyPair) -> Iterator[httpx.Client]:
    """A client with a key that reaches the proxy under its public name."""
    url, verify = f"https://127.0.0.1:{port}", verification(pair.cert)
    _, key = ApiKeys(running.context.database).create(NewKey(name="admin", scopes=tuple(Scope)))
    bearer = {"authorization": f"Bearer {key}"}
    eventually(lambda: running.client.get("/v1/models").status_code == 401)
    running.client.headers.update(bearer)
    headers = {"host": NAME, **bearer}
    with httpx.Client(base_url=url, headers=headers, verify=verify, timeout=15) as client:
        eventually(lambda: client.get("/health").status_code == 200)
        yield client


def prepare(running: Running) -> None:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    assert running.put_document().status_code == 200
    running.put_use_case()
    running.engine.switches.pieces = ("Within 30 days [1].",)


@pytest.mark.parametrize(
    "forged",
    [{}, {"x-forwarded-host": "evil.example", "x-forwarded-proto": "gopher"}],
)
def test_citations_lead_to_the_public_address(
    running: Running, outside: httpx.Client, forged: dict[str, str]
) -> None:
    prepare(running)
    body = {"model": "rag", "messages": QUESTION, "use_case": "demo"}
    done = outside.post("/v1/chat/completions", json=body, headers=forged).json()
    (annotation,) = done["choices"][0]["message"]["annotations"]
    link = annotation["url_citation"]["url"]
    assert link.startswith(f"https://{NAME}/sources/handbook/returns.md?")
    page = outside.get(link.removeprefix(f"https://{NAME}"))
    assert "returned within 30 days" in page.text


def test_no_client_of_a_proxy_passes_for_this_machine(
    outside: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Any, Any, bool]] = []
    apply = Proxies.apply

    def noted(self: Proxies, scope: Any) -> None:
        apply(self, scope)
        if scope["path"] == "/v1/models":
            seen.append((scope["client"][0], scope["scheme"], came_from_this_machine(scope)))

    monkeypatch.setattr(Proxies, "apply", noted)
    forged = {"x-forwarded-for": "203.0.113.66", "forwarded": "for=203.0.113.66"}
    assert outside.get("/v1/models", headers=forged).status_code == 200
    del outside.headers["authorization"]
    assert outside.get("/v1/models", headers=forged).status_code == 401
    assert seen == [("127.0.0.1", "https", False)] * 2


def test_a_name_that_is_not_configured_is_refused(outside: httpx.Client) -> None:
    assert outside.get("/health", headers={"host": "evil.example"}).status_code == 403


def test_a_stream_arrives_piece_by_piece(running: Running, outside: httpx.Client) -> None:
    running.engine.switches.pieces = ("One ", "two ", "three ", "four.")
    running.engine.switches.pause_s = 0.3
    body = {"model": "prompt_only", "messages": QUESTION, "stream": True}
    arrived: list[float] = []
    with outside.stream("POST", "/v1/chat/completions", json=body) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        for line in reply.iter_lines():
            if '"content":' in line:
                arrived.append(time.monotonic())
    assert len(arrived) >= 3
    assert arrived[-1] - arrived[0] > 0.5


def test_a_client_that_leaves_ends_its_generation(running: Running, outside: httpx.Client) -> None:
    running.engine.switches.pieces = ("word ",) * 200
    running.engine.switches.pause_s = 0.1
    body = {"model": "prompt_only", "messages": QUESTION, "stream": True}
    with outside.stream("POST", "/v1/chat/completions", json=body) as reply:
        next(line for line in reply.iter_lines() if "word" in line)
        assert running.engine.running == 1
    eventually(lambda: running.engine.aborted == 1 and running.engine.running == 0)


def test_the_gateway_itself_says_that_a_body_is_too_large(outside: httpx.Client) -> None:
    content = b" " * 150_000 + b"{}"
    kind = {"content-type": "application/json"}
    assert outside.post("/chat", content=content, headers=kind).status_code == 422
    reply = outside.post("/chat", content=content * 2, headers=kind)
    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == "body_too_large"


def test_half_a_head_is_closed_by_the_proxy(port: int, pair: KeyPair) -> None:
    context = verification(pair.cert)
    assert isinstance(context, ssl.SSLContext)
    began = time.monotonic()
    with closing(socket.create_connection(("127.0.0.1", port), timeout=15)) as link:
        with context.wrap_socket(link) as sealed:
            sealed.sendall(b"GET /health HTTP/1.1\r\nHost: loc")
            while sealed.recv(4096):
                pass
    assert time.monotonic() - began < PAUSE_S * 6

"""Web pages that may call, those that may not, and what comes after a failure inside."""

import http.client
from typing import Any

import httpx
import pytest

from service.context import AppContext
from service.settings import ServerSettings
from tests.service.conftest import Running

PAGE = "http://localhost:3000"
ASKS = {
    "origin": PAGE,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}
QUESTION = {"messages": [{"role": "user", "content": "Hi"}], "strategy": "prompt_only"}
CORS = "access-control-allow-origin"


def configure(running: Running, **server: Any) -> None:
    """Change what the running gateway is configured with."""
    values = ServerSettings.model_validate({**running.settings.server.model_dump(), **server})
    for name in server:
        object.__setattr__(running.settings.server, name, getattr(values, name))


def break_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret inner state")

    monkeypatch.setattr(AppContext, "use_case", broken)


@pytest.mark.parametrize("path", ["/chat", "/v1/chat/completions", "/nowhere"])
def test_a_page_of_this_machine_gets_leave_to_call(running: Running, path: str) -> None:
    reply = running.client.options(path, headers=ASKS)
    assert (reply.status_code, reply.content) == (204, b"")
    assert reply.headers[CORS] == PAGE
    assert "POST" in reply.headers["access-control-allow-methods"]
    assert reply.headers["access-control-allow-headers"] == "authorization,content-type"
    assert int(reply.headers["access-control-max-age"]) > 0
    assert "origin" in reply.headers["vary"]
    assert reply.headers["x-request-id"]


def test_a_page_elsewhere_gets_no_leave_and_is_told_why(running: Running) -> None:
    reply = running.client.options("/chat", headers={**ASKS, "origin": "https://evil.example"})
    assert reply.status_code == 403
    assert "'https://evil.example' is refused" in reply.json()["detail"]
    assert "server.cors_origins" in reply.json()["hint"]
    assert CORS not in reply.headers


def test_a_page_that_may_call_can_read_answers_errors_and_streams(running: Running) -> None:
    page = {"origin": PAGE}
    for body, status in ((QUESTION, 200), ({**QUESTION, "stream": True}, 200), ({}, 422)):
        reply = running.client.post("/chat", json=body, headers=page)
        assert (reply.status_code, reply.headers[CORS]) == (status, PAGE)
        assert "x-request-id" in reply.headers["access-control-expose-headers"]
        assert "origin" in reply.headers["vary"]
    large = {**page, "content-type": "application/json"}
    reply = running.client.post("/chat", content=b" " * 200_001, headers=large)
    assert (reply.status_code, reply.headers[CORS]) == (413, PAGE)


def test_who_is_no_page_gets_no_headers_for_pages(running: Running) -> None:
    assert CORS not in running.client.get("/health").headers


def test_options_that_no_page_asks_for_are_no_leave(running: Running) -> None:
    assert running.client.options("/chat").status_code == 405
    assert running.client.options("/chat", headers={"origin": PAGE}).status_code == 405


def test_the_pages_that_may_call_are_configured(running: Running) -> None:
    configure(running, cors_origins=["https://tools.example.com"])
    asked = {**ASKS, "origin": "https://tools.example.com"}
    assert running.client.options("/chat", headers=asked).status_code == 204
    assert running.client.options("/chat", headers=ASKS).status_code == 403
    asked["access-control-request-private-network"] = "true"  # a public page calls this machine
    reply = running.client.options("/chat", headers=asked)
    assert reply.headers["access-control-allow-private-network"] == "true"
    own = str(running.client.base_url).rstrip("/")
    assert running.client.get("/health", headers={"origin": own}).headers[CORS] == own


@pytest.mark.parametrize("page", [{}, {"origin": PAGE}])
def test_a_failure_inside_has_its_request_id_and_ends_the_connection(
    running: Running, monkeypatch: pytest.MonkeyPatch, page: dict[str, str]
) -> None:
    break_inside(monkeypatch)
    reply = running.client.post("/chat", json=QUESTION, headers=page)
    assert reply.status_code == 500
    assert reply.headers["connection"] == "close"
    assert reply.headers["x-request-id"] == reply.json()["request_id"]
    assert reply.headers.get(CORS) == page.get("origin")
    assert "secret" not in reply.text


def test_no_request_is_lost_after_the_failure_of_another(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_inside(monkeypatch)
    for _ in range(20):
        with httpx.Client(base_url=running.client.base_url) as client:
            assert client.post("/chat", json=QUESTION).status_code == 500
            assert client.get("/health").status_code == 200


def test_a_failure_in_the_middle_of_a_reply_cuts_it(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.api.chat._frames", lambda *_, **__: frames_that_break())
    with pytest.raises((httpx.RemoteProtocolError, http.client.IncompleteRead)):
        running.client.post("/chat", json={**QUESTION, "stream": True})


async def frames_that_break() -> Any:
    yield b"event: decision\ndata: {}\n\n"
    raise RuntimeError("the rest is lost")

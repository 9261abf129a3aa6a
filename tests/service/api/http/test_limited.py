"""Requests are held to the limits of the key and tenant, and told what is left."""

from typing import Any

import httpx
import pytest

from service.limits.settings import Allowance, LimitSettings
from service.settings import Settings
from tests.service.conftest import Running

QUESTION = {"messages": [{"role": "user", "content": "Hello, who are you?"}]}
COMPLETION = {**QUESTION, "model": "prompt_only"}
RESPONSE = {"input": "Hello, who are you?", "model": "prompt_only"}


@pytest.fixture
def allowance() -> Allowance:
    return Allowance()


@pytest.fixture
def settings(settings: Settings, allowance: Allowance) -> Settings:
    return settings.model_copy(update={"limits": LimitSettings(key=allowance)})


def limited_to(**fields: int) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("allowance", [Allowance(**fields)])


def require_refused(reply: httpx.Response, limit: str) -> None:
    assert reply.status_code == 429, reply.text
    body = reply.json()
    assert (body["error"]["code"], body["limit"]) == ("limit_reached", limit)
    assert body["retryable"] is True
    if "retry_after_s" in body:
        assert reply.headers["retry-after"] == str(body["retry_after_s"])
    assert int(reply.headers["retry-after"]) >= 1


def test_without_limits_no_header_speaks_of_any(running: Running) -> None:
    assert not [name for name in running.ask().headers if name.startswith("x-ratelimit")]


@limited_to(requests_per_minute=3)
def test_requests_are_counted_told_and_refused(running: Running) -> None:
    replies = [running.client.get("/jobs") for _ in range(4)]
    left = [reply.headers["x-ratelimit-remaining-requests"] for reply in replies[:3]]
    assert left == ["2", "1", "0"]
    assert {reply.headers["x-ratelimit-limit-requests"] for reply in replies[:3]} == {"3"}
    assert replies[0].headers["x-ratelimit-reset-requests"] in ("60s", "1m0s", "59s")
    require_refused(replies[3], "key.requests_per_minute")
    require_refused(running.client.post("/chat", json=QUESTION), "key.requests_per_minute")
    assert running.client.get("/health").status_code == 200
    assert running.client.get("/ready").status_code == 200
    assert not running.engine.requests


@limited_to(completion_tokens_per_minute=1)
@pytest.mark.parametrize(
    ("path", "body"),
    [("/chat", QUESTION), ("/v1/chat/completions", COMPLETION), ("/v1/responses", RESPONSE)],
)
@pytest.mark.parametrize("stream", [False, True])
def test_tokens_of_an_answer_stop_the_next_question(
    running: Running, path: str, body: dict[str, Any], stream: bool
) -> None:
    body = {**body, "stream": stream}
    first = running.client.post(path, json=body)
    assert first.status_code == 200
    assert first.headers["x-ratelimit-limit-tokens"] == "1"
    assert first.headers["x-ratelimit-remaining-tokens"] == "1"
    second = running.client.post(path, json=body)
    require_refused(second, "key.completion_tokens_per_minute")
    assert second.headers["x-ratelimit-remaining-tokens"] == "0"
    assert len(running.engine.requests) == 1


EMBEDDED = {"model": "fake-words", "input": ["red lamp", "a blue chair"]}  # five tokens


@limited_to(prompt_tokens_per_minute=6)
def test_embedded_tokens_are_prompt_tokens(running: Running) -> None:
    replies = [running.client.post("/v1/embeddings", json=EMBEDDED) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert replies[0].json()["usage"]["prompt_tokens"] == 5
    told = [reply.headers["x-ratelimit-remaining-tokens"] for reply in replies]
    assert told == ["6", "1", "0"]
    assert {reply.headers["x-ratelimit-limit-tokens"] for reply in replies} == {"6"}
    require_refused(replies[2], "key.prompt_tokens_per_minute")
    require_refused(running.client.post("/chat", json=QUESTION), "key.prompt_tokens_per_minute")


@limited_to(completion_tokens_per_minute=1)
def test_texts_are_embedded_where_only_completion_tokens_are_used_up(running: Running) -> None:
    assert running.client.post("/chat", json=QUESTION).status_code == 200
    assert running.client.post("/chat", json=QUESTION).status_code == 429
    assert running.client.post("/v1/embeddings", json=EMBEDDED).status_code == 200


@limited_to(prompt_tokens_per_minute=6)
def test_texts_that_are_refused_count_no_tokens(running: Running) -> None:
    for body in ({**EMBEDDED, "model": "other"}, {**EMBEDDED, "input": ["red lamp", ""]}):
        assert running.client.post("/v1/embeddings", json=body).status_code in (400, 404)
    reply = running.client.post("/v1/embeddings", json=EMBEDDED)
    assert reply.headers["x-ratelimit-remaining-tokens"] == "6"


@limited_to(completion_tokens_per_minute=1)
def test_an_answer_that_is_broken_off_counts_by_its_pieces(running: Running) -> None:
    running.engine.switches.break_after = 2
    broken = running.client.post("/chat", json={**QUESTION, "stream": True})
    assert "event: error" in broken.text
    require_refused(running.client.post("/chat", json=QUESTION), "key.completion_tokens_per_minute")


@limited_to(concurrent_streams=1)
def test_streams_at_the_same_time_are_counted(running: Running) -> None:
    running.engine.switches.pause_s = 0.3
    body = {**QUESTION, "stream": True}
    with running.client.stream("POST", "/chat", json=body) as first:
        assert first.status_code == 200
        require_refused(running.client.post("/chat", json=body), "key.concurrent_streams")
        assert running.client.post("/chat", json=QUESTION).status_code == 200
        first.read()
    assert running.client.post("/chat", json=body).status_code == 200


@limited_to(upload_bytes_per_hour=600)
def test_uploaded_bytes_are_counted(running: Running) -> None:
    def upload(content: bytes) -> httpx.Response:
        return running.client.post("/v1/files", files={"file": ("a.jsonl", content)})

    assert upload(b"x" * 100).status_code == 200
    require_refused(upload(b"x" * 400), "key.upload_bytes_per_hour")
    assert running.client.post("/chat", json=QUESTION).status_code == 200


@limited_to(upload_bytes_per_hour=600)
def test_bytes_of_an_unannounced_length_are_counted_once_they_are_read(running: Running) -> None:
    head = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'

    def upload(content: bytes) -> httpx.Response:
        parts = iter([head, content, b"\r\n--b--\r\n"])
        kind = {"content-type": "multipart/form-data; boundary=b"}
        return running.client.post("/v1/files", content=parts, headers=kind)

    assert upload(b"x" * 700).status_code == 200
    require_refused(upload(b"x"), "key.upload_bytes_per_hour")

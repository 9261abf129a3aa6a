"""`Idempotency-Key`: the first reply again, and 409 for anything else under the key."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from service.stores.requests.first_replies import first_replies
from tests.service.conftest import Running
from tests.service.waiting import eventually

QUESTION = {"messages": [{"role": "user", "content": "Hello, who are you?"}]}
COMPLETION = {**QUESTION, "model": "prompt_only"}
KEY = {"idempotency-key": "order-7"}


def rows(running: Running) -> list[Any]:
    with running.context.database.connect() as connection:
        return list(connection.execute(select(first_replies)))


@pytest.mark.parametrize(
    ("path", "body"), [("/chat", QUESTION), ("/v1/chat/completions", COMPLETION)]
)
def test_a_repeated_question_gets_the_first_answer(
    running: Running, path: str, body: dict[str, Any]
) -> None:
    first = running.client.post(path, json=body, headers=KEY)
    again = running.client.post(path, json=body, headers=KEY)
    anew = running.client.post(path, json=body)
    assert first.status_code == again.status_code == 200
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert anew.json()["id"] != first.json()["id"]


def test_another_question_under_the_key_is_refused(running: Running) -> None:
    running.client.post("/chat", json=QUESTION, headers=KEY)
    other = {"messages": [{"role": "user", "content": "Who else?"}]}
    for path, body in (("/chat", other), ("/v1/chat/completions", COMPLETION)):
        refused = running.client.post(path, json=body, headers=KEY)
        assert refused.status_code == 409
        assert refused.json()["error"]["code"] == "idempotency_key_reused"
        assert refused.headers["x-should-retry"] == "false"
    explained = running.client.post("/chat?explain=true", json=QUESTION, headers=KEY)
    assert explained.status_code == 409


def test_a_request_sent_twice_at_once_is_answered_once(running: Running) -> None:
    running.engine.switches.first_pause_s = 1.0
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(running.client.post, "/chat", json=QUESTION, headers=KEY)
        eventually(lambda: len(rows(running)) == 1)
        second = running.client.post("/chat", json=QUESTION, headers=KEY)
    assert first.result().status_code == 200
    assert second.status_code == 409
    assert second.json()["error"]["code"] == "idempotency_in_progress"
    assert second.json()["retryable"] is True
    assert "retry-after" in second.headers
    assert "x-should-retry" not in second.headers


def test_a_failure_of_the_server_is_not_stored(running: Running) -> None:
    running.engine.switches.refuse = 500
    failed = running.client.post("/chat", json=QUESTION, headers=KEY)
    assert failed.status_code >= 500
    assert rows(running) == []


def test_a_refused_question_is_stored(running: Running) -> None:
    body = {**QUESTION, "use_case": "none-such"}
    first = running.client.post("/chat", json=body, headers=KEY)
    assert first.status_code == 404
    again = running.client.post("/chat", json=body, headers=KEY)
    assert (again.status_code, again.content) == (404, first.content)


def test_a_stream_is_never_stored(running: Running) -> None:
    body = {**QUESTION, "stream": True}
    first = running.client.post("/chat", json=body, headers=KEY)
    again = running.client.post("/chat", json=body, headers=KEY)
    assert first.status_code == again.status_code == 200
    assert "event: done" in again.text
    assert rows(running) == []


def test_the_user_of_a_question_is_stored_beside_its_answer(running: Running) -> None:
    running.client.post("/chat", json={**QUESTION, "user": "ann"}, headers=KEY)
    assert [(row.user, row.tenant) for row in rows(running)] == [("ann", "default")]


def test_a_file_is_uploaded_once(running: Running) -> None:
    def upload(content: bytes, boundary: str = "b") -> Any:
        part = b'content-disposition: form-data; name="file"; filename="a.jsonl"'
        body = b"--b\r\n" + part + b"\r\n\r\n" + content + b"\r\n--b--\r\n"
        headers = {**KEY, "content-type": f"multipart/form-data; boundary={boundary}"}
        return running.client.post("/v1/files", content=body, headers=headers)

    first, again = upload(b'{"a":1}\n'), upload(b'{"a":1}\n')
    assert first.status_code == 200
    assert again.content == first.content
    assert upload(b'{"a":2}\n').status_code == 409
    assert len(running.context.audit.list()) == 1


def test_a_document_is_written_once(running: Running) -> None:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})

    def put(text: str) -> Any:
        body = {"filename": "a.md", "content": text}
        path = "/v1/vector_stores/handbook/documents/a.md"
        return running.client.put(path, json=body, headers=KEY)

    first, again = put("# One\n\nOne lamp."), put("# One\n\nOne lamp.")
    assert first.status_code == 200
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert put("# Two\n\nTwo lamps.").status_code == 409


def test_an_upload_that_goes_on_as_a_job_is_found_again(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    changed = running.settings.server.model_copy(update={"put_wait_s": 0.0})
    monkeypatch.setitem(running.settings.__dict__, "server", changed)
    body = {"filename": "a.md", "content": "# One"}
    path = "/v1/vector_stores/handbook/documents/a.md"
    first = running.client.put(path, json=body, headers=KEY)
    assert first.status_code == 202
    job = first.json()["job"]["id"]
    eventually(lambda: running.client.get(f"/jobs/{job}").json()["status"] == "succeeded")
    again = running.client.put(path, json=body, headers=KEY)
    assert again.status_code == 200
    other = running.client.put(path, json={**body, "content": "# Two"}, headers=KEY)
    assert other.status_code == 409


@pytest.mark.parametrize("kind", ["application/vnd.chat+json", "Application/JSON; charset=utf-8"])
def test_a_body_is_read_as_its_endpoint_reads_it(running: Running, kind: str) -> None:
    running.put_use_case()
    body = {"messages": [{"role": "user", "content": "hi"}], "stream": "true"}
    headers = {"content-type": kind, "idempotency-key": "s1"}
    for _ in range(2):
        reply = running.client.post("/chat", content=json.dumps(body), headers=headers)
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert "idempotent-replayed" not in reply.headers

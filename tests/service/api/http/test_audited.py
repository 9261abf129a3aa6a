"""Every change through HTTP is in the audit log, and nothing else is."""

import hashlib

import pytest

from service.api.http.audited import QUESTIONS, READING, kind_of
from service.app import ENDPOINTS
from service.stores.requests.chain import AuditRow
from tests.service.conftest import RETURNS, Running


def changes(running: Running) -> list[tuple[str, str, str | None]]:
    rows = reversed(running.context.audit.list())
    return [(row.action, row.kind, row.object_id) for row in rows]


def newest(running: Running) -> AuditRow:
    return running.context.audit.list(limit=1)[0]


def test_every_question_is_a_route() -> None:
    routes = {
        f"{method} {route.path}"  # type: ignore[attr-defined]  # all are APIRoute
        for route in ENDPOINTS.routes
        for method in route.methods - READING  # type: ignore[attr-defined]  # as above
    }
    assert routes > QUESTIONS


def test_each_change_is_noted_with_what_its_path_names(running: Running) -> None:
    adapter = running.prepare()
    running.client.delete("/v1/vector_stores/handbook/documents/returns.md")
    assert changes(running) == [
        ("POST /v1/vector_stores", "vector_stores", "handbook"),
        (
            "PUT /v1/vector_stores/{base_id}/documents/{external_id}",
            "documents",
            "handbook/returns.md",
        ),
        ("PUT /use_cases/{use_case_id}", "use_cases", "demo"),
        ("POST /adapters/{adapter_id}/publish", "adapters", adapter),
        (
            "DELETE /v1/vector_stores/{base_id}/documents/{external_id}",
            "documents",
            "handbook/returns.md",
        ),
    ]
    assert running.context.audit.verify().rows == 5


def test_a_change_tells_what_was_and_what_is(running: Running) -> None:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    text = hashlib.sha256(RETURNS.encode()).hexdigest()
    running.put_document()
    assert (newest(running).before, newest(running).after) == (None, text)
    running.put_document(RETURNS + " At once.")
    assert newest(running).before == text
    running.client.delete("/v1/vector_stores/handbook/documents/returns.md")
    assert newest(running).before == hashlib.sha256((RETURNS + " At once.").encode()).hexdigest()
    assert newest(running).after is None
    assert (newest(running).tenant, newest(running).key_id) == ("default", None)


def test_an_uploaded_file_is_noted_under_its_id(running: Running) -> None:
    file = running.client.post("/v1/files", files={"file": ("a.jsonl", b'{"a":1}\n')}).json()
    assert newest(running).object_id == file["id"]
    assert newest(running).after == hashlib.sha256(b'{"a":1}\n').hexdigest()


def test_what_fails_or_only_asks_is_not_noted(running: Running) -> None:
    running.prepare()
    before = len(changes(running))
    assert running.client.put("/use_cases/demo", json={"id": "other"}).status_code >= 400
    assert running.client.delete("/v1/vector_stores/none").status_code == 404
    assert running.client.put("/use_cases/demo", content=b"{").status_code == 422
    assert running.ask().status_code == 200
    assert running.client.post("/route", json={"messages": []}).status_code >= 400
    assert running.client.get("/use_cases").status_code == 200
    search = running.client.post("/v1/vector_stores/handbook/search", json={"query": "lamp"})
    assert search.status_code == 200
    assert len(changes(running)) == before


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/files", "files"),
        ("/adapters/{adapter_id}/publish", "adapters"),
        ("/v1/vector_stores/{base_id}/documents/{external_id:path}", "documents"),
        ("/v1/vector_stores/{base_id}/file_batches/{batch_id}/cancel", "file_batches"),
    ],
)
def test_the_kind_is_the_word_before_the_last_parameter(path: str, kind: str) -> None:
    assert kind_of(path) == kind

"""The index of a knowledge base over HTTP: checked, rebuilt, re-indexed; and its history."""

from typing import Any

import pytest

from tests.service.conftest import RETURNS, Running
from tests.service.waiting import eventually

STORE = "/v1/vector_stores/handbook"


@pytest.fixture
def store(running: Running) -> Running:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    assert running.put_document().status_code == 200
    return running


def finish(store: Running, location: str) -> dict[str, Any]:
    eventually(lambda: store.client.get(location).json()["status"] not in ("queued", "running"))
    job: dict[str, Any] = store.client.get(location).json()
    return job


@pytest.mark.parametrize("kind", ["rebuild", "reindex"])
def test_a_new_generation_is_a_job_of_a_lane_of_its_own(store: Running, kind: str) -> None:
    before = store.client.get(f"{STORE}/check").json()
    assert (before["in_step"], before["generation"], before["chunks"]) == (True, 1, 1)
    reply = store.client.post(f"{STORE}/{kind}")
    assert reply.status_code == 202
    job = finish(store, reply.headers["location"])
    assert (job["status"], job["lane"], job["progress"]["fraction"]) == ("succeeded", "index", 1.0)
    assert job["result"]["missing_added"] == 1
    after = store.client.get(f"{STORE}/check").json()
    assert (after["in_step"], after["generation"]) == (True, 2)
    found = store.client.post(f"{STORE}/search", json={"query": "returned lamp"}).json()
    assert (found["degraded"], found["data"][0]["external_id"]) == (False, "returns.md")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "check"), ("GET", "history"), ("POST", "rebuild"), ("POST", "reindex")],
)
def test_an_unknown_base_is_404(running: Running, method: str, path: str) -> None:
    assert running.client.request(method, f"/v1/vector_stores/none/{path}").status_code == 404


def test_history_tells_versions_in_pages(store: Running) -> None:
    store.put_document(RETURNS.replace("30", "45"))
    store.client.delete(f"{STORE}/documents/returns.md")
    body = store.client.get(f"{STORE}/history", params={"document": "returns.md"}).json()
    assert [(row["version"], row["change"], row["replaced_by"]) for row in body["data"]] == [
        (3, "deleted", None),
        (2, "replaced", 3),
        (1, "added", 2),
    ]
    first = store.client.get(f"{STORE}/history", params={"limit": 2}).json()
    assert first["has_more"]
    rest = {"limit": 2, "after": first["data"][-1]["id"]}
    second = store.client.get(f"{STORE}/history", params=rest).json()
    assert ([row["version"] for row in second["data"]], second["has_more"]) == ([1], False)
    for wrong in ({"document": "none"}, {"after": "none"}):
        assert store.client.get(f"{STORE}/history", params=wrong).status_code == 404


def test_knowledge_bases_are_listed_in_pages(store: Running) -> None:
    store.client.post("/v1/vector_stores", json={"name": "b", "id": "b"})
    first = store.client.get("/v1/vector_stores", params={"limit": 1}).json()
    assert ([row["id"] for row in first["data"]], first["has_more"]) == (["handbook"], True)
    second = store.client.get("/v1/vector_stores", params={"after": "handbook"}).json()
    assert ([row["id"] for row in second["data"]], second["has_more"]) == (["b"], False)
    assert store.client.get("/v1/vector_stores", params={"after": "x"}).status_code == 400

"""Uploaded files become documents in batches, under OpenAI's shape; retries make no duplicate."""

from typing import Any

import openai
import pytest

from tests.service.conftest import RETURNS, Running
from tests.service.waiting import eventually

STORE = "/v1/vector_stores/handbook"
BATCHES = f"{STORE}/file_batches"


@pytest.fixture
def store(running: Running) -> Running:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    return running


def upload(store: Running, name: str, content: bytes) -> str:
    reply = store.client.post(
        "/v1/files", files={"file": (name, content)}, data={"purpose": "assistants"}
    )
    return str(reply.json()["id"])


def ended(store: Running, batch_id: str) -> dict[str, Any]:
    at = f"{BATCHES}/{batch_id}"
    eventually(lambda: store.client.get(at).json()["status"] != "in_progress")
    batch: dict[str, Any] = store.client.get(at).json()
    return batch


def names(store: Running) -> list[tuple[str, int]]:
    rows = store.client.get(f"{STORE}/documents").json()["data"]
    return [(row["external_id"], row["version"]) for row in rows]


def test_one_bad_file_of_a_batch_does_not_stop_the_others(store: Running) -> None:
    texts = (("a.md", b"# Lamp\n\nlamp a"), ("bad.txt", b"   \n"), ("c.md", b"# Lamp\n\nlamp c"))
    files = [upload(store, name, content) for name, content in texts]
    made = store.client.post(BATCHES, json={"file_ids": files, "attributes": {"team": "desk"}})
    assert made.status_code == 200
    assert made.json()["file_counts"]["total"] == 3
    batch = ended(store, made.json()["id"])
    counts = {"in_progress": 0, "completed": 2, "failed": 1, "cancelled": 0, "total": 3}
    assert (batch["status"], batch["file_counts"]) == ("completed", counts)
    assert names(store) == [("a.md", 1), ("c.md", 1)]
    assert store.client.get(f"{STORE}/documents/a.md").json()["attributes"] == {"team": "desk"}
    rows = store.client.get(f"{BATCHES}/{batch['id']}/files").json()["data"]
    assert [row["status"] for row in rows] == ["completed", "failed", "completed"]
    assert rows[1]["last_error"]["code"] == "empty_document"
    page = store.client.get(f"{BATCHES}/{batch['id']}/files", params={"limit": 2}).json()
    assert page["has_more"]
    rest = {"after": page["data"][-1]["id"]}
    last = store.client.get(f"{BATCHES}/{batch['id']}/files", params=rest).json()
    assert ([row["id"] for row in last["data"]], last["has_more"]) == (files[2:], False)


def test_the_labels_of_a_batch_guard_each_of_its_documents(store: Running) -> None:
    files = [upload(store, "a.md", b"lamp a"), upload(store, "b.md", b"lamp b")]
    body = {"file_ids": files, "access_labels": ["staff", "board"]}
    ended(store, store.client.post(BATCHES, json=body).json()["id"])

    def seen(*labels: str) -> set[str]:
        asked = {"query": "lamp", "access_labels": labels}
        found = store.client.post(f"{STORE}/search", json=asked).json()["data"]
        return {row["external_id"] for row in found}

    assert seen() == seen("guests") == set()
    assert seen("board") == seen("staff") == {"a.md", "b.md"}


def test_a_batch_sent_again_makes_no_duplicate(store: Running) -> None:
    files = [upload(store, "a.md", b"lamp a"), upload(store, "b.md", b"lamp b")]
    body, key = {"file_ids": files}, {"idempotency-key": "k1"}
    first = store.client.post(BATCHES, json=body, headers=key).json()
    assert ended(store, first["id"])["file_counts"]["completed"] == 2
    again = store.client.post(BATCHES, json=body, headers=key).json()
    assert (again["id"], again["status"]) == (first["id"], "completed")
    assert len(store.client.get("/jobs").json()["data"]) == 2
    without = store.client.post(BATCHES, json=body).json()
    assert without["id"] != first["id"]
    ended(store, without["id"])
    assert names(store) == [("a.md", 1), ("b.md", 1)]
    other = store.client.post(BATCHES, json={"file_ids": files[1:]}, headers=key)
    assert (other.status_code, other.json()["error"]["param"]) == (409, "idempotency-key")


def test_what_cannot_be_a_batch_is_refused_and_nothing_begins(store: Running) -> None:
    good, same = upload(store, "a.md", b"lamp a"), upload(store, "a.md", b"lamp other")
    for ids, status in (([], 422), (["file-none"], 404), ([good, "file-none"], 404)):
        assert store.client.post(BATCHES, json={"file_ids": ids}).status_code == status
    reply = store.client.post(BATCHES, json={"file_ids": [good, same]})
    assert (reply.status_code, "different names" in reply.json()["detail"]) == (400, True)
    elsewhere = "/v1/vector_stores/none/file_batches"
    assert store.client.post(elsewhere, json={"file_ids": [good]}).status_code == 404
    assert store.client.get(f"{BATCHES}/vsfb_none").status_code == 404
    assert store.client.get("/jobs").json()["data"] == []


def test_a_batch_that_waits_can_be_cancelled(
    store: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "service.stores.leases.Leases.claim", lambda *_: None
    )  # no worker takes it up
    made = store.client.post(BATCHES, json={"file_ids": [upload(store, "a.md", b"lamp a")]}).json()
    assert (made["status"], made["file_counts"]["in_progress"]) == ("in_progress", 1)
    reply = store.client.post(f"{BATCHES}/{made['id']}/cancel").json()
    assert (reply["status"], reply["file_counts"]["cancelled"]) == ("cancelled", 1)


def test_openais_client_uploads_a_batch(store: Running) -> None:
    file_id = upload(store, "returns.md", RETURNS.encode())
    url = f"{str(store.client.base_url).rstrip('/')}/v1"
    with openai.OpenAI(base_url=url, api_key="none") as client:
        batch = client.vector_stores.file_batches.create_and_poll(
            "handbook", file_ids=[file_id], poll_interval_ms=20
        )
    assert (batch.status, batch.file_counts.completed) == ("completed", 1)


def test_each_file_of_a_batch_may_have_attributes_of_its_own(store: Running) -> None:
    ids = [upload(store, name, name.encode() + b" lamp") for name in ("a.md", "b.md", "c.md")]
    url = f"{str(store.client.base_url).rstrip('/')}/v1"
    with openai.OpenAI(base_url=url, api_key="none") as client:
        batch = client.vector_stores.file_batches.create(
            "handbook",
            files=[
                {"file_id": ids[0], "attributes": {"team": "desk"}},
                {"file_id": ids[1], "attributes": {}, "chunking_strategy": {"type": "auto"}},
                {"file_id": ids[2]},
            ],
            attributes={"team": "all"},
        )
        ended(store, batch.id)
        files = client.vector_stores.file_batches.list_files(batch.id, vector_store_id="handbook")
        assert [file.id for file in files] == ids
        newest = client.vector_stores.file_batches.list_files(
            batch.id, vector_store_id="handbook", order="desc", limit=2
        )
        assert [file.id for file in newest] == ids[::-1]  # the client asks for every page
        failed = client.vector_stores.file_batches.list_files(
            batch.id, vector_store_id="handbook", filter="failed"
        )
        assert failed.data == []
    found = {
        name: store.client.get(f"{STORE}/documents/{name}").json()["attributes"]
        for name in ("a.md", "b.md", "c.md")
    }
    assert found == {"a.md": {"team": "desk"}, "b.md": {}, "c.md": {"team": "all"}}


@pytest.mark.parametrize(
    "body", [{}, {"file_ids": ["f"], "files": [{"file_id": "f"}]}, {"files": []}]
)
def test_a_batch_names_its_files_in_one_way(store: Running, body: dict[str, Any]) -> None:
    assert store.client.post(BATCHES, json=body).status_code == 422


def test_null_for_an_optional_field_of_a_batch_is_as_without_it(store: Running) -> None:
    file_id = upload(store, "a.md", b"lamp a")
    idle = {"attributes": None, "chunking_strategy": None}
    for body in (
        {"file_ids": [file_id], "files": None, "access_labels": None, **idle},
        {"files": [{"file_id": file_id, **idle}], "file_ids": None},
    ):
        assert store.client.post(BATCHES, json=body).status_code == 200


def test_a_file_of_a_batch_cannot_be_cut_otherwise_than_the_others(store: Running) -> None:
    cut = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
    file = {"file_id": upload(store, "a.md", b"lamp a"), "chunking_strategy": cut}
    reply = store.client.post(BATCHES, json={"files": [file]})
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "chunking_strategy")
    assert store.client.get("/jobs").json()["data"] == []


def test_an_upload_sent_twice_makes_no_duplicate(store: Running) -> None:
    place, body = f"{STORE}/documents/a.md", {"filename": "a.md", "content": "lamp a"}
    for headers in ({"idempotency-key": "k"}, {"idempotency-key": "k"}, {}, {}):
        assert store.client.put(place, json=body, headers=headers).status_code == 200
    assert names(store) == [("a.md", 1)]
    assert len(store.client.get(f"{STORE}/history").json()["data"]) == 1
    found = store.client.post(f"{STORE}/search", json={"query": "lamp a"}).json()
    assert len(found["data"]) == 1

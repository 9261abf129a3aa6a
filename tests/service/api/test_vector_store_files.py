"""Files of a vector store through the openai client: added, listed, read, changed, taken out."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.vector_stores import VectorStoreFile

from knowledge import Knowledge, SyncedElsewhere
from service.access import LOOPBACK_CALLER
from service.stores.job_kinds import INGEST, Lane
from service.stores.jobs import Job
from service.stores.leases import Leases
from tests.service.conftest import RETURNS, Running
from tests.service.waiting import eventually

STORE = "handbook"
PLACE = f"/v1/vector_stores/{STORE}"


@pytest.fixture
def store(running: Running) -> Running:
    running.client.post("/v1/vector_stores", json={"name": STORE, "id": STORE})
    return running


@pytest.fixture
def client(store: Running) -> Iterator[openai.OpenAI]:
    base_url = f"{store.client.base_url}/v1"
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as made:
        yield made


def upload(client: openai.OpenAI, name: str, content: bytes = RETURNS.encode()) -> str:
    return client.files.create(file=(name, content), purpose="assistants").id


def added(
    client: openai.OpenAI, name: str, content: bytes = RETURNS.encode(), **fields: Any
) -> VectorStoreFile:
    return client.vector_stores.files.create_and_poll(
        upload(client, name, content), vector_store_id=STORE, poll_interval_ms=20, **fields
    )


def listed(client: openai.OpenAI, **fields: Any) -> list[str]:
    return [file.id for file in client.vector_stores.files.list(STORE, **fields)]


def test_an_uploaded_file_becomes_a_document(store: Running, client: openai.OpenAI) -> None:
    made = added(client, "returns.md", attributes={"year": 2026, "public": True})
    assert (made.status, made.last_error) == ("completed", None)
    assert (made.usage_bytes, made.vector_store_id) == (len(RETURNS.encode()), STORE)
    assert made.attributes == {"year": 2026, "public": True}
    assert made.chunking_strategy is not None
    assert made.chunking_strategy.type == "static"
    assert made.chunking_strategy.static.max_chunk_size_tokens == 240
    found = client.vector_stores.search(
        STORE, query="unused lamp", filters={"type": "eq", "key": "year", "value": 2026}
    )
    assert [row.filename for row in found.data] == ["returns.md"]
    VectorStoreFile.model_validate(store.client.get(f"{PLACE}/files/{made.id}").json())


def test_the_client_uploads_and_adds_at_once(client: openai.OpenAI) -> None:
    made = client.vector_stores.files.upload_and_poll(
        vector_store_id=STORE, file=("returns.md", RETURNS.encode()), poll_interval_ms=20
    )
    assert made.status == "completed"
    assert client.vector_stores.files.retrieve(made.id, vector_store_id=STORE).id == made.id


def test_a_file_that_cannot_be_read_has_failed_and_says_why(client: openai.OpenAI) -> None:
    made = added(client, "empty.txt", b"  \n")
    assert made.last_error is not None
    assert (made.status, made.last_error.code) == ("failed", "empty_document")
    assert (made.usage_bytes, listed(client)) == (0, [made.id])
    with pytest.raises(openai.BadRequestError, match="its status is failed"):
        client.vector_stores.files.content(made.id, vector_store_id=STORE)
    assert client.vector_stores.files.delete(made.id, vector_store_id=STORE).deleted
    assert listed(client) == []
    with pytest.raises(openai.NotFoundError):
        client.vector_stores.files.retrieve(made.id, vector_store_id=STORE)


def test_a_file_that_waits_is_in_progress_and_can_be_taken_back(
    store: Running, client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claim_deletions(leases: Leases, lane: Lane, worker: str) -> Job | None:
        waiting = [
            job
            for job in store.context.jobs.list(tenant=LOOPBACK_CALLER.tenant, kind=INGEST.name)
            if not job.has_ended
        ]
        return None if waiting else claim(leases, lane, worker)

    claim = Leases.claim
    monkeypatch.setattr(Leases, "claim", claim_deletions)
    file_id = upload(client, "returns.md")
    made = client.vector_stores.files.create(STORE, file_id=file_id)
    assert (made.id, made.status) == (file_id, "in_progress")
    assert listed(client, filter="in_progress") == [file_id]
    assert listed(client, filter="completed") == []
    assert client.vector_stores.files.delete(file_id, vector_store_id=STORE).deleted
    assert listed(client) == []


def test_a_deletion_that_is_refused_is_told(
    client: openai.OpenAI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise SyncedElsewhere("another sync wrote it")

    made = added(client, "empty.txt", b"  \n")
    monkeypatch.setattr(Knowledge, "delete_document", refuse)
    with pytest.raises(openai.ConflictError, match="another sync wrote it"):
        client.vector_stores.files.delete(made.id, vector_store_id=STORE)


def test_files_are_listed_by_pages_and_by_status(store: Running, client: openai.OpenAI) -> None:
    ids = [added(client, f"{name}.md", name.encode() * 9).id for name in "abc"]
    failed = added(client, "d.txt", b" ").id
    place = f"{PLACE}/documents/direct.md"
    put = store.client.put(place, json={"filename": "direct.md", "content": "put directly"}).json()
    oldest_first = [*ids, failed, put["document_id"]]
    assert listed(client, order="asc") == oldest_first
    assert listed(client) == oldest_first[::-1]
    assert listed(client, limit=2) == oldest_first[::-1]  # the client asks for every page
    page = client.vector_stores.files.list(STORE, order="asc", limit=2)
    assert ([file.id for file in page.data], page.has_more) == (oldest_first[:2], True)
    before = client.vector_stores.files.list(STORE, order="asc", before=oldest_first[3], limit=2)
    assert [file.id for file in before.data] == oldest_first[1:3]
    completed = [put["document_id"], *reversed(ids)]
    assert listed(client, filter="completed") == completed
    assert listed(client, filter="failed") == [failed]
    with pytest.raises(openai.BadRequestError) as refused:
        client.vector_stores.files.list(STORE, before="none")
    assert refused.value.param == "before"


def test_the_text_of_a_file_is_given_back(client: openai.OpenAI) -> None:
    made = added(client, "returns.md")
    (part,) = client.vector_stores.files.content(made.id, vector_store_id=STORE)
    assert part.type == "text"
    assert part.text is not None
    assert "within 30 days" in part.text


def test_attributes_are_replaced_and_text_and_labels_stay(
    store: Running, client: openai.OpenAI
) -> None:
    guarded = {"file_ids": [upload(client, "returns.md")], "access_labels": ["staff"]}
    store.client.post(f"{PLACE}/file_batches", json={**guarded, "attributes": {"year": 2025}})
    file_id = guarded["file_ids"][0]
    place = f"{PLACE}/files/{file_id}"
    eventually(lambda: store.client.get(place).json()["status"] == "completed")
    changed = client.vector_stores.files.update(
        file_id, vector_store_id=STORE, attributes={"team": "desk"}
    )
    assert (changed.status, changed.attributes) == ("completed", {"team": "desk"})
    document = store.client.get(f"{PLACE}/documents/returns.md").json()
    assert (document["access_labels"], document["attributes"]) == (["staff"], {"team": "desk"})
    cleared = client.vector_stores.files.update(file_id, vector_store_id=STORE, attributes=None)
    assert cleared.attributes == {}


def test_too_many_attributes_are_refused_at_once(client: openai.OpenAI) -> None:
    made = added(client, "returns.md")
    many: dict[str, str | float | bool] = {f"key{number}": number for number in range(17)}
    with pytest.raises(openai.BadRequestError) as refused:
        client.vector_stores.files.update(made.id, vector_store_id=STORE, attributes=many)
    assert refused.value.code == "invalid_attributes"


def test_a_file_taken_out_answers_nothing_and_may_come_again(
    store: Running, client: openai.OpenAI
) -> None:
    made = added(client, "returns.md")
    gone = client.vector_stores.files.delete(made.id, vector_store_id=STORE)
    assert (gone.id, gone.deleted, gone.object) == (made.id, True, "vector_store.file.deleted")
    assert client.vector_stores.search(STORE, query="unused lamp").data == []
    with pytest.raises(openai.NotFoundError, match="is not in the vector store"):
        client.vector_stores.files.retrieve(made.id, vector_store_id=STORE)
    assert store.client.get(f"/v1/files/{made.id}").status_code == 200  # the upload stays
    again = client.vector_stores.files.create_and_poll(
        made.id, vector_store_id=STORE, poll_interval_ms=20
    )
    assert again.status == "completed"


def test_a_file_replaced_by_another_of_its_name_is_not_there_any_more(
    client: openai.OpenAI,
) -> None:
    old = added(client, "returns.md", b"# Returns\n\nWithin 14 days.")
    new = added(client, "returns.md")
    assert listed(client) == [new.id]
    with pytest.raises(openai.NotFoundError):
        client.vector_stores.files.retrieve(old.id, vector_store_id=STORE)


def test_a_document_put_in_otherwise_is_a_file_by_its_own_id(
    store: Running, client: openai.OpenAI
) -> None:
    place = f"{PLACE}/documents/en/direct.md"
    body = {"filename": "direct.md", "content": RETURNS, "attributes": {"year": 2026}}
    document_id = store.client.put(place, json=body).json()["document_id"]
    found = client.vector_stores.search(STORE, query="unused lamp").data[0]
    assert found.file_id == document_id
    file = client.vector_stores.files.retrieve(found.file_id, vector_store_id=STORE)
    assert (file.id, file.status, file.attributes) == (document_id, "completed", {"year": 2026})
    with pytest.raises(openai.BadRequestError, match="documents/en/direct.md"):
        client.vector_stores.files.update(document_id, vector_store_id=STORE, attributes={})
    assert client.vector_stores.files.delete(document_id, vector_store_id=STORE).deleted
    assert store.client.get(place).status_code == 404


def test_a_changed_attribute_leaves_a_document_to_the_sync_that_wrote_it(
    store: Running, client: openai.OpenAI
) -> None:
    file_id = upload(client, "returns.md")
    body = {"filename": "returns.md", "content": RETURNS, "synced_from": "desk:/docs"}
    assert store.client.put(f"{PLACE}/documents/returns.md", json=body).status_code == 200
    client.vector_stores.files.update(file_id, vector_store_id=STORE, attributes={"year": 2026})
    document = store.client.get(f"{PLACE}/documents/returns.md").json()
    assert (document["synced_from"], document["attributes"]) == ("desk:/docs", {"year": 2026})


@pytest.mark.parametrize(
    ("cut", "is_taken"),
    [
        ({"type": "auto"}, True),
        (
            {
                "type": "static",
                "static": {"max_chunk_size_tokens": 240, "chunk_overlap_tokens": 48},
            },
            True,
        ),
        (
            {
                "type": "static",
                "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
            },
            False,
        ),
        ({"type": "static"}, False),
    ],
)
def test_a_file_is_cut_as_its_vector_store_is(
    store: Running, client: openai.OpenAI, cut: dict[str, Any], is_taken: bool
) -> None:
    body = {"file_id": upload(client, "returns.md"), "chunking_strategy": cut}
    reply = store.client.post(f"{PLACE}/files", json=body)
    assert reply.status_code == (200 if is_taken else 400), reply.text
    if not is_taken:
        assert reply.json()["error"]["param"] == "chunking_strategy"
        assert "max_chunk_size_tokens 240" in reply.json()["detail"]


def test_sizes_of_a_store_cut_in_parents_and_children_are_not_told(
    store: Running, client: openai.OpenAI
) -> None:
    chunking = {"strategy": "parent_child", "chunk_tokens": 64, "parent_tokens": 256}
    store.client.post("/v1/vector_stores", json={"name": "x", "id": "x", "chunking": chunking})
    file_id = upload(client, "returns.md")
    made = client.vector_stores.files.create("x", file_id=file_id)
    assert made.chunking_strategy is not None
    assert made.chunking_strategy.type == "other"


def test_what_is_not_there_is_404(client: openai.OpenAI) -> None:
    file_id, files = upload(client, "returns.md"), client.vector_stores.files
    for name in ("file-none", file_id):
        with pytest.raises(openai.NotFoundError):
            files.retrieve(name, vector_store_id=STORE)
        with pytest.raises(openai.NotFoundError):
            files.delete(name, vector_store_id=STORE)
    with pytest.raises(openai.NotFoundError):
        files.create(STORE, file_id="file-none")
    with pytest.raises(openai.NotFoundError):
        files.create("none", file_id=file_id)
    with pytest.raises(openai.NotFoundError):
        files.list("none")

"""What a key is told of documents whose labels it does not hold: nothing, in any list."""

from typing import Any

import httpx
import pytest

from service.stores.access.api_keys import ApiKeys
from tests.service.api.access.conftest import EVERY, MakeKey
from tests.service.conftest import Running
from tests.service.waiting import eventually

STORE = "/v1/vector_stores/handbook"
PAY = "The night rate of the hall is 31 euros for every hour that begins after ten in the evening."
SCOPES = tuple(scope for scope in EVERY if scope != "labels")


def put(client: httpx.Client, name: str, text: str, *labels: str) -> httpx.Response:
    body = {"filename": name, "content": text, "access_labels": labels}
    return client.put(f"{STORE}/documents/{name}", json=body)


def add(client: httpx.Client, name: str, text: str, **batch: object) -> tuple[str, str]:
    """Add a file by a batch; return the ids of both."""
    sent = client.post("/v1/files", files={"file": (name, text.encode())})
    file_id = str(sent.json()["id"])
    made = client.post(f"{STORE}/file_batches", json={"file_ids": [file_id], **batch})
    assert made.status_code == 200, made.text
    path = f"{STORE}/file_batches/{made.json()['id']}"
    eventually(lambda: client.get(path).json()["status"] == "completed")
    return file_id, str(made.json()["id"])


@pytest.fixture
def guarded(keyed: Running) -> Running:
    """Return a gateway whose handbook has a guarded document between two open ones."""
    for name, text, labels in (("a.md", "Lamp one.", ()), ("pay.md", PAY, ("hr",))):
        assert put(keyed.client, name, text, *labels).status_code == 200
    assert put(keyed.client, "z.md", "Lamp two.").status_code == 200
    return keyed


def test_no_list_names_a_document_of_other_labels(guarded: Running, client_with: MakeKey) -> None:
    file_id, batch_id = add(guarded.client, "rates.md", f"# Rates\n\n{PAY}", access_labels=["hr"])
    document = guarded.client.get(f"{STORE}/documents/rates.md").json()["document_id"]
    source = {"source": "host:/hr"}
    sync = guarded.client.post(f"{STORE}/syncs", json=source).json()["id"]
    report = {"state": "finished", "report": {"added": ["rates.md"], "unchanged": 3}}
    guarded.client.post(f"{STORE}/syncs/{sync}", json=report)
    places = [
        f"{STORE}/documents",
        f"{STORE}/history",
        f"{STORE}/stale?days=1",
        f"{STORE}/syncs",
        f"{STORE}/files",
        f"{STORE}/files?filter=completed",
        f"{STORE}/file_batches/{batch_id}/files",
        "/v1/files",
        "/jobs",
        "/audit",
    ]
    single = [
        f"{STORE}/documents/rates.md",
        f"{STORE}/files/{file_id}",
        f"{STORE}/files/{document}",
        f"{STORE}/files/{file_id}/content",
        f"/v1/files/{file_id}",
        f"{STORE}/history?document=rates.md",
    ]
    with (
        client_with(*SCOPES, access_labels=("it",)) as other,
        client_with(*SCOPES, access_labels=("hr",)) as reader,
    ):
        for place in places:
            assert "rates.md" not in other.get(place).text, place
            assert document not in other.get(place).text, place
        assert {place: other.get(place).status_code for place in single} == dict.fromkeys(
            single, 404
        )
        for place in single:
            assert reader.get(place).status_code == 200, place
        assert "rates.md" in reader.get(f"{STORE}/documents").text
        assert "rates.md" in reader.get(f"{STORE}/files").text
        (told,) = other.get(f"{STORE}/syncs").json()["data"]
        assert told["report"] == {"unchanged": 3}
    for place in set(places) - {f"{STORE}/stale?days=1", "/audit"}:  # none is stale yet
        assert "rates.md" in guarded.client.get(place).text, place


def test_pages_of_documents_are_full(guarded: Running, client_with: MakeKey) -> None:
    with client_with("kb:read", access_labels=("it",)) as other:

        def page(**params: Any) -> tuple[list[str], bool]:
            found = other.get(f"{STORE}/documents", params=params).json()
            return [row["external_id"] for row in found["data"]], found["has_more"]

        assert page(limit=2) == (["returns.md", "a.md"], True)
        assert page(limit=2, after="a.md") == (["z.md"], False)
        hidden = other.get(f"{STORE}/documents", params={"after": "pay.md"})
        missing = other.get(f"{STORE}/documents", params={"after": "nowhere"})
        assert hidden.json()["detail"] == missing.json()["detail"].replace("nowhere", "pay.md")


def test_pages_of_files_are_full_and_begin_behind_no_hidden_one(
    guarded: Running, client_with: MakeKey
) -> None:
    first = guarded.client.post("/v1/files", files={"file": ("1.jsonl", b"{}")}).json()["id"]
    hidden, _ = add(guarded.client, "rates.md", f"# Rates\n\n{PAY}", access_labels=["hr"])
    last = guarded.client.post("/v1/files", files={"file": ("2.jsonl", b"{ }")}).json()["id"]
    with client_with(*SCOPES) as client:
        page = client.get("/v1/files", params={"limit": 1}).json()
        assert ([row["id"] for row in page["data"]], page["has_more"]) == ([last], True)
        page = client.get("/v1/files", params={"limit": 1, "after": last}).json()
        assert ([row["id"] for row in page["data"]], page["has_more"]) == ([first], False)
        refused = client.get("/v1/files", params={"after": hidden})
        unknown = client.get("/v1/files", params={"after": "file-none"})
        assert refused.status_code == unknown.status_code == 400
        told = refused.json()["error"]["message"].replace(hidden, "file-none")
        assert told == unknown.json()["error"]["message"]
        assert client.get(f"/v1/files/{hidden}/content").status_code == 404
        assert client.delete(f"/v1/files/{hidden}").status_code == 404
    assert guarded.client.get(f"/v1/files/{hidden}").status_code == 200


def test_a_write_over_a_hidden_document_is_refused_and_a_deletion_finds_none(
    guarded: Running, client_with: MakeKey
) -> None:
    with client_with("kb:read", "kb:write", access_labels=("it",)) as other:
        taken = put(other, "pay.md", "Mine.", "it")
        assert (taken.status_code, taken.json()["error"]["code"]) == (409, "external_id_taken")
        assert "hr" not in taken.text
        gone, missing = (
            other.delete(f"{STORE}/documents/{name}") for name in ("pay.md", "nowhere.md")
        )
        assert (gone.status_code, gone.json()["error"]["code"]) == (404, "document_not_found")
        assert gone.json()["detail"].replace("pay", "nowhere") == missing.json()["detail"]
        refused = put(other, "own.md", "Mine.", "hr")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "labels_not_held")
        assert put(other, "own.md", "Mine.", "it").status_code == 200
    assert guarded.client.get(f"{STORE}/documents/pay.md").json()["text"] == PAY


def test_files_of_hidden_documents_are_neither_trained_on_nor_checked(
    guarded: Running, client_with: MakeKey
) -> None:
    file_id, _ = add(guarded.client, "rates.md", f"# Rates\n\n{PAY}", access_labels=["hr"])
    asked = {"training_file": file_id, "model": "base"}
    with client_with("train", access_labels=("it",)) as other:
        assert other.post("/v1/fine_tuning/jobs", json=asked).status_code == 404
        checked = other.post("/use_cases/demo/data_checks", json={"file_id": file_id})
        assert checked.json()["error"]["code"] == "file_not_found"
    with client_with("train", knowledge_bases=("elsewhere",), access_labels=("hr",)) as bound:
        assert bound.get(f"/v1/files/{file_id}").status_code == 404


def test_a_key_sees_its_own_jobs_whatever_became_of_their_documents(
    guarded: Running, client_with: MakeKey
) -> None:
    with (
        client_with("kb:write", access_labels=("it",)) as writer,
        client_with("kb:write", access_labels=("it",)) as other,
    ):
        put(writer, "own.md", "Mine.", "it")
        own = [row["id"] for row in writer.get("/jobs").json()["data"]][0]
        assert other.get(f"/jobs/{own}").status_code == 200
        put(guarded.client, "own.md", "Mine.", "hr")
        assert writer.get(f"/jobs/{own}").status_code == 200
        assert other.get(f"/jobs/{own}").status_code == 404
        put(writer, "pay.md", "Mine.", "it")
        failed = [row["id"] for row in writer.get("/jobs").json()["data"]][0]
        assert writer.get(f"/jobs/{failed}").json()["error"]["code"] == "external_id_taken"
        assert other.get(f"/jobs/{failed}").status_code == 404


def test_the_audit_log_names_to_a_bound_key_only_what_it_may_use(
    guarded: Running, client_with: MakeKey, keys: ApiKeys
) -> None:
    other = {"id": "hr", "role": "You help."}
    assert guarded.client.put("/use_cases/hr", json=other).status_code == 200
    with client_with(*SCOPES, access_labels=("it",), use_cases=("demo",)) as bound:
        put(bound, "own.md", "Mine.", "it")
        rows = bound.get("/audit").json()["data"]
    told = {(row["object_id"], row["after"]) for row in rows if "documents" in row["action"]}
    assert {name for name, _ in told} == {"handbook/own.md", None}
    assert (None, None) in told
    assert {row["object_id"] for row in rows if row["kind"] == "use_cases"} == {"demo", None}
    whole = {row["object_id"] for row in guarded.client.get("/audit").json()["data"]}
    assert whole >= {"handbook/pay.md", "handbook/own.md", "hr"}

"""Jobs as clients meet them: asked for twice, cancelled, listed in pages."""

import threading
from dataclasses import asdict
from typing import Any

import pytest

from service.chat import answer, prompts
from service.compare import summarise
from service.stores.comparisons import Comparisons
from tests.service.conftest import Running

STORE = "/v1/vector_stores/handbook"


@pytest.fixture
def store(running: Running) -> Running:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    return running


def put(store: Running, text: str, key: str) -> int:
    body = {"filename": "returns.md", "content": text}
    place = f"{STORE}/documents/returns.md"
    return store.client.put(place, json=body, headers={"idempotency-key": key}).status_code


def test_the_same_upload_under_the_same_key_is_done_once(store: Running) -> None:
    assert put(store, "Thirty days.", "k1") == put(store, "Thirty days.", "k1") == 200
    assert len(store.client.get("/jobs").json()["data"]) == 1


def test_another_text_under_the_same_key_is_refused_and_not_silently_dropped(
    store: Running,
) -> None:
    assert put(store, "Thirty days.", "k1") == 200
    assert put(store, "Forty-five days.", "k1") == 409
    assert put(store, "Forty-five days.", "k2") == 200
    text = store.client.get(f"{STORE}/documents/returns.md").json()["text"]
    assert text == "Forty-five days."


def test_an_upload_that_was_cancelled_is_not_reported_as_searchable(
    store: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(store.settings.server, "put_wait_s", 0.0)
    monkeypatch.setattr(
        "service.stores.leases.Leases.claim", lambda *_: None
    )  # no worker takes it up
    body = {"filename": "x.md", "content": "text"}
    headers = {"idempotency-key": "k"}
    job = store.client.put(f"{STORE}/documents/x.md", json=body, headers=headers).json()["job"]
    cancelled = store.client.post(f"/jobs/{job['id']}/cancel").json()
    assert cancelled["status"] == "cancelled"
    again = store.client.put(f"{STORE}/documents/x.md", json=body, headers=headers)
    assert again.status_code == 409
    assert again.json()["error"]["code"] == "job_cancelled"


@pytest.mark.parametrize("limit", [1, 2])
def test_documents_are_listed_in_pages_that_leave_none_out(store: Running, limit: int) -> None:
    names = ["a.md", "b.md", "c.md"]
    for name in names:
        store.put_document(f"About {name}.", name)
    seen: list[str] = []
    params: dict[str, str | int] = {"limit": limit}
    more = True
    while more:
        page = store.client.get(f"{STORE}/documents", params=params).json()
        seen += [document["external_id"] for document in page["data"]]
        params["after"] = page["data"][-1]["document_id"]
        more = page["has_more"]
    assert seen == names


@pytest.mark.parametrize("path", ["/jobs", "/compare"])
def test_jobs_and_comparisons_are_listed_in_pages_that_leave_none_out(
    store: Running, path: str
) -> None:
    comparisons = Comparisons(store.context.database)
    for name in ("a.md", "b.md", "c.md"):
        store.put_document(f"About {name}.", name)
        comparisons.save("demo", asdict(summarise([])), [], tenant="default")
    whole = [row["id"] for row in store.client.get(path).json()["data"]]
    assert len(whole) == 3
    seen: list[str] = []
    params: dict[str, str | int] = {"limit": 2}
    more = True
    while more:
        page = store.client.get(path, params=params).json()
        seen += [row["id"] for row in page["data"]]
        params["after"] = seen[-1]
        more = page["has_more"]
    assert seen == whole
    refused = store.client.get(path, params={"after": "nobody"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "after")


@pytest.mark.parametrize("limit", [0, -5])
def test_a_page_holds_one_document_at_least(store: Running, limit: int) -> None:
    store.put_document("About a.", "a.md")
    store.put_document("About b.", "b.md")
    page = store.client.get(f"{STORE}/documents", params={"limit": limit}).json()
    assert (len(page["data"]), page["has_more"]) == (1, True)


@pytest.mark.parametrize(("words", "inline"), [(10, True), (10_000, False)])
def test_counting_a_long_conversation_does_not_hold_up_other_answers(
    running: Running, monkeypatch: pytest.MonkeyPatch, words: int, inline: bool
) -> None:
    threads: list[str] = []
    build = prompts.build_prompt

    def watched(*arguments: Any, **options: Any) -> object:
        threads.append(threading.current_thread().name)
        return build(*arguments, **options)

    monkeypatch.setattr(answer, "build_prompt", watched)
    running.ask("word " * words, strategy="prompt_only")
    (used,) = threads
    assert ("worker" in used.lower()) != inline


def test_a_job_is_told_whole_and_without_what_it_came_with(store: Running) -> None:
    put(store, "Thirty days.", "k1")
    page = store.client.get("/jobs").json()
    (job,) = page["data"]
    assert page == {"object": "list", "data": [job], "has_more": False}
    assert set(job) == {
        *("id", "object", "lane", "kind", "status", "progress", "result", "error", "attempts"),
        *("created_at", "updated_at"),
    }
    assert (job["object"], job["lane"], job["kind"]) == ("job", "ingest", "ingest")
    assert (job["status"], job["error"]) == ("succeeded", None)
    assert job["result"]["filename"] == "returns.md"
    assert store.client.get(f"/jobs/{job['id']}").json() == job


def test_a_failed_job_tells_all_that_its_error_names(store: Running) -> None:
    body = {"filename": "x.pdf", "content": "no pdf"}
    store.client.put(f"{STORE}/documents/x.pdf", json=body)
    (job,) = store.client.get("/jobs").json()["data"]
    assert (job["status"], job["result"]) == ("failed", None)
    assert {"code", "message", "hint", "retryable", "status"} <= set(job["error"])

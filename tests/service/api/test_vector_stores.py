"""`/v1/vector_stores`: documents in, replaced and deleted, over HTTP."""

import pytest

from service.settings import Settings
from service.stores.job_kinds import Lane
from tests.fakes.files import pdf
from tests.service.conftest import RETURNS, Running
from tests.service.waiting import eventually

STORE = "/v1/vector_stores/handbook"


@pytest.fixture
def store(running: Running) -> Running:
    reply = running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    assert reply.status_code == 200
    running.put_use_case()
    return running


def test_put_answers_200_once_the_document_is_searchable(store: Running) -> None:
    reply = store.put_document()
    assert reply.status_code == 200
    assert reply.json()["chunks"] == 1
    found = store.client.post(f"{STORE}/search", json={"query": "returned lamp days"}).json()
    assert "within 30 days" in found["data"][0]["text"]
    assert found["data"][0]["external_id"] == "returns.md"


def test_a_search_keeps_to_its_token_budget_and_says_what_it_left_out(store: Running) -> None:
    for name in ("returns.md", "repairs.md"):
        store.put_document(RETURNS.replace("lamp", name), name)
    asked = {"query": "returned within 30 days of delivery"}
    whole = store.client.post(f"{STORE}/search", json=asked).json()
    assert (len(whole["data"]), whole["passages_over_budget"]) == (2, 0)
    found = store.client.post(f"{STORE}/search", json={**asked, "max_tokens": 16}).json()
    assert (found["data"], found["passages_over_budget"]) == (whole["data"][:1], 1)
    refused = store.client.post(f"{STORE}/search", json={**asked, "max_tokens": 0})
    assert (refused.status_code, refused.json()["error"]["param"]) == (422, "max_tokens")


def test_a_multipart_upload_is_the_same_path(store: Running) -> None:
    reply = store.client.put(
        f"{STORE}/documents/returns.md",
        files={"file": ("returns.md", RETURNS.encode())},
        data={"attributes": '{"team": "desk"}'},
    )
    assert reply.status_code == 200
    again = store.client.get(f"{STORE}/documents/returns.md").json()
    assert again["attributes"] == {"team": "desk"}
    assert again["text"] == RETURNS


def test_the_same_content_again_changes_nothing(store: Running) -> None:
    first = store.put_document().json()
    second = store.put_document().json()
    assert (first["unchanged"], second["unchanged"]) == (False, True)
    assert first["version"] == second["version"]


def test_a_replaced_document_answers_with_the_new_text_only(store: Running) -> None:
    store.put_document()
    store.put_document(RETURNS.replace("30 days", "45 days"))
    body = store.ask(use_case="demo", strategy="rag").json()
    prompt = store.engine.requests[-1]["messages"][-1]["content"]
    assert "45 days" in prompt
    assert "30 days" not in prompt
    assert body["citations"] == [] or "30 days" not in body["citations"][0]["text"]


def test_a_base_shows_what_is_measured_of_it_and_the_route_rests_on_it(store: Running) -> None:
    store.put_document()
    store.put_document(RETURNS.replace("30 days", "45 days"))
    measured = store.client.get(STORE).json()["measured"]
    assert (measured["changes_per_week"], measured["chunk_changes_per_week"]) == (1.0, 1.0)
    assert (measured["tokens"], measured["window_weeks"]) == (12, 1.0)
    assert 0 <= measured["unchanged_days"] <= measured["age_days"] < 1
    asked = {"messages": [{"role": "user", "content": "Hello?"}], "use_case": "demo"}
    facts = store.client.post("/route", json=asked).json()["decision"]["facts"]
    assert facts["knowledge_chunk_changes_per_week"] == {
        "value": 1.0,
        "provenance": "measured",
        "unit": "per_week",
    }
    assert (facts["knowledge_tokens"]["value"], facts["knowledge_age_days"]["unit"]) == (12, "days")
    assert facts["knowledge_unchanged_days"]["provenance"] == "measured"


def test_a_deleted_document_is_nowhere(store: Running) -> None:
    store.put_document()
    assert store.client.delete(f"{STORE}/documents/returns.md").status_code == 200
    assert store.client.get(f"{STORE}/documents/returns.md").status_code == 404
    assert store.client.post(f"{STORE}/search", json={"query": "lamp"}).json()["data"] == []
    assert store.client.delete(f"{STORE}/documents/returns.md").status_code == 404


def test_work_that_takes_longer_answers_202_with_its_job(
    running: Running, settings: Settings
) -> None:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    object.__setattr__(running.settings.server, "put_wait_s", 0.0)
    reply = running.put_document()
    assert reply.status_code == 202
    job = reply.json()["job"]
    assert job["lane"] == Lane.INGEST
    assert running.client.get(reply.headers["location"]).json()["id"] == job["id"]


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"\x00\x01\x02\xff\xfe\x00binary\x00\x00\x9c\x8d", 415, "unsupported_file"),
        (b"   \n", 400, "empty_document"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    store: Running, content: bytes, status: int, code: str
) -> None:
    reply = store.client.put(f"{STORE}/documents/x.txt", files={"file": ("x.txt", content)})
    assert reply.status_code == status
    assert reply.json()["error"]["code"] == code


def test_a_file_that_cannot_be_read_is_refused_with_its_reason(store: Running) -> None:
    cut_off = {"file": ("x.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj")}
    damaged = store.client.put(f"{STORE}/documents/x.pdf", files=cut_off)
    assert (damaged.status_code, damaged.json()["error"]["code"]) == (422, "damaged_file")
    old_word = {"file": ("x.doc", b"\xd0\xcf\x11\xe0" + b"\x00" * 100)}
    assert store.client.put(f"{STORE}/documents/x.doc", files=old_word).status_code == 415
    assert store.client.get(f"{STORE}/documents").json()["data"] == []


def test_a_pdf_answers_with_its_page(store: Running) -> None:
    words = "A lamp may be returned within 30 days of delivery"
    document = pdf("Nothing of note stands here", words)
    upload = {"file": ("returns.pdf", document)}
    assert store.client.put(f"{STORE}/documents/returns.pdf", files=upload).status_code == 200
    found = store.client.post(f"{STORE}/search", json={"query": "lamp returned days"}).json()
    assert (found["data"][0]["text"], found["data"][0]["page"]) == (words, 2)


def test_a_document_over_the_limit_is_refused(store: Running) -> None:
    small = store.settings.knowledge.model_copy(update={"max_document_bytes": 100})
    object.__setattr__(store.settings, "knowledge", small)
    reply = store.put_document("word " * 50)
    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == "document_too_large"


def test_an_upload_of_another_content_type_is_415(store: Running) -> None:
    reply = store.client.put(
        f"{STORE}/documents/x", content=b"text", headers={"content-type": "text/plain"}
    )
    assert reply.status_code == 415


def test_a_malformed_json_document_is_422(store: Running) -> None:
    reply = store.client.put(f"{STORE}/documents/x", json={"content": "no filename"})
    assert reply.status_code == 422
    assert "filename" in reply.json()["detail"]


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_an_unknown_knowledge_base_is_404(running: Running, method: str) -> None:
    body = {"json": {"filename": "x.md", "content": "x"}} if method == "put" else {}
    reply = running.client.request(method, "/v1/vector_stores/none/documents/x.md", **body)  # type: ignore[arg-type]  # keyword by method
    assert reply.status_code == 404


def test_a_knowledge_base_is_listed_and_deleted_with_its_documents(store: Running) -> None:
    store.put_document()
    assert store.client.get("/v1/vector_stores").json()["data"][0]["documents"] == 1
    assert (
        store.client.post("/v1/vector_stores", json={"name": "x", "id": "handbook"}).status_code
        == 409
    )
    assert store.client.delete(STORE).status_code == 200
    assert store.client.get(STORE).status_code == 404


def test_filters_keep_other_documents_out(store: Running) -> None:
    for team, days in (("desk", "30"), ("shop", "31")):
        text = RETURNS.replace("30", days)
        body = {"filename": f"{team}.md", "content": text, "attributes": {"team": team}}
        store.client.put(f"{STORE}/documents/{team}.md", json=body)
    store.ask(use_case="demo", strategy="rag", filters={"team": "shop"})
    prompt = store.engine.requests[-1]["messages"][-1]["content"]
    assert "31 days" in prompt
    assert "30 days" not in prompt


def test_reconcile_reports_that_nothing_is_amiss(store: Running) -> None:
    store.put_document()
    report = store.client.post(f"{STORE}/reconcile").json()
    assert (report["orphans_removed"], report["missing_added"]) == (0, 0)


def test_a_base_is_cut_as_it_asks(running: Running) -> None:
    chunking = {"strategy": "sentence", "chunk_tokens": 16, "overlap_tokens": 0}
    body = {"name": "small", "id": "small", "chunking": chunking}
    assert running.client.post("/v1/vector_stores", json=body).status_code == 200
    text = "A lamp may be returned within thirty days. " * 4
    document = "/v1/vector_stores/small/documents/a"
    running.client.put(document, json={"filename": "a.txt", "content": text})
    eventually(lambda: running.client.get(document).status_code == 200)
    assert running.client.get(document).json()["chunks"] == 2  # two sentences of eight words each
    assert running.client.get("/v1/vector_stores/small").json()["chunking"]["chunk_tokens"] == 16


def test_text_recognition_is_a_setting_of_the_base_and_told_of_a_passage(store: Running) -> None:
    assert store.client.get(STORE).json()["ocr"] == "auto"
    changed = store.client.post(STORE, json={"ocr": "never"}).json()
    assert (changed["id"], changed["ocr"]) == ("handbook", "never")
    assert store.client.post(STORE, json={}).json()["ocr"] == "never"
    assert store.client.post(STORE, json={"ocr": "often"}).status_code == 422
    assert store.client.post("/v1/vector_stores/none", json={"ocr": "auto"}).status_code == 404
    store.put_document()
    found = store.client.post(f"{STORE}/search", json={"query": "returned lamp days"}).json()
    assert (found["data"][0]["ocr"], found["data"][0]["ocr_confidence"]) == (False, None)


def test_a_chunking_that_cannot_be_is_refused(running: Running) -> None:
    chunking = {"strategy": "sentence", "chunk_tokens": 16, "overlap_tokens": 12}
    reply = running.client.post("/v1/vector_stores", json={"name": "x", "chunking": chunking})
    assert reply.status_code == 422
    assert "at most half" in reply.text


def test_a_guarded_document_answers_only_who_holds_its_label(store: Running) -> None:
    put = store.client.put(
        f"{STORE}/documents/returns.md",
        files={"file": ("returns.md", RETURNS.encode())},
        data={"access_labels": '["staff"]'},
    )
    assert put.status_code == 200
    asked = {"query": "returned lamp days"}
    assert store.client.post(f"{STORE}/search", json=asked).json()["data"] == []
    labels = {"access_labels": ["staff"]}
    found = store.client.post(f"{STORE}/search", json={**asked, **labels}).json()["data"]
    assert "within 30 days" in found[0]["text"]
    assert store.ask(use_case="demo", strategy="rag").json()["outcome"] == "abstained"
    assert "within 30 days" not in str(store.engine.requests)
    answered = store.ask(use_case="demo", strategy="rag", access_labels=["staff"])
    assert answered.json()["outcome"] == "answered"
    assert "within 30 days" in store.engine.requests[-1]["messages"][-1]["content"]


@pytest.mark.parametrize("labels", ["staff", '"staff"', "[1]", '{"a": 1}'])
def test_access_labels_that_are_no_list_of_text_are_refused(store: Running, labels: str) -> None:
    reply = store.client.put(
        f"{STORE}/documents/returns.md",
        files={"file": ("returns.md", RETURNS.encode())},
        data={"access_labels": labels},
    )
    assert reply.status_code == 400
    assert "access_labels" in reply.text
    assert store.client.get(f"{STORE}/documents/returns.md").status_code == 404


def test_a_replaced_document_keeps_its_labels_until_they_are_taken_off(store: Running) -> None:
    document, asked = f"{STORE}/documents/returns.md", {"query": "returned lamp days"}

    def put(text: str, **fields: list[str]) -> None:
        body = {"filename": "returns.md", "content": text, **fields}
        assert store.client.put(document, json=body).status_code == 200

    def seen() -> bool:
        return bool(store.client.post(f"{STORE}/search", json=asked).json()["data"])

    put(RETURNS, access_labels=["staff"])
    put(RETURNS.replace("30 days", "45 days"))
    assert store.client.get(document).json()["access_labels"] == ["staff"]
    assert not seen()
    file = store.client.post(
        "/v1/files",
        files={"file": ("returns.md", RETURNS.encode())},
        data={"purpose": "assistants"},
    )
    batch = {"file_ids": [file.json()["id"]]}
    store.client.post(f"{STORE}/file_batches", json=batch)
    eventually(lambda: "30 days" in store.client.get(document).json()["text"])
    assert not seen()
    put(RETURNS, access_labels=[])
    assert seen()

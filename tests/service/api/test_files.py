"""Uploaded files over HTTP, as OpenAI's clients know them."""

from urllib.parse import quote

import httpx
import openai
import pytest

from tests.service.conftest import RETURNS, Running
from tests.service.waiting import eventually

ROWS = b'{"prompt": "a", "completion": "b"}\n'


def test_an_uploaded_file_is_told_in_openais_words_and_kept_once(running: Running) -> None:
    upload = {"file": ("rows.jsonl", ROWS)}
    reply = running.client.post("/v1/files", data={"purpose": "fine-tune"}, files=upload)
    told = reply.json()
    assert (reply.status_code, set(told)) == (
        200,
        {"id", "object", "bytes", "created_at", "filename", "purpose", "status", "sha256"},
    )
    assert (told["object"], told["status"], told["bytes"]) == ("file", "processed", len(ROWS))
    assert (told["filename"], told["purpose"]) == ("rows.jsonl", "fine-tune")
    assert type(told["created_at"]) is int
    assert running.client.get(f"/v1/files/{told['id']}").json() == told
    assert running.client.post("/v1/files", files=upload).json()["id"] == told["id"]


def test_a_body_without_a_file_is_refused_by_the_parts_name(running: Running) -> None:
    reply = running.client.post("/v1/files", data={"purpose": "fine-tune"})
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "file")


def test_an_unknown_file_is_404(running: Running) -> None:
    reply = running.client.get("/v1/files/file-nobody")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "file_not_found")


def sent(running: Running, name: bytes, *, charset: str = "") -> httpx.Response:
    """Upload a document under a name as it is, which clients would escape."""
    head = b'--b\r\ncontent-disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\n'
    kind = f"multipart/form-data; boundary=b{charset}"
    body = head + RETURNS.encode() + b"\r\n--b--\r\n"
    return running.client.post("/v1/files", content=body, headers={"content-type": kind})


@pytest.mark.parametrize(
    "name",
    [
        *(b"..", b".", b"../returns.md", b"a/../../b.md", b"./a.md", b"..\\..\\a.md", b"a/.."),
        *(b"a\x00.md", b"\x00", b"a\x1b[2J.md", b"a\x7f.md", b"a" * 513, "退".encode() * 513),
    ],
)
def test_a_name_that_no_path_leads_to_is_refused(running: Running, name: bytes) -> None:
    reply = sent(running, name)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "file")


@pytest.mark.parametrize(
    "name",
    [
        *("退货 政策.md", "my file (2).md", "%2e%2e", "%2e%2e%2f%00", "...", "..a.md", "a" * 300),
        *(
            "退" * 300,
            "en/returns.md",
            "/etc/passwd",
            "docs\\returns.md",
            "a?b#c&d=e.md",
            " ",
            "a//b/",
        ),
    ],
)
def test_an_uploaded_file_is_a_document_that_is_read_listed_and_deleted(
    running: Running, name: str
) -> None:
    running.client.post("/v1/vector_stores", json={"name": "demo", "id": "demo"})
    reply = sent(running, name.encode())
    assert (reply.status_code, reply.json()["filename"]) == (200, name)
    added = {"file_id": reply.json()["id"]}
    running.client.post("/v1/vector_stores/demo/files", json=added).raise_for_status()
    documents = "/v1/vector_stores/demo/documents"
    document = f"{documents}/{quote(name, safe='')}"
    eventually(lambda: running.client.get(document).status_code == 200)
    assert running.client.get(document).json()["text"] == RETURNS.strip()
    listed = running.client.get(documents).json()["data"]
    assert [one["external_id"] for one in listed] == [name]
    assert running.client.delete(document).status_code == 200
    assert running.client.get(documents).json()["data"] == []


@pytest.mark.parametrize("charset", ["undefined", "idna", "unicode_escape", "utf-7", "hex"])
def test_a_form_in_no_encoding_of_text_is_refused(running: Running, charset: str) -> None:
    for name in (b"\xff..md", rb"\ud800.md", b"+2AA-.md", b"a..b"):
        reply = sent(running, name, charset=f"; charset={charset}")
        assert (reply.status_code, reply.json()["error"]["code"]) == (400, "unknown_encoding")


def test_a_name_is_read_in_the_encoding_of_its_form(running: Running) -> None:
    reply = sent(running, "退货.md".encode("gbk"), charset="; charset=GBK")
    assert reply.json()["filename"] == "退货.md"


@pytest.mark.parametrize("purpose", ["p" * 33, "a\x00b"])
def test_a_purpose_is_short_and_plain(running: Running, purpose: str) -> None:
    upload = {"file": ("rows.jsonl", ROWS)}
    reply = running.client.post("/v1/files", data={"purpose": purpose}, files=upload)
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "purpose")


def test_a_file_without_a_name_is_called_rows(running: Running) -> None:
    assert sent(running, b"").json()["filename"] == "rows.jsonl"


def upload(running: Running, name: str, content: bytes = ROWS, purpose: str = "fine-tune") -> str:
    sent = {"file": (name, content)}
    reply = running.client.post("/v1/files", data={"purpose": purpose}, files=sent)
    return str(reply.json()["id"])


def test_the_openai_client_lists_reads_and_deletes_files(running: Running) -> None:
    ids = [upload(running, f"客服{n}.jsonl") for n in range(3)]
    base_url = f"{running.client.base_url}/v1"
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as client:
        assert [file.id for file in client.files.list(limit=2)] == ids[::-1], "page after page"
        assert [file.id for file in client.files.list(order="asc", limit=2)] == ids
        assert list(client.files.list(purpose="batch")) == []
        assert client.files.content(ids[0]).read() == ROWS
        assert client.files.delete(ids[0]).deleted
        assert [file.id for file in client.files.list()] == ids[:0:-1]
        with pytest.raises(openai.NotFoundError):
            client.files.content(ids[0])
        with pytest.raises(openai.NotFoundError):
            client.files.delete(ids[0])


def test_documents_are_not_given_back(running: Running) -> None:
    file_id = upload(running, "salaries.txt", b"secret", purpose="assistants")
    reply = running.client.get(f"/v1/files/{file_id}/content")
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "file_id")


def test_rows_that_a_job_still_reads_cannot_be_deleted(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.stores.leases.Leases.claim", lambda *_: None)
    first, more, replayed = (upload(running, f"{name}.jsonl") for name in ("a", "b", "c"))
    config = {"dataset": [more], "replay_dataset": [replayed], "replay_ratio": 0.1}
    body = {"training_file": first, "config": config}
    job = running.client.post("/v1/fine_tuning/jobs", json=body)
    assert job.status_code == 202, job.text
    for file_id in (first, more, replayed):
        refused = running.client.delete(f"/v1/files/{file_id}")
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "wrong_job_status")
        assert job.json()["id"] in refused.json()["error"]["message"]
    running.client.post(f"/v1/fine_tuning/jobs/{job.json()['id']}/cancel")
    assert running.client.delete(f"/v1/files/{first}").status_code == 200

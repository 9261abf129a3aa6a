"""Uploaded files over HTTP, as OpenAI's clients know them."""

from tests.service.conftest import Running

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

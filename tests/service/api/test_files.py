"""Uploaded files over HTTP, as OpenAI's clients know them."""

from typing import Any

from tests.service.conftest import Running
from tests.service.waiting import eventually

Told = dict[str, Any]

ROWS = b'{"prompt": "a", "completion": "b"}\n'
KEYS = {"id", "object", "bytes", "created_at", "filename", "purpose", "status", "sha256"}


def upload(running: Running, content: bytes, *, purpose: str, name: str = "rows.jsonl") -> Told:
    files, data = {"file": (name, content)}, {"purpose": purpose}
    reply = running.client.post("/v1/files", data=data, files=files)
    assert reply.status_code == 200, reply.text
    told: Told = reply.json()
    return told


def checked(running: Running, file_id: str) -> Told:
    """Return the file once its check has ended."""

    def read() -> Told:
        told: Told = running.client.get(f"/v1/files/{file_id}").json()
        return told

    eventually(lambda: read()["status"] != "uploaded")
    return read()


def test_an_uploaded_file_is_told_in_openais_words_and_kept_once(running: Running) -> None:
    told = upload(running, ROWS, purpose="batch")
    assert set(told) == KEYS | {"status_details", "check"}
    assert (told["object"], told["status"], told["bytes"]) == ("file", "processed", len(ROWS))
    assert (told["filename"], told["purpose"]) == ("rows.jsonl", "batch")
    assert (told["check"], told["status_details"]) == (None, None)
    assert type(told["created_at"]) is int
    assert running.client.get(f"/v1/files/{told['id']}").json() == told
    assert upload(running, ROWS, purpose="batch")["id"] == told["id"]


def test_training_rows_are_checked_when_they_are_uploaded(running: Running) -> None:
    rows = b'{"prompt": "\xe7\x94\xb5\xe8\xaf\x9d13812345678", "completion": "b"}\n'
    first = upload(running, rows, purpose="fine-tune")
    assert first["check"]["job"].startswith("job_")
    told = checked(running, first["id"])
    report = told["check"]["report"]
    assert (told["status"], told["check"]["status"]) == ("processed", "succeeded")
    assert (report["verdict"], report["rows"], report["readiness"]["verdict"]) == (
        "fail",
        1,
        "fail",
    )
    failed = [check for check in report["checks"] if check["status"] == "fail"]
    assert [(one["name"], one["evidence"][0]["line"]) for one in failed] == [("personal_data", 1)]
    again = upload(running, rows, purpose="fine-tune")
    assert (again["id"], again["check"]) == (told["id"], told["check"])
    job = running.client.get(f"/jobs/{told['check']['job']}").json()
    assert (job["lane"], job["kind"], job["result"]["verdict"]) == ("data", "file_check", "fail")


def test_rows_that_cannot_be_read_are_an_error_of_the_file(running: Running) -> None:
    told = checked(running, upload(running, b"{no", purpose="fine-tune")["id"])
    assert (told["status"], told["check"]["report"]) == ("error", None)
    assert "rows.jsonl:1: not JSON" in told["status_details"]


def test_a_body_without_a_file_is_refused_by_the_parts_name(running: Running) -> None:
    reply = running.client.post("/v1/files", data={"purpose": "fine-tune"})
    assert (reply.status_code, reply.json()["error"]["param"]) == (400, "file")


def test_an_unknown_file_is_404(running: Running) -> None:
    reply = running.client.get("/v1/files/file-nobody")
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "file_not_found")

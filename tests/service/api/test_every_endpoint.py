"""Every endpoint once with success and once with an error, each reply held against the document."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from service.api.docs.document import operations
from service.compare import summarise
from service.stores.job_kinds import Lane
from service.stores.jobs import Job
from service.stores.leases import Leases
from tests.service.api.test_compare import outcomes
from tests.service.conftest import Running
from tests.service.waiting import eventually

STORE = "/v1/vector_stores/handbook"
FINE_TUNING = "/v1/fine_tuning/jobs"
ROWS = [{"instruction": f"Question {n}?", "output": f"Answer {n}."} for n in range(8)]
ASKED = {"messages": [{"role": "user", "content": "Within how many days?"}], "use_case": "demo"}
ELSEWHERE = {"host": "elsewhere.example"}  # what a page of another host would send


class Checked:
    """Sends requests; a reply that the document does not describe fails the test."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._document = client.get("/openapi.json").json()
        self.asked: dict[tuple[str, str], set[bool]] = {}

    def ok(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Return a reply that is a success."""
        reply = self._send(method, path, **options)
        assert reply.status_code < 300, reply.text
        return reply

    def refused(self, status: int, method: str, path: str, **options: Any) -> None:
        """Send what is answered with this error."""
        reply = self._send(method, path, **options)
        assert reply.status_code == status, reply.text
        assert reply.json()["status"] == status
        assert reply.json()["request_id"] == reply.headers["x-request-id"]

    def missing(self) -> list[str]:
        """Return the endpoints that have not been seen both to succeed and to fail."""
        return [
            f"{method} {path}: {self.asked.get((path, method), 'never asked')}"
            for path, method, _ in operations(self._document)
            if self.asked.get((path, method)) != {True, False}
        ]

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        reply = self._client.request(method, path, **options)
        template, operation = self._operation(method.lower(), reply.request.url.path)
        described = operation["responses"][str(reply.status_code)]["content"]
        kind = reply.headers["content-type"].partition(";")[0]
        for body, schema in _parts(reply.text, kind, described[kind]):
            whole = {**schema, "components": self._document["components"]}
            Draft202012Validator(whole).validate(body)
        self.asked.setdefault((template, method.lower()), set()).add(reply.status_code < 400)
        return reply

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, Any]]:
        """Return the endpoint of a path: of several that fit, the one that names most."""
        fitting = [
            (template, operation)
            for template, named, operation in operations(self._document)
            if named == method and re.fullmatch(_pattern(template), path)
        ]
        return min(fitting, key=lambda found: found[0].count("{"))


def _parts(text: str, kind: str, described: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield what a reply holds, each with its schema: the data of every event, or all of it."""
    if kind != "text/event-stream":
        is_json = kind in ("application/json", "application/problem+json")
        yield (json.loads(text) if is_json else text), described["schema"]
        return
    for event in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in event.split("\n"))
        fitting = [
            properties["data"]
            for properties in (each["properties"] for each in described["itemSchema"]["anyOf"])
            if fields.get("event") == properties.get("event", {}).get("const")
            and properties["data"].get("const") in (None, fields["data"])
        ]
        if "const" not in fitting[-1]:
            yield json.loads(fields["data"]), fitting[0]["contentSchema"]


def _pattern(template: str) -> str:
    free = {"{external_id}": ".+", "{model}": ".+"}
    return re.sub(r"\{\w+\}", lambda name: free.get(name[0], "[^/]+"), template)


@pytest.fixture
def checked(running: Running, monkeypatch: pytest.MonkeyPatch) -> Checked:
    """Prepare one of everything; training jobs stay where they are."""
    claim = Leases.claim

    def claim_no_training(leases: Leases, lane: Lane, worker: str) -> Job | None:
        return None if lane is Lane.TRAIN else claim(leases, lane, worker)

    monkeypatch.setattr(Leases, "claim", claim_no_training)
    running.prepare()
    return Checked(running.client)


@pytest.mark.timeout(120, func_only=True)
def test_every_reply_is_as_the_document_describes_it(running: Running, checked: Checked) -> None:
    _ask_about_the_gateway(checked)
    _ask_questions(checked)
    _ask_about_use_cases(checked)
    _ask_about_reviews(checked)
    _ask_about_adapters(checked, running)
    _ask_about_comparisons(checked, running)
    file_id = _ask_about_files(checked)
    _ask_about_training(checked, file_id)
    _ask_about_documents(checked)
    _ask_about_batches(checked, file_id)
    _ask_about_store_files(checked)
    _ask_about_the_index(checked)
    _ask_about_jobs(checked)
    _ask_about_changes(checked)
    _ask_about_bases(checked)
    assert checked.missing() == []


def _ask_about_the_gateway(checked: Checked) -> None:
    for path in (
        "/",
        "/health",
        "/ready",
        "/observations",
        "/adapters",
        "/use_cases",
        "/v1/models",
    ):
        checked.ok("GET", path)
        checked.refused(403, "GET", path, headers=ELSEWHERE)


def _ask_questions(checked: Checked) -> None:
    answer = checked.ok("POST", "/chat?explain=true", json=ASKED).json()
    checked.ok("POST", "/chat", json={**ASKED, "stream": True})
    checked.refused(422, "POST", "/chat", json={"messages": []})
    checked.ok("POST", "/route", json=ASKED)
    checked.refused(404, "POST", "/route", json={**ASKED, "use_case": "none"})
    checked.ok("POST", "/v1/chat/completions", json={**ASKED, "model": "auto"})
    checked.ok("POST", "/v1/chat/completions", json={**ASKED, "model": "rag", "stream": True})
    checked.refused(404, "POST", "/v1/chat/completions", json={**ASKED, "model": "none"})
    said = {"model": "rag", "input": "Within how many days?", "use_case": "demo"}
    form = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    checked.ok("POST", "/v1/responses", json=said)
    checked.ok("POST", "/v1/responses", json={**said, "stream": True})
    unanswered = {**said, "input": "What is a submarine?", "text": form}
    checked.ok("POST", "/v1/responses", json={**unanswered, "stream": True})
    checked.refused(400, "POST", "/v1/responses", json={**said, "store": True})
    asked = {"model": "fake-words", "input": ["lamp", "chair"]}
    checked.ok("POST", "/v1/embeddings", json=asked)
    checked.ok("POST", "/v1/embeddings", json={**asked, "encoding_format": "base64"})
    checked.refused(400, "POST", "/v1/embeddings", json={**asked, "input": ""})
    checked.ok("GET", "/v1/models/auto")
    checked.refused(404, "GET", "/v1/models/no/such")
    place = f"/decisions/{answer['id']}"
    eventually(lambda: checked._client.get(place).status_code == 200)
    checked.ok("GET", place)
    checked.refused(404, "GET", "/decisions/none")


def _ask_about_use_cases(checked: Checked) -> None:
    for form in ("json", "md", "html"):
        checked.ok("POST", "/advise", json={"use_case": "demo", "format": form})
    checked.refused(400, "POST", "/advise", json={})
    checked.ok("PUT", "/use_cases/other", json={"id": "other", "role": "You help."})
    checked.refused(400, "PUT", "/use_cases/other", json={"id": "another", "role": "You help."})
    checked.ok("GET", "/use_cases/other")
    checked.refused(404, "GET", "/use_cases/none")
    checks = "/use_cases/other/data_checks"
    made = checked.ok("POST", checks, json={"rows": ROWS}).json()
    checked.refused(400, "POST", checks, json={})
    checked.ok("GET", checks)
    checked.refused(404, "GET", "/use_cases/none/data_checks")
    checked.ok("GET", f"{checks}/{made['id']}")
    checked.refused(404, "GET", f"{checks}/none")
    checked.ok("DELETE", "/use_cases/other")
    checked.refused(404, "DELETE", "/use_cases/other")


def _ask_about_reviews(checked: Checked) -> None:
    turns = [{"role": "user", "content": "Hello!"}, {"role": "assistant", "content": "Hello."}]
    rows: list[dict[str, Any]] = [
        {"messages": [{"role": "user", "content": f"{n}?"}, turns[1]], "file": "a", "line": n}
        for n in range(1, 4)
    ]
    checked.ok("POST", "/review_items", json={"batch": "rows", "rows": rows})
    checked.refused(400, "POST", "/review_items", json={"batch": "rows", "rows": [_half(rows[0])]})
    items = checked.ok("GET", "/review_items").json()["data"]
    checked.refused(422, "GET", "/review_items?status=lost")
    bodies: dict[str, dict[str, Any]] = {"accept": {}, "edit": {"messages": turns}, "reject": {}}
    for item, (verdict, body) in zip(items, bodies.items(), strict=True):
        checked.ok("POST", f"/review_items/{item['id']}/{verdict}", json=body)
        checked.refused(409, "POST", f"/review_items/{item['id']}/{verdict}", json=body)
        checked.ok("GET", f"/review_items/{item['id']}")
    checked.refused(404, "GET", "/review_items/none")
    checked.ok("GET", "/review_batches")
    checked.refused(403, "GET", "/review_batches", headers=ELSEWHERE)
    checked.ok("DELETE", "/review_batches/rows")
    checked.refused(404, "DELETE", "/review_batches/rows")


def _half(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of two questions."""
    return {**row, "messages": [row["messages"][0]] * 2}


def _ask_about_adapters(checked: Checked, running: Running) -> None:
    first = running.context.registry.live()[0].adapter_id
    second = running.publish(seed=1)
    checked.ok("GET", f"/adapters/{second}")
    checked.refused(404, "GET", "/adapters/none")
    checked.ok("POST", f"/adapters/{first}/publish")
    checked.refused(404, "POST", "/adapters/helpdesk@none/publish")
    checked.ok("POST", "/adapters/helpdesk/rollback")
    checked.ok("POST", "/adapters/helpdesk/withdraw")
    checked.refused(404, "POST", "/adapters/none/withdraw")
    checked.refused(404, "POST", "/adapters/none/rollback")
    checked.ok("POST", f"/adapters/{second}/retire")
    checked.refused(404, "POST", "/adapters/helpdesk@none/retire")


def _ask_about_comparisons(checked: Checked, running: Running) -> None:
    asked = {"use_case": "demo", "rows": [{"id": "q", "question": "Hello!", "kind": "chitchat"}]}
    job = checked.ok("POST", "/compare", json=asked).json()
    checked.refused(422, "POST", "/compare", json={})
    checked.ok("GET", f"/compare/{job['id']}")
    rows = outcomes()
    kept = running.context.comparisons.save(
        "demo", asdict(summarise(rows)), [row.to_json() for row in rows], tenant="default"
    )
    checked.ok("GET", "/compare")
    checked.refused(400, "GET", "/compare?after=none")
    for path in ("", "/outcomes", "/regret"):
        checked.ok("GET", f"/compare/{kept}{path}")
        checked.refused(404, "GET", f"/compare/cmp_none{path}")


def _ask_about_files(checked: Checked) -> str:
    lines = "\n".join(json.dumps(row) for row in ROWS)
    made = checked.ok("POST", "/v1/files", files={"file": ("rows.jsonl", lines)}).json()
    checked.refused(400, "POST", "/v1/files", files={"other": ("rows.jsonl", lines)})
    checked.ok("GET", f"/v1/files/{made['id']}")
    checked.refused(404, "GET", "/v1/files/none")
    checked.ok("GET", "/v1/files?purpose=fine-tune&limit=1")
    checked.refused(400, "GET", "/v1/files?after=none")
    checked.ok("GET", f"/v1/files/{made['id']}/content")
    checked.refused(404, "GET", "/v1/files/none/content")
    other = checked.ok("POST", "/v1/files", files={"file": ("gone.jsonl", lines)}).json()
    checked.ok("DELETE", f"/v1/files/{other['id']}")
    checked.refused(404, "DELETE", f"/v1/files/{other['id']}")
    return str(made["id"])


def _ask_about_training(checked: Checked, file_id: str) -> None:
    made = checked.ok("POST", FINE_TUNING, json={"training_file": file_id}).json()
    checked.refused(404, "POST", FINE_TUNING, json={"training_file": "none"})
    checked.ok("GET", FINE_TUNING)
    checked.refused(400, "GET", f"{FINE_TUNING}?after=none")
    for path in ("", "/events", "/checkpoints"):
        checked.ok("GET", f"{FINE_TUNING}/{made['id']}{path}")
        checked.refused(404, "GET", f"{FINE_TUNING}/none{path}")
    for wish in ("pause", "resume", "cancel"):
        checked.ok("POST", f"{FINE_TUNING}/{made['id']}/{wish}")
        checked.refused(404, "POST", f"{FINE_TUNING}/none/{wish}")


def _ask_about_documents(checked: Checked) -> None:
    place = f"{STORE}/documents/notes/lamp.md"
    checked.ok("PUT", place, json={"filename": "lamp.md", "content": "# Lamp\n\nIt shines."})
    checked.ok("PUT", place, files={"file": ("lamp.md", b"# Lamp\n\nIt shines again.")})
    checked.refused(415, "PUT", place, content=b"text", headers={"content-type": "text/plain"})
    checked.ok("GET", place)
    checked.refused(404, "GET", f"{STORE}/documents/none")
    checked.ok("GET", f"{STORE}/documents?limit=1")
    checked.refused(404, "GET", "/v1/vector_stores/none/documents")
    checked.ok("GET", f"{STORE}/history")
    checked.refused(404, "GET", "/v1/vector_stores/none/history")
    _ask_about_versions(checked)
    checked.ok("POST", f"{STORE}/search", json={"query": "lamp"})
    checked.refused(422, "POST", f"{STORE}/search", json={"query": ""})
    checked.ok("DELETE", place)
    checked.refused(404, "DELETE", place)


def _ask_about_versions(checked: Checked) -> None:
    named = {"document": "notes/lamp.md", "version": 2}
    checked.ok("GET", f"{STORE}/version", params=named)
    checked.refused(409, "GET", f"{STORE}/version", params={**named, "version": 1})
    checked.ok("GET", f"{STORE}/diff?document=notes/lamp.md&old=2&new=2")
    checked.refused(404, "GET", f"{STORE}/diff?document=notes/lamp.md&old=9")
    checked.ok("POST", f"{STORE}/rollback", json=named)
    checked.refused(409, "POST", f"{STORE}/rollback", json={**named, "version": 1})
    checked.ok("GET", f"{STORE}/stale?days=1")
    checked.refused(422, "GET", f"{STORE}/stale?days=0")
    sync = checked.ok("POST", f"{STORE}/syncs", json={"source": "desk:/docs"}).json()
    checked.refused(422, "POST", f"{STORE}/syncs", json={"source": ""})
    told = {"state": "finished", "report": {"added": ["a.md"]}}
    checked.ok("POST", f"{STORE}/syncs/{sync['id']}", json=told)
    checked.refused(404, "POST", f"{STORE}/syncs/none", json=told)
    checked.ok("GET", f"{STORE}/syncs")
    checked.refused(404, "GET", "/v1/vector_stores/none/syncs")


def _ask_about_batches(checked: Checked, file_id: str) -> None:
    batches = f"{STORE}/file_batches"
    made = checked.ok("POST", batches, json={"file_ids": [file_id]}).json()
    checked.refused(404, "POST", batches, json={"file_ids": ["none"]})
    for path in ("", "/files"):
        checked.ok("GET", f"{batches}/{made['id']}{path}")
        checked.refused(404, "GET", f"{batches}/none{path}")
    checked.ok("POST", f"{batches}/{made['id']}/cancel")
    checked.refused(404, "POST", f"{batches}/none/cancel")


def _ask_about_store_files(checked: Checked) -> None:
    upload = {"file": ("chair.md", b"# Chair\n\nIt stands.")}
    file_id = checked.ok("POST", "/v1/files", files=upload).json()["id"]
    files = f"{STORE}/files"
    checked.ok("POST", files, json={"file_id": file_id, "attributes": {"kind": "chair"}})
    checked.refused(404, "POST", files, json={"file_id": "none"})
    place = f"{files}/{file_id}"
    eventually(lambda: checked._client.get(place).json()["status"] == "completed")
    checked.ok("GET", files)
    checked.refused(400, "GET", f"{files}?after=none")
    checked.ok("POST", place, json={"attributes": None})
    checked.refused(404, "POST", f"{files}/none", json={"attributes": None})
    for path in ("", "/content"):
        checked.ok("GET", f"{place}{path}")
        checked.refused(404, "GET", f"{files}/none{path}")
    checked.ok("DELETE", place)
    checked.refused(404, "DELETE", place)


def _ask_about_the_index(checked: Checked) -> None:
    for method, path in (("GET", "check"), ("POST", "reconcile")):
        checked.ok(method, f"{STORE}/{path}")
        checked.refused(404, method, f"/v1/vector_stores/none/{path}")
    for path in ("rebuild", "reindex"):
        checked.ok("POST", f"{STORE}/{path}")
        checked.refused(404, "POST", f"/v1/vector_stores/none/{path}")


def _ask_about_jobs(checked: Checked) -> None:
    job = checked.ok("GET", "/jobs?lane=index").json()["data"][0]
    checked.refused(422, "GET", "/jobs?lane=none")
    checked.ok("GET", f"/jobs/{job['id']}")
    checked.refused(404, "GET", "/jobs/none")
    checked.ok("POST", f"/jobs/{job['id']}/cancel")
    checked.refused(404, "POST", "/jobs/none/cancel")


def _ask_about_changes(checked: Checked) -> None:
    assert checked.ok("GET", "/audit?limit=2").json()["has_more"]
    checked.refused(422, "GET", "/audit?after=none")


def _ask_about_bases(checked: Checked) -> None:
    made = checked.ok("POST", "/v1/vector_stores", json={"name": "Other"}).json()
    checked.refused(409, "POST", "/v1/vector_stores", json={"name": "Same", "id": made["id"]})
    checked.ok("GET", "/v1/vector_stores?limit=1")
    checked.refused(400, "GET", "/v1/vector_stores?after=none")
    checked.ok("POST", f"/v1/vector_stores/{made['id']}", json={"keep_versions": 3})
    checked.refused(404, "POST", "/v1/vector_stores/none", json={"keep_versions": 3})
    for method in ("GET", "DELETE"):
        checked.ok(method, f"/v1/vector_stores/{made['id']}")
        checked.refused(404, method, "/v1/vector_stores/none")

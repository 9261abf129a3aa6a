"""Kept texts over HTTP: gone from the whole home with what they belong to."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from service.access import LOOPBACK_CALLER
from service.cli import app
from tests.knowledge.history.test_versions import files_with
from tests.service.conftest import Running

STORE = "/v1/vector_stores/handbook"
PLACE = f"{STORE}/documents/deep/pay.md"
WORD = "quagga"


def rm(running: Running, *words: str) -> None:
    line = ["kb", "rm", "handbook", *words, "--url", str(running.client.base_url)]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output


def request(running: Running, method: str, path: str, **body: object) -> None:
    reply = running.client.request(method, path, **body)  # type: ignore[arg-type]  # by method
    assert reply.status_code == 200, reply.text


GONE: dict[str, Callable[[Running], None]] = {
    "kb rm": lambda running: rm(running, "deep/pay.md"),
    "DELETE": lambda running: request(running, "DELETE", PLACE),
    "kb rm --all": lambda running: rm(running, "--all"),
    "DELETE of the base": lambda running: request(running, "DELETE", STORE),
    "keep_versions lowered": lambda r: request(r, "POST", STORE, json={"keep_versions": 0}),
}


@pytest.mark.parametrize("how", GONE)
def test_no_file_of_the_home_holds_a_text_that_was_deleted(running: Running, how: str) -> None:
    made = {"name": "handbook", "id": "handbook", "keep_versions": 3}
    assert running.client.post("/v1/vector_stores", json=made).json()["keep_versions"] == 3
    contents = [f"The {WORD} lamp is old. {number}" for number in range(3)] + ["The lamp is new."]
    for content in contents:
        files = {"file": ("pay.md", content.encode())}
        assert running.client.put(PLACE, files=files).status_code == 200
    home = running.settings.home
    assert files_with(WORD, home), "the word is looked for in the wrong place"
    GONE[how](running)
    assert files_with(WORD, home) == []


def test_a_sync_deletes_by_name_only_what_it_wrote(running: Running) -> None:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    body = {"filename": "pay.md", "content": "lamp", "synced_from": "desk:/docs"}
    assert running.client.put(PLACE, json=body).status_code == 200
    assert running.client.get(PLACE).json()["synced_from"] == "desk:/docs"
    refused = running.client.delete(PLACE, params={"synced_from": "desk:/other"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "synced_elsewhere")
    form = {"synced_from": "x" * 5_000}
    files = {"file": ("pay.md", b"lamp")}
    assert running.client.put(PLACE, files=files, data=form).status_code == 400
    assert running.client.delete(PLACE, params={"synced_from": "desk:/docs"}).status_code == 200


def test_a_document_that_is_deleted_has_no_versions_to_take_back(running: Running) -> None:
    made = {"name": "handbook", "id": "handbook", "keep_versions": 3}
    running.client.post("/v1/vector_stores", json=made)
    for content in ("one lamp", "two lamps"):
        running.client.put(PLACE, json={"filename": "pay.md", "content": content})
    running.client.delete(PLACE)
    asked: dict[str, str | int] = {"document": "deep/pay.md", "version": 1}
    assert running.client.post(f"{STORE}/rollback", json=asked).status_code == 404
    assert running.client.get(f"{STORE}/version", params=asked).status_code == 404
    assert len(running.client.get(f"{STORE}/history").json()["data"]) == 3


def put(running: Running, content: str, **fields: object) -> None:
    body = {"filename": "pay.md", "content": content, **fields}
    assert running.client.put(PLACE, json=body).status_code == 200


@pytest.fixture
def kept(running: Running) -> Running:
    """Return a gateway with a document of two kept versions."""
    made = {"name": "handbook", "id": "handbook", "keep_versions": 3}
    running.client.post("/v1/vector_stores", json=made)
    for content in ("one lamp", "two lamps"):
        put(running, content)
    return running


def test_nobody_reads_a_version_by_labels_that_the_caller_does_not_hold(
    kept: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = replace(LOOPBACK_CALLER, access_labels=frozenset({"hr"}))

    def label(name: str) -> None:
        with monkeypatch.context() as unbound:
            unbound.setattr("service.access.LOOPBACK_CALLER", LOOPBACK_CALLER)
            put(kept, "two lamps", access_labels=[name])

    monkeypatch.setattr("service.access.LOOPBACK_CALLER", caller)

    def answers(**named: object) -> list[int]:
        asked: dict[str, Any] = {"document": "deep/pay.md", **named}
        version = kept.client.get(f"{STORE}/version", params={**asked, "version": 1})
        diff = kept.client.get(f"{STORE}/diff", params={**asked, "old": 1})
        return [version.status_code, diff.status_code]

    rollback = {"document": "deep/pay.md", "version": 1}
    label("board")
    assert answers() == answers(access_labels=["board"]) == [404, 404]
    assert kept.client.post(f"{STORE}/rollback", json=rollback).status_code == 404
    label("hr")
    assert answers() == answers(access_labels=["hr", "board"]) == [200, 200]
    assert answers(access_labels=["board"]) == [404, 404]
    assert kept.client.post(f"{STORE}/rollback", json=rollback).status_code == 200


def test_history_and_stale_documents_come_in_pages(kept: Running) -> None:
    def page(place: str, **params: int | str) -> tuple[list[Any], bool]:
        body = kept.client.get(f"{STORE}/{place}", params=params).json()
        return body["data"], body["has_more"]

    (newest,), has_more = page("history", limit=1)
    assert (newest["version"], has_more) == (2, True)
    (first,), has_more = page("history", limit=1, after=newest["version_id"])
    assert (first["version"], has_more) == (1, False)
    kept.put_document()
    with kept.context.database.begin() as connection:
        connection.execute(text("UPDATE kb_versions SET activated_at = 1782000000"))
    (first,), has_more = page("stale", days=30, limit=1)
    assert (first["external_id"], first["changed_at"], has_more) == (
        "deep/pay.md",
        1_782_000_000,
        True,
    )
    (last,), has_more = page("stale", days=30, limit=1, after=first["id"])
    assert (last["external_id"], has_more) == ("returns.md", False)
    base = kept.client.get(STORE).json()
    stale = kept.client.get(f"{STORE}/stale", params={"days": 30}).json()
    assert int(stale["citations_since"]) == int(base["created_at"])


def test_a_rollback_that_is_sent_twice_under_one_key_is_one(kept: Running) -> None:
    asked: dict[str, Any] = {"document": "deep/pay.md", "version": 1}
    key = {"Idempotency-Key": "k1"}
    replies = [
        kept.client.post(f"{STORE}/rollback", json=asked, headers=key).json() for _ in range(2)
    ]
    assert replies[0] == replies[1]
    assert (replies[0]["version"], replies[0]["unchanged"]) == (3, False)


@pytest.mark.parametrize("number", [0, 2**31, 2**64])
def test_a_number_that_no_version_can_have_is_refused(kept: Running, number: int) -> None:
    asked: dict[str, Any] = {"document": "deep/pay.md", "version": number, "old": number}
    for place in ("version", "diff"):
        assert kept.client.get(f"{STORE}/{place}", params=asked).status_code == 422
    assert kept.client.get(f"{STORE}/stale", params={"days": number}).status_code == 422

"""Kept texts over HTTP: gone from the whole home with what they belong to."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner

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

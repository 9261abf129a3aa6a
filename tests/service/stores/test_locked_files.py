"""A locked PDF opens with its `password`, which is neither stored nor logged."""

import logging

import httpx
import pytest
from typer.testing import CliRunner

from service.cli import app
from tests.fakes.files import locked_pdf
from tests.service.conftest import Running

PASSWORD = "sesame-7f3a"
TEXT = "A lamp may be returned within 30 days"
STORE = "/v1/vector_stores/handbook"
DOCUMENT = f"{STORE}/documents/locked.pdf"


@pytest.fixture
def store(running: Running) -> Running:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    return running


def put(store: Running, **fields: str) -> httpx.Response:
    upload = {"file": ("locked.pdf", locked_pdf(TEXT, PASSWORD))}
    return store.client.put(DOCUMENT, files=upload, data=fields)


def traces(store: Running) -> list[str]:
    """Return the files of the home that hold the password."""
    files = [path for path in store.settings.home.rglob("*") if path.is_file()]
    assert any(TEXT.encode() in path.read_bytes() for path in files)  # it would be found
    return [path.name for path in files if PASSWORD.encode() in path.read_bytes()]


def test_a_locked_file_opens_with_its_password_which_nobody_keeps(
    store: Running, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reply = put(store, password=PASSWORD, attributes='{"team": "desk"}')
    assert (reply.status_code, reply.json()["unchanged"]) == (200, False)
    document = store.client.get(DOCUMENT).json()
    assert (document["text"], document["attributes"]) == (TEXT, {"team": "desk"})
    found = store.client.post(f"{STORE}/search", json={"query": "lamp returned days"}).json()
    assert found["data"][0]["text"] == TEXT
    assert put(store, password="wrong-" + PASSWORD).status_code == 422
    assert PASSWORD not in caplog.text
    assert PASSWORD not in store.client.get("/jobs").text
    assert traces(store) == []


def test_the_file_itself_is_what_is_compared(store: Running) -> None:
    content = locked_pdf(TEXT, PASSWORD)
    assert put(store, password=PASSWORD).status_code == 200
    assert store.client.get(DOCUMENT).json()["bytes"] == len(content)
    again = put(store, attributes="{}")  # `kb sync` knows no password, and needs none
    assert (again.status_code, again.json()["unchanged"]) == (200, True)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "password_required"),
        ({"password": ""}, "password_required"),
        ({"password": "open"}, "wrong_password"),
    ],
)
def test_without_the_right_password_the_reply_asks_for_it(
    store: Running, fields: dict[str, str], code: str
) -> None:
    reply = put(store, **fields)
    assert (reply.status_code, reply.json()["error"]["code"]) == (422, code)
    assert "`password`" in reply.json()["hint"]
    assert store.client.get(DOCUMENT).status_code == 404


def test_a_password_that_a_file_does_not_need_is_no_hindrance(store: Running) -> None:
    at = f"{STORE}/documents/a.md"
    upload = {"file": ("a.md", b"# Lamp\n\nlamp a")}
    reply = store.client.put(at, files=upload, data={"password": PASSWORD})
    assert reply.status_code == 200
    assert store.client.get(at).json()["text"] == "# Lamp\n\nlamp a"


def test_kb_add_sends_the_password(
    store: Running, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("docs") / "locked.pdf"
    file.write_bytes(locked_pdf(TEXT, PASSWORD))
    line = ["kb", "add", "handbook", str(file), "--json", "--url", str(store.client.base_url)]
    refused = CliRunner().invoke(app, line)
    assert (refused.exit_code, "password_required" in refused.stdout) == (1, True)
    added = CliRunner().invoke(app, [*line, "--password", PASSWORD])
    assert (added.exit_code, PASSWORD in added.output) == (0, False)
    assert store.client.get(DOCUMENT).json()["text"] == TEXT

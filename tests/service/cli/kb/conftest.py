"""A folder, a gateway with an empty knowledge base, and how to synchronise them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app
from tests.service.conftest import Running

STORE = "/v1/vector_stores/handbook"
Sync = Callable[..., dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    (made / "deep").mkdir(parents=True)
    (made / "a.md").write_text("# A\n\nlamp a")
    (made / "deep" / "b.md").write_text("# B\n\nlamp b")
    (made / ".hidden").write_text("not for search")
    return made


@pytest.fixture
def store(running: Running) -> Running:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    return running


@pytest.fixture
def sync(store: Running, monkeypatch: pytest.MonkeyPatch) -> Sync:
    """Return how to run the command; it checks the exit code and returns what was printed."""
    monkeypatch.setattr("service.cli.client._POLL_S", 0.01)

    def run(folder: Path, *words: str, exits: int = 0) -> dict[str, Any]:
        line = ["kb", "sync", "handbook", str(folder), *words, "--json"]
        done = CliRunner().invoke(app, [*line, "--url", str(store.client.base_url)])
        assert done.exit_code == exits, done.output
        body: dict[str, Any] = json.loads(done.stdout)
        return body

    return run


def changes(body: dict[str, Any]) -> tuple[list[str], list[str], list[str], int]:
    return body["added"], body["replaced"], body["deleted"], body["unchanged"]


def documents(store: Running) -> dict[str, int]:
    rows = store.client.get(f"{STORE}/documents").json()["data"]
    return {row["external_id"]: row["version"] for row in rows}

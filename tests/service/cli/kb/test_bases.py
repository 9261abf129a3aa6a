"""`kb create|add|search` against a whole gateway: every option reaches what it is for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app
from tests.service.conftest import Running

Run = Callable[..., Any]


@pytest.fixture
def kb(running: Running, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return how to run a `kb` command; it returns what was printed."""
    monkeypatch.setattr("service.cli.client._POLL_S", 0.01)

    def run(*words: str, exits: int = 0) -> Any:
        line = ["kb", *words, "--json", "--url", str(running.client.base_url)]
        done = CliRunner().invoke(app, line)
        assert done.exit_code == exits, done.output
        return json.loads(done.stdout)

    return run


def test_labels_guard_a_document_until_they_are_taken_off(kb: Run, tmp_path: Path) -> None:
    file = tmp_path / "pay.md"
    file.write_text("lamp pay")

    def seen(*words: str) -> list[str]:
        return [row["external_id"] for row in kb("search", "a", "lamp pay", *words)["data"]]

    kb("create", "a")
    kb("add", "a", str(file), "--access", "staff", "--access", "board")
    assert kb("show", "a", "pay.md")["access_labels"] == ["board", "staff"]
    assert seen() == seen("--access", "guests") == []
    assert seen("--access", "guests", "--access", "board") == ["pay.md"]
    file.write_text("lamp pay, again")
    kb("add", "a", str(file))
    assert seen() == []
    refused = kb("add", "a", str(file), "--access", "", exits=1)
    assert "the single word none" in refused["detail"]
    assert seen() == []
    kb("add", "a", str(file), "--access", "none")
    assert seen() == ["pay.md"]


def test_a_base_is_cut_as_it_was_created(kb: Run, tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text("A lamp may be returned within thirty days. " * 8)
    chunks = {}
    for base, words in (("plain", ()), ("fine", ("--chunking", "sentence:16"))):
        kb("create", base, *words)
        kb("add", base, str(file))
        chunks[base] = kb("show", base, "long.txt")["chunks"]
    assert chunks["plain"] == 1
    assert chunks["fine"] > 3
    assert kb("show", "fine")["chunking"]["strategy"] == "sentence"
    assert kb("show", "plain")["chunking"] is None

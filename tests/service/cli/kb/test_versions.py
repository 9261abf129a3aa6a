"""`kb diff`, `kb rollback`, `kb update` and `kb stale` against a whole gateway."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from service.cli import app
from tests.service.conftest import Running
from tests.service.waiting import eventually

Kb = Callable[..., Result]
DAY_S = 86_400


@pytest.fixture(autouse=True)
def citations_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write citations at once; before the gateway starts."""
    monkeypatch.setattr("service.cited_documents.BATCH_S", 0.05)


@pytest.fixture
def kb(running: Running, monkeypatch: pytest.MonkeyPatch) -> Kb:
    monkeypatch.setattr("service.cli.client._POLL_S", 0.01)

    def run(command: str, *words: object, exits: int = 0) -> Result:
        line = ["kb", command, "handbook", *map(str, words)]
        done = CliRunner().invoke(app, [*line, "--url", str(running.client.base_url)])
        assert done.exit_code == exits, done.output
        return done

    run("create", "--keep-versions", 2)
    for days in (30, 60):
        running.put_document(f"# Returns\n\nA lamp can be returned within {days} days.")
    return run


def test_diff_prints_a_unified_diff_and_ends_as_diff_does(kb: Kb) -> None:
    lines = kb("diff", "returns.md", 1, 2, exits=1).stdout.splitlines()
    assert lines[0].startswith("--- returns.md (version 1, ")
    assert lines[1].startswith("+++ returns.md (version 2, ")
    assert lines[2:] == [
        "@@ -1,3 +1,3 @@",
        " # Returns",
        " ",
        "-A lamp can be returned within 30 days.",
        "+A lamp can be returned within 60 days.",
    ]
    assert kb("diff", "returns.md", 1, exits=1).stdout.splitlines() == lines
    assert kb("diff", "returns.md", 2).stdout == ""
    body = json.loads(kb("diff", "returns.md", 2, 1, "--json", exits=1).stdout)
    assert (body["old"], body["new"], body["differs"]) == (2, 1, True)
    assert body["diff"].startswith("--- returns.md (version 2, ")


def test_what_cannot_be_compared_ends_with_two_and_says_what_to_do(kb: Kb) -> None:
    kb("update", "--keep-versions", 0)
    told = kb("diff", "returns.md", 1, 2, exits=2).stderr
    assert "its text was not kept" in told
    assert "--keep-versions N" in told
    assert "has no version 9" in kb("diff", "returns.md", 9, exits=2).stderr
    assert "never had a document" in kb("diff", "none.md", 1, exits=2).stderr
    error = json.loads(kb("diff", "returns.md", 1, "--json", exits=2).stdout)
    assert error["error"]["code"] == "text_not_kept"
    kb("rm", "returns.md")
    assert "was deleted" in kb("diff", "returns.md", 2, exits=2).stderr


def test_who_may_not_read_the_document_may_not_compare_it(
    kb: Kb,
    running: Running,
) -> None:
    body = {"filename": "returns.md", "content": "Secret lamp.", "access_labels": ["hr"]}
    running.client.put("/v1/vector_stores/handbook/documents/returns.md", json=body)
    told = kb("diff", "returns.md", 1, 3, "--access", "staff", exits=2)
    assert "never had a document" in told.stderr  # in the words for one that is not there
    assert "lamp" not in told.stdout
    assert "+Secret lamp." in kb("diff", "returns.md", 1, 3, "--access", "hr", exits=1).stdout


def test_a_rollback_is_a_new_version_that_history_names(
    kb: Kb,
    running: Running,
) -> None:
    told = kb("rollback", "returns.md", 1).stdout
    assert told == "returns.md: version 3 has the text of version 1\n"
    newest, *_ = kb("history", "returns.md").stdout.splitlines()
    assert "version 3 replaced of 2 by the text of 1, active" in newest
    found = running.client.get("/v1/vector_stores/handbook/documents/returns.md").json()
    assert "within 30 days" in found["text"]
    told = kb("rollback", "returns.md", 3).stdout
    assert told == "returns.md: version 3 is the active one; nothing was changed\n"
    told = kb("rollback", "returns.md", 1).stdout
    assert "version 3 is the active one and has the text of version 1; nothing was ch" in told
    body = json.loads(kb("rollback", "returns.md", 2, "--json").stdout)
    assert (body["version"], body["unchanged"], body["filename"]) == (4, False, "returns.md")
    for days in (90, 120):
        running.put_document(f"# Returns\n\nA lamp can be returned within {days} days.")
    assert "its text was not kept" in kb("rollback", "returns.md", 1, exits=1).stderr


def test_a_rollback_that_takes_long_is_waited_for_and_tells_the_labels(
    kb: Kb,
    running: Running,
) -> None:
    body = {"filename": "returns.md", "content": "Secret lamp.", "access_labels": ["hr"]}
    running.client.put("/v1/vector_stores/handbook/documents/returns.md", json=body)
    object.__setattr__(running.settings.server, "put_wait_s", 0.0)
    told = kb("rollback", "returns.md", 2).stdout
    assert told == "returns.md: version 4 has the text of version 2  (hr)\n"
    told = kb("rollback", "returns.md", 4).stdout
    assert told == "returns.md: version 4 is the active one; nothing was changed\n"


def test_a_rollback_of_a_synced_document_says_what_the_next_sync_does(
    kb: Kb,
    running: Running,
) -> None:
    body = {"filename": "a.md", "synced_from": "desk:/docs"}
    for text_of in ("lamp one", "lamp two"):
        place = "/v1/vector_stores/handbook/documents/a.md"
        running.client.put(place, json={**body, "content": text_of})
    assert "the next sync of desk:/docs sends the file" in kb("rollback", "a.md", 1).stdout
    assert running.client.get(place).json()["synced_from"] == "desk:/docs"


def test_stale_lists_what_was_neither_changed_nor_cited(
    kb: Kb,
    running: Running,
) -> None:
    running.put_document()
    running.put_document("Desks are oiled with linseed once a year.", "oil.md")
    assert "0 documents were neither" in kb("stale", "--days", 30).stdout
    with running.context.database.begin() as connection:
        for table, column in (("kb_versions", "activated_at"), ("kb_bases", "created_at")):
            connection.execute(text(f"UPDATE {table} SET {column} = {column} - 100 * {DAY_S}"))
    lines = kb("stale", "--days", 30).stdout.splitlines()
    assert [line.partition("  ")[0] for line in lines[:-1]] == ["returns.md", "oil.md"]
    assert "never cited" in lines[0]
    running.put_use_case(facts={"need": "knowledge"})
    running.engine.switches.pieces = ("Within 30 days of delivery [1].",)
    asked: Any = running.ask(use_case="demo", strategy="rag")
    assert asked.status_code == 200, asked.text
    assert [row["path"] for row in asked.json()["citations"]] == ["returns.md"]
    eventually(lambda: len(kb("stale", "--days", 30).stdout.splitlines()) == 2)
    (row,) = json.loads(kb("stale", "--days", 30, "--json").stdout)["data"]
    assert (row["external_id"], row["cited_at"]) == ("oil.md", None)
    running.put_document("Desks are oiled twice a year.", "oil.md")
    assert "0 documents were neither" in kb("stale", "--days", 30).stdout
    kb("stale", exits=2)

"""`kb add` against a whole gateway: rules of folders, and files that fail beside others."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app
from tests.fakes.files import locked_pdf
from tests.service.conftest import Running

Add = Callable[..., Any]


@pytest.fixture
def add(running: Running, monkeypatch: pytest.MonkeyPatch) -> Add:
    monkeypatch.setattr("service.cli.client._POLL_S", 0.01)
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})

    def run(*words: object, exits: int = 0) -> Any:
        line = ["kb", "add", "handbook", *map(str, words), "--json"]
        done = CliRunner().invoke(app, [*line, "--url", str(running.client.base_url)])
        assert done.exit_code == exits, done.output
        return json.loads(done.stdout)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    (made / "hr").mkdir(parents=True)
    (made / "a.md").write_text("lamp a")
    (made / "hr" / "pay.md").write_text("lamp pay")
    (made / "hr" / ".fingerpost-access").write_text("hr")
    return made


def labels(body: Any) -> dict[str, list[str]]:
    return {row["external_id"]: row["access_labels"] for row in body["data"]}


def test_a_folder_is_added_with_its_rules(add: Add, folder: Path) -> None:
    body = add(folder)
    assert labels(body) == {"a.md": [], "hr/pay.md": ["hr"]}
    assert body["failed"] == []


def test_a_copy_without_a_rule_follows_the_one_that_has_one(add: Add, folder: Path) -> None:
    (folder / "a.md").write_text("lamp pay")
    assert labels(add(folder)) == {"a.md": ["hr"], "hr/pay.md": ["hr"]}


def test_a_rule_above_what_is_named_holds_as_well(add: Add, folder: Path) -> None:
    (folder / "hr" / "deep").mkdir()
    (folder / "hr" / "deep" / "bonus.md").write_text("lamp bonus")
    assert labels(add(folder / "hr" / "deep")) == {"bonus.md": ["hr"]}
    assert labels(add(folder / "hr" / "pay.md")) == {"pay.md": ["hr"]}


def test_a_file_that_fails_is_told_and_the_others_are_added(add: Add, folder: Path) -> None:
    (folder / "empty.md").write_text(" ")
    (folder / "broken.md").symlink_to("nowhere")
    body = add(folder, "--access", "staff", exits=3)
    assert labels(body) == {"a.md": ["staff"]}
    assert {row["document"]: row["error"]["code"] for row in body["failed"]} == {
        "broken.md": "unreadable_file",
        "empty.md": "empty_document",
        "hr/pay.md": "access_rules_disagree",
    }


def test_a_base_that_is_not_there_ends_the_command(
    add: Add,
    folder: Path,
    running: Running,
) -> None:
    assert running.client.delete("/v1/vector_stores/handbook").status_code == 200
    assert add(folder, exits=1)["error"]["code"] == "knowledge_base_not_found"


def test_documents_that_not_everybody_may_read_are_told(
    running: Running,
    add: Add,
    folder: Path,
) -> None:
    add(folder / "hr")
    (folder / "a.md").write_text("lamp pay")
    line = ["kb", "add", "handbook", str(folder / "a.md"), "--url", str(running.client.base_url)]
    done = CliRunner().invoke(app, line)
    assert "guarded   a.md: hr" in done.stdout.splitlines()


def test_what_was_not_read_is_told_by_add_and_kept_for_show(
    add: Add,
    running: Running,
    tmp_path: Path,
) -> None:
    page = tmp_path / "page.html"
    page.write_text("<p>one lamp</p><video src='a.mp4'></video>")
    (added,) = add(page)["data"]
    assert [part["what"] for part in added["left_out"]] == ["video"]
    assert added["encoding"] == "utf-8"
    url = ["--url", str(running.client.base_url)]
    for words in (["add", "handbook", str(page)], ["show", "handbook", "page.html"]):
        said = CliRunner().invoke(app, ["kb", *words, *url]).stdout
        assert "video" in next(line for line in said.split("\n") if line.startswith("not read"))
    shown = json.loads(
        CliRunner().invoke(app, ["kb", "show", "handbook", "page.html", "--json", *url]).stdout
    )
    assert shown["left_out"] == added["left_out"]
    assert (shown["encoding"], shown["is_outdated"]) == ("utf-8", False)


def test_the_encoding_that_is_named_is_that_of_every_text(add: Add, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("谢谢".encode("gbk"))
    (tmp_path / "b.csv").write_bytes("备注,加急\n一,二".encode("gbk"))
    body = add(tmp_path / "a.txt", tmp_path / "b.csv", "--encoding", "gb2312")
    assert [(row["encoding"], row["left_out"]) for row in body["data"]] == [("gb18030", [])] * 2
    refused = add(tmp_path / "a.txt", "--encoding", "klingon", exits=1)
    assert refused["error"]["code"] == "unknown_encoding"
    assert "write utf-8, gb18030" in refused["error"]["message"]


def test_a_single_file_takes_an_id_and_a_password(
    add: Add,
    running: Running,
    folder: Path,
) -> None:
    (folder / "locked.pdf").write_bytes(locked_pdf("A locked lamp.", "key"))
    words = (folder / "locked.pdf", "--as", "deep/pay", "--password", "key")
    object.__setattr__(running.settings.server, "put_wait_s", 0.0)
    (row,) = add(*words)["data"]
    assert (row["external_id"], row["filename"]) == ("deep/pay", "locked.pdf")
    assert add(folder, "--as", "deep/pay", exits=1)["error"]["code"] == "usage"


def test_where_every_file_fails_the_command_fails(add: Add, folder: Path) -> None:
    for name in ("a.md", "hr/pay.md"):
        (folder / name).write_text(" ")
    (folder / "Thumbs.db").write_text("x")
    body = add(folder, exits=1)
    assert (body["data"], len(body["failed"])) == ([], 2)
    assert {"document": "Thumbs.db", "why": "a system file of Windows"} in body["skipped"]
    assert add(folder / "a.md", exits=1)["error"]["code"] == "empty_document"

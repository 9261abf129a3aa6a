"""A sync finds its own documents again, however its folder is named, and deletes no others."""

import os
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from service.cli import app
from service.cli.kb.sources import source_of
from tests.service.cli.kb.conftest import STORE, Sync, changes, documents
from tests.service.conftest import Running


def printed(running: Running, folder: Path, *words: str) -> list[str]:  # arguments
    line = ["kb", "sync", "handbook", str(folder), *words, "--url", str(running.client.base_url)]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines()


def test_a_folder_has_one_name_however_it_is_written(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (folder.parent / "link").symlink_to(folder)
    monkeypatch.chdir(folder.parent)
    ways = ["docs", "./docs/", "link", "docs/../docs", str(folder), "docs/deep/.."]
    assert len({source_of(Path(way)) for way in ways}) == 1
    assert source_of(folder / "deep") != source_of(folder)


def test_another_machine_names_the_same_path_otherwise(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = {source_of(folder)}
    marks = tmp_path / "machine-id"
    for machine in ("one", "two"):
        marks.write_text(machine)
        monkeypatch.setattr("service.cli.kb.sources._MACHINE_IDS", (tmp_path / "none", marks))
        names.add(source_of(folder))
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    names.add(source_of(folder))
    assert len(names) == 4


def test_a_machine_whose_mark_cannot_be_read_is_told_by_its_network_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = tmp_path / "machine-id"
    monkeypatch.setattr("service.cli.kb.sources._MACHINE_IDS", (tmp_path / "none", marks))
    names = set[str]()
    for content in (b"", b"\xe9\n"):
        marks.write_bytes(content)
        for card in (1, 2):
            monkeypatch.setattr("uuid.getnode", lambda card=card: card)
            names.add(source_of(tmp_path))
    assert len(names) == 2


def test_what_was_uploaded_is_never_deleted(
    store: Running,
    sync: Sync,
    folder: Path,
) -> None:
    store.put_document("By hand.", "hand.md")
    same = {"filename": "a.md", "content": (folder / "a.md").read_text()}
    store.client.put(f"{STORE}/documents/a.md", json=same)  # before the sync, as it is
    sync(folder)
    (folder / "c.md").write_text("lamp c")
    sync(folder)
    same = {"filename": "c.md", "content": "lamp c"}
    store.client.put(f"{STORE}/documents/c.md", json=same)  # after it, as it is
    store.client.put(f"{STORE}/documents/deep/b.md", json={**same, "content": "lamp new"})
    for name in ("a.md", "c.md", "deep/b.md"):
        (folder / name).unlink()
    (folder / "d.md").write_text("lamp d")
    body = sync(folder)
    assert changes(body) == (["d.md"], [], [], 0)
    assert body["kept"] == {"uploaded": 4, "of_other_folders": {}, "of_unknown_origin": []}
    said = printed(store, folder, "--dry-run")
    assert "kept        4 documents that no sync put in" in said
    assert said[-1] == (
        "would be: 0 added, 0 replaced, 0 reread, 0 relabelled, 0 deleted, 1 unchanged, 1 skipped"
    )
    assert set(documents(store)) == {"a.md", "c.md", "deep/b.md", "hand.md", "d.md"}


def test_an_uploaded_document_that_a_sync_replaced_is_its_own(
    store: Running,
    sync: Sync,
    folder: Path,
) -> None:
    store.put_document("By hand.", "a.md")
    assert changes(sync(folder))[1] == ["a.md"]
    (folder / "a.md").unlink()
    assert changes(sync(folder))[2] == ["a.md"]


def test_a_sync_of_another_folder_deletes_nothing_of_the_first(
    store: Running,
    sync: Sync,
    folder: Path,
    tmp_path: Path,
) -> None:
    sync(folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "z.md").write_text("lamp z")
    (other / "a.md").write_text((folder / "a.md").read_text())
    said = printed(store, other, "--dry-run")
    assert f"taken over  1 documents of the folder {source_of(folder)}" in said
    assert any(line.startswith(f"kept        1 of the folder {source_of(folder)}") for line in said)
    body = sync(other)
    assert (changes(body), body["adopted"]) == ((["z.md"], [], [], 1), {source_of(folder): 1})
    assert body["kept"]["of_other_folders"] == {source_of(folder): 1}
    (folder / "a.md").unlink()
    assert changes(sync(folder)) == ([], [], [], 1), "a.md is the other's now"
    (other / "a.md").unlink()
    assert changes(sync(other)) == ([], [], ["a.md"], 1)
    assert set(documents(store)) == {"z.md", "deep/b.md"}


def test_a_folder_that_was_moved_goes_on_under_its_name(
    store: Running,
    sync: Sync,
    folder: Path,
    tmp_path: Path,
) -> None:
    sync(folder)
    before = source_of(folder)
    moved = folder.rename(tmp_path / "moved")
    (moved / "a.md").unlink()
    body = sync(moved, "--dry-run")
    assert body["kept"]["of_other_folders"] == {before: 1}
    assert body["deleted"] == []
    assert changes(sync(moved, "--source", before)) == ([], [], ["a.md"], 1)
    assert sync(moved, "--last", "--source", before)["report"]["deleted"] == ["a.md"]


def test_two_machines_delete_together_where_they_name_the_folder_alike(
    store: Running,
    sync: Sync,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sync(folder)
    sync(folder, "--source", "handbook-repository")
    monkeypatch.setattr("platform.node", lambda: "elsewhere")
    (folder / "a.md").unlink()
    assert changes(sync(folder)) == ([], [], [], 1)
    (folder / "deep" / "b.md").rename(folder / "b.md")
    body = sync(folder, "--source", "handbook-repository")
    assert changes(body) == (["b.md"], [], ["a.md"], 0)
    assert list(body["kept"]["of_other_folders"].values()) == [1], "claimed by the machine alone"
    assert set(documents(store)) == {"b.md", "deep/b.md"}


def test_a_document_of_unknown_origin_is_deleted_only_once_it_was_seen_in_the_folder(
    store: Running,
    sync: Sync,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.put_document("By hand.", "hand.md")
    sync(folder)
    with store.context.database.begin() as connection:  # as an earlier release left it
        connection.execute(text("UPDATE kb_versions SET synced_from = NULL"))
    (folder / "a.md").unlink()
    body = sync(folder)
    assert changes(body) == ([], [], [], 1)
    assert body["kept"]["of_unknown_origin"] == ["a.md", "hand.md"]
    said = [line.partition(": ")[0] for line in printed(store, folder, "--dry-run")]
    assert said[1:3] == ["kept        a.md", "kept        hand.md"]
    monkeypatch.setattr("service.cli.kb.outcome.MOST_NAMED", 1)
    said = printed(store, folder, "--dry-run")
    assert "kept        1 more of unknown origin; --json names all" in said
    (folder / "deep" / "b.md").unlink()
    (folder / "c.md").write_text("lamp c")
    assert changes(sync(folder)) == (["c.md"], [], ["deep/b.md"], 0)


def test_a_document_uploaded_a_moment_ago_is_not_deleted(
    store: Running,
    sync: Sync,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sync(folder)
    content = (folder / "a.md").read_text()
    (folder / "a.md").unlink()

    def upload(*_: object) -> None:
        store.put_document(content, "a.md")

    monkeypatch.setattr("service.cli.kb.sync._Run.send", upload)
    body = sync(folder, exits=3)
    assert [row["document"] for row in body["failed"]] == ["a.md"]
    assert "was not put in by the sync" in body["failed"][0]["error"]["message"]
    assert "a.md" in documents(store)


def test_nothing_below_a_folder_that_cannot_be_read_is_deleted(
    store: Running,
    sync: Sync,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sync(folder)
    read = os.scandir

    def refuse(place: Path | str) -> object:
        if Path(place).name == "deep":
            raise PermissionError(13, "Permission denied", str(place))
        return read(place)

    monkeypatch.setattr(os, "scandir", refuse)
    body = sync(folder, exits=3)
    assert (body["deleted"], body["failed"][0]["document"]) == ([], "deep")
    assert set(documents(store)) == {"a.md", "deep/b.md"}

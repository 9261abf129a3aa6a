"""`kb sync` against a whole gateway: the store becomes the folder, and again changes nothing."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from knowledge.config import READING
from service.cli import app
from service.cli.client import Upload
from service.cli.kb.adding import Plan
from service.cli.kb.folders import find_files
from tests.fakes.files import pdf
from tests.service.cli.kb.conftest import STORE, Sync, changes, documents
from tests.service.conftest import Running


def test_sync_twice_has_nothing_to_do(store: Running, sync: Sync, folder: Path) -> None:
    assert changes(sync(folder)) == (["a.md", "deep/b.md"], [], [], 0)
    assert changes(sync(folder)) == ([], [], [], 2)
    assert documents(store) == {"a.md": 1, "deep/b.md": 1}
    assert len(store.client.get("/jobs").json()["data"]) == 2


def test_sync_replaces_what_changed_and_keeps_its_attributes(
    store: Running, sync: Sync, folder: Path
) -> None:
    body = {"filename": "a.md", "content": "lamp old", "attributes": {"team": "desk"}}
    store.client.put(f"{STORE}/documents/a.md", json=body)
    assert changes(sync(folder)) == (["deep/b.md"], ["a.md"], [], 0)
    found = store.client.get(f"{STORE}/documents/a.md").json()
    assert (found["text"], found["attributes"]) == ("# A\n\nlamp a", {"team": "desk"})


def test_a_renamed_file_is_added_and_deleted(store: Running, sync: Sync, folder: Path) -> None:
    sync(folder)
    (folder / "a.md").rename(folder / "z.md")
    assert changes(sync(folder)) == (["z.md"], [], ["a.md"], 1)
    assert set(documents(store)) == {"z.md", "deep/b.md"}


def test_a_dry_run_changes_nothing(store: Running, sync: Sync, folder: Path) -> None:
    sync(folder)
    before = documents(store)
    (folder / "a.md").write_text("lamp new")
    (folder / "deep" / "b.md").rename(folder / "c.md")
    planned = sync(folder, "--dry-run")
    assert planned["dry_run"]
    assert changes(planned) == (["c.md"], ["a.md"], ["deep/b.md"], 0)
    assert documents(store) == before
    assert len(store.client.get("/jobs").json()["data"]) == 2
    assert changes(sync(folder)) == changes(planned)


def test_no_delete_leaves_what_the_folder_lacks(store: Running, sync: Sync, folder: Path) -> None:
    store.put_document()
    assert changes(sync(folder, "--no-delete")) == (["a.md", "deep/b.md"], [], [], 0)
    assert "returns.md" in documents(store)


def test_one_bad_file_does_not_stop_the_others(store: Running, sync: Sync, folder: Path) -> None:
    sync(folder)
    (folder / "a.md").write_text("   \n")
    (folder / "c.md").write_text("lamp c")
    body = sync(folder, exits=3)
    assert changes(body) == (["c.md"], [], [], 1)
    (failed,) = body["failed"]
    assert (failed["document"], failed["error"]["code"]) == ("a.md", "empty_document")
    assert documents(store) == {"a.md": 1, "deep/b.md": 1, "c.md": 1}


def test_what_fails_beside_unchanged_files_alone_is_a_part(
    store: Running, sync: Sync, folder: Path
) -> None:
    sync(folder)
    for name in ("z.md", "deep/b.md"):
        (folder / name).write_text(" ")
    body = sync(folder, exits=3)
    assert (body["state"], changes(body)) == ("partial", ([], [], [], 1))
    assert [row["document"] for row in body["failed"]] == ["deep/b.md", "z.md"]
    (folder / "a.md").write_text(" ")
    assert sync(folder, exits=1)["state"] == "failed"
    line = ["kb", "sync", "handbook", str(folder), "--url", str(store.client.base_url)]
    assert "0 unchanged, 1 skipped, 3 failed" in CliRunner().invoke(app, line).stdout


def test_a_folder_of_which_nothing_can_be_read_says_why(sync: Sync, tmp_path: Path) -> None:
    made = tmp_path / "links"
    made.mkdir()
    (made / "out.md").symlink_to("/etc/hostname")
    body = sync(made, exits=1)
    assert body["error"]["code"] == "empty_folder"
    assert "out.md is a link out of the folder" in body["detail"]


def test_a_document_that_somebody_deleted_meanwhile_is_no_failure(
    store: Running, sync: Sync, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(folder)
    (folder / "a.md").unlink()

    def delete(*_: object) -> None:
        store.client.delete(f"{STORE}/documents/a.md")

    monkeypatch.setattr("service.cli.kb.sync._Run.send", delete)
    assert sync(folder)["deleted"] == ["a.md"]


@pytest.mark.parametrize("kind", ["empty", "missing"])
def test_an_empty_or_missing_folder_deletes_nothing_unless_told_to(
    store: Running, sync: Sync, folder: Path, kind: str
) -> None:
    sync(folder)
    shutil.rmtree(folder)
    if kind == "empty":
        folder.mkdir()
        (folder / ".gitkeep").touch()
    body = sync(folder, exits=1)
    assert body["error"]["code"] == "empty_folder"
    assert "--allow-empty" in body["hint"]
    assert len(documents(store)) == 2
    assert changes(sync(folder, "--allow-empty")) == ([], [], ["a.md", "deep/b.md"], 0)
    assert documents(store) == {}


def test_a_file_in_the_place_of_the_folder_is_refused(sync: Sync, folder: Path) -> None:
    for words in ((), ("--allow-empty",)):
        assert sync(folder / "a.md", *words, exits=1)["error"]["code"] == "not_a_folder"


def test_more_documents_than_a_page_are_compared(
    store: Running, sync: Sync, tmp_path: Path
) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(105):
        (many / f"{number:03}.md").write_text(f"lamp {number}")
    assert len(sync(many)["added"]) == 105
    (many / "104.md").unlink()
    assert changes(sync(many)) == ([], [], ["104.md"], 104)


def labels(store: Running) -> dict[str, list[str]]:
    rows = store.client.get(f"{STORE}/documents").json()["data"]
    return {row["external_id"]: row["access_labels"] for row in rows}


def test_a_rule_relabels_documents_whose_bytes_did_not_change(
    store: Running, sync: Sync, folder: Path
) -> None:
    sync(folder)
    rule = folder / "deep" / ".fingerpost-access"
    rule.write_text("hr")
    planned = sync(folder, "--dry-run")
    assert (planned["relabelled"], planned["access_labels"]) == (
        ["deep/b.md"],
        {"deep/b.md": ["hr"]},
    )
    assert labels(store) == {"a.md": [], "deep/b.md": []}
    done = sync(folder)
    assert (done["relabelled"], changes(done)) == (["deep/b.md"], ([], [], [], 1))
    assert labels(store) == {"a.md": [], "deep/b.md": ["hr"]}
    rule.unlink()
    assert sync(folder)["relabelled"] == []
    assert labels(store)["deep/b.md"] == ["hr"]
    rule.write_text("none")
    line = ["kb", "sync", "handbook", str(folder), "--dry-run"]
    said = CliRunner().invoke(app, [*line, "--url", str(store.client.base_url)]).stdout
    assert said.splitlines()[0] == "relabelled  deep/b.md  (none)"
    body = sync(folder)
    assert (body["relabelled"], body["access_labels"]) == (["deep/b.md"], {"deep/b.md": []})
    assert labels(store)["deep/b.md"] == []


def test_a_renamed_document_tells_its_labels_and_keeps_its_attributes(
    store: Running, sync: Sync, folder: Path
) -> None:
    body = {"filename": "a.md", "content": (folder / "a.md").read_text()}
    extra = {"access_labels": ["hr"], "attributes": {"team": "desk"}}
    store.client.put(f"{STORE}/documents/a.md", json={**body, **extra})
    (folder / "a.md").rename(folder / "z.md")
    assert sync(folder)["access_labels"] == {"z.md": ["hr"]}
    found = store.client.get(f"{STORE}/documents/z.md").json()
    assert (found["access_labels"], found["attributes"]) == (["hr"], {"team": "desk"})


def test_the_option_labels_every_document_and_none_opens_them(
    store: Running, sync: Sync, folder: Path
) -> None:
    sync(folder, "--access", "staff", "--access", "board")
    assert labels(store) == dict.fromkeys(("a.md", "deep/b.md"), ["board", "staff"])
    assert sync(folder, "--access", "none")["relabelled"] == ["a.md", "deep/b.md"]
    assert labels(store) == {"a.md": [], "deep/b.md": []}
    refused = sync(folder, "--access", "", exits=1)
    assert "the single word none" in refused["detail"]


@pytest.mark.parametrize("rule", ["hr", "", "x" * 65])
def test_a_file_whose_rules_disagree_or_are_bad_stays_as_it_was(
    store: Running, sync: Sync, folder: Path, rule: str
) -> None:
    sync(folder)
    (folder / "deep" / ".fingerpost-access").write_text(rule)
    (folder / "deep" / "b.md").write_text("lamp new")
    body = sync(folder, "--access", "staff", exits=3)
    assert (body["relabelled"], body["deleted"]) == (["a.md"], [])
    (failed,) = body["failed"]
    assert failed["document"] == "deep/b.md"
    assert str(folder / "deep" / ".fingerpost-access") in failed["error"]["message"]
    assert documents(store) == {"a.md": 2, "deep/b.md": 1}


def test_a_file_whose_copies_disagree_is_refused_with_both_named(
    store: Running, sync: Sync, folder: Path
) -> None:
    for name in ("hr", "board"):
        body = {"filename": "x.md", "content": "lamp c", "access_labels": [name]}
        assert store.client.put(f"{STORE}/documents/{name}.md", json=body).status_code == 200
    (folder / "c.md").write_text("lamp c")
    (failed,) = sync(folder, "--no-delete", exits=3)["failed"]
    assert (failed["document"], failed["error"]["code"]) == ("c.md", "access_conflict")
    assert "'hr.md' has hr; 'board.md' has board" in failed["error"]["message"]
    assert "c.md" not in documents(store)


def test_files_without_a_rule_are_sent_once_those_with_one_are_in(
    store: Running, sync: Sync, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "deep" / ".fingerpost-access").write_text("hr")
    (folder / "a.md").write_text((folder / "deep" / "b.md").read_text())
    upload = Plan.upload

    def late(plan: Plan) -> Upload:
        time.sleep(0.5 if plan.labels else 0)
        return upload(plan)

    monkeypatch.setattr(Plan, "upload", late)
    sync(folder)
    assert labels(store) == {"a.md": ["hr"], "deep/b.md": ["hr"]}


def test_a_copy_of_a_guarded_documents_new_text_is_sent_once_that_is_in(
    store: Running, sync: Sync, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"filename": "z.md", "content": "lamp z", "access_labels": ["hr"]}
    store.client.put(f"{STORE}/documents/z.md", json=body)
    for name in ("copy.md", "z.md"):
        (folder / name).write_text("another text, not like the one before")
    upload = Plan.upload

    def late(plan: Plan) -> Upload:
        time.sleep(0.5 if plan.name == "z.md" else 0)
        return upload(plan)

    monkeypatch.setattr(Plan, "upload", late)
    sync(folder)
    assert labels(store)["copy.md"] == ["hr"]


def test_nothing_is_deleted_once_the_folder_has_vanished(
    store: Running, sync: Sync, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(folder)
    (folder / "a.md").unlink()
    (folder / "c.md").write_text("lamp c")

    def vanish(*_: object) -> None:
        shutil.rmtree(folder, ignore_errors=True)

    monkeypatch.setattr("service.cli.kb.sync._Run.send", vanish)
    body = sync(folder, exits=3)
    assert (body["deleted"], body["failed"][0]["error"]["code"]) == ([], "folder_vanished")
    assert documents(store) == {"a.md": 1, "deep/b.md": 1}


def test_files_that_vanish_or_cannot_be_read_are_told_and_delete_nothing(
    store: Running, sync: Sync, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(folder)
    shutil.move(folder / "deep", folder.parent / "elsewhere")
    (folder / "deep").symlink_to(folder.parent / "elsewhere")
    found = find_files([folder])
    monkeypatch.setattr("service.cli.kb.sync.find_files", lambda _: found)
    (folder / "a.md").unlink()
    body = sync(folder, exits=1)
    assert {row["document"]: row["error"]["code"] for row in body["failed"]} == {
        "a.md": "unreadable_file",
        "deep": "link_to_folder",
    }
    assert body["deleted"] == []
    assert documents(store) == {"a.md": 1, "deep/b.md": 1}


def test_a_file_that_grows_while_it_is_read_is_told(
    store: Running, sync: Sync, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, grown = "service.cli.kb.folders._state", iter(range(100))

    def growing(file: Path) -> tuple[int, int, int]:
        return (0, next(grown) if file.name == "a.md" else 0, 0)

    monkeypatch.setattr(state, growing)
    body = sync(folder, exits=3)
    assert changes(body) == (["deep/b.md"], [], [], 0)
    (failed,) = body["failed"]
    assert "changed while it was read" in failed["error"]["message"]


def test_a_gateway_that_is_gone_ends_the_sync(folder: Path) -> None:
    line = ["kb", "sync", "handbook", str(folder), "--json", "--url", "http://127.0.0.1:9"]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["code"] == "gateway_unavailable"


def test_history_check_rebuild_and_reindex_speak_json(
    store: Running, sync: Sync, folder: Path
) -> None:
    sync(folder)
    (folder / "a.md").write_text("lamp new")
    sync(folder)

    def run(*words: str, exits: int = 0) -> Any:
        line = ["kb", *words, "--json", "--url", str(store.client.base_url)]
        done = CliRunner().invoke(app, line)
        assert done.exit_code == exits, done.output
        return json.loads(done.stdout)

    rows = run("history", "handbook", "a.md")["data"]
    assert [(row["version"], row["change"], row["is_active"]) for row in rows] == [
        (2, "replaced", True),
        (1, "added", False),
    ]
    assert len(run("history", "handbook")["data"]) == 3
    assert run("rebuild", "handbook")["missing_added"] == 2
    assert run("reindex", "handbook")["missing_added"] == 2
    found = run("check", "handbook")
    assert (found["in_step"], found["generation"]) == (True, 3)
    assert run("check", "none", exits=1)["status"] == 404


def test_sync_sends_again_what_another_ocr_of_the_base_read(
    store: Running, sync: Sync, folder: Path
) -> None:
    (folder / "c.pdf").write_bytes(pdf("A lamp is returned within nine days."))
    sync(folder)
    store.client.post(STORE, json={"ocr": "never"})
    assert sync(folder, "--dry-run")["reread"] == ["c.pdf"]
    assert (sync(folder)["reread"], sync(folder)["reread"]) == (["c.pdf"], [])


def test_a_document_that_was_read_in_an_earlier_way_is_sent_again(
    sync: Sync, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sync(folder)["reread"] == []
    monkeypatch.setattr("knowledge.config.READING", READING + 1)
    assert sync(folder, "--dry-run")["reread"] == ["a.md", "deep/b.md"]
    body = sync(folder)
    assert (body["reread"], body["replaced"], body["unchanged"]) == (["a.md", "deep/b.md"], [], 0)
    again = sync(folder)
    assert (again["reread"], again["unchanged"]) == ([], 2)


def test_what_was_not_read_of_a_file_is_told(store: Running, sync: Sync, folder: Path) -> None:
    (folder / "page.html").write_text("<p>one lamp</p><video src='a.mp4'></video>")
    (part,) = sync(folder)["left_out"]["page.html"]
    assert part["what"] == "video"
    (folder / "page.html").write_text("<p>two lamps</p><video src='a.mp4'></video>")
    url = str(store.client.base_url)
    said = CliRunner().invoke(app, ["kb", "sync", "handbook", str(folder), "--url", url]).stdout
    assert "not read    page.html: video" in said


def test_a_document_is_read_again_once_when_its_encoding_is_named(
    store: Running, sync: Sync, folder: Path
) -> None:
    (folder / "c.txt").write_bytes("谢谢".encode("gbk"))
    sync(folder)
    assert store.client.get(f"{STORE}/documents/c.txt").json()["text"] != "谢谢"
    assert sync(folder, "--encoding", "gbk")["reread"] == ["a.md", "c.txt", "deep/b.md"]
    assert store.client.get(f"{STORE}/documents/c.txt").json()["text"] == "谢谢"
    assert sync(folder, "--encoding", "gbk")["unchanged"] == 3
    assert sync(folder)["unchanged"] == 3
    assert sync(folder, "--encoding", "klingon", exits=1)["error"]["code"] == "unknown_encoding"

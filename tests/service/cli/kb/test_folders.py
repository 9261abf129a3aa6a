"""Files below folders: found by their ids, or told with a reason."""

import os
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

import pytest

from service.cli.kb.folders import find_files, read_unchanged
from service.cli.output import CommandFailed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "docs"
    (made / "deep").mkdir(parents=True)
    (made / "a.md").write_text("a")
    (made / "deep" / "b.md").write_text("b")
    (made / ".git").mkdir()
    (made / ".git" / "c.md").write_text("c")
    return made


def told(folder: Path) -> dict[str, str]:
    return {row.document: row.code for row in find_files([folder]).failed}


def test_files_have_their_path_as_id_and_hidden_ones_are_left_out(folder: Path) -> None:
    found = find_files([folder])
    assert list(found.files) == ["a.md", "deep/b.md"]
    assert found.failed == []


def test_links_that_lead_out_nowhere_or_in_a_circle_are_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text("outside")
    (folder / "out.md").symlink_to(tmp_path / "outside.md")
    (folder / "broken.md").symlink_to("nowhere")
    (folder / "circle.md").symlink_to("circle.md")
    (folder / "deep" / "up").symlink_to(folder)
    (folder / "inside.md").symlink_to("a.md")
    assert told(folder) == {
        "out.md": "link_out_of_folder",
        "broken.md": "unreadable_file",
        "circle.md": "unreadable_file",
        "deep/up": "link_to_folder",
    }
    assert list(find_files([folder]).files) == ["a.md", "inside.md", "deep/b.md"]


def test_what_is_no_file_or_has_no_name_is_told(folder: Path) -> None:
    os.mkfifo(folder / "pipe.md")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.md")).write_text("latin")
    assert told(folder) == {"pipe.md": "unreadable_file", "caf\\udce9.md": "unreadable_name"}


def test_documents_of_a_folder_that_cannot_be_read_may_be_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = os.scandir

    def refuse(path: str) -> Iterator[os.DirEntry[str]]:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr("os.scandir", refuse)
    found = find_files([folder])
    assert [(row.document, row.code) for row in found.failed] == [("deep", "unreadable_file")]
    assert [found.may_hold(name) for name in ("deep/b.md", "deep/x/y.md", "a.md", "deeper.md")] == [
        True,
        True,
        True,
        False,
    ]


def test_a_file_that_changed_once_is_read_again(folder: Path) -> None:
    reads: list[bytes] = []

    def read(opened: BufferedReader) -> bytes:
        reads.append(opened.read())
        if len(reads) == 1:
            (folder / "a.md").write_text("another text")
        return reads[-1]

    assert read_unchanged(folder / "a.md", read) == b"another text"
    assert len(reads) == 2


def test_a_file_that_changes_all_the_time_is_refused(folder: Path) -> None:
    def read(opened: BufferedReader) -> bytes:
        content = opened.read()
        with (folder / "a.md").open("ab") as file:
            file.write(b"more")
        return content

    with pytest.raises(CommandFailed, match="changed while it was read"):
        read_unchanged(folder / "a.md", read)

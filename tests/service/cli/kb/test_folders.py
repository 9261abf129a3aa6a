"""Files below folders: found by their ids, or told with a reason."""

import os
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

import pytest
from rich.console import Console

from service.cli.kb.folders import find_files, print_skipped, read_unchanged
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


def test_what_is_left_out_is_told_by_its_path_and_may_be_a_document(folder: Path) -> None:
    (folder / "deep" / "Thumbs.db").write_text("x")
    (folder / ".fingerpost-access").write_text("hr")
    found = find_files([folder])
    assert found.skipped == {
        ".git": "version control",
        "deep/Thumbs.db": "a system file of Windows",
    }
    names = (".git/c.md", "deep/Thumbs.db", "Thumbs.db")
    assert [found.may_hold(name) for name in names] == [True, True, False]
    with pytest.raises(CommandFailed, match=r"Thumbs\.db is left out: a system file of Windows"):
        find_files([folder / "deep" / "Thumbs.db"])


def test_two_files_of_one_id_are_refused(folder: Path) -> None:
    (folder / "deep" / "a.md").write_text("another")
    with pytest.raises(CommandFailed, match="would both be the document 'a.md'") as refused:
        find_files([folder, folder / "deep" / "a.md"])
    assert refused.value.code == "ambiguous_documents"


def test_a_named_folder_that_cannot_be_read_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(CommandFailed, match="cannot be read: Permission denied"):
        find_files([folder])


@pytest.mark.parametrize("is_replaced", [True, False])
def test_a_file_that_changed_without_growing_is_read_again(folder: Path, is_replaced: bool) -> None:
    file, other, reads = folder / "a.md", folder / "b.md", list[bytes]()
    was = file.stat()

    def read(opened: BufferedReader) -> bytes:
        reads.append(opened.read())
        if len(reads) == 1 and is_replaced:
            other.write_text("b")
            os.utime(other, ns=(was.st_atime_ns, was.st_mtime_ns))
            other.replace(file)
        elif len(reads) == 1:
            file.write_text("b")
            os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns + 1_000_000))
        return reads[-1]

    assert read_unchanged(file, read) == b"b"


def test_more_left_out_files_than_a_screen_shows_are_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    skipped = {f"{number:02}.tmp": "a temporary file" for number in range(23)}
    print_skipped(Console(), skipped, width=10)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 21
    assert lines[0] == "skipped   00.tmp: a temporary file"
    assert lines[-1] == "skipped   3 more; --json names all"

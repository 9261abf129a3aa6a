"""A guarded file that is moved, copied, changed or added again is read by nobody else.

Each way has its own knowledge base with a guarded file (label `hr`) and an open one. After it a
reader without labels finds nothing of the guarded text, and one with the label finds it.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli import app
from tests.service.conftest import Running
from tests.service.waiting import eventually

SECRET = "# Pay\n\nThe director earns 9000 euros a month.\n\nThe clerk earns 2500 euros.\n"
NEWER = "# Pay\n\nFrom May the chairman receives a yearly bonus of 77 gold coins.\n"
QUESTION = "What does the director earn, which bonus of gold coins?"
TOLD = ("9000", "77 gold")


@dataclass
class Ground:
    """A folder, and the knowledge base that it is synchronised with."""

    running: Running
    base: str
    folder: Path

    @property
    def pay(self) -> Path:
        return self.folder / "pay.md"

    @property
    def store(self) -> str:
        return f"/v1/vector_stores/{self.base}"

    def kb(self, *words: str, exits: int = 0) -> Any:
        line = ["kb", *words, "--json", "--url", str(self.running.client.base_url)]
        done = CliRunner().invoke(app, line)
        assert done.exit_code == exits, done.output
        return json.loads(done.stdout)

    def sync(self, *words: str, exits: int = 0) -> Any:
        return self.kb("sync", self.base, str(self.folder), *words, exits=exits)

    def add(self, *files: Path, words: tuple[str, ...] = ()) -> Any:
        return self.kb("add", self.base, *map(str, files), *words)

    def put(self, name: str, text: str, **fields: object) -> None:
        body = {"filename": Path(name).name, "content": text, **fields}
        reply = self.running.client.put(f"{self.store}/documents/{name}", json=body)
        assert reply.status_code == 200, reply.text

    def batch(self, name: str, text: str) -> None:
        client = self.running.client
        sent = {"file": (name, text.encode())}
        made = client.post("/v1/files", files=sent, data={"purpose": "assistants"}).json()
        batch = client.post(f"{self.store}/file_batches", json={"file_ids": [made["id"]]}).json()
        done = f"{self.store}/file_batches/{batch['id']}"
        eventually(lambda: client.get(done).json()["status"] == "completed")

    def read_by(self, *labels: str) -> str:
        body = {"query": QUESTION, "access_labels": labels, "max_num_results": 20}
        return self.running.client.post(f"{self.store}/search", json=body).text


def rename(ground: Ground, name: str) -> Path:
    there = ground.folder / name
    there.parent.mkdir(exist_ok=True)
    return ground.pay.rename(there)


def renamed(ground: Ground) -> None:
    rename(ground, "pay-2026.md")
    ground.sync()


def moved_to_a_subfolder(ground: Ground) -> None:
    rename(ground, "deep/pay.md")
    ground.sync()


def copied(ground: Ground) -> None:
    (ground.folder / "copy.md").write_text(SECRET)
    ground.sync()


def deleted_and_added_again(ground: Ground) -> None:
    ground.kb("rm", ground.base, "pay.md")
    ground.add(ground.pay)


def deleted_and_added_under_another_name(ground: Ground) -> None:
    ground.kb("rm", ground.base, "pay.md")
    ground.add(ground.pay, words=("--as", "salaries"))


def synced_away_and_back_elsewhere(ground: Ground) -> None:
    ground.pay.unlink()
    ground.sync()
    (ground.folder / "later.md").write_text(SECRET)
    ground.sync()


def renamed_with_another_suffix(ground: Ground) -> None:
    rename(ground, "pay.txt")
    ground.sync()


def saved_as_a_web_page(ground: Ground) -> None:
    ground.pay.unlink()
    page = "<h1>Pay</h1><p>The director earns 9000 euros a month.</p><p>The clerk earns 2500 euros."
    (ground.folder / "pay.html").write_text(page)
    ground.sync()


def written_with_other_line_ends(ground: Ground) -> None:
    rename(ground, "windows.md").write_bytes(SECRET.replace("\n", "\r\n").encode())
    ground.sync()


def written_with_a_byte_order_mark(ground: Ground) -> None:
    rename(ground, "marked.md").write_bytes(b"\xef\xbb\xbf" + SECRET.encode())
    ground.sync()


def written_in_utf_16_with_trailing_spaces(ground: Ground) -> None:
    rename(ground, "wide.md").write_text(SECRET.replace("\n", "  \n"), encoding="utf-16")
    ground.sync()


def moved_out_of_a_folder_with_a_rule(ground: Ground) -> None:
    ground.pay.unlink()
    inner = ground.folder / "board"
    inner.mkdir()
    (inner / ".fingerpost-access").write_text("hr\n")
    (inner / "minutes.md").write_text(NEWER)
    ground.sync()
    (inner / "minutes.md").rename(ground.folder / "minutes.md")
    ground.sync()


def moved_into_a_folder_with_other_labels(ground: Ground) -> None:
    inner = ground.folder / "both"
    inner.mkdir()
    (inner / ".fingerpost-access").write_text("# both may read it\nhr\n\nboard\n")
    ground.pay.rename(inner / "pay.md")
    ground.sync()


def copied_out_of_a_new_folder_with_a_rule_at_once(ground: Ground) -> None:
    inner = ground.folder / "z"
    inner.mkdir()
    (inner / ".fingerpost-access").write_text("hr")
    for place in (ground.folder / "a.md", inner / "minutes.md"):
        place.write_text(NEWER)
    ground.sync()


def linked_from_an_open_folder(ground: Ground) -> None:
    inner = ground.folder / "z"
    inner.mkdir()
    (inner / ".fingerpost-access").write_text("hr")
    (inner / "minutes.md").write_text(NEWER)
    (ground.folder / "a.md").symlink_to(inner / "minutes.md")
    ground.sync()


def the_rule_is_gone(ground: Ground) -> None:
    rule = ground.folder / ".fingerpost-access"
    rule.write_text("hr")
    (ground.folder / "minutes.md").write_text(NEWER)
    ground.sync()
    rule.unlink()
    (ground.folder / "minutes.md").write_text(NEWER + "Kept.")
    ground.sync()


def the_case_of_the_name_changed(ground: Ground) -> None:
    rename(ground, "PAY.md")
    ground.sync()


def added_as_a_folder_of_its_own(ground: Ground) -> None:
    rename(ground, "deep/salaries.md")
    ground.add(ground.folder / "deep")


def put_under_a_new_id(ground: Ground) -> None:
    ground.put("anything", SECRET)


def sent_in_a_file_batch(ground: Ground) -> None:
    ground.batch("batch.md", SECRET)


def deleted_and_put_again(ground: Ground) -> None:
    ground.kb("rm", ground.base, "pay.md")
    ground.put("pay.md", NEWER)


def replaced_in_its_place(ground: Ground) -> None:
    ground.pay.write_text(NEWER)
    ground.sync()


def replaced_then_renamed(ground: Ground) -> None:
    ground.pay.write_text(NEWER)
    ground.sync()
    rename(ground, "pay-2026.md")
    ground.sync()


def an_older_text_under_another_name(ground: Ground) -> None:
    ground.pay.write_text(NEWER)
    ground.sync()
    (ground.folder / "old.md").write_text(SECRET)
    ground.sync()


def two_copies_at_once(ground: Ground) -> None:
    for name in ("one.md", "two.md"):
        (ground.folder / name).write_text(SECRET)
    ground.pay.unlink()
    ground.sync()


def renamed_twice(ground: Ground) -> None:
    rename(ground, "one.md")
    ground.sync()
    (ground.folder / "one.md").rename(ground.folder / "two.md")
    ground.sync()


def edited_and_renamed(ground: Ground) -> None:
    rename(ground, "pay-2026.md").write_text(SECRET.replace("2500", "2600") + "\nReviewed.\n")
    ground.sync()


def edited_after_it_was_deleted(ground: Ground) -> None:
    ground.kb("rm", ground.base, "pay.md")
    ground.put("pay-2026.md", SECRET.replace("a month", "each month"))


def written_over_an_open_file(ground: Ground) -> None:
    ground.pay.rename(ground.folder / "hours.md")
    ground.sync()


def edited_and_written_over_an_open_file(ground: Ground) -> None:
    ground.pay.rename(ground.folder / "hours.md").write_text(SECRET.replace("2500", "2600"))
    ground.sync()


def copied_from_one_that_was_opened(ground: Ground) -> None:
    ground.put("open.md", SECRET.replace("9000", "many"), access_labels=[])
    ground.put("copy.md", SECRET)


def rebuilt_and_renamed(ground: Ground) -> None:
    ground.kb("reindex", ground.base)
    renamed(ground)


def both_names_at_once(ground: Ground) -> None:
    with ThreadPoolExecutor(4) as threads:
        sent = [threads.submit(ground.put, f"{no}.md", SECRET) for no in range(4)]
        sent += [threads.submit(ground.put, "pay.md", NEWER)]
    assert [one.result() for one in sent] == [None] * 5


WAYS: list[Callable[[Ground], None]] = [
    renamed,
    moved_to_a_subfolder,
    copied,
    deleted_and_added_again,
    deleted_and_added_under_another_name,
    synced_away_and_back_elsewhere,
    renamed_with_another_suffix,
    saved_as_a_web_page,
    written_with_other_line_ends,
    written_with_a_byte_order_mark,
    written_in_utf_16_with_trailing_spaces,
    moved_out_of_a_folder_with_a_rule,
    moved_into_a_folder_with_other_labels,
    copied_out_of_a_new_folder_with_a_rule_at_once,
    linked_from_an_open_folder,
    the_rule_is_gone,
    the_case_of_the_name_changed,
    added_as_a_folder_of_its_own,
    put_under_a_new_id,
    sent_in_a_file_batch,
    deleted_and_put_again,
    replaced_in_its_place,
    replaced_then_renamed,
    an_older_text_under_another_name,
    two_copies_at_once,
    renamed_twice,
    edited_and_renamed,
    edited_after_it_was_deleted,
    written_over_an_open_file,
    edited_and_written_over_an_open_file,
    copied_from_one_that_was_opened,
    rebuilt_and_renamed,
    both_names_at_once,
]


@pytest.fixture
def grounds(
    running: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], Ground]:
    """Return how to make a base with a guarded file and an open one."""
    monkeypatch.setattr("service.cli.client._POLL_S", 0.01)

    def make(name: str) -> Ground:
        ground = Ground(running, name, tmp_path / name)
        ground.folder.mkdir()
        ground.pay.write_text(SECRET)
        (ground.folder / "hours.md").write_text("# Hours\n\nThe office opens at eight.\n")
        ground.kb("create", name)
        ground.sync()
        ground.add(ground.pay, words=("--access", "hr"))
        return ground

    return make


def leaks(ground: Ground, way: Callable[[Ground], None]) -> Iterator[str]:
    way(ground)
    everybody, guarded = ground.read_by(), ground.read_by("hr")
    if any(told in everybody for told in TOLD):
        yield f"{way.__name__}: read by everybody"
    if not any(told in guarded for told in TOLD):
        yield f"{way.__name__}: not found by who may read it"
    if "opens at eight" not in ground.read_by("hr") and "open_file" not in way.__name__:
        yield f"{way.__name__}: the open document is not found"


@pytest.mark.parametrize("part", range(6))
def test_no_way_of_moving_a_guarded_file_opens_it(
    grounds: Callable[[str], Ground], part: int
) -> None:
    told = [leak for way in WAYS[part::6] for leak in leaks(grounds(way.__name__[:60]), way)]
    assert told == []

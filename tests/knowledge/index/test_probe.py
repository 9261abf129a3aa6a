"""Damaged folders are found out before they are served; sound ones are left alone."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from knowledge import ChromaIndex, QuarantinedIndex, find_quarantined
from knowledge.index.probe import probe, quarantine_if_damaged
from tests.fakes.room import ROOT

COUNT = 250  # over twice `sync_threshold`: the HNSW files are written


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder that holds one collection, closed."""
    vectors = np.random.default_rng(1).standard_normal((COUNT, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = ChromaIndex.open(tmp_path / "chroma")
    index.create("kb_lamps")
    index.upsert("kb_lamps", [f"chk{number}" for number in range(COUNT)], vectors)
    index.close()
    return tmp_path / "chroma"


def test_a_sound_folder_is_served_as_it_is(folder: Path) -> None:
    assert quarantine_if_damaged(folder) is None
    index = ChromaIndex.open(folder)
    assert index.count("kb_lamps") == len(index.reachable("kb_lamps")) == COUNT
    index.close()
    assert [path.name for path in folder.parent.iterdir()] == ["chroma"]
    assert find_quarantined(folder) is None


def test_no_folder_and_an_empty_one_are_not_damaged(tmp_path: Path) -> None:
    assert probe(tmp_path / "nothing") is None
    assert probe(tmp_path) is None


@pytest.mark.parametrize("name", ["data_level0.bin", "index_metadata.pickle", "header.bin"])
def test_a_cut_index_file_is_found_out_in_a_child(folder: Path, name: str) -> None:
    (file,) = folder.glob(f"*/{name}")
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size // 3)
    assert quarantine_if_damaged(folder)
    assert list(folder.iterdir()) == []
    (damaged,) = folder.parent.glob("chroma.damaged-*")
    assert (damaged / "chroma.sqlite3").is_file()
    assert find_quarantined(folder) == QuarantinedIndex(1, damaged.name)


def test_of_quarantined_folders_only_the_newest_stays(folder: Path) -> None:
    older = folder.parent / "chroma.damaged-20200101T000000"
    older.mkdir()
    (folder / "chroma.sqlite3").unlink()
    assert quarantine_if_damaged(folder) == "chroma.sqlite3 is missing"
    assert not older.exists()
    assert len(list(folder.parent.glob("chroma.damaged-*"))) == 1


def test_the_command_starts_after_a_quarantine(folder: Path) -> None:
    (folder / "chroma.sqlite3").write_bytes(b"not a database" * 500)
    argv = [sys.executable, "-m", "knowledge.index.probe", str(folder), "--", "echo", "served"]
    finished = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "served"
    assert "is damaged" in finished.stderr
    assert list(folder.iterdir()) == []

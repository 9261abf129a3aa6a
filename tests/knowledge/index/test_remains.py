"""Of a dropped collection Chroma's folder keeps nothing; the others serve on."""

import sqlite3
import uuid
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from knowledge import ChromaIndex, erase_remains
from knowledge.index import remains
from knowledge.index.remains import DATABASE
from tests.fakes.room import ChromaServer

MINE, OTHERS = "kb_mine", "kb_others"
N = 1_200  # Chroma writes a collection's own folder after 1,000 vectors


def vectors(seed: int) -> npt.NDArray[np.float32]:
    found = np.random.default_rng(seed).normal(size=(N, 8)).astype(np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return found


def write(folder: Path) -> None:
    index = ChromaIndex.open(folder)
    for seed, name in enumerate((OTHERS, MINE)):
        index.create(name)
        index.upsert(name, [f"{name}-{number}" for number in range(N)], vectors(seed))
    index.drop(MINE)
    index.close()


def holds(folder: Path, content: bytes) -> list[str]:
    return [
        path.name for path in folder.rglob("*") if path.is_file() and content in path.read_bytes()
    ]


def test_no_id_and_no_vector_of_a_dropped_collection_is_left(tmp_path: Path) -> None:
    write(tmp_path)
    secret = vectors(1)
    some = [secret[at].tobytes() for at in (0, N // 2, N - 1)]
    assert holds(tmp_path, MINE.encode())
    assert any(holds(tmp_path, each) for each in some)
    assert erase_remains(tmp_path)
    assert holds(tmp_path, MINE.encode()) == []
    assert [holds(tmp_path, each) for each in some] == [[], [], []]


def test_the_other_collections_are_searched_and_written_on(tmp_path: Path) -> None:
    write(tmp_path)
    assert erase_remains(tmp_path)
    assert erase_remains(tmp_path), "once more changes nothing"
    index = ChromaIndex.open(tmp_path)
    index.upsert(OTHERS, ["new"], -vectors(1)[:1])
    assert index.count(OTHERS) == N + 1
    hits = index.start_query(OTHERS, vectors(0)[7], top_k=1)()
    assert hits[0].chunk_id == f"{OTHERS}-7"
    assert "new" in index.reachable(OTHERS)
    index.close()


@pytest.mark.timeout(120)
def test_a_server_that_runs_meanwhile_serves_on(tmp_path: Path) -> None:
    with ChromaServer(tmp_path / "chroma") as server:
        index = ChromaIndex.connect("127.0.0.1", server.port, breaker_s=0)
        for seed, name in enumerate((OTHERS, MINE)):
            index.create(name)
            index.upsert(name, [f"{name}-{number}" for number in range(N)], vectors(seed))
        index.drop(MINE)
        assert holds(server.folder, MINE.encode())
        assert erase_remains(server.folder)
        assert holds(server.folder, MINE.encode()) == []
        index.upsert(OTHERS, ["new"], -vectors(1)[:1])
        assert index.count(OTHERS) == N + 1
        index.create("kb_later")
        index.upsert("kb_later", [f"later-{number}" for number in range(N)], vectors(2))
        index.close()
        server.end()
        server.start()
        index = ChromaIndex.connect("127.0.0.1", server.port, breaker_s=0)
        for name, seed, hit in ((OTHERS, 0, f"{OTHERS}-7"), ("kb_later", 2, "later-7")):
            assert index.start_query(name, vectors(seed)[7], top_k=1)()[0].chunk_id == hit
        assert "new" in index.reachable(OTHERS)
        index.close()


def test_the_folder_of_a_collection_that_is_made_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path)
    made = tmp_path / str(uuid.uuid4())
    monkeypatch.setattr(remains, "_blank_queue", lambda _chroma: made.mkdir())
    assert erase_remains(tmp_path)
    assert made.is_dir()


def test_a_busy_database_is_told_and_a_missing_one_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert erase_remains(tmp_path)
    (tmp_path / DATABASE).write_bytes(b"no database at all, but long enough" * 9)
    assert not erase_remains(tmp_path)
    (tmp_path / DATABASE).unlink()
    write(tmp_path)
    monkeypatch.setattr("knowledge.index.remains.PATIENCE_S", 0.1)
    other = sqlite3.connect(tmp_path / DATABASE, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        assert not erase_remains(tmp_path)
    finally:
        other.close()
    assert erase_remains(tmp_path)

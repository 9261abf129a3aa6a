"""A damaged, stale or worn vector index: does the next start find it out and heal it from SQL?

`damage` spoils Chroma's folder while it is stopped, in many ways, and starts again; `churn`
deletes and replaces much of a base while everything runs (chroma-core/chroma#7758). Healed means
that every live chunk is the first thing found by its own vector, nothing else is in the index,
and nothing was embedded again.
"""

import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import select

from knowledge import KnowledgeError, NewDocument
from knowledge.sql.chunks import vector_of
from knowledge.sql.tables import chunks, documents
from tests.fakes.room import BASE, ChromaServer, Room, opened
from tests.fakes.tenant import TENANT

KEPT_DOCUMENTS = 500  # over five times `sync_threshold`: most vectors are in the HNSW files only
CHURNED_DOCUMENTS = 1_200
Damage = Callable[[Path, random.Random], None]


@dataclass(frozen=True, slots=True)
class Start:
    """One start on a spoiled folder."""

    way: str
    flagged_by: str  # probe | reconcile | "" (not noticed)
    healed: bool
    embedded: int
    detail: str


@dataclass(frozen=True, slots=True)
class Churn:
    """What half deletes and a third upserts left, after `catch_up`."""

    chunks: int
    orphans: int
    missing: int  # ids that the index does not hold
    not_found: int  # live chunks that a search by their own vector does not bring
    not_found_before: int  # the same before `catch_up`
    rebuilt: int


def damage(folder: Path, *, starts: int, seed: int) -> Iterator[Start]:
    """Yield how each of `starts` starts on a spoiled folder went, way after way."""
    chroma, good, stale = folder / "chroma", folder / "good", folder / "stale"
    server = ChromaServer(chroma)
    _fill(folder, server, range(KEPT_DOCUMENTS // 2))
    shutil.copytree(chroma, stale)
    _fill(folder, server, range(KEPT_DOCUMENTS // 4, KEPT_DOCUMENTS), words="newer")
    shutil.copytree(chroma, good)
    ways = list(WAYS)
    for number in range(starts):
        way, rng = ways[number % len(ways)], random.Random(seed + number)
        shutil.rmtree(chroma)
        shutil.copytree(stale if way == "stale copy put back" else good, chroma)
        WAYS[way](chroma, rng)
        yield _start(folder, server, way)


def churn(folder: Path, *, seed: int) -> Churn:
    """Return what half deletes and a third upserts, in random order, did to one base."""
    rng = random.Random(seed)
    names = [f"d{number}" for number in range(CHURNED_DOCUMENTS)]
    rng.shuffle(names)
    half, third = len(names) // 2, len(names) // 3
    with ChromaServer(folder / "chroma") as server, opened(folder, server.port) as room:
        room.knowledge.ingest_many(
            BASE, [_document(name, "first") for name in names], tenant=TENANT
        )
        for name in names[:half]:
            room.knowledge.delete_document(BASE, name, tenant=TENANT)
        again = rng.sample(names, third)
        room.knowledge.ingest_many(
            BASE, [_document(name, "second") for name in again], tenant=TENANT
        )
        before = len(_not_found(room))
        report = room.knowledge.catch_up()
        live, held = set(_live(room)), _held(room)
        return Churn(
            chunks=len(live),
            orphans=len(held - live),
            missing=len(live - held),
            not_found=len(_not_found(room)),
            not_found_before=before,
            rebuilt=report.collections_rebuilt,
        )


def _fill(folder: Path, server: ChromaServer, numbers: range, words: str = "first") -> None:
    server.start()
    try:
        with opened(folder, server.port) as room:
            sources = [_document(f"d{number}", words) for number in numbers]
            room.knowledge.ingest_many(BASE, sources, tenant=TENANT)
            room.knowledge.reconcile_all()
    finally:
        server.end()


def _document(name: str, words: str) -> NewDocument:
    return NewDocument(name, f"{name}.txt", f"lamp {name} {words} {name}{words}".encode())


def _start(folder: Path, server: ChromaServer, way: str) -> Start:
    said = server.start()
    try:
        with opened(folder, server.port) as room:
            report = room.knowledge.reconcile_all()
            repaired = report.orphans_removed + report.missing_added + report.collections_rebuilt
            live, held = set(_live(room)), _held(room)
            lost = _not_found(room)
            by = "probe" if "is damaged" in said else "reconcile" if repaired else ""
            healed = live == held and not lost and report.available
            detail = f"{len(live)} live, {len(held)} held, {len(lost)} not found; {report}"
            return Start(way, by, healed, len(room.embedder.embedded), detail)
    finally:
        server.end()


def _live(room: Room) -> dict[str, np.ndarray]:
    query = select(chunks.c.chunk_id, chunks.c.vector).join(
        documents, documents.c.active_version == chunks.c.version_pk
    )
    with room.engine.connect() as connection:
        return {chunk_id: vector_of(blob) for chunk_id, blob in connection.execute(query)}


def _held(room: Room) -> set[str]:
    return {name for part in room.index.collections() for name in room.index.ids(part)}


def _not_found(room: Room) -> list[str]:
    """Return the live chunks that are not the first hit of their own vector."""
    collections = sorted(room.index.collections())
    lost = []
    for chunk_id, vector in _live(room).items():
        try:
            hits = [
                hit
                for part in collections
                for hit in room.index.start_query(part, vector, top_k=10)()
            ]
        except KnowledgeError:
            hits = []
        best = max(hits, key=lambda hit: hit.score, default=None)
        if best is None or best.chunk_id != chunk_id or best.score < 0.99:
            lost.append(chunk_id)
    return lost


def _segment(folder: Path) -> Path:
    return next(path for path in sorted(folder.iterdir()) if path.is_dir())


def _cut(name: str) -> Damage:
    """Return how to cut a file to a part of itself."""

    def spoil(folder: Path, rng: random.Random) -> None:
        file = _file(folder, name)
        with file.open("r+b") as stream:
            stream.truncate(rng.randrange(max(file.stat().st_size * 9 // 10, 1)))

    return spoil


def _overwrite(name: str, length: int) -> Damage:
    """Return how to write noise over a stretch of a file."""

    def spoil(folder: Path, rng: random.Random) -> None:
        file = _file(folder, name)
        size = file.stat().st_size
        with file.open("r+b") as stream:
            stream.seek(rng.randrange(max(size - length, 1)))
            stream.write(rng.randbytes(min(length, size)))

    return spoil


def _delete(name: str) -> Damage:
    return lambda folder, _: _file(folder, name).unlink()


def _file(folder: Path, name: str) -> Path:
    return folder / name if name.startswith("chroma") else _segment(folder) / name


WAYS: dict[str, Damage] = {
    "vectors cut": _cut("data_level0.bin"),
    "vectors overwritten": _overwrite("data_level0.bin", 4_096),
    "vectors deleted": _delete("data_level0.bin"),
    "links overwritten": _overwrite("link_lists.bin", 256),
    "header overwritten": _overwrite("header.bin", 64),
    "header deleted": _delete("header.bin"),
    "id map cut": _cut("index_metadata.pickle"),
    "id map deleted": _delete("index_metadata.pickle"),
    "lengths cut": _cut("length.bin"),
    "segment folder removed": lambda folder, _: shutil.rmtree(_segment(folder)),
    "database cut": _cut("chroma.sqlite3"),
    "database overwritten": _overwrite("chroma.sqlite3", 8_192),
    "database deleted": _delete("chroma.sqlite3"),
    "folder deleted": lambda folder, _: shutil.rmtree(folder),
    "stale copy put back": lambda _folder, _: None,
}

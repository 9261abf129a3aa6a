"""A writing process killed again and again: what was acknowledged must be there, whole, once.

The child adds, replaces and deletes documents and writes a ledger: a line before each operation
and one after it was acknowledged. The parent searches meanwhile, kills, opens the room again,
reconciles, and compares with the ledger. In every fourth cycle the Chroma server dies as well.

A kill is not a loss of power: what the kernel has taken, it keeps.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select, text

from knowledge import DocumentNotFound, KnowledgeConfig, NewDocument
from knowledge.sql.full_text import CHUNK_BITS
from knowledge.sql.tables import chunks, documents, versions
from tests.fakes.room import BASE, ROOT, ChromaServer, Room, opened
from tests.fakes.tenant import TENANT

DOCUMENTS = 40
DELETED_SHARE = 0.25
LIFE_S = (0.1, 1.6)  # from the child's first operation to its death
SERVER_DIES_EVERY = 4
CONFIG = KnowledgeConfig(orphan_grace_s=0)
_TOKEN = re.compile(r"document (d\d+) version (v\d+)")
_PART = re.compile(r"part (\d+) of (\d+)")
Versions = dict[str, int]  # document → version; 0: deleted


@dataclass
class Toll:
    """What was found; every number but the first four should be 0."""

    seed: int
    cycles: int = 0
    operations: int = 0
    reads: int = 0
    lost: int = 0
    half: int = 0
    duplicate: int = 0
    mixed: int = 0
    orphans: int = 0
    missing: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def faults(self) -> int:
        """Return how much went wrong."""
        return sum((self.lost, self.half, self.duplicate, self.mixed, self.orphans, self.missing))

    def note(self, kind: str, what: str) -> None:
        """Count one fault."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.findings.append(f"cycle {self.cycles}: {kind}: {what}")


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the children were told: acknowledged, and begun without an end."""

    done: Versions
    begun: Versions
    operations: int
    last: int

    @classmethod
    def read(cls, path: Path) -> "Ledger":
        """Return what stands in the file; a half-written last line counts as not written."""
        done: Versions = {}
        begun: Versions = {}
        operations = last = 0
        for line in path.read_bytes().split(b"\n")[:-1] if path.exists() else ():
            at, changes = json.loads(line)
            last = max(last, *changes.values())
            if at == "begin":
                begun.update(changes)
                continue
            operations += len(changes) if at == "done" else 0
            done.update(changes)
            for name in changes:
                begun.pop(name, None)
        return cls(done, begun, operations, last)


def run(folder: Path, *, cycles: int, seed: int) -> Toll:
    """Return the toll of `cycles` kills."""
    toll, rng, ledger = Toll(seed), random.Random(seed), folder / "ledger"
    with ChromaServer(folder / "chroma") as server:
        for _ in range(cycles):
            server_dies = toll.cycles % SERVER_DIES_EVERY == SERVER_DIES_EVERY - 1
            before = Ledger.read(ledger)
            with opened(folder, server.port) as room:
                _live_and_die(room, server, ledger, toll, rng, with_server=server_dies)
            if server_dies:
                server.start()
            with opened(folder, server.port, CONFIG) as room:
                _until_reconciled(room)
                settled = _judge(room, Ledger.read(ledger), before, toll)
            with ledger.open("a") as lines:  # what the begun ones came to
                lines.write("".join(json.dumps(["settled", {k: v}]) + "\n" for k, v in settled))
            toll.cycles += 1
    found = Ledger.read(ledger)
    toll.operations = found.operations
    return toll


def _live_and_die(
    room: Room,
    server: ChromaServer,
    ledger: Path,
    toll: Toll,
    rng: random.Random,
    *,
    with_server: bool,
) -> None:
    argv = [sys.executable, "-m", "tests.benchmarks.killing", str(ledger.parent)]
    size = ledger.stat().st_size if ledger.exists() else 0
    child = subprocess.Popen([*argv, str(server.port), str(rng.randrange(2**31))], cwd=ROOT)
    stop = threading.Event()
    readers = [threading.Thread(target=_read, args=(room, toll, stop, n)) for n in range(2)]
    try:
        while child.poll() is None and (not ledger.exists() or ledger.stat().st_size == size):
            time.sleep(0.005)
        for reader in readers:
            reader.start()
        time.sleep(rng.uniform(*LIFE_S))
        assert child.poll() is None, "the writer ended by itself"
    finally:
        child.kill()
        if with_server:
            server.end(signal.SIGKILL)
        child.wait()
        stop.set()
        for reader in readers:
            if reader.ident is not None:
                reader.join()


def _read(room: Room, toll: Toll, stop: threading.Event, seed: int) -> None:
    """Search until told to stop; no answer may hold two versions of one document."""
    rng = random.Random(seed)
    while not stop.is_set():
        name = f"d{rng.randrange(DOCUMENTS)}"
        found = room.knowledge.retrieve(
            f"document {name} part", base_ids=[BASE], top_k=25, tenant=TENANT
        )
        seen: dict[str, set[tuple[str, int]]] = {}
        for passage in found.passages:
            token = _TOKEN.search(passage.text)
            assert token is not None
            seen.setdefault(token[1], set()).add((token[2], passage.version))
        for name, told in seen.items():
            if len(told) > 1:
                toll.note("mixed", f"{name}: {sorted(told)}")
        toll.reads += 1


def _until_reconciled(room: Room) -> None:
    for _ in range(20):
        if room.knowledge.reconcile_all().available:
            return
        time.sleep(0.25)
    raise RuntimeError("Chroma did not come back")


def _judge(room: Room, ledger: Ledger, before: Ledger, toll: Toll) -> list[tuple[str, int]]:
    """Compare the room with the ledger; return what the unacknowledged operations came to."""
    live = _live_parts(room)
    settled: list[tuple[str, int]] = []
    for name in {*ledger.done, *ledger.begun}:
        told = {version for version, _, _ in live.get(name, ())} or {0}
        allowed = {ledger.done.get(name, before.done.get(name, 0))}
        if name in ledger.begun:
            allowed.add(ledger.begun[name])
        if len(told) > 1:
            toll.note("duplicate", f"{name}: versions {sorted(told)}")
        elif not told <= allowed:
            toll.note("lost", f"{name}: {sorted(told)}, acknowledged {sorted(allowed)}")
        if name in ledger.begun:
            settled.append((name, max(told)))
        _judge_parts(name, live.get(name, []), toll)
    _judge_stores(room, toll)
    return settled


def _live_parts(room: Room) -> dict[str, list[tuple[int, int, int]]]:
    """Return (version, part, of how many) of every live chunk, by document."""
    query = (
        select(documents.c.external_id, chunks.c.text)
        .join(documents, documents.c.active_version == chunks.c.version_pk)
        .order_by(chunks.c.pk)
    )
    live: dict[str, list[tuple[int, int, int]]] = {}
    with room.engine.connect() as connection:
        for name, body in connection.execute(query):
            token, part = _TOKEN.search(body), _PART.search(body)
            assert token is not None
            assert part is not None
            row = (int(token[2][1:]), int(part[1]), int(part[2]))
            live.setdefault(name, []).append(row)
    return live


def _judge_parts(name: str, parts: Sequence[tuple[int, int, int]], toll: Toll) -> None:
    counted = Counter(part for _, part, _ in parts)
    wanted = set(range(1, parts[0][2] + 1)) if parts else set()
    if set(counted) != wanted:
        toll.note("half", f"{name}: parts {sorted(counted)} of {sorted(wanted)}")
    if any(times > 1 for times in counted.values()):
        toll.note("duplicate", f"{name}: parts {counted}")


def _judge_stores(room: Room, toll: Toll) -> None:
    """Index, words and rows must hold the same chunks, one active version per document."""
    with room.engine.connect() as connection:
        live = set(
            connection.scalars(
                select(chunks.c.chunk_id).join(
                    documents, documents.c.active_version == chunks.c.version_pk
                )
            )
        )
        rows = set(connection.scalars(select(chunks.c.pk)))
        words = [
            row_id & ((1 << CHUNK_BITS) - 1)
            for row_id in connection.scalars(text("SELECT rowid FROM kb_lexical"))
        ]
        active = Counter(
            connection.scalars(select(versions.c.document_pk).where(versions.c.state == "active"))
        )
    held: set[str] = set()
    for collection in room.index.collections():
        held |= room.index.reachable(collection)
    for chunk_id in held - live:
        toll.note("orphans", chunk_id)
    for chunk_id in live - held:
        toll.note("missing", chunk_id)
    for pk in set(words) ^ rows:
        toll.note("half", f"chunk {pk} is in one of rows and words only")
    for pk, times in active.items():
        if times > 1:
            toll.note("duplicate", f"document {pk} has {times} active versions")


def body(name: str, version: int, parts: int) -> bytes:
    """Return a document whose every chunk names its version and its place."""
    sections = (
        f"# Section {part}\n\ndocument {name} version v{version} part {part} of {parts}, "
        f"lamp{version % 17} and shade{part}.\n\n"
        for part in range(1, parts + 1)
    )
    return "".join(sections).encode()


def write(folder: Path, port: int, seed: int) -> None:
    """Write until killed; a process of its own."""
    rng, ledger = random.Random(seed), folder / "ledger"
    version = Ledger.read(ledger).last
    lines = os.open(ledger, os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def tell(at: str, changes: Versions) -> None:
        os.write(lines, json.dumps([at, changes]).encode() + b"\n")

    with opened(folder, port) as room:
        while True:
            names = [f"d{n}" for n in rng.sample(range(DOCUMENTS), rng.choice((1, 1, 2, 5)))]
            if rng.random() < DELETED_SHARE:
                tell("begin", {names[0]: 0})
                try:
                    room.knowledge.delete_document(BASE, names[0], tenant=TENANT)
                except DocumentNotFound:
                    pass
                tell("done", {names[0]: 0})
                continue
            changes = {name: version + number for number, name in enumerate(names, start=1)}
            version += len(names)
            sources = [
                NewDocument(name, f"{name}.md", body(name, number, rng.randint(1, 6)))
                for name, number in changes.items()
            ]
            tell("begin", changes)
            room.knowledge.ingest_many(BASE, sources, tenant=TENANT)
            tell("done", changes)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

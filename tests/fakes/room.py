"""The knowledge room as the product runs it, made small: SQLite, `chroma run`, a word embedder.

The server starts behind `knowledge.index.probe`, as the supervisor starts it, and can be killed.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Engine

from knowledge import ChromaIndex, Knowledge, KnowledgeConfig, StoreUnavailable, metadata
from service.stores.database import create_tables, open_database
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.ports import free_port
from tests.fakes.tenant import TENANT

ROOT = Path(__file__).resolve().parents[2]
BASE = "handbook"
START_S = 60.0


class ChromaServer:
    """`chroma run` on a folder, probed before each start."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.log = folder.parent / "chroma.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> str:
        """Start, wait until it answers, and return what was written meanwhile."""
        self.folder.mkdir(parents=True, exist_ok=True)
        script = str(Path(sys.executable).parent / "chroma")
        serve = [sys.executable, script, "run", "--host", "127.0.0.1", "--port", str(self.port)]
        argv = [sys.executable, "-m", "knowledge.index.probe", str(self.folder), "--", *serve]
        began = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*argv, "--path", str(self.folder)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()
        with self.log.open("rb") as log:
            log.seek(began)
            return log.read().decode(errors="replace")

    @property
    def pid(self) -> int:
        """The process that runs now."""
        assert self._process is not None
        return self._process.pid

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End the server; SIGKILL as in a crash."""
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, number)
            process.wait(30)

    def _wait(self) -> None:
        assert self._process is not None
        index = ChromaIndex.connect("127.0.0.1", self.port, breaker_s=0)
        deadline = time.monotonic() + START_S
        try:
            while self._process.poll() is None and time.monotonic() < deadline:
                try:
                    index.ping()
                except StoreUnavailable:
                    time.sleep(0.05)
                else:
                    return
        finally:
            index.close()
        raise RuntimeError(f"chroma run does not start:\n{self.log.read_text()[-2000:]}")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _exc: object, _trace: TracebackType | None
    ) -> None:
        self.end(signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Room:
    """An opened room and its parts."""

    engine: Engine
    index: ChromaIndex
    embedder: FakeEmbedder
    knowledge: Knowledge


@contextmanager
def opened(folder: Path, port: int, config: KnowledgeConfig | None = None) -> Iterator[Room]:
    """Open the room on `folder`/state.db and the server; the base `handbook` is made if need be."""
    engine = open_database(f"sqlite:///{folder}/state.db")
    create_tables(engine, metadata)
    index = ChromaIndex.connect("127.0.0.1", port, 5.0, breaker_s=0.0)
    embedder = FakeEmbedder()
    knowledge = Knowledge(engine, index, embedder, config)
    if BASE not in [base.base_id for base in knowledge.list_bases(tenant=TENANT)]:
        knowledge.create_base("Handbook", base_id=BASE, tenant=TENANT)
    try:
        yield Room(engine, index, embedder, knowledge)
    finally:
        index.close()
        engine.dispose()

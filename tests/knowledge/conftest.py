"""The room made small: real SQLite and real Chroma in a temporary folder, a word embedder."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from knowledge import ChromaIndex, Knowledge, KnowledgeConfig, Reranker, VectorIndex, metadata
from service.stores.database import create_tables, open_database
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.ports import free_port

BASE = "handbook"
TENANT = "acme"
OpenKnowledge = Callable[..., Knowledge]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path}/state.db")
    create_tables(opened, metadata)
    yield opened
    opened.dispose()


@pytest.fixture
def index(tmp_path: Path) -> Iterator[ChromaIndex]:
    opened = ChromaIndex.open(tmp_path / "chroma")
    yield opened
    opened.close()


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def open_knowledge(engine: Engine, index: ChromaIndex, embedder: FakeEmbedder) -> OpenKnowledge:
    """Return how to open the room with something exchanged."""

    def build(
        *,
        vectors: VectorIndex | None = None,
        words: FakeEmbedder | None = None,
        config: KnowledgeConfig | None = None,
        reranker: Reranker | None = None,
        next_words: FakeEmbedder | None = None,
    ) -> Knowledge:
        return Knowledge(
            engine,
            vectors or index,
            words or embedder,
            config,
            reranker=reranker,
            next_embedder=next_words,
        )

    return build


@pytest.fixture
def knowledge(open_knowledge: OpenKnowledge) -> Knowledge:
    """Return the room with one empty knowledge base, `handbook`."""
    opened = open_knowledge()
    opened.create_base("Handbook", base_id=BASE, tenant=TENANT)
    return opened


@pytest.fixture
def refused_port() -> int:
    """Return a port on which nobody listens."""
    return free_port()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Give a port that accepts connections and never answers."""
    listener = socket.create_server(("127.0.0.1", 0))
    accepted: list[socket.socket] = []
    closing = threading.Event()

    def accept() -> None:
        while not closing.is_set():
            try:
                accepted.append(listener.accept()[0])
            except OSError:
                return

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield int(listener.getsockname()[1])
    closing.set()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(2)
    for connection in accepted:
        connection.close()

"""The vector index in Chroma: deadlines, a circuit breaker, batches; on a server or in a folder.

It knows Chroma and its faults; it does not know documents or SQL. Vectors are passed in, so no
embedding function is ever made. The only file that imports chromadb, and only for a folder.
"""

import contextlib
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np

from knowledge.errors import StoreRefused, StoreUnavailable, VectorsMissing
from knowledge.index.chroma_server import (
    HNSW_SETTINGS,
    READ_PAGE,
    ChromaClient,
    ChromaServer,
    refusal,
)
from knowledge.index.vectors import PendingHits, VectorHit, Vectors

T = TypeVar("T")

UPSERT_BATCH = 250  # Chroma's docs: 50 to 250 is best; some builds refuse more than 5,461
LENGTH_TOLERANCE = 0.02  # ours are of length one to 0.001 (float16); damaged ones seldom are
SELF_SEARCHES = 1_000  # of one collection by its own vectors: finds what ails 1 in 200
SELF_BATCH = 100
SELF_DISTANCE = 0.01  # a vector's distance to itself is below 0.001
MAX_CALLS = 16  # under way at once; a hung server gives its threads back at the socket's timeout


class ChromaIndex:
    """Chroma over HTTP (`connect`) or in process (`open`: tests and one-process tools)."""

    def __init__(
        self, client: ChromaClient, *, timeout_s: float, write_timeout_s: float, breaker_s: float
    ) -> None:
        """Wrap a client in deadlines and a breaker. Use `connect` or `open`."""
        self._client = client
        self._timeout_s = timeout_s
        self._write_timeout_s = write_timeout_s
        self._breaker_s = breaker_s
        self._closed_until = 0.0
        self._threads = ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="chroma")

    @classmethod
    def connect(
        cls,
        host: str,
        port: int,
        timeout_s: float = 0.8,
        *,
        write_timeout_s: float = 5.0,
        breaker_s: float = 1.0,
    ) -> Self:
        """Return an index on a `chroma run` server; contacts it at the first call only.

        Args:
            host: Where it listens, normally loopback.
            port: Its port.
            timeout_s: Hard deadline of a read: refused, hung and slow all end within it.
            write_timeout_s: Hard deadline of one write batch or one page of a listing.
            breaker_s: After a failure every call fails at once for this long.
        """
        client = ChromaServer(host, port, socket_timeout_s=max(timeout_s, write_timeout_s))
        return cls(
            client, timeout_s=timeout_s, write_timeout_s=write_timeout_s, breaker_s=breaker_s
        )

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return an index on a folder in this process. One process per folder, never two."""
        return cls(_ChromaFolder(path), timeout_s=30.0, write_timeout_s=60.0, breaker_s=0.0)

    def start_query(self, collection: str, vector: Vectors, *, top_k: int) -> PendingHits:
        """Start looking for the nearest vectors; the call returned waits for them, best first."""
        answer = self._start(lambda: self._client.query(collection, vector, top_k), self._timeout_s)
        # Chroma's cosine distance is 1 - cosine; this is the one place that turns it round
        return lambda: [VectorHit(chunk_id, 1.0 - float(far)) for chunk_id, far in answer()]

    def ids(self, collection: str) -> set[str]:
        """Return every id in the collection."""
        seen: set[str] = set()
        for page in self._pages(lambda offset: self._client.ids(collection, offset)):
            seen.update(page)
        return seen

    def count(self, collection: str) -> int:
        """Return how many vectors the collection holds."""
        return self._bounded(lambda: self._client.count(collection), self._timeout_s)

    def collections(self) -> set[str]:
        """Return the names of all collections."""
        names: set[str] = set()
        for page in self._pages(self._client.names):
            names.update(page)
        return names

    def reachable(self, collection: str) -> set[str]:
        """Return the ids that searches can come upon.

        A search for as many as there are walks all of the HNSW graph: what it does not bring, no
        question will (chroma-core/chroma#7758), and links that point nowhere crash it. Searches
        by a sample of the vectors themselves show links that lead astray.
        """
        ids, vectors = self._all_vectors(collection)
        if not ids:
            return set()
        walk = _call(self._client.query, collection, vectors[0], len(ids))
        found = {chunk_id for chunk_id, _ in self._bounded(walk, self._write_timeout_s)}
        sample = np.random.default_rng(0).permutation(len(ids))[:SELF_SEARCHES]
        for start in range(0, len(sample), SELF_BATCH):
            part = sample[start : start + SELF_BATCH]
            search = _call(self._client.nearest, collection, vectors[part])
            far = self._bounded(search, self._write_timeout_s)
            found -= {ids[at] for at, d in zip(part, far, strict=True) if d > SELF_DISTANCE}
        return found

    def _all_vectors(self, collection: str) -> tuple[list[str], Vectors]:
        """Return all ids and their vectors; vectors of another length than one are damaged."""
        ids: list[str] = []
        parts: list[Vectors] = []
        total = self.count(collection)
        while len(ids) < total:
            read = _call(self._client.vectors, collection, len(ids))
            names, page = self._bounded(read, self._write_timeout_s)
            if not names:
                break
            lengths = np.linalg.norm(page, axis=1)
            if not bool(np.all(np.abs(lengths - 1.0) < LENGTH_TOLERANCE)):
                raise StoreRefused(f"vectors of {collection} are not as they were written")
            ids += names
            parts.append(page)
        return ids, np.vstack(parts) if parts else np.zeros((0, 0), dtype=np.float32)

    def ping(self) -> None:
        """Return when the index answers."""
        self._bounded(self._client.ping, self._timeout_s)

    def create(self, collection: str) -> None:
        """Make the collection if it is not there."""
        self._bounded(lambda: self._client.create(collection), self._write_timeout_s)

    def drop(self, collection: str) -> None:
        """Remove the collection if it is there."""
        with contextlib.suppress(VectorsMissing):
            self._bounded(lambda: self._client.drop(collection), self._write_timeout_s)

    def upsert(self, collection: str, ids: Sequence[str], vectors: Vectors) -> None:
        """Write vectors (n, d); the same id again overwrites."""
        for part in _batches(len(ids)):
            write = _call(self._client.upsert, collection, list(ids[part]), vectors[part])
            self._bounded(write, self._write_timeout_s)

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove vectors; unknown ids and collections are no error."""
        with contextlib.suppress(VectorsMissing):
            for part in _batches(len(ids)):
                remove = _call(self._client.delete, collection, list(ids[part]))
                self._bounded(remove, self._write_timeout_s)

    def close(self) -> None:
        """Free sockets, threads and files."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _pages(self, read: Callable[[int], list[str]]) -> Iterator[list[str]]:
        offset, page = 0, [""] * READ_PAGE
        while len(page) == READ_PAGE:
            page = self._bounded(_call(read, offset), self._write_timeout_s)
            yield page
            offset += len(page)

    def _bounded(self, call: Callable[[], T], timeout_s: float) -> T:
        """Run `call` and give up on it after `timeout_s`."""
        return self._start(call, timeout_s)()

    def _start(self, call: Callable[[], T], timeout_s: float) -> Callable[[], T]:
        """Start `call` on a pool thread; what is returned waits, until `timeout_s` from now."""
        if time.monotonic() < self._closed_until:
            raise StoreUnavailable("Chroma failed a moment ago and is not asked again yet")
        try:
            future = self._threads.submit(call)
        except RuntimeError as exc:  # the pool is shut down
            raise StoreUnavailable("the vector index is closed") from exc
        deadline = time.monotonic() + timeout_s

        def wait() -> T:
            try:
                return future.result(timeout=max(deadline - time.monotonic(), 0.0))
            except FutureTimeout as exc:
                self._open_breaker()
                raise StoreUnavailable(f"Chroma gave no answer within {timeout_s:g} s") from exc
            except StoreRefused:
                raise  # it did answer, and quickly
            except StoreUnavailable:
                self._open_breaker()
                raise

        return wait

    def _open_breaker(self) -> None:
        self._closed_until = time.monotonic() + self._breaker_s


class _ChromaFolder:
    """Chroma in this process, on a folder; opened at the first call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: Any = None
        self._lock = threading.Lock()

    def query(self, collection: str, vector: Vectors, top_k: int) -> list[tuple[str, float]]:
        with _room_errors():
            found = self._collection(collection).query(
                query_embeddings=[vector], n_results=top_k, include=["distances"]
            )
        return list(zip(found["ids"][0], found["distances"][0], strict=True))

    def ids(self, collection: str, offset: int) -> list[str]:
        with _room_errors():
            page = self._collection(collection).get(include=[], limit=READ_PAGE, offset=offset)
        return list(page["ids"])

    def vectors(self, collection: str, offset: int) -> tuple[list[str], Vectors]:
        with _room_errors():
            page = self._collection(collection).get(
                include=["embeddings"], limit=READ_PAGE, offset=offset
            )
        return page["ids"], np.asarray(page["embeddings"], dtype=np.float32)

    def nearest(self, collection: str, vectors: Vectors) -> list[float]:
        with _room_errors():
            found = self._collection(collection).query(
                query_embeddings=vectors, n_results=1, include=["distances"]
            )
        return [row[0] if row else math.inf for row in found["distances"]]

    def count(self, collection: str) -> int:
        with _room_errors():
            return int(self._collection(collection).count())

    def names(self, offset: int) -> list[str]:
        with _room_errors():
            page = self._client().list_collections(limit=READ_PAGE, offset=offset)
        return [item.name for item in page]

    def ping(self) -> None:
        with _room_errors():
            self._client().heartbeat()

    def create(self, collection: str) -> None:
        with _room_errors():
            self._client().get_or_create_collection(
                collection, configuration={"hnsw": HNSW_SETTINGS}, embedding_function=None
            )

    def drop(self, collection: str) -> None:
        with _room_errors():
            self._client().delete_collection(collection)

    def upsert(self, collection: str, ids: list[str], vectors: Vectors) -> None:
        with _room_errors():
            self._collection(collection).upsert(ids=ids, embeddings=vectors)

    def delete(self, collection: str, ids: list[str]) -> None:
        with _room_errors():
            self._collection(collection).delete(ids=ids)

    def close(self) -> None:
        with self._lock:
            client, self._opened = self._opened, None
        if client is not None:
            client.close()

    def _client(self) -> Any:
        with self._lock:
            if self._opened is None:
                import chromadb
                from chromadb.config import Settings

                settings = Settings(anonymized_telemetry=False)
                self._opened = chromadb.PersistentClient(path=str(self._path), settings=settings)
            return self._opened

    def _collection(self, name: str) -> Any:
        return self._client().get_collection(name, embedding_function=None)


@contextlib.contextmanager
def _room_errors() -> Iterator[None]:
    """Turn chromadb's errors into this room's."""
    from chromadb.errors import ChromaError, NotFoundError

    try:
        yield
    except NotFoundError as exc:
        raise VectorsMissing(f"Chroma has no such collection ({exc}); run reconcile") from exc
    except (ChromaError, OSError, ValueError) as exc:
        raise refusal(str(exc)) from exc


def _batches(total: int) -> Iterator[slice]:
    return (slice(start, start + UPSERT_BATCH) for start in range(0, total, UPSERT_BATCH))


def _call(function: Callable[..., T], *arguments: Any) -> Callable[[], T]:
    """Bind the arguments now: a lambda in a loop would see the last ones."""
    return lambda: function(*arguments)

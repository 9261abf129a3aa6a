"""The vector index: Chroma, and nothing else, behind the `VectorIndex` protocol.

It knows Chroma's server and folder, deadlines and faults; it does not know documents or SQL.
Vectors are passed in, so no embedding function is ever made. The only file that talks to
Chroma; chromadb itself is imported only for a folder, the server is spoken to over HTTP.
"""

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt
import orjson

from knowledge.errors import (
    EmbeddingDimensionMismatch,
    StoreRefused,
    StoreUnavailable,
    VectorsMissing,
)

logger = logging.getLogger(__name__)
Vectors = npt.NDArray[np.float32]
T = TypeVar("T")

UPSERT_BATCH = 250  # Chroma's docs: 50 to 250 is best; some builds refuse more than 5,461
READ_PAGE = 1_000  # an unlimited `get` fails with "too many SQL variables" on large collections
LENGTH_TOLERANCE = 0.02  # ours are of length one to 0.001 (float16); damaged ones seldom are
SELF_SEARCHES = 1_000  # of one collection by its own vectors: finds what ails 1 in 200
SELF_BATCH = 100
SELF_DISTANCE = 0.01  # a vector's distance to itself is below 0.001
CALLS = 16  # under way at once; a hung server gives its threads back at the socket's timeout
SPACE = {
    "space": "cosine",
    "ef_search": 200,  # over the 50 candidates we ask for, and the 200 of the second look
    "sync_threshold": 100,  # the default 1,000 leaves the last rows unwritten for long (#6975)
    "batch_size": 100,
}


@dataclass(frozen=True, slots=True)
class VectorHit:
    """One neighbour: `score` is the cosine, -1..1, higher is nearer."""

    chunk_id: str
    score: float


class VectorReader(Protocol):
    """Reading half of the index. Every call ends within its deadline (`StoreUnavailable`)."""

    def ask(self, collection: str, vector: Vectors, *, top_k: int) -> Callable[[], list[VectorHit]]:
        """Start looking for the nearest vectors; the call returned waits for them, best first.

        Waiting raises `VectorsMissing`: no such collection.
        """

    def ids(self, collection: str) -> set[str]:
        """Return every id in the collection. Raises `VectorsMissing`."""

    def count(self, collection: str) -> int:
        """Return how many vectors the collection holds. Raises `VectorsMissing`."""

    def collections(self) -> set[str]:
        """Return the names of all collections."""

    def reachable(self, collection: str) -> set[str]:
        """Return the ids that searches can come upon; whole collections are read and walked.

        Raises `VectorsMissing`, and `StoreRefused` where the collection cannot be read.
        """

    def ping(self) -> None:
        """Return when the index answers."""


class VectorIndex(VectorReader, Protocol):
    """Reading and writing."""

    def create(self, collection: str) -> None:
        """Make the collection if it is not there."""

    def drop(self, collection: str) -> None:
        """Remove the collection if it is there."""

    def upsert(self, collection: str, ids: Sequence[str], vectors: Vectors) -> None:
        """Write vectors (n, d); the same id again overwrites. Raises `VectorsMissing`."""

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove vectors; unknown ids and collections are no error."""

    def close(self) -> None:
        """Free sockets, threads and files."""


def put(index: VectorIndex, collection: str, ids: Sequence[str], vectors: Vectors) -> bool:
    """Write vectors, making the collection if need be; False: Chroma is away, reconcile adds them.

    Raises:
        EmbeddingDimensionMismatch: The collection holds vectors of another length.
    """
    try:
        try:
            index.upsert(collection, ids, vectors)
        except VectorsMissing:  # the first document, or Chroma lost its folder
            index.create(collection)
            index.upsert(collection, ids, vectors)
    except (StoreUnavailable, VectorsMissing) as exc:
        logger.warning("%d vectors wait for reconcile to be indexed: %s", len(ids), exc)
        return False
    return True


class ChromaIndex:
    """Chroma over HTTP (`connect`) or in process (`open`: tests and one-process tools)."""

    def __init__(
        self, store: "_Store", *, timeout_s: float, write_timeout_s: float, breaker_s: float
    ) -> None:
        """Wrap a store in deadlines and a breaker. Use `connect` or `open`."""
        self._store = store
        self._timeout_s = timeout_s
        self._write_timeout_s = write_timeout_s
        self._breaker_s = breaker_s
        self._resting_until = 0.0
        self._threads = ThreadPoolExecutor(CALLS, thread_name_prefix="chroma")

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
        store = _Server(host, port, socket_timeout_s=max(timeout_s, write_timeout_s))
        return cls(store, timeout_s=timeout_s, write_timeout_s=write_timeout_s, breaker_s=breaker_s)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return an index on a folder in this process. One process per folder, never two."""
        return cls(_Folder(path), timeout_s=30.0, write_timeout_s=60.0, breaker_s=0.0)

    def ask(self, collection: str, vector: Vectors, *, top_k: int) -> Callable[[], list[VectorHit]]:
        """Start looking for the nearest vectors; the call returned waits for them, best first."""
        answer = self._begin(lambda: self._store.query(collection, vector, top_k), self._timeout_s)
        # Chroma's cosine distance is 1 - cosine; this is the one place that turns it round
        return lambda: [VectorHit(chunk_id, 1.0 - float(far)) for chunk_id, far in answer()]

    def ids(self, collection: str) -> set[str]:
        """Return every id in the collection."""
        seen: set[str] = set()
        for page in self._pages(lambda offset: self._store.ids(collection, offset)):
            seen.update(page)
        return seen

    def count(self, collection: str) -> int:
        """Return how many vectors the collection holds."""
        return self._bounded(lambda: self._store.count(collection), self._timeout_s)

    def collections(self) -> set[str]:
        """Return the names of all collections."""
        names: set[str] = set()
        for page in self._pages(self._store.names):
            names.update(page)
        return names

    def reachable(self, collection: str) -> set[str]:
        """Return the ids that searches can come upon.

        A search for as many as there are walks all of the HNSW graph: what it does not bring, no
        question will (chroma-core/chroma#7758), and links that point nowhere crash it. Searches
        by a sample of the vectors themselves show links that lead astray.
        """
        ids, vectors = self._everything(collection)
        if not ids:
            return set()
        walk = _call(self._store.query, collection, vectors[0], len(ids))
        found = {chunk_id for chunk_id, _ in self._bounded(walk, self._write_timeout_s)}
        sample = np.random.default_rng(0).permutation(len(ids))[:SELF_SEARCHES]
        for start in range(0, len(sample), SELF_BATCH):
            part = sample[start : start + SELF_BATCH]
            search = _call(self._store.nearest, collection, vectors[part])
            far = self._bounded(search, self._write_timeout_s)
            found -= {ids[at] for at, d in zip(part, far, strict=True) if d > SELF_DISTANCE}
        return found

    def _everything(self, collection: str) -> tuple[list[str], Vectors]:
        """Return all ids and their vectors; vectors of another length than one are damaged."""
        ids: list[str] = []
        parts: list[Vectors] = []
        total = self.count(collection)
        while len(ids) < total:
            read = _call(self._store.vectors, collection, len(ids))
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
        self._bounded(self._store.ping, self._timeout_s)

    def create(self, collection: str) -> None:
        """Make the collection if it is not there."""
        self._bounded(lambda: self._store.create(collection), self._write_timeout_s)

    def drop(self, collection: str) -> None:
        """Remove the collection if it is there."""
        with contextlib.suppress(VectorsMissing):
            self._bounded(lambda: self._store.drop(collection), self._write_timeout_s)

    def upsert(self, collection: str, ids: Sequence[str], vectors: Vectors) -> None:
        """Write vectors (n, d); the same id again overwrites."""
        for part in _batches(len(ids)):
            write = _call(self._store.upsert, collection, list(ids[part]), vectors[part])
            self._bounded(write, self._write_timeout_s)

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove vectors; unknown ids and collections are no error."""
        with contextlib.suppress(VectorsMissing):
            for part in _batches(len(ids)):
                remove = _call(self._store.delete, collection, list(ids[part]))
                self._bounded(remove, self._write_timeout_s)

    def close(self) -> None:
        """Free sockets, threads and files."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._store.close()

    def _pages(self, read: Callable[[int], list[str]]) -> Iterator[list[str]]:
        offset, page = 0, [""] * READ_PAGE
        while len(page) == READ_PAGE:
            page = self._bounded(_call(read, offset), self._write_timeout_s)
            yield page
            offset += len(page)

    def _bounded(self, call: Callable[[], T], timeout_s: float) -> T:
        """Run `call` and give up on it after `timeout_s`."""
        return self._begin(call, timeout_s)()

    def _begin(self, call: Callable[[], T], timeout_s: float) -> Callable[[], T]:
        """Start `call` on a pool thread; what is returned waits, until `timeout_s` from now."""
        if time.monotonic() < self._resting_until:
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
                self._rest()
                raise StoreUnavailable(f"Chroma gave no answer within {timeout_s:g} s") from exc
            except StoreRefused:
                raise  # it did answer, and quickly
            except StoreUnavailable:
                self._rest()
                raise

        return wait

    def _rest(self) -> None:
        self._resting_until = time.monotonic() + self._breaker_s


class _Store(Protocol):
    """One Chroma, by whatever road. Raises this room's errors only."""

    def query(self, collection: str, vector: Vectors, top_k: int) -> list[tuple[str, float]]: ...
    def ids(self, collection: str, offset: int) -> list[str]: ...
    def count(self, collection: str) -> int: ...
    def vectors(self, collection: str, offset: int) -> tuple[list[str], Vectors]: ...
    def nearest(self, collection: str, vectors: Vectors) -> list[float]: ...
    def names(self, offset: int) -> list[str]: ...
    def ping(self) -> None: ...
    def create(self, collection: str) -> None: ...
    def drop(self, collection: str) -> None: ...
    def upsert(self, collection: str, ids: list[str], vectors: Vectors) -> None: ...
    def delete(self, collection: str, ids: list[str]) -> None: ...
    def close(self) -> None: ...


class _Server:
    """`chroma run`, by its HTTP API v2.

    chromadb's own HttpClient has no timeouts, contacts the server in its constructor and
    obeys proxy settings even for loopback; none of this can be configured (1.5.9).
    """

    def __init__(self, host: str, port: int, *, socket_timeout_s: float) -> None:
        self._address = (host, port)
        self._timeout_s = socket_timeout_s
        self._own = threading.local()  # one kept connection per pool thread
        self._opened: list[HTTPConnection] = []
        self._handles: dict[str, str] = {}  # collection name → Chroma's uuid for it

    def query(self, collection: str, vector: Vectors, top_k: int) -> list[tuple[str, float]]:
        body = {
            "query_embeddings": [vector],
            "n_results": top_k,
            "include": ["distances"],
        }
        found = self._on(collection, "query", body)
        return list(zip(found["ids"][0], found["distances"][0], strict=True))

    def ids(self, collection: str, offset: int) -> list[str]:
        page = self._on(collection, "get", {"limit": READ_PAGE, "offset": offset, "include": []})
        return list(page["ids"])

    def vectors(self, collection: str, offset: int) -> tuple[list[str], Vectors]:
        body = {"limit": READ_PAGE, "offset": offset, "include": ["embeddings"]}
        page = self._on(collection, "get", body)
        return page["ids"], np.asarray(page["embeddings"], dtype=np.float32)

    def nearest(self, collection: str, vectors: Vectors) -> list[float]:
        body = {"query_embeddings": vectors, "n_results": 1, "include": ["distances"]}
        found = self._on(collection, "query", body)["distances"]
        return [row[0] if row else math.inf for row in found]

    def count(self, collection: str) -> int:
        return int(self._on(collection, "count", None))

    def names(self, offset: int) -> list[str]:
        page = self._ask("GET", f"{_DATABASE}?limit={READ_PAGE}&offset={offset}")
        return [item["name"] for item in page]

    def ping(self) -> None:
        self._ask("GET", "/heartbeat")

    def create(self, collection: str) -> None:
        body = {"name": collection, "get_or_create": True, "configuration": {"hnsw": SPACE}}
        self._handles[collection] = self._ask("POST", _DATABASE, body)["id"]

    def drop(self, collection: str) -> None:
        self._handles.pop(collection, None)
        self._ask("DELETE", f"{_DATABASE}/{collection}")

    def upsert(self, collection: str, ids: list[str], vectors: Vectors) -> None:
        self._on(collection, "upsert", {"ids": ids, "embeddings": vectors})

    def delete(self, collection: str, ids: list[str]) -> None:
        self._on(collection, "delete", {"ids": ids})

    def close(self) -> None:
        for connection in self._opened:
            connection.close()

    def _on(self, collection: str, verb: str, body: dict[str, Any] | None) -> Any:
        """Call the collection by its uuid; one that went stale is looked up once more."""
        method = "GET" if body is None else "POST"
        handle = self._handles.get(collection)
        if handle is not None:
            try:
                return self._ask(method, f"{_DATABASE}/{handle}/{verb}", body)
            except VectorsMissing:  # dropped and made anew by another process
                self._handles.pop(collection, None)
        handle = self._ask("GET", f"{_DATABASE}/{collection}")["id"]
        self._handles[collection] = handle
        return self._ask(method, f"{_DATABASE}/{handle}/{verb}", body)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        content = None if body is None else orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        try:
            status, answer = self._exchange(method, f"/api/v2{path}", content)
        except (HTTPException, OSError) as exc:
            raise StoreUnavailable(f"Chroma does not answer ({exc!r}); is it running?") from exc
        if status == 404:
            raise VectorsMissing(f"Chroma has no such collection ({path}); run reconcile")
        if status >= 400:
            raise _refusal(answer[:300].decode(errors="replace"))
        try:
            return orjson.loads(answer)
        except ValueError as exc:
            raise StoreUnavailable(f"not Chroma at this address: {answer[:80]!r}") from exc

    def _exchange(self, method: str, path: str, content: bytes | None) -> tuple[int, bytes]:
        """Return status and body; a kept connection that the server has closed is opened anew.

        Asking twice is safe: every call we make of Chroma may be repeated.
        """
        connection = self._connection()
        was_open = connection.sock is not None
        try:
            connection.request(method, path, content, {"content-type": "application/json"})
            reply = connection.getresponse()
            return reply.status, reply.read()
        except (HTTPException, OSError) as exc:
            connection.close()
            if was_open and not isinstance(exc, TimeoutError):
                return self._exchange(method, path, content)
            raise

    def _connection(self) -> HTTPConnection:
        connection: HTTPConnection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = HTTPConnection(*self._address, timeout=self._timeout_s)
            self._own.connection = connection
            self._opened.append(connection)
        return connection


_DATABASE = "/tenants/default_tenant/databases/default_database/collections"


class _Folder:
    """Chroma in this process, on a folder; opened at the first call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._opened: Any = None
        self._lock = threading.Lock()

    def query(self, collection: str, vector: Vectors, top_k: int) -> list[tuple[str, float]]:
        with _ours():
            found = self._collection(collection).query(
                query_embeddings=[vector], n_results=top_k, include=["distances"]
            )
        return list(zip(found["ids"][0], found["distances"][0], strict=True))

    def ids(self, collection: str, offset: int) -> list[str]:
        with _ours():
            page = self._collection(collection).get(include=[], limit=READ_PAGE, offset=offset)
        return list(page["ids"])

    def vectors(self, collection: str, offset: int) -> tuple[list[str], Vectors]:
        with _ours():
            page = self._collection(collection).get(
                include=["embeddings"], limit=READ_PAGE, offset=offset
            )
        return page["ids"], np.asarray(page["embeddings"], dtype=np.float32)

    def nearest(self, collection: str, vectors: Vectors) -> list[float]:
        with _ours():
            found = self._collection(collection).query(
                query_embeddings=vectors, n_results=1, include=["distances"]
            )
        return [row[0] if row else math.inf for row in found["distances"]]

    def count(self, collection: str) -> int:
        with _ours():
            return int(self._collection(collection).count())

    def names(self, offset: int) -> list[str]:
        with _ours():
            page = self._client().list_collections(limit=READ_PAGE, offset=offset)
        return [item.name for item in page]

    def ping(self) -> None:
        with _ours():
            self._client().heartbeat()

    def create(self, collection: str) -> None:
        with _ours():
            self._client().get_or_create_collection(
                collection, configuration={"hnsw": SPACE}, embedding_function=None
            )

    def drop(self, collection: str) -> None:
        with _ours():
            self._client().delete_collection(collection)

    def upsert(self, collection: str, ids: list[str], vectors: Vectors) -> None:
        with _ours():
            self._collection(collection).upsert(ids=ids, embeddings=vectors)

    def delete(self, collection: str, ids: list[str]) -> None:
        with _ours():
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
def _ours() -> Iterator[None]:
    """Turn chromadb's errors into this room's."""
    from chromadb.errors import ChromaError, NotFoundError

    try:
        yield
    except NotFoundError as exc:
        raise VectorsMissing(f"Chroma has no such collection ({exc}); run reconcile") from exc
    except (ChromaError, OSError, ValueError) as exc:
        raise _refusal(str(exc)) from exc


def _refusal(reason: str) -> StoreRefused | EmbeddingDimensionMismatch:
    if "dimension" in reason:
        return EmbeddingDimensionMismatch(
            f"the stored vectors have another length ({reason}); re-index the knowledge base"
        )
    return StoreRefused(f"Chroma refused the call: {reason}")


def _batches(total: int) -> Iterator[slice]:
    return (slice(start, start + UPSERT_BATCH) for start in range(0, total, UPSERT_BATCH))


def _call(function: Callable[..., T], *arguments: Any) -> Callable[[], T]:
    """Bind the arguments now: a lambda in a loop would see the last ones."""
    return lambda: function(*arguments)

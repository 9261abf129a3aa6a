"""A Chroma server, `chroma run`, by its HTTP API v2.

It knows paths, connections and replies of the server; it does not know deadlines or batches.
"""

import math
import threading
from http.client import HTTPConnection, HTTPException
from typing import Any, Protocol

import numpy as np
import orjson

from knowledge.errors import (
    EmbeddingDimensionMismatch,
    StoreRefused,
    StoreUnavailable,
    VectorsMissing,
)
from knowledge.index.vectors import Vectors

READ_PAGE = 1_000  # an unlimited `get` fails with "too many SQL variables" on large collections
HNSW_SETTINGS = {
    "space": "cosine",
    "ef_search": 200,  # over the 50 candidates we ask for, and the 200 of the second look
    "sync_threshold": 100,  # the default 1,000 leaves the last rows unwritten for long (#6975)
    "batch_size": 100,
}
_DATABASE = "/tenants/default_tenant/databases/default_database/collections"


class ChromaClient(Protocol):
    """One Chroma, by whichever way. Raises this room's errors only."""

    def query(self, collection: str, vector: Vectors, top_k: int) -> list[tuple[str, float]]:
        """Return (id, distance) of the nearest vectors, nearest first."""

    def ids(self, collection: str, offset: int) -> list[str]:
        """Return a page of ids."""

    def count(self, collection: str) -> int:
        """Return how many vectors the collection holds."""

    def vectors(self, collection: str, offset: int) -> tuple[list[str], Vectors]:
        """Return a page of ids and their vectors."""

    def nearest(self, collection: str, vectors: Vectors) -> list[float]:
        """Return the distance from each vector to its nearest neighbour."""

    def names(self, offset: int) -> list[str]:
        """Return a page of the names of collections."""

    def ping(self) -> None:
        """Return when Chroma answers."""

    def create(self, collection: str) -> None:
        """Make the collection if it is not there."""

    def drop(self, collection: str) -> None:
        """Remove the collection."""

    def upsert(self, collection: str, ids: list[str], vectors: Vectors) -> None:
        """Write vectors; the same id again overwrites."""

    def delete(self, collection: str, ids: list[str]) -> None:
        """Remove vectors."""

    def close(self) -> None:
        """Free sockets and files."""


class ChromaServer:
    """`chroma run`, by its HTTP API v2.

    chromadb's own HttpClient has no timeouts, contacts the server in its constructor and
    obeys proxy settings even for loopback; none of this can be configured (1.5.9).
    """

    def __init__(self, host: str, port: int, *, socket_timeout_s: float) -> None:
        self._address = (host, port)
        self._timeout_s = socket_timeout_s
        self._per_thread = threading.local()  # one kept connection per pool thread
        self._connections: list[HTTPConnection] = []
        self._handles: dict[str, str] = {}  # collection name → Chroma's uuid for it

    def query(self, collection: str, vector: Vectors, top_k: int) -> list[tuple[str, float]]:
        """Return (id, distance) of the nearest vectors, nearest first."""
        body = {
            "query_embeddings": [vector],
            "n_results": top_k,
            "include": ["distances"],
        }
        found = self._call_collection(collection, "query", body)
        return list(zip(found["ids"][0], found["distances"][0], strict=True))

    def ids(self, collection: str, offset: int) -> list[str]:
        """Return a page of ids."""
        page = self._call_collection(
            collection, "get", {"limit": READ_PAGE, "offset": offset, "include": []}
        )
        return list(page["ids"])

    def vectors(self, collection: str, offset: int) -> tuple[list[str], Vectors]:
        """Return a page of ids and their vectors."""
        body = {"limit": READ_PAGE, "offset": offset, "include": ["embeddings"]}
        page = self._call_collection(collection, "get", body)
        return page["ids"], np.asarray(page["embeddings"], dtype=np.float32)

    def nearest(self, collection: str, vectors: Vectors) -> list[float]:
        """Return the distance from each vector to its nearest neighbour."""
        body = {"query_embeddings": vectors, "n_results": 1, "include": ["distances"]}
        found = self._call_collection(collection, "query", body)["distances"]
        return [row[0] if row else math.inf for row in found]

    def count(self, collection: str) -> int:
        """Return how many vectors the collection holds."""
        return int(self._call_collection(collection, "count", None))

    def names(self, offset: int) -> list[str]:
        """Return a page of the names of collections."""
        page = self._request("GET", f"{_DATABASE}?limit={READ_PAGE}&offset={offset}")
        return [item["name"] for item in page]

    def ping(self) -> None:
        """Return when Chroma answers."""
        self._request("GET", "/heartbeat")

    def create(self, collection: str) -> None:
        """Make the collection if it is not there."""
        body = {"name": collection, "get_or_create": True, "configuration": {"hnsw": HNSW_SETTINGS}}
        self._handles[collection] = self._request("POST", _DATABASE, body)["id"]

    def drop(self, collection: str) -> None:
        """Remove the collection."""
        self._handles.pop(collection, None)
        self._request("DELETE", f"{_DATABASE}/{collection}")

    def upsert(self, collection: str, ids: list[str], vectors: Vectors) -> None:
        """Write vectors; the same id again overwrites."""
        self._call_collection(collection, "upsert", {"ids": ids, "embeddings": vectors})

    def delete(self, collection: str, ids: list[str]) -> None:
        """Remove vectors."""
        self._call_collection(collection, "delete", {"ids": ids})

    def close(self) -> None:
        """Free sockets and files."""
        for connection in self._connections:
            connection.close()

    def _call_collection(self, collection: str, verb: str, body: dict[str, Any] | None) -> Any:
        """Call the collection by its uuid; one that went stale is looked up once more."""
        method = "GET" if body is None else "POST"
        handle = self._handles.get(collection)
        if handle is not None:
            try:
                return self._request(method, f"{_DATABASE}/{handle}/{verb}", body)
            except VectorsMissing:  # dropped and made anew by another process
                self._handles.pop(collection, None)
        handle = self._request("GET", f"{_DATABASE}/{collection}")["id"]
        self._handles[collection] = handle
        return self._request(method, f"{_DATABASE}/{handle}/{verb}", body)

    def _request(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        content = None if body is None else orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        try:
            status, answer = self._exchange(method, f"/api/v2{path}", content)
        except (HTTPException, OSError) as exc:
            raise StoreUnavailable(f"Chroma does not answer ({exc!r}); is it running?") from exc
        if status == 404:
            raise VectorsMissing(f"Chroma has no such collection ({path}); run reconcile")
        if status >= 400:
            raise refusal(answer[:300].decode(errors="replace"))
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
        connection: HTTPConnection | None = getattr(self._per_thread, "connection", None)
        if connection is None:
            connection = HTTPConnection(*self._address, timeout=self._timeout_s)
            self._per_thread.connection = connection
            self._connections.append(connection)
        return connection


def refusal(reason: str) -> StoreRefused | EmbeddingDimensionMismatch:
    """Return the error for what Chroma said when it refused a call."""
    if "dimension" in reason:
        return EmbeddingDimensionMismatch(
            f"the stored vectors have another length ({reason}); re-index the knowledge base"
        )
    return StoreRefused(f"Chroma refused the call: {reason}")

"""The vector index as the room sees it: two protocols, reading and writing, and what a hit is.

It knows collections, ids and vectors; it does not know Chroma, documents or SQL.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from knowledge.errors import KnowledgeError, StoreUnavailable, VectorsMissing

logger = logging.getLogger(__name__)
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class VectorHit:
    """One neighbour: `score` is the cosine, -1..1, higher is nearer."""

    chunk_id: str
    score: float


PendingHits = Callable[[], list[VectorHit]]
"""Waits for the answer to a query: the nearest vectors, best first."""


class VectorReader(Protocol):
    """Reading half of the index.

    A collection maps chunk ids to vectors; it knows nothing else. All calls may come from many
    threads. Each ends within a deadline of the implementation: `StoreUnavailable` where no answer
    came (a retry is safe), `StoreRefused` where the index answered that it cannot. What is read may
    be outdated: callers check in SQL what is live.
    """

    def start_query(self, collection: str, vector: Vectors, *, top_k: int) -> PendingHits:
        """Start looking for the nearest vectors, and return at once.

        Args:
            collection: Its name.
            vector: (d,) float32, L2-normalised.
            top_k: Most hits, at least 1.

        Returns:
            A call that waits: at most `top_k` hits, best first. It may miss some of the nearest
            (approximate search). It raises `VectorsMissing` where there is no such collection.

        Raises:
            StoreUnavailable: The index failed a moment ago and is not asked again yet.
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
    """Reading and writing; every write may be repeated, in any process.

    A write that returned is seen by the next read. Errors as in `VectorReader`; after one, some of
    the vectors may have been written: `reconcile` compares with SQL and repairs.
    """

    def create(self, collection: str) -> None:
        """Make the collection if it is not there."""

    def drop(self, collection: str) -> None:
        """Remove the collection if it is there."""

    def upsert(self, collection: str, ids: Sequence[str], vectors: Vectors) -> None:
        """Write vectors; the same id again overwrites.

        Args:
            collection: Its name.
            ids: Of chunks, n.
            vectors: (n, d) float32, L2-normalised.

        Raises:
            VectorsMissing: There is no such collection.
            EmbeddingDimensionMismatch: The collection holds vectors of another length.
        """

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove vectors; unknown ids and collections are no error."""

    def close(self) -> None:
        """Free sockets, threads and files."""


def upsert_if_available(
    index: VectorIndex, collection: str, ids: Sequence[str], vectors: Vectors
) -> bool:
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


def delete_vectors(index: VectorIndex, collection: str, chunk_ids: Sequence[str]) -> None:
    """Delete vectors of removed chunks; left-overs are harmless, reconcile removes them."""
    if not chunk_ids:
        return
    try:
        index.delete(collection, chunk_ids)
    except KnowledgeError as exc:
        logger.warning("%d vectors wait for reconcile to be removed: %s", len(chunk_ids), exc)

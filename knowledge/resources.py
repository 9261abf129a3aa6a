"""What every step of the room needs: the database, the vector index, the embedders, the settings.

It knows which embedder made the vectors of a base; it does not know what is done with them.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial

from sqlalchemy import Engine

from knowledge.config import KnowledgeConfig
from knowledge.embedding import Embedder
from knowledge.errors import EmbedderMismatch, EmbedderUnavailable, EmbeddingDimensionMismatch
from knowledge.index.vectors import VectorIndex
from knowledge.reranking import Reranker
from knowledge.sql.bases import Base, EmbedderIdentity

# words searched beside embeddings, at once; SQLAlchemy's pool holds 15 connections
LEXICAL_THREADS = 8
_threads = partial(ThreadPoolExecutor, LEXICAL_THREADS, thread_name_prefix="lexical")


@dataclass(frozen=True, slots=True)
class Resources:
    """What every step needs: where truth, index and embedders are."""

    database: Engine
    index: VectorIndex
    embedder: Embedder
    config: KnowledgeConfig
    reranker: Reranker | None = None
    next_embedder: Embedder | None = None  # that of bases already re-indexed, and of new ones
    threads: ThreadPoolExecutor = field(default_factory=_threads)

    def __post_init__(self) -> None:
        """Raise `EmbedderUnavailable` where the next embedder is the present one."""
        now = EmbedderIdentity.of(self.embedder)
        if self.next_embedder is not None and EmbedderIdentity.of(self.next_embedder) == now:
            raise EmbedderUnavailable(
                f"knowledge.next_embedder is the embedder already, {now}: leave it out, or name "
                "the model to replace it"
            )

    @property
    def target(self) -> Embedder:
        """The embedder of new knowledge bases and of a re-index."""
        return self.next_embedder or self.embedder

    def embedder_of(self, base: Base) -> Embedder:
        """Return the embedder of the vectors that serve a base.

        Raises:
            EmbedderMismatch: Neither made them; the message names the command that helps.
        """
        embedders = [self.embedder] if self.next_embedder is None else [self.embedder, self.target]
        stored = base.index.made_by
        given = [EmbedderIdentity.of(embedder) for embedder in embedders]
        if stored in given:
            return embedders[given.index(stored)]
        message = (
            f"knowledge base {base.base_id!r} was indexed by {stored}, but the embedder is "
            f"{' or '.join(str(mark) for mark in given)}; run `fingerpost kb reindex "
            f"{base.base_id}`, or configure the embedder it was indexed by"
        )
        if stored.dimension not in [mark.dimension for mark in given]:
            raise EmbeddingDimensionMismatch(message)
        raise EmbedderMismatch(message)

    def min_relevance_of(self, embedder: Embedder) -> float:
        """Return the relevance that passages of an embedder's bases need to be relevant."""
        fitted = self.config.next_min_relevance if embedder is self.next_embedder else None
        return self.config.min_relevance if fitted is None else fitted

    def has_embedder_of(self, base: Base) -> bool:
        """Return whether the embedder of the vectors that serve a base is loaded."""
        try:
            self.embedder_of(base)
        except EmbedderMismatch:
            return False
        return True

    def for_base(self, base: Base) -> "Resources":
        """Return the resources with the embedder of a base only. Raises `EmbedderMismatch`."""
        return replace(self, embedder=self.embedder_of(base), next_embedder=None)

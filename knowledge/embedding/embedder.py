"""What the room needs of a model that turns text into vectors.

It knows the calls and what they promise; `sentence_transformer` keeps the promise.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from knowledge.embedding.similarity import Similarity, Vectors

Progress = Callable[[int, int], None]
"""Called with (done, total) passages after each batch."""


class Embedder(Protocol):
    """What this room needs of an embedding model; `SentenceTransformerEmbedder` is one.

    All calls may come from many threads at once: questions while documents are embedded. The same
    text always has the same vector, whether it is embedded alone or among others, up to rounding.
    `model_id`, `revision` and `dimension` never change; they are stored with every index, and an
    index made by others than these is refused (`EmbedderMismatch`).
    """

    @property
    def model_id(self) -> str:
        """The model's name, equal on every machine (never a path)."""

    @property
    def revision(self) -> str:
        """Which weights exactly; another revision needs a re-index."""

    @property
    def dimension(self) -> int:
        """Length of a vector, d."""

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes it reads, or `*`; a question in another language is not embedded."""

    @property
    def max_tokens(self) -> int:
        """Tokens it reads; what follows is cut off. Chunks are never longer than this."""

    @property
    def similarity(self) -> Similarity:
        """What its cosines say: how near unrelated and related texts lie."""

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of a question, with the model's query prompt where it has one.

        Args:
            text: 1 character or more; what exceeds `max_tokens` is not read.

        Returns:
            (d,) float32, L2-normalised: a dot product with a passage's vector is their cosine.
        """

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Return the vectors of passages, in the order of `texts`.

        Args:
            texts: Any number, of any lengths; none gives (0, d).
            progress: Called with (texts done, texts in all) from time to time.

        Returns:
            (n, d) float32, each row L2-normalised.
        """

    def count_tokens(self, text: str) -> int:
        """Return the tokens of `text` without special ones, however long it is.

        Called for every piece while a document is cut, so it should take microseconds.
        """

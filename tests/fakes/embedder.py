"""An embedder made of words: deterministic, quick, and able to be wrong.

Each word has its own fixed direction and a text is the sum of its words, so texts that share
words are near and a swapped ranking shows. It knows no meaning.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from knowledge import Progress
from knowledge.embedding import Similarity

Vectors = npt.NDArray[np.float32]
_WORD = re.compile(r"[A-Za-z0-9]+|[\u4e00-\u9fff]")


class FakeEmbedder:
    """Implements `knowledge.Embedder`."""

    def __init__(
        self,
        *,
        model_id: str = "fake-words",
        revision: str = "1",
        dimension: int = 64,
        languages: Sequence[str] = ("en",),
    ) -> None:
        self.model_id = model_id
        self.revision = revision
        self.dimension = dimension
        self.languages = frozenset(languages)
        self.max_tokens = 256
        nothing = np.zeros((1, dimension), dtype=np.float32)
        unrelated = {("en", "en"): (0.0, 0.08)}  # MiniLM's, about
        self.similarity = Similarity({"en": nothing}, unrelated, related={"en": 0.6})
        self.embedded: list[str] = []
        self.before_embedding: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        self._directions: dict[str, npt.NDArray[np.float64]] = {}

    def embed_query(self, text: str) -> Vectors:
        return self._embed(text)

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self.before_embedding()
        with self._lock:
            self.embedded.extend(texts)
        if progress is not None:
            progress(len(texts), len(texts))
        rows = [self._embed(text) for text in texts]
        return np.stack(rows) if rows else np.zeros((0, self.dimension), dtype=np.float32)

    def count_tokens(self, text: str) -> int:
        return len(_WORD.findall(text))

    def _embed(self, text: str) -> Vectors:
        total = np.full(self.dimension, 1e-6)
        for word in _WORD.findall(text.lower()):
            total = total + self._direction(word)
        return np.asarray(total / np.linalg.norm(total), dtype=np.float32)

    def _direction(self, word: str) -> npt.NDArray[np.float64]:
        known = self._directions.get(word)
        if known is None:
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
            known = np.random.default_rng(seed).standard_normal(self.dimension)
            self._directions[word] = known
        return known

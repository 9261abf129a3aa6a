"""Reads question and passage together, for a better order than either retriever's.

It knows CrossEncoder models; it does not know retrievers or storage. Optional: a model of 0.1 to
0.6 B parameters takes some 10 ms a passage on a GPU and 50 and more on a processor.
"""

import threading
from collections.abc import Sequence
from typing import Any, Protocol, Self

from knowledge.errors import RerankerUnavailable


class Reranker(Protocol):
    """Orders passages by how well each answers the question."""

    model_id: str

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return one score for each text, higher is better."""


class CrossEncoderReranker:
    """A sentence-transformers CrossEncoder with one output."""

    def __init__(self, model: Any, *, model_id: str) -> None:
        """Wrap a loaded model; use `load`."""
        self._model = model
        self._lock = threading.Lock()
        self.model_id = model_id

    @classmethod
    def load(cls, path_or_id: str, *, revision: str | None = None) -> Self:
        """Load a model from a folder or by its Hugging Face id.

        Raises:
            RerankerUnavailable: Nothing loadable there, or a model with several outputs.
        """
        try:
            from sentence_transformers import CrossEncoder

            model = CrossEncoder(path_or_id, revision=revision)
        except (ImportError, OSError, ValueError, RuntimeError) as exc:
            raise RerankerUnavailable(f"cannot load the reranker {path_or_id}: {exc}") from exc
        if model.num_labels != 1:
            raise RerankerUnavailable(
                f"{path_or_id} gives {model.num_labels} outputs for a pair; a reranker gives one"
            )
        return cls(model, model_id=path_or_id)

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return one score for each text, higher is better."""
        pairs = [(question, text) for text in texts]
        if not pairs:
            return []
        with self._lock:
            return [float(score) for score in self._model.predict(pairs, show_progress_bar=False)]

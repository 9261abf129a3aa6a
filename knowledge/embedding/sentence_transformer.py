"""The embedder made of a sentence-transformers model.

It knows models, tokens and threads; it does not know documents, chunks or the index.
"""

import contextlib
import ctypes
import functools
import hashlib
import logging
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from knowledge.config import KnowledgeConfig
from knowledge.embedding.embedder import Progress
from knowledge.embedding.question import own_forward, quickest_forward
from knowledge.embedding.similarity import Similarity, Vectors
from knowledge.errors import EmbedderUnavailable
from knowledge.languages import ANY_LANGUAGE, as_simplified, detect_language

logger = logging.getLogger(__name__)
Precision = Literal["auto", "float32", "bfloat16"]
Task = Literal["query", "document"]

MODEL_FILES = ("modules.json", "config.json")
QUESTIONS_REMEMBERED = 64  # routing and search embed the same question
QUESTION_THREADS = 1  # on two busy cores a question took 10 ms on one thread, 22 to 400 on two
PROMPT_NAMES: Mapping[Task, Sequence[str]] = {
    "query": ("query",),
    "document": ("document", "passage", "corpus"),
}
"""Names of a model's prompts, as sentence-transformers looks for them."""


class SentenceTransformerEmbedder:
    """An embedder from a sentence-transformers folder or Hugging Face id."""

    def __init__(self, model: Any, *, model_id: str, revision: str, languages: frozenset[str]):
        """Wrap a loaded model; use `load`."""
        self._model = model
        self._forward = own_forward(model)
        self._remembered = functools.lru_cache(QUESTIONS_REMEMBERED)(self._embed_query)
        self._prompts = {task: _prompt(model, task) for task in PROMPT_NAMES}
        self._lock = threading.Lock()
        self._reading = threading.Lock()  # of the tokenizer: each use changes how it cuts
        self.model_id = model_id
        self.revision = revision
        self.languages = languages
        self.dimension = int(model.get_embedding_dimension())
        self.max_tokens = int(model.max_seq_length or 512)
        self.batch = 32
        self.similarity: Similarity

    @classmethod
    def load(
        cls,
        path_or_id: str | Path,
        *,
        languages: Sequence[str] = ("en",),
        revision: str | None = None,
        batch: int = 32,
        threads: int = 0,
        precision: Precision = "auto",
    ) -> Self:
        """Load a model; takes about 8 s cold, so call it once per process.

        Args:
            path_or_id: A prepared folder, or a Hugging Face id (`HF_HUB_OFFLINE` is honoured).
            languages: What the model reads; `*` for a multilingual one.
            revision: Commit of a Hugging Face id. A folder's revision is read off its weights.
            batch: Texts per forward pass.
            threads: Torch threads of the whole process; 0 leaves torch's choice.
            precision: Of the weights. `auto` takes bfloat16 on processors that are faster
                in it: up to three times the passages per second, cosine to float32 above 0.9999.

        Raises:
            EmbedderUnavailable: Nothing loadable there.
        """
        folder = Path(path_or_id)
        if folder.is_dir() and not any((folder / name).exists() for name in MODEL_FILES):
            raise EmbedderUnavailable(f"{folder} holds no sentence-transformers model")
        try:
            import torch
            from sentence_transformers import SentenceTransformer

            if threads:
                torch.set_num_threads(threads)
            model = SentenceTransformer(str(path_or_id), revision=revision, device=_device(torch))
        except (ImportError, OSError, ValueError, RuntimeError) as exc:
            raise EmbedderUnavailable(f"cannot load the embedder {path_or_id!s}: {exc}") from exc
        model_id = folder.name if folder.is_dir() else str(path_or_id)
        embedder = cls(
            model,
            model_id=model_id,
            revision=_weights_digest(folder) if folder.is_dir() else (revision or "main"),
            languages=frozenset(languages) or frozenset({ANY_LANGUAGE}),
        )
        embedder.batch = batch
        if precision == "bfloat16" or (
            precision == "auto" and _is_faster_in_bfloat16(torch, model)
        ):
            model.to(torch.bfloat16)
        model.eval().requires_grad_(False)  # a trace takes no weight that could still learn
        if model.device.type == "cpu":
            embedder._find_quickest_forward(folder)
        embedder.similarity = Similarity.measured(embedder)
        _give_back_memory()
        return embedder

    @classmethod
    def configured(cls, path_or_id: str, config: KnowledgeConfig) -> Self:
        """Load the model as the room is configured to. Raises `EmbedderUnavailable`."""
        return cls.load(
            path_or_id,
            languages=config.embedder_languages,
            revision=config.embedder_revision,
            batch=config.embed_batch,
            threads=config.embedder_threads,
            precision=config.embedder_precision,
        )

    @classmethod
    def configured_next(cls, config: KnowledgeConfig) -> Self | None:
        """Load the model that bases are re-indexed to, if one is named. `EmbedderUnavailable`."""
        if config.next_embedder is None:
            return None
        named = {
            "embedder_languages": config.next_embedder_languages,
            "embedder_revision": config.next_embedder_revision,
        }
        try:
            return cls.configured(config.next_embedder, config.model_copy(update=named))
        except EmbedderUnavailable as exc:
            raise EmbedderUnavailable(f"knowledge.next_embedder: {exc}") from exc

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of a question: (d,) float32, L2-normalised, not to be written to."""
        return self._remembered(text)

    def _embed_query(self, text: str) -> Vectors:
        import torch

        # what `encode_query` does, without looking over all weights each time (2 of 8 ms)
        with self._lock, self._on_threads(QUESTION_THREADS), torch.inference_mode():
            vector = self._forward(self._read([text], "query"))
        found = _normalised(vector[: self.dimension])
        found.flags.writeable = False
        return found

    def _read(self, texts: Sequence[str], task: Task) -> dict[str, Any]:
        from sentence_transformers.util import batch_to_device

        with self._reading:
            features = self._model.preprocess(
                [_in_one_script(text) for text in texts], prompt=self._prompts[task], task=task
            )
        return dict(batch_to_device(features, self._model.device))

    def _find_quickest_forward(self, folder: Path) -> None:
        import torch

        with self._on_threads(QUESTION_THREADS), torch.inference_mode():
            self._forward = quickest_forward(
                self._model, lambda text: self._read([text], "query"), folder
            )

    def embed_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Return one row per text: (n, d) float32, L2-normalised."""
        import torch

        # by length over all texts, not within a slice only: less padding, 3 % of a window's time
        order = sorted(range(len(texts)), key=lambda at: len(texts[at]), reverse=True)
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), self.batch):
            part = order[start : start + self.batch]
            features = self._read([texts[at] for at in part], "document")
            with self._lock, torch.inference_mode():
                found = self._model(features, task="document")["sentence_embedding"]
            vectors[part] = _normalised(found[:, : self.dimension].float().cpu().numpy())
            if progress is not None:
                progress(start + len(part), len(texts))
        return vectors

    @contextlib.contextmanager
    def _on_threads(self, count: int) -> Iterator[None]:
        """Run torch on fewer threads: for a short text, waking them costs more than they bring."""
        import torch

        before = torch.get_num_threads()
        torch.set_num_threads(min(count, before))
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def count_tokens(self, text: str) -> int:
        """Return the tokens of `text` without special ones, uncut."""
        backend = getattr(self._model.tokenizer, "backend_tokenizer", None)
        with self._reading:
            if backend is None:  # a slow tokenizer: transformers' own
                return len(self._model.tokenizer.encode(text, add_special_tokens=False))
            backend.no_truncation()
            backend.no_padding()
            return len(backend.encode(text, add_special_tokens=False))


def _in_one_script(text: str) -> str:
    """Return Chinese in simplified letters, so that both scripts have one vector."""
    return as_simplified(text) if detect_language(text) == "zh" else text


def _normalised(raw: Any) -> Vectors:
    """Return vectors of length one; done in float32, since bfloat16 misses one by 0.003."""
    vectors = np.asarray(raw, dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)


def _is_faster_in_bfloat16(torch: Any, model: Any) -> bool:
    """Return whether this processor multiplies bfloat16 faster than float32.

    Measured (0.1 s), since what it says of itself does not tell: of two that have avx512_bf16 one
    embedded 2.8 times as many passages a second in bfloat16, the other 0.6 times as many.
    """
    if model.device.type != "cpu":
        return False
    best = {torch.float32: float("inf"), torch.bfloat16: float("inf")}
    for _ in range(5):
        for kind, before in best.items():
            rows, weights = torch.ones(1024, 384, dtype=kind), torch.ones(384, 1536, dtype=kind)
            began = time.perf_counter()
            torch.mm(rows, weights)
            best[kind] = min(before, time.perf_counter() - began)
    return best[torch.bfloat16] < best[torch.float32]


def _device(torch: Any) -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def _prompt(model: Any, task: Task) -> str | None:
    """Return what the model was trained to read before such a text."""
    return next((model.prompts[n] for n in PROMPT_NAMES[task] if n in model.prompts), None) or None


def _give_back_memory() -> None:
    """Return what loading freed to the system: of 1.4 GB with multilingual-e5-small 0.2."""
    with contextlib.suppress(OSError, AttributeError):  # a libc without it
        ctypes.CDLL(None).malloc_trim(0)


def _weights_digest(folder: Path) -> str:
    """Return a short digest of the weights, so that a swapped folder is noticed."""
    files = sorted(folder.rglob("*.safetensors")) or sorted(folder.rglob("*.bin"))
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:12]

"""The quickest way through a model for one question: its own code, a trace of it, or its graph.

A trace takes the model's Python out. A graph (`question.onnx`, written when the model was prepared)
multiplies 4-bit weights as they are: a seventh of the bytes that a short question waits for. Either
is used only where it gives the vectors of the model's own code. It knows torch and ONNX Runtime; it
knows no tokenizer and no locks.
"""

import logging
import os
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.embedding.similarity import Vectors

logger = logging.getLogger(__name__)
Features = Mapping[str, Any]
"""What the tokenizer makes of one text: `input_ids` (1, n) and what belongs to them."""
Forward = Callable[[Features], Vectors]
"""From one question's features to its vector: (d,) float32, of any length."""

GRAPH_FILE = "question.onnx"
"""Takes what the model's embedding table gives, `embeddings` (1, n, d), and returns (1, d)."""
CHECKS = ("?", "warm up", "a question of many words " * 20, "年假有几天？" * 60)
"""The first is traced; on all of them another way must give the model's own vectors."""
TIMED = "How do I claim back what I paid for a train ticket?"
LEAST_COSINE = 0.9995
"""Of another way to the model's own. The graph of multilingual-e5-small: 0.9998 on the worst of
200 questions (rag_en), 0.9999 on their mean; it rounds to int8 what is multiplied."""
GRAPH_THREADS = min(2, os.cpu_count() or 1)
"""They wait without turning: 7 ms instead of 9 on two idle cores, and no slower on busy ones."""


def quickest_forward(model: Any, read: Callable[[str], Features], folder: Path) -> Forward:
    """Return the quickest way, measured: call it on the threads that questions will have.

    Args:
        model: A sentence-transformers model on the CPU.
        read: Its tokenizer.
        folder: Where its graph would be.
    """
    own, graph = own_forward(model), folder / GRAPH_FILE
    makers: dict[str, Callable[[], Forward]] = {"trace": lambda: _traced(model, read(CHECKS[0]))}
    if graph.is_file():
        makers["graph"] = lambda: _graph(model, graph)
    ways = [own]
    for name, make in makers.items():
        try:
            way = make()
            _check(way, own, read)
        except Exception as exc:  # models are of any make, and so is what stops a trace
            logger.info("questions are embedded without a %s: %s", name, exc)
        else:
            ways.append(way)
    timed = read(TIMED)
    return min(ways, key=lambda way: _seconds(way, timed))


def own_forward(model: Any) -> Forward:
    """Return the model's own code."""
    return lambda features: _first(model(features, task="query")["sentence_embedding"])


def _traced(model: Any, example: Features) -> Forward:
    import torch

    def forward(features: Features) -> Any:
        return model(features, task="query")["sentence_embedding"]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it fixes, and that it is deprecated
        traced = torch.jit.trace(  # type: ignore[no-untyped-call]
            forward, (_tensors(example),), strict=False, check_trace=False
        )
    return lambda features: _first(traced(_tensors(features)))


def _graph(model: Any, file: Path) -> Forward:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = GRAPH_THREADS, 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False  # questions differ in length
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    embeddings = model[0].auto_model.embeddings

    def forward(features: Features) -> Vectors:
        rows = embeddings(input_ids=features["input_ids"]).float().numpy()
        vector: Vectors = session.run(None, {"embeddings": rows})[0][0]
        return vector

    return forward


def _check(way: Forward, own: Forward, read: Callable[[str], Features]) -> None:
    for text in CHECKS:
        features = read(text)
        cosine = _cosine(way(features), own(features))
        if cosine < LEAST_COSINE:
            raise ValueError(f"it gives another vector (cosine {cosine:.4f})")


def _cosine(one: Vectors, other: Vectors) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


def _seconds(way: Forward, features: Features) -> float:
    """Return the least time of ten."""
    times = []
    for _ in range(10):
        began = time.perf_counter()
        way(features)
        times.append(time.perf_counter() - began)
    return min(times)


def _tensors(features: Features) -> dict[str, Any]:
    """Return what a trace takes; the rest tells the model's Python what to do."""
    return {name: value for name, value in features.items() if hasattr(value, "shape")}


def _first(vectors: Any) -> Vectors:
    vector: Vectors = vectors[0].float().cpu().numpy()
    return vector

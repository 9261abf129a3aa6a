"""Ways through a model for one question, on a small real model with a graph."""

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.base_models.process.e5 import convert
from knowledge import SentenceTransformerEmbedder
from knowledge.embedding import question
from knowledge.embedding.question import GRAPH_FILE, Features, Forward
from knowledge.embedding.similarity import Vectors
from tests.fakes.e5_file import model_file, tensors, write_tokenizer

pytestmark = pytest.mark.timeout(180)  # torch is imported
QUESTIONS = ("lamp", "lamp 灯 lamp", "灯 " * 9, "? lamp")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A converted model of 4-bit weights, with its graph."""
    return converted(tmp_path, tensors())


def converted(into: Path, weights: dict[str, Any]) -> Path:
    into.mkdir(exist_ok=True)
    write_tokenizer(into / "tokenizer.json")
    (into / "tiny.bin").write_bytes(model_file(weights, in_blocks=True))
    convert(into / "tiny.bin", into / "model")
    return into / "model"


def load(folder: Path) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder.load(folder, languages=["*"], precision="float32")


def own_vectors(folder: Path) -> list[Any]:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu")
    return [model.encode_query(text) for text in QUESTIONS]


def slowed(make: Callable[..., Forward], used: list[int]) -> Callable[..., Forward]:
    """Return ways that note their use and take 20 ms more."""

    def made(*given: Any) -> Forward:
        way = make(*given)

        def slow(features: Features) -> Vectors:
            used.append(1)
            time.sleep(0.02)
            return way(features)

        return slow

    return made


@pytest.mark.parametrize("slow", ["_traced", "_graph"])
def test_the_quicker_of_trace_and_graph_is_used_and_gives_the_models_vectors(
    slow: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sentence_transformers.sentence_transformer.modules import Pooling

    expected, used = own_vectors(folder), list[int]()
    monkeypatch.setattr(question, slow, slowed(getattr(question, slow), used))
    embedder = load(folder)
    monkeypatch.delattr(Pooling, "forward")  # the model's own code
    tried = len(used)
    assert tried
    for text, vector in zip(QUESTIONS, expected, strict=True):
        assert embedder.embed_query(text) @ vector > 0.9995
    assert len(used) == tried


def test_where_nothing_is_quicker_the_models_own_code_is_used(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[int] = []
    for name in ("_traced", "_graph"):
        monkeypatch.setattr(question, name, slowed(getattr(question, name), used))
    embedder = load(folder)
    tried = len(used)
    embedder.embed_query("lamp")
    assert len(used) == tried


@pytest.mark.parametrize("wrong", ["other weights", "no graph at all", "another width"])
def test_a_graph_that_is_not_of_these_weights_is_not_used(
    wrong: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = own_vectors(folder)
    graph = folder / GRAPH_FILE
    if wrong == "other weights":
        other = {name: values[::-1].copy() for name, values in tensors().items()}
        graph.write_bytes((converted(tmp_path / "other", other) / GRAPH_FILE).read_bytes())
    elif wrong == "another width":
        monkeypatch.setattr(question, "_graph", lambda *_given: lambda _features: np.ones(7))
    else:
        graph.write_bytes(b"no graph")
    by_age = count(9, -1)
    monkeypatch.setattr(question, "_seconds", lambda *_given: next(by_age))  # the last one wins
    embedder = load(folder)
    for text, vector in zip(QUESTIONS, expected, strict=True):
        assert embedder.embed_query(text) @ vector == pytest.approx(1, abs=1e-5)

"""The graph's vectors beside those of the model's own code with the same weights."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from adapters.base_models.process.e5 import convert
from adapters.base_models.process.e5_file import read_tensors
from adapters.base_models.process.question_graph import question_graph
from tests.fakes.e5_file import model_file, tensors, write_tokenizer


def prepared(folder: Path, *, in_blocks: bool) -> Any:
    """Return the converted model, and write its file `tiny.bin` beside the folder `model`."""
    from sentence_transformers import SentenceTransformer

    write_tokenizer(folder / "tokenizer.json")
    (folder / "tiny.bin").write_bytes(model_file(tensors(), in_blocks=in_blocks))
    convert(folder / "tiny.bin", folder / "model")
    return SentenceTransformer(str(folder / "model"), device="cpu")


@pytest.mark.training
@pytest.mark.parametrize(("in_blocks", "least"), [(True, 0.9995), (False, 0.999999)])
def test_the_graph_gives_the_vectors_of_the_model(
    in_blocks: bool, least: float, tmp_path: Path
) -> None:
    import torch

    model = prepared(tmp_path, in_blocks=in_blocks)
    session = onnxruntime.InferenceSession(tmp_path / "model" / "question.onnx")
    for text in ("lamp", "lamp 灯 lamp", "灯 " * 9):
        expected = model.encode(text, prompt="")
        with torch.inference_mode():
            features = model.preprocess([text], prompt=None)
            rows = model[0].auto_model.embeddings(input_ids=features["input_ids"]).numpy()
        (vector,) = session.run(None, {"embeddings": rows})[0]
        cosine = float(vector @ expected / np.linalg.norm(vector) / np.linalg.norm(expected))
        assert cosine > least, text


def test_the_same_weights_give_the_same_bytes_and_blocks_stay_blocks() -> None:
    floats, blocks = (model_file(tensors(), in_blocks=each) for each in (False, True))
    graphs = [question_graph(*read_tensors(each)) for each in (floats, blocks, blocks)]
    assert graphs[1] == graphs[2]
    assert len(graphs[1]) < len(graphs[0]) / 3

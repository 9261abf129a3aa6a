from pathlib import Path

import numpy as np
import pytest

from adapters.base_models.process.e5 import convert
from tests.fakes.e5_file import model_file, tensors, write_tokenizer


@pytest.mark.training
def test_the_folder_embeds_with_both_prompts_and_is_the_same_each_time(tmp_path: Path) -> None:
    from knowledge import SentenceTransformerEmbedder

    write_tokenizer(tmp_path / "tokenizer.json")
    (tmp_path / "tiny.bin").write_bytes(model_file(tensors()))
    for name in ("one", "two"):
        convert(tmp_path / "tiny.bin", tmp_path / name)
    one, two = (tmp_path / name / "model.safetensors" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    embedder = SentenceTransformerEmbedder.load(tmp_path / "one", languages=["*"])
    passage = embedder.embed_passages(["lamp 灯"])[0]
    assert (embedder.dimension, embedder.max_tokens) == (32, 16)
    assert np.linalg.norm(passage) == pytest.approx(1.0, abs=1e-5)
    assert float(passage @ embedder.embed_query("lamp 灯")) < 0.9999  # other prompts

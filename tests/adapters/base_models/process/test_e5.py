import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from adapters.base_models.process.e5 import convert, read_tensors, unpack

SHAPE = {"hidden": 32, "layers": 1, "heads": 2, "inner": 64, "vocabulary": 8, "positions": 16}
TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "lamp", "灯", "passage:", "<mask>")


def packed(values: npt.NDArray[np.int64], scale: float) -> bytes:
    """Return 32 weights as one block: low halves first, then high ones."""
    low, high = values[:16] + 8, values[16:] + 8
    return np.float16(scale).tobytes() + (low | high << 4).astype(np.uint8).tobytes()


def tensors() -> dict[str, npt.NDArray[np.float32]]:
    hidden, inner = SHAPE["hidden"], SHAPE["inner"]
    of = np.random.default_rng(1)
    sizes = {"emb.word": 8 * hidden, "emb.pos": 16 * hidden, "emb.type": 2 * hidden}
    sizes |= {"emb.ln.w": hidden, "emb.ln.b": hidden}
    for name in ("q", "k", "v", "ao"):
        sizes |= {f"l0.{name}.w": hidden * hidden, f"l0.{name}.b": hidden}
    sizes |= {"l0.fi.w": inner * hidden, "l0.fi.b": inner}
    sizes |= {"l0.fo.w": inner * hidden, "l0.fo.b": hidden}
    sizes |= {f"l0.{norm}.{end}": hidden for norm in ("aln", "oln") for end in "wb"}
    return {name: of.standard_normal(size).astype(np.float32) for name, size in sizes.items()}


def model_file(content: dict[str, npt.NDArray[np.float32]]) -> bytes:
    head = b"E5S1" + struct.pack("<i7ifi", 1, *SHAPE.values(), 2, 1e-12, 32)
    head += struct.pack("<5iQ", 2, 0, 2, 1, 3, 5) + bytes(4 * 3 + 4 * 2) + b"pieces"[:5]
    head += struct.pack("<iI", 1, 3) + b"map" + struct.pack("<i", len(content))
    entries = [name.encode() for name in content]
    start = len(head) + sum(2 + len(name) + 21 for name in entries)
    body = b""
    for name, values in content.items():
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", 0, values.size, start + len(body), values.nbytes)
        body += values.tobytes()
    return head + body


def test_a_block_is_a_scale_and_32_halves_of_bytes() -> None:
    values = np.arange(32) % 16 - 8
    raw = np.frombuffer(packed(values, 0.5) + packed(-(values + 1), 0.25), np.uint8)
    expected = np.concatenate([values * 0.5, -(values + 1) * 0.25]).astype(np.float32)
    np.testing.assert_array_equal(unpack(raw, 1), expected)


def test_float_tensors_are_read_as_they_are() -> None:
    given = tensors()
    shape, epsilon, read = read_tensors(model_file(given))
    assert (shape.hidden, shape.inner, shape.types) == (32, 64, 2)
    assert epsilon == pytest.approx(1e-12)
    assert read.keys() == given.keys()
    for name, values in given.items():
        np.testing.assert_array_equal(read[name], values)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"GGUF" + bytes(100), "not a model of the form E5S1"),
        (b"E5S1" + struct.pack("<i7ifi", 2, *[1] * 7, 0.1, 32), "version 2"),
        (b"E5S1" + struct.pack("<i7ifi", 1, *[1] * 7, 0.1, 64), "blocks of 64"),
    ],
)
def test_another_form_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_tensors(content)


def test_another_kind_of_tensor_is_refused() -> None:
    with pytest.raises(ValueError, match="kind 2"):
        unpack(np.zeros(18, np.uint8), 2)


@pytest.mark.training
def test_the_folder_embeds_with_both_prompts_and_is_the_same_each_time(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    from knowledge import SentenceTransformerEmbedder

    tokenizer = Tokenizer(
        models.WordLevel({token: at for at, token in enumerate(TOKENS)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
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

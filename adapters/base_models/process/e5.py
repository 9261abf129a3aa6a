"""Turns multilingual-e5-small in 4-bit blocks into a sentence-transformers folder.

`python -m adapters.base_models.process.e5 FILE.bin FOLDER`, with `tokenizer.json` beside the file;
runs in a process of its own. The file (magic `E5S1`) begins with the model's shape and a tokenizer
of its own, which is skipped; then each tensor's name, kind, length and place. Kind 0 is float32;
kind 1 is Q4_0: blocks of 32 weights as one float16 scale and 16 bytes, whose low halves are weights
0 to 15 and whose high halves 16 to 31, each `(value - 8) * scale`. Knows no wheels.
"""

import struct
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = b"E5S1"
BLOCK_WEIGHTS, BLOCK_BYTES = 32, 18
PROMPTS = {"query": "query: ", "document": "passage: "}
"""What the model was trained with (its model card)."""
SPECIAL = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "unk_token": "<unk>",
    "pad_token": "<pad>",
    "mask_token": "<mask>",
}
LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The seven lengths of the file's head."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int


class Reader:
    """Takes values one after the other from the front of a file's bytes."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.at = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        """Return the next values of a `struct` layout, little-endian."""
        values = struct.unpack_from(f"<{layout}", self.content, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return values

    def skip(self, count: int) -> None:
        """Leave bytes out."""
        self.at += count

    def skip_tokenizer(self) -> None:
        """Leave out the file's own tokenizer: the folder's `tokenizer.json` is the official one."""
        pieces, *_special = self.take("5i")
        (blob,) = self.take("Q")
        self.skip(4 * (pieces + 1) + 4 * pieces + blob)
        _entries, length = self.take("iI")
        self.skip(length)


def read_tensors(content: bytes) -> tuple[Shape, float, dict[str, npt.NDArray[np.float32]]]:
    """Return the shape, the epsilon of its layer norms, and all tensors, each of one dimension.

    Raises:
        ValueError: Not such a file, or of a kind that is not known.
    """
    reader = Reader(content)
    if content[:4] != MAGIC:
        raise ValueError("not a model of the form E5S1")
    reader.skip(4)
    (version, *lengths, epsilon, block) = reader.take("i7ifi")
    if (version, block) != (1, BLOCK_WEIGHTS):
        raise ValueError(f"version {version} with blocks of {block} is not known")
    reader.skip_tokenizer()
    tensors = {}
    for _ in range(*reader.take("i")):
        (length,) = reader.take("H")
        (name,) = reader.take(f"{length}s")
        kind, count, start, size = reader.take("BIQQ")
        raw = np.frombuffer(content, np.uint8, size, start)
        tensors[name.decode()] = unpack(raw, kind)[:count]
    return Shape(*lengths), epsilon, tensors


def unpack(raw: npt.NDArray[np.uint8], kind: int) -> npt.NDArray[np.float32]:
    """Return the float32 weights of a tensor's bytes. Raises `ValueError` for other kinds."""
    if kind == 0:
        return raw.view(np.float32)
    if kind != 1:
        raise ValueError(f"tensors of kind {kind} are not known")
    blocks = raw.reshape(-1, BLOCK_BYTES)
    scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
    packed = blocks[:, 2:]
    values = np.concatenate([packed & 15, packed >> 4], axis=1).astype(np.float32)
    weights: npt.NDArray[np.float32] = ((values - 8.0) * scales).reshape(-1)
    return weights


def state(
    shape: Shape, tensors: dict[str, npt.NDArray[np.float32]]
) -> dict[str, npt.NDArray[np.float32]]:
    """Return the tensors under the names, and in the shapes, of a `BertModel`."""
    named = {EMBEDDINGS[name]: tensors[name] for name in EMBEDDINGS}
    for layer in range(shape.layers):
        for short, long in LAYER.items():
            for end, word in (("w", "weight"), ("b", "bias")):
                named[f"encoder.layer.{layer}.{long}.{word}"] = tensors[f"l{layer}.{short}.{end}"]
    return {name: _matrix(name, value, shape) for name, value in named.items()}


def _matrix(name: str, value: npt.NDArray[np.float32], shape: Shape) -> npt.NDArray[np.float32]:
    if "LayerNorm" in name or name.endswith("bias"):
        return value
    inputs = shape.inner if "output.dense" in name and "attention" not in name else shape.hidden
    return value.reshape(-1, inputs)


def convert(file: Path, into: Path) -> None:
    """Write the model as a sentence-transformers folder: mean pooling, normalised, both prompts."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    shape, epsilon, tensors = read_tensors(file.read_bytes())
    config = BertConfig(
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.inner,
        vocab_size=shape.vocabulary,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=epsilon,
        pad_token_id=0,
    )
    model = BertModel(config)
    weights = {
        name: torch.from_numpy(value.copy()) for name, value in state(shape, tensors).items()
    }
    # BertModel's own pooler is not part of this model and its output is not used: zeros, so that
    # no random weights are written and the folder has one hash on every machine
    pooler = {
        f"pooler.{name}": torch.zeros_like(of) for name, of in model.pooler.named_parameters()
    }
    model.load_state_dict(weights | pooler)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(file.parent / "tokenizer.json"),
        model_max_length=shape.positions,
        **SPECIAL,
    )
    with tempfile.TemporaryDirectory(dir=file.parent) as bare:
        model.save_pretrained(bare)
        tokenizer.save_pretrained(bare)
        transformer = Transformer(bare, max_seq_length=shape.positions)
    parts = [transformer, Pooling(shape.hidden, pooling_mode="mean"), Normalize()]
    SentenceTransformer(modules=parts, prompts=PROMPTS).save(str(into))


if __name__ == "__main__":
    convert(Path(sys.argv[1]), Path(sys.argv[2]))

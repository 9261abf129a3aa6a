"""A small model in the form E5S1, written as the package that has the real one writes it."""

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer, models, pre_tokenizers, processors

Floats = npt.NDArray[np.float32]
SHAPE = {"hidden": 32, "layers": 1, "heads": 2, "inner": 64, "vocabulary": 8, "positions": 16}
TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "lamp", "灯", "passage:", "<mask>")


def packed(values: npt.NDArray[np.int64], scale: float) -> bytes:
    """Return 32 weights as one block: low halves first, then high ones."""
    low, high = values[:16] + 8, values[16:] + 8
    return np.float16(scale).tobytes() + (low | high << 4).astype(np.uint8).tobytes()


def tensors() -> dict[str, Floats]:
    """Return random weights under the names of the file."""
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


def blocks_of(weights: Floats) -> bytes:
    """Return weights rounded to blocks of 4 bits."""
    content = b""
    for block in weights.reshape(-1, 32):
        scale = float(np.float16(np.abs(block).max() / 7))
        content += packed(np.rint(block / scale).clip(-8, 7).astype(np.int64), scale)
    return content


def model_file(content: Mapping[str, Floats], *, in_blocks: bool = False) -> bytes:
    """Return the file; `in_blocks` has its layers' matrices in 4 bits."""
    head = b"E5S1" + struct.pack("<i7ifi", 1, *SHAPE.values(), 2, 1e-12, 32)
    head += struct.pack("<5iQ", 2, 0, 2, 1, 3, 5) + bytes(4 * 3 + 4 * 2) + b"pieces"[:5]
    head += struct.pack("<iI", 1, 3) + b"map" + struct.pack("<i", len(content))
    start = len(head) + sum(2 + len(name) + 21 for name in content)
    body = b""
    for name, values in content.items():
        kind = int(in_blocks and name[0] == "l" and name.endswith(".w") and "ln" not in name)
        raw = blocks_of(values) if kind else values.tobytes()
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", kind, values.size, start + len(body), len(raw))
        body += raw
    return head + body


def write_tokenizer(file: Path) -> None:
    """Write a tokenizer of whole words."""
    tokenizer = Tokenizer(
        models.WordLevel({token: at for at, token in enumerate(TOKENS)}, unk_token="<unk>")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(file))

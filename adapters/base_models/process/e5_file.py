"""The tensors of a model file in the form E5S1.

The file begins with the model's shape and a tokenizer of its own, which is skipped; then each
tensor's name, kind, length and place. Kind 0 is float32; kind 1 is Q4_0: blocks of 32 weights as
one float16 scale and 16 bytes, whose low halves are weights 0 to 15 and whose high halves 16 to 31,
each `(value - 8) * scale`.
"""

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
MAGIC = b"E5S1"
BLOCK_WEIGHTS, BLOCK_BYTES = 32, 18


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


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor as it stands in the file.

    Attributes:
        kind: 0 is float32, 1 blocks of 4 bits.
        raw: (bytes,) uint8.
    """

    kind: int
    raw: npt.NDArray[np.uint8]

    def weights(self) -> Floats:
        """Return the float32 weights, of one dimension. Raises `ValueError` for other kinds."""
        if self.kind == 0:
            return self.raw.view(np.float32)
        scales, values = self.blocks()
        weights: Floats = (values.astype(np.float32) - 8.0) * scales
        return weights.reshape(-1)

    def blocks(self) -> tuple[Floats, npt.NDArray[np.uint8]]:
        """Return a matrix's scales (n, 1) float32 and its values 0 to 15 (n, 32) uint8."""
        if self.kind != 1:
            raise ValueError(f"tensors of kind {self.kind} are not known")
        blocks = self.raw.reshape(-1, BLOCK_BYTES)
        packed = blocks[:, 2:]
        scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        return scales, np.concatenate([packed & 15, packed >> 4], axis=1)


def read_tensors(content: bytes) -> tuple[Shape, float, dict[str, Tensor]]:
    """Return the shape, the epsilon of its layer norms, and all tensors.

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
        kind, _count, start, size = reader.take("BIQQ")
        tensors[name.decode()] = Tensor(kind, np.frombuffer(content, np.uint8, size, start))
    return Shape(*lengths), epsilon, tensors

"""Reads what weight files say about themselves, and fingerprints files and adapter folders.

Knows the safetensors format and hashes; knows no training, and runs nothing that a file holds.
"""

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from adapters.errors import NotServable

ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER_SETTINGS = "adapter_config.json"
MAX_HEADER_BYTES = 100_000_000  # the limit of the safetensors library itself
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "U8": 1, "I8": 1}


@dataclass(frozen=True, slots=True)
class TensorHeader:
    """One tensor as its file's header describes it; `start` and `end` are bytes of the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def hash_file(path: Path) -> str:
    """Return the SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_text(text: str) -> str:
    """Return the SHA-256 (hex) of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_adapter(folder: Path) -> str:
    """Return the SHA-256 (hex) over an adapter's weights and settings.

    Its first eight digits are the `sha8` of the adapter's id; two folders with the same digest
    answer alike.

    Raises:
        NotServable: One of the two files is missing.
    """
    digest = hashlib.sha256()
    for name in (ADAPTER_WEIGHTS, ADAPTER_SETTINGS):
        path = folder / name
        if not path.is_file():
            raise NotServable(f"{folder.name} has no {name}", (f"{name} is missing",))
        digest.update(f"{name} {hash_file(path)}\n".encode())
    return digest.hexdigest()


def read_header(path: Path) -> Mapping[str, TensorHeader]:
    """Return the tensors of a safetensors file by name, without reading one.

    Raises:
        ValueError: The file is no safetensors file, its header is damaged, or its data are not
            those that the header tells of.
    """
    with path.open("rb") as file:
        total, start = path.stat().st_size, file.read(8)
        size = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= size <= min(MAX_HEADER_BYTES, total - 8):
            raise ValueError(f"{path.name} is not a safetensors file")
        try:
            header = json.loads(file.read(size))
            tensors = {
                name: _read_entry(entry, data_start=8 + size)
                for name, entry in header.items()
                if name != "__metadata__"
            }
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as exc:
            raise ValueError(f"the header of {path.name} is damaged: {exc}") from exc
    end = 8 + size
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].start, item[1].end)):
        wanted = math.prod(tensor.shape) * _BYTES.get(tensor.dtype, 0)
        if tensor.start != end or (wanted and tensor.end - tensor.start != wanted):
            raise ValueError(f"the header of {path.name} is damaged: wrong offsets of {name}")
        end = tensor.end
    if end != total:
        raise ValueError(f"{path.name} has the wrong size: {total} bytes, not {end}")
    return tensors


def write_metadata(path: Path, metadata: Mapping[str, str]) -> None:
    """Replace the metadata in the header of a safetensors file; equal files stay equal.

    The library writes metadata of several keys in an order of its own each time.
    """
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = {**json.loads(content[8 : 8 + size]), "__metadata__": dict(metadata)}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # tensors begin at a multiple of 8
    path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + size :])


def find_not_finite(path: Path, tensors: Mapping[str, TensorHeader]) -> list[str]:
    """Return the names of tensors of 16 or 32 bits that hold NaN or an infinity.

    Args:
        path: A safetensors file.
        tensors: What `read_header` says of it.
    """
    content = np.memmap(path, dtype=np.uint8, mode="r")
    return sorted(
        name
        for name, tensor in tensors.items()
        if not _is_finite(content[tensor.start : tensor.end], tensor.dtype)
    )


def _read_entry(entry: Any, *, data_start: int) -> TensorHeader:
    start, end = entry["data_offsets"]
    if any(type(number) is not int or number < 0 for number in (*entry["shape"], start, end)):
        raise ValueError("shapes and offsets must be whole numbers")
    place = (data_start + start, data_start + end)
    return TensorHeader(str(entry["dtype"]), tuple(entry["shape"]), *place)


def _is_finite(raw: Any, dtype: str) -> bool:
    """Say whether raw little-endian bytes hold finite numbers only."""
    if dtype == "BF16":  # numpy has no such type: all exponent bits set means NaN or infinity
        return not bool(((raw.view("<u2") & 0x7F80) == 0x7F80).any())
    kind = {"F16": "<f2", "F32": "<f4"}.get(dtype)
    return kind is None or bool(np.isfinite(raw.view(kind)).all())

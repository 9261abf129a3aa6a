"""Reads what weight files say about themselves, and fingerprints files and adapter folders.

Knows the safetensors header and hashes; loads no tensor and knows no training.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from adapters.errors import NotServable

ADAPTER_WEIGHTS = "adapter_model.safetensors"
ADAPTER_SETTINGS = "adapter_config.json"
MOST_HEADER_BYTES = 100_000_000  # the limit of the safetensors library itself


@dataclass(frozen=True, slots=True)
class TensorHeader:
    """One tensor as its file's header describes it."""

    dtype: str
    shape: tuple[int, ...]


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
            raise NotServable(f"{folder.name} holds no {name}", (f"{name} is missing",))
        digest.update(f"{name} {hash_file(path)}\n".encode())
    return digest.hexdigest()


def read_header(path: Path) -> Mapping[str, TensorHeader]:
    """Return the tensors of a safetensors file by name, without reading one.

    Raises:
        ValueError: The file is no safetensors file, or its header is damaged.
    """
    with path.open("rb") as file:
        start = file.read(8)
        size = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= size <= min(MOST_HEADER_BYTES, path.stat().st_size):
            raise ValueError(f"{path.name} is not a safetensors file")
        try:
            header = json.loads(file.read(size))
            return {
                name: TensorHeader(str(entry["dtype"]), tuple(int(n) for n in entry["shape"]))
                for name, entry in header.items()
                if name != "__metadata__"
            }
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise ValueError(f"the header of {path.name} is damaged: {exc}") from exc

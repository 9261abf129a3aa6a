"""The header of a file of weights."""

from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from adapters.files.weights import hash_file, read_header, write_metadata

TENSORS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(5, dtype=np.float16)}


def test_metadata_is_replaced_and_equal_files_stay_equal(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.safetensors" for number in range(4)]
    told = {"format": "pt", "run": "1" * 64, "by": "us"}
    for file in files:
        save_file(TENSORS, file, metadata={"format": "pt", "older": "x"})
        write_metadata(file, told)
    assert len({hash_file(file) for file in files}) == 1
    with safe_open(files[0], "numpy") as opened:
        assert opened.metadata() == told
    assert (load_file(files[0])["a"] == TENSORS["a"]).all()
    assert (load_file(files[0])["b"] == TENSORS["b"]).all()
    assert min(tensor.start for tensor in read_header(files[0]).values()) % 8 == 0

import struct

import numpy as np
import pytest

from adapters.base_models.process.e5_file import Tensor, read_tensors
from tests.fakes.e5_file import model_file, packed, tensors


def test_a_block_is_a_scale_and_32_halves_of_bytes() -> None:
    values = np.arange(32) % 16 - 8
    raw = np.frombuffer(packed(values, 0.5) + packed(-(values + 1), 0.25), np.uint8)
    expected = np.concatenate([values * 0.5, -(values + 1) * 0.25]).astype(np.float32)
    np.testing.assert_array_equal(Tensor(1, raw).weights(), expected)


def test_float_tensors_are_read_as_they_are() -> None:
    given = tensors()
    shape, epsilon, read = read_tensors(model_file(given))
    assert (shape.hidden, shape.inner, shape.types) == (32, 64, 2)
    assert epsilon == pytest.approx(1e-12)
    assert read.keys() == given.keys()
    for name, values in given.items():
        np.testing.assert_array_equal(read[name].weights(), values)


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
        Tensor(2, np.zeros(18, np.uint8)).weights()


def test_blocks_are_read_where_the_file_has_them() -> None:
    given = tensors()
    _shape, _epsilon, read = read_tensors(model_file(given, in_blocks=True))
    assert (read["l0.q.w"].kind, read["l0.q.b"].kind, read["l0.aln.w"].kind) == (1, 0, 0)
    rounded = read["l0.fo.w"].weights()
    assert np.abs(rounded - given["l0.fo.w"]).max() == pytest.approx(0.2, abs=0.15)
    scales, values = read["l0.fo.w"].blocks()
    np.testing.assert_array_equal(((values - 8.0) * scales).reshape(-1), rounded)

"""Rows by the keys they share."""

import numpy as np
import pytest

from adapters.data.cleaning import buckets
from adapters.data.cleaning.buckets import MAX_BUCKET, Buckets


def find(held: Buckets, *keys: list[int]) -> list[tuple[int, int]]:
    places, rows = held.find(np.array(keys, np.uint64))
    return list(zip(places.tolist(), rows.tolist(), strict=True))


@pytest.mark.parametrize("max_run", [1 << 21, 3])
def test_rows_are_found_by_any_key_and_once(max_run: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buckets, "MAX_RUN", max_run)
    held = Buckets()
    for row in range(20):
        held.add(np.array([[row, 1000 + row], [500 + row, 2000]], np.uint64), np.array([row, row]))
    assert find(held, [7, 1007], [3, 9999], [8888, 9999]) == [(0, 7), (1, 3)]


def test_of_a_bucket_that_many_share_some_rows_are_found() -> None:
    held = Buckets()
    held.add(np.zeros((100, 1), np.uint64), np.arange(100))
    assert find(held, [0]) == [(0, row) for row in range(MAX_BUCKET)]


def test_nothing_is_found_in_nothing() -> None:
    assert find(Buckets(), [1]) == []

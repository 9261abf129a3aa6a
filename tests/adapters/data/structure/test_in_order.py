import time
from collections.abc import Iterator

import pytest

from adapters.data.structure.in_order import map_in_order


def test_results_are_in_order_and_no_more_is_read_ahead_than_allowed() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for n in range(20):
            read.append(n)
            yield n

    def work(n: int) -> int:
        time.sleep(0.01 if n % 2 == 0 else 0)
        return n * n

    done = map_in_order(work, items(), parallel=4)
    assert next(done) == 0
    assert read == [0, 1, 2, 3]
    assert list(done) == [n * n for n in range(1, 20)]


def test_an_error_is_raised_in_its_turn() -> None:
    done = map_in_order(lambda n: 1 // n, [1, 0, 1], parallel=2)
    assert next(done) == 1
    with pytest.raises(ZeroDivisionError):
        next(done)

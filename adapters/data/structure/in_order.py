"""Does slow work for several items at once and gives the results in the order of the items."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


def map_in_order(
    do: Callable[[Item], Done], items: Iterable[Item], *, parallel: int
) -> Iterator[Done]:
    """Yield what `do` returns for each item; at most `parallel` items are read ahead.

    An error of `do` is raised in its turn, and what has not begun by then is not done.
    """
    pool = ThreadPoolExecutor(parallel)
    waiting: deque[Future[Done]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(do, item))
            if len(waiting) >= parallel:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)

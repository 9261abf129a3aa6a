"""Waiting for what happens soon."""

import time
from collections.abc import Callable


def eventually(check: Callable[[], bool], *, within_s: float = 10.0) -> None:
    """Return once `check` holds; fail when it does not within `within_s`."""
    deadline = time.monotonic() + within_s
    while not check():
        assert time.monotonic() < deadline, f"did not come true within {within_s} s"
        time.sleep(0.02)

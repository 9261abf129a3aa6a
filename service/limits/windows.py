"""Counts in fixed windows, kept in this process: a window begins with its first use.

It knows keys and numbers; it does not know whose they are, nor limits.
"""

import time
from collections.abc import Hashable
from dataclasses import dataclass

SLACK_S = 1.0  # a clock that is put right by less ends no window
SWEEP_S = 60.0  # ended windows of those who no longer come are dropped so often


@dataclass(slots=True)
class _Window:
    begins: float
    length_s: float
    used: int = 0

    def is_over(self, now: float) -> bool:
        """Return whether it has ended, or the clock was set back far behind its beginning."""
        return not self.begins - SLACK_S <= now < self.begins + self.length_s


class Windows:
    """How much was used under each key in its present window."""

    def __init__(self) -> None:
        self._windows: dict[Hashable, _Window] = {}
        self._swept = time.time()

    def __len__(self) -> int:
        return len(self._windows)

    def add(self, key: Hashable, amount: int, *, length_s: float) -> None:
        """Count `amount` in the present window; without one, a window of `length_s` begins."""
        now = time.time()
        if not 0 <= now - self._swept < SWEEP_S:
            self._sweep(now)
        window = self._windows.get(key)
        if window is None or window.is_over(now):
            window = self._windows[key] = _Window(now, length_s)
        window.used += amount

    def read(self, key: Hashable) -> tuple[int, float]:
        """Return how much was used, and in how many seconds the window ends; 0, 0 without one."""
        now = time.time()
        window = self._windows.get(key)
        if window is None or window.is_over(now):
            return 0, 0.0
        return window.used, window.begins + window.length_s - now

    def _sweep(self, now: float) -> None:
        self._swept = now
        self._windows = {
            k: window for k, window in self._windows.items() if not window.is_over(now)
        }

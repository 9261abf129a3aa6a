"""Counts in this process end with their window, also where the clock is set back."""

import time

import pytest

from service.limits import windows
from service.limits.windows import Windows


class Clock:
    """The time that the counts see."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0
        patch.setattr(time, "time", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def test_a_window_begins_with_its_first_use_and_ends_after_its_length(clock: Clock) -> None:
    counts = Windows()
    assert counts.read("a") == (0, 0.0)
    counts.add("a", 2, length_s=60)
    clock.now += 20
    counts.add("a", 3, length_s=60)
    assert counts.read("a") == (5, 40.0)
    assert counts.read("b") == (0, 0.0)
    clock.now += 40
    assert counts.read("a") == (0, 0.0)
    counts.add("a", 1, length_s=60)
    assert counts.read("a") == (1, 60.0)


def test_a_clock_that_is_set_back_ends_the_window(clock: Clock) -> None:
    counts = Windows()
    counts.add("a", 7, length_s=60)
    clock.now -= 0.5
    assert counts.read("a")[0] == 7
    clock.now -= 1
    assert counts.read("a") == (0, 0.0)
    counts.add("a", 1, length_s=60)
    assert counts.read("a") == (1, 60.0)


def test_ended_windows_do_not_pile_up(clock: Clock) -> None:
    counts = Windows()
    for number in range(100):
        counts.add(number, 1, length_s=30)
    clock.now += windows.SWEEP_S
    counts.add("last", 1, length_s=30)
    assert len(counts) == 1

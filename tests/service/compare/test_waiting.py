"""A question that a limit refuses is asked again when the limit said, within bounds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest

from service.compare import waiting as module
from service.compare.waiting import MOST_WAITED_S, Waiting

LET_THROUGH = httpx.Response(200)


@dataclass
class Clock:
    """Time that passes only while somebody sleeps."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


def refused(seconds: int | str | None) -> httpx.Response:
    return httpx.Response(429, headers={} if seconds is None else {"retry-after": str(seconds)})


def replies(*given: httpx.Response) -> Callable[[], httpx.Response]:
    left: Iterator[httpx.Response] = iter(given)
    return lambda: next(left)


def test_it_waits_as_long_as_each_refusal_says(clock: Clock) -> None:
    ask = replies(refused(12), refused(30), LET_THROUGH)
    assert Waiting(lambda: True).until_let_through(ask) is LET_THROUGH
    assert sum(clock.slept) == pytest.approx(42)


@pytest.mark.parametrize("told", [None, "soon", "-3"])
def test_a_refusal_that_says_no_time_is_asked_again_a_second_later(
    clock: Clock, told: str | None
) -> None:
    Waiting(lambda: True).until_let_through(replies(refused(told), LET_THROUGH))
    assert sum(clock.slept) == pytest.approx(1)


def test_other_replies_are_returned_at_once(clock: Clock) -> None:
    for status in (200, 404, 409, 503):
        reply = httpx.Response(status, headers={"retry-after": "5"})
        assert Waiting(lambda: True).until_let_through(replies(reply)) is reply
    assert clock.slept == []


def test_it_ends_where_nothing_is_let_through(clock: Clock) -> None:
    last = Waiting(lambda: True).until_let_through(lambda: refused(60))
    assert last is not None
    assert last.status_code == 429
    assert MOST_WAITED_S - 60 <= sum(clock.slept) <= MOST_WAITED_S


def test_it_goes_on_while_other_questions_are_let_through(clock: Clock) -> None:
    waiting = Waiting(lambda: True)

    def ask() -> httpx.Response:
        if sum(clock.slept) > MOST_WAITED_S:
            return LET_THROUGH
        waiting.until_let_through(lambda: LET_THROUGH)
        return refused(60)

    assert waiting.until_let_through(ask) is LET_THROUGH
    assert sum(clock.slept) > MOST_WAITED_S


def test_a_comparison_that_is_no_longer_wanted_waits_no_longer(clock: Clock) -> None:
    waiting = Waiting(lambda: sum(clock.slept) < 3)
    assert waiting.until_let_through(lambda: refused(60)) is None
    assert sum(clock.slept) == pytest.approx(3)

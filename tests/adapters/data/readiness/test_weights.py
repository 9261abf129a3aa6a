"""Rows of the last year count three times; training repeats rows by their weight."""

from dataclasses import replace
from datetime import date

import pytest

from adapters.data import repeat_by_weight
from adapters.data.readiness.weights import WeightRecent, WeightRecentSettings
from tests.adapters.data.readiness.rows import row

TODAY = date(2026, 6, 30)


def weighted(**meta: object) -> tuple[object, str]:
    step = WeightRecent(WeightRecentSettings(), today=TODAY)
    (result,) = step.run([replace(row("?", "a"), meta=meta)])
    return result.rows[0].meta.get("weight"), result.reason


@pytest.mark.parametrize(
    ("dated", "expected"),
    [
        ("2026-06-30", (3.0, "recent")),
        ("2025-07-01", (3.0, "recent")),
        ("2025-06-30", (None, "")),
        ("2026-07-02", (None, "")),  # in the future
        (None, (None, "")),
    ],
)
def test_rows_of_the_last_year_get_the_weight(
    dated: str | None, expected: tuple[object, str]
) -> None:
    assert weighted(date=dated) == expected


def test_a_weight_that_a_row_has_stays() -> None:
    assert weighted(date="2026-06-30", weight=0) == (0, "")


def test_the_day_is_a_part_of_the_settings() -> None:
    step = WeightRecent(WeightRecentSettings(times=2, today=date(2020, 1, 1)), today=TODAY)
    assert step.settings == {"times": 2, "today": "2020-01-01"}


@pytest.mark.parametrize(
    ("weight", "times"),
    [(3.0, 3), (1, 1), (0.2, 1), (1.6, 2), (0, 0), (-1, 0), (999, 20), ("3", 1), (True, 1)]
    + [(None, 1), (float("nan"), 1), (float("inf"), 20)],
)
def test_rows_are_repeated_by_their_weight(weight: object, times: int) -> None:
    first, last = row("a", "b", weight=weight), row("c", "d")
    assert repeat_by_weight([first, last]) == [first] * times + [last]

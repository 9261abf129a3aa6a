"""Rows on both sides of a threshold."""

from collections.abc import Iterator, Sequence

import pytest

from adapters.data.filters.threshold import NO_SCORE, ScoreFilter, Threshold
from adapters.data.rows import Row
from tests.adapters.data.filters.rows import row

ROWS = [row(f"q{n}", line=n) for n in range(1, 8)]


def make(*, is_minimum: bool, value: float = 4, window: int = 3) -> tuple[ScoreFilter, list[int]]:
    """Return a filter by the number of the line, and the sizes of the windows it is given."""
    sizes: list[int] = []

    def score(rows: Sequence[Row]) -> list[float | None]:
        sizes.append(len(rows))
        return [None if one.line == 7 else float(one.line) for one in rows]

    limit = Threshold("line", value, is_minimum, "wrong_line", "the test")
    return ScoreFilter("lines", limit, score, settings={"by": "line"}, window=window), sizes


@pytest.mark.parametrize(
    ("is_minimum", "kept", "said"),
    [(True, [4, 5, 6], "at least 4 needed"), (False, [1, 2, 3, 4], "at most 4 needed")],
)
def test_a_row_at_the_threshold_goes_on_and_others_say_why_not(
    is_minimum: bool, kept: list[int], said: str
) -> None:
    step, sizes = make(is_minimum=is_minimum)
    results = list(step.run(iter(ROWS)))
    assert [result.row for result in results] == ROWS
    assert [result.row.line for result in results if not result.is_dropped] == kept
    dropped = [result for result in results if result.is_dropped and result.scores]
    assert {result.reason for result in dropped} == {"wrong_line"}
    assert all(said in result.detail for result in dropped)
    assert all(result.scores == {"line": result.row.line} for result in results[:-1])
    assert sizes == [3, 3, 1]


def test_a_row_without_a_score_is_dropped_for_that() -> None:
    for is_minimum in (True, False):
        *_, last = make(is_minimum=is_minimum)[0].run(ROWS)
        assert (last.is_dropped, last.reason, last.scores) == (True, NO_SCORE, {})


def test_rows_are_read_window_by_window() -> None:
    step, _ = make(is_minimum=True)
    read: list[int] = []

    def reading() -> Iterator[Row]:
        for one in ROWS:
            read.append(one.line)
            yield one

    results = step.run(reading())
    next(results)
    assert read == [1, 2, 3]


def test_the_threshold_is_a_part_of_the_settings() -> None:
    assert make(is_minimum=True, value=2)[0].settings == {"by": "line", "threshold": 2}

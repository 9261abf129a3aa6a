import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.evaluation.statistics import Resamples, Values, compare_rows, exact_p_value


def share(sums: Values) -> Values:
    return np.asarray(sums[..., 0] / sums[..., 1])


def rows(right: int, of: int) -> Values:
    values = np.zeros((of, 2))
    values[:right, 0] = 1
    values[:, 1] = 1
    return values


@pytest.mark.parametrize(
    ("up", "down", "expected"),
    [
        (0, 0, 1.0),
        (5, 0, 2 / 32),  # the most uneven split of five is not yet below 0.05
        (6, 0, 2 / 64),
        (9, 1, 2 * (1 + 10) / 1024),
        (3, 3, 1.0),
    ],
)
def test_exact_p_values_by_hand(up: int, down: int, expected: float) -> None:
    assert exact_p_value(up, down) == pytest.approx(expected)
    assert exact_p_value(down, up) == exact_p_value(up, down)


def test_a_large_split_does_not_overflow() -> None:
    assert 0 <= exact_p_value(3_000, 1_000) < 1e-100


@given(up=st.integers(0, 60), down=st.integers(0, 60))
def test_a_p_value_is_a_probability_and_falls_with_unevenness(up: int, down: int) -> None:
    value = exact_p_value(up, down)
    assert 0 < value <= 1
    if up >= down:
        assert exact_p_value(up + 1, down) <= exact_p_value(up, down + 1) + 1e-12


def test_only_rows_that_tell_the_two_apart_count() -> None:
    found = compare_rows([1, 1, 0, 1], [1, 0, 1, 0], is_graded=False)
    assert (found.adapter_only, found.base_only, found.counts) == (2, 1, "right_rows")
    graded = compare_rows([0.9, 0.2], [0.8, 0.2], is_graded=True)
    assert (graded.adapter_only, graded.base_only, graded.counts) == (1, 0, "better_rows")


def test_the_interval_of_a_share_is_about_that_of_the_normal_distribution() -> None:
    found = Resamples.draw(400).score(rows(100, 400), share)
    half = 1.96 * (0.25 * 0.75 / 400) ** 0.5
    assert found.score == 0.25
    assert found.low == pytest.approx(0.25 - half, abs=0.006)
    assert found.high == pytest.approx(0.25 + half, abs=0.006)


def test_pairing_makes_the_interval_of_a_difference_narrower() -> None:
    draws = Resamples.draw(200)
    better, worse = rows(120, 200), rows(100, 200)
    paired = draws.difference(better, worse, share)
    unpaired = draws.difference(better, worse[::-1], share)
    assert paired.score == pytest.approx(0.1)
    assert paired.high - paired.low < 0.6 * (unpaired.high - unpaired.low)
    assert paired.low > 0


@given(right=st.integers(0, 30))
def test_an_interval_holds_its_score(right: int) -> None:
    found = Resamples.draw(30, rounds=200).score(rows(right, 30), share)
    assert found.low <= found.score + 1e-9
    assert found.score <= found.high + 1e-9


def test_the_same_rows_give_the_same_interval() -> None:
    first = Resamples.draw(50).score(rows(20, 50), share)
    assert Resamples.draw(50).score(rows(20, 50), share) == first

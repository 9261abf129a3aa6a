"""Shares of the lines of business, against a target."""

from collections import Counter

import pytest
from pydantic import ValidationError

from adapters.data.readiness.business_lines import (
    Balance,
    BalanceSettings,
    check_business_lines,
    read_line,
)
from tests.adapters.data.readiness.rows import lines_of, row

SIX_TO_FOUR = {"金融": 6.0, "法律": 4.0}


@pytest.mark.parametrize(
    ("finance", "law", "status", "value"),
    [(60, 40, "pass", 100.0), (70, 30, "pass", 90.0), (71, 29, "fail", 89.0), (100, 0, "fail", 60)],
)
def test_each_line_must_be_near_its_share(
    finance: int, law: int, status: str, value: float
) -> None:
    found = check_business_lines(lines_of(金融=finance, 法律=law), SIX_TO_FOUR)
    assert (found.status, found.value) == (status, value)


def test_it_tells_what_to_add_in_rows() -> None:
    found = check_business_lines(lines_of(金融=90, 法律=10), SIX_TO_FOUR)
    assert found.missing is not None
    assert "金融 has 90 % instead of 60 %" in found.missing
    assert "add 50 rows of 法律" in found.missing
    added = lines_of(金融=90, 法律=60)
    assert check_business_lines(added, SIX_TO_FOUR).value == 100.0


def test_a_line_outside_the_target_counts_against_it() -> None:
    found = check_business_lines(lines_of(金融=60, 法律=40, 保险=30), SIX_TO_FOUR)
    assert found.status == "fail"
    assert "保险 has 23.08 % instead of 0 %" in str(found.missing)


def test_rows_that_say_no_line_leave_it_unknown() -> None:
    found = check_business_lines(lines_of(金融=60, 法律=40, none=20), SIX_TO_FOUR)
    assert (found.status, found.found) == ("unknown", 20)
    assert found.missing == "20 rows name no business line; add it as `business_line`"
    assert check_business_lines(lines_of(none=3), SIX_TO_FOUR).value is None
    few = check_business_lines(lines_of(金融=60, 法律=40, none=5), SIX_TO_FOUR)
    assert few.status == "pass"


def test_balance_leaves_out_what_is_too_much_and_nothing_else() -> None:
    rows = [*lines_of(金融=90, 法律=20, 保险=5), row("?", "no line")]
    results = list(Balance(BalanceSettings(shares=SIX_TO_FOUR)).run(rows))
    assert [one.row for one in results] == rows
    kept = Counter(read_line(one.row) for one in results if not one.is_dropped)
    assert kept == {"金融": 30, "法律": 20, "保险": 5, "": 1}
    assert {one.reason for one in results if one.is_dropped} == {"over_share"}
    again = list(Balance(BalanceSettings(shares=SIX_TO_FOUR)).run(rows))
    assert [one.is_dropped for one in again] == [one.is_dropped for one in results]
    other = Balance(BalanceSettings(shares=SIX_TO_FOUR, seed=1)).run(rows)
    assert [one.is_dropped for one in other] != [one.is_dropped for one in results]


def test_a_line_without_rows_does_not_empty_the_others() -> None:
    results = Balance(BalanceSettings(shares=SIX_TO_FOUR)).run(lines_of(金融=10))
    assert not any(one.is_dropped for one in results)


@pytest.mark.parametrize("shares", [{}, {"金融": 0}, {"金融": -1}, {"金融": float("inf")}])
def test_shares_that_say_nothing_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        BalanceSettings(shares=shares)

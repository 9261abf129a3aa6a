"""Which dates are read, and what rows without one mean."""

from datetime import date
from pathlib import Path

import pytest

from adapters.data import Message, Row
from adapters.data.recency import check_recency, read_date

TODAY = date(2026, 6, 30)


def dated(value: object, key: str = "date") -> Row:
    meta = {} if value is None else {key: value}
    return Row((Message("user", "q"), Message("assistant", "a")), meta, Path("r.jsonl"), 1)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01",
        "2026-03-01T10:11:12Z",
        "2026/3/1 08:00",
        "2026年3月1日",
        "20260301",
        20260301,
        1772323200,
        1772323200000,
        1772323200.5,
    ],
)
def test_dates_are_read_as_people_write_them(value: object) -> None:
    assert read_date(dated(value)) == date(2026, 3, 1)
    assert read_date(dated(value, "created_at")) == date(2026, 3, 1)


@pytest.mark.parametrize("value", [None, "", "spring", "2026-13-45", True, 10**30, ["2026"], {}])
def test_what_is_no_date_is_unknown(value: object) -> None:
    assert read_date(dated(value)) is None


@pytest.mark.parametrize(
    ("recent", "old", "undated", "status", "value"),
    [
        (80, 20, 0, "pass", 80.0),
        (79, 21, 0, "fail", 79.0),
        (80, 0, 20, "pass", 80.0),  # whatever the others are
        (50, 21, 29, "fail", 50.0),  # even if all others were recent
        (50, 20, 30, "unknown", 50.0),
        (0, 0, 10, "unknown", None),
    ],
)
def test_rows_without_a_date_count_neither_way(
    recent: int, old: int, undated: int, status: str, value: float | None
) -> None:
    rows = [dated("2026-01-01")] * recent + [dated("2024-01-01")] * old + [dated(None)] * undated
    found = check_recency(rows, TODAY)
    assert (found.status, found.value, found.found) == (status, value, old + undated)
    assert (found.missing is None) is (status == "pass")


def test_the_missing_rows_are_enough_and_no_more() -> None:
    rows = [dated("2026-01-01")] * 50 + [dated("2024-01-01")] * 50
    found = check_recency(rows, TODAY)
    assert found.missing is not None
    assert "150 more rows" in found.missing
    assert check_recency(rows + [dated("2026-01-01")] * 150, TODAY).status == "pass"
    assert check_recency(rows + [dated("2026-01-01")] * 149, TODAY).status == "fail"


def test_a_year_ends_and_a_day_to_come_is_no_date() -> None:
    assert check_recency([dated("2025-07-01")], TODAY).status == "pass"
    assert check_recency([dated("2025-06-30")], TODAY).status == "fail"
    assert check_recency([dated("2026-07-01")], TODAY).status == "pass"  # tomorrow: another zone
    found = check_recency([dated("2027-01-01")], TODAY)
    assert (found.status, found.evidence[0].reason) == (
        "unknown",
        "dated 2027-01-01, which is in the future",
    )

"""Rows whose label is not that of most rows with their question."""

from typing import Literal

from adapters.data import Row
from adapters.data.readiness.disputed import Disputed, DisputedSettings
from tests.adapters.data.readiness.rows import row

OTHERS = [row(f"{n}?", ["yes", "no"][n % 2]) for n in range(20)]


def dropped(*rows: Row, keep: Literal["majority", "none"] = "majority") -> list[bool]:
    step = Disputed(DisputedSettings(keep=keep))
    results = list(step.run([*rows, *OTHERS]))
    assert [one.row for one in results] == [*rows, *OTHERS]
    assert {one.reason for one in results if one.is_dropped} <= {"disputed_label"}
    return [one.is_dropped for one in results[: len(rows)]]


def test_the_label_of_most_rows_stays() -> None:
    rows = [row("same", "yes"), row("Same?", "Yes."), row("same", "no")]
    assert dropped(*rows) == [False, False, True]
    assert dropped(*rows, keep="none") == [True, True, True]


def test_half_is_not_most() -> None:
    assert dropped(row("same", "yes"), row("same", "no")) == [True, True]


def test_free_text_may_differ() -> None:
    rows = [row("same", f"a long free answer that nobody repeats, {n}") for n in range(3)]
    assert not any(one.is_dropped for one in Disputed(DisputedSettings()).run(rows))

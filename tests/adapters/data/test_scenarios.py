"""Coverage and entropy of scenarios, and what rows that say none mean."""

import math
from pathlib import Path

import pytest

from adapters.data import Message, Row
from adapters.data.findings import Check
from adapters.data.scenarios import check_scenarios, count_scenarios, entropy, read_scenario

TEN = [f"s{n}" for n in range(10)]


def rows_of(counts: dict[str, int], silent: int = 0, key: str = "scenario") -> list[Row]:
    turns = (Message("user", "q"), Message("assistant", "a"))
    said = [name for name, count in counts.items() for _ in range(count)]
    rows = [Row(turns, {key: name}, Path("r.jsonl"), n) for n, name in enumerate(said, start=1)]
    return rows + [Row(turns, {}, Path("r.jsonl"), 999)] * silent


def check(counts: dict[str, int], declared: list[str], silent: int = 0) -> Check:
    return check_scenarios(rows_of(counts, silent), declared)


@pytest.mark.parametrize("key", ["scenario", "category", "intent"])
def test_the_scenario_is_what_the_metadata_says(key: str) -> None:
    (row,) = rows_of({" after-sales ": 1}, key=key)
    assert read_scenario(row) == "after-sales"
    assert read_scenario(rows_of({}, silent=1)[0]) is None


def test_even_and_complete_passes() -> None:
    found = check(dict.fromkeys(TEN, 5), TEN)
    assert (found.status, found.value, found.missing) == ("pass", 100.0, None)
    assert found.details["entropy_bits"] == pytest.approx(math.log2(10), abs=1e-3)


def test_two_scenarios_short_of_four_fifths_fails_and_names_them() -> None:
    found = check(dict.fromkeys(TEN[:7], 5), TEN)
    assert (found.status, found.value) == ("fail", 70.0)
    assert found.missing is not None
    assert found.missing.startswith("add rows for 1 more scenarios of s7, s8, s9")


def test_below_ten_scenarios_the_share_of_the_most_is_needed() -> None:
    four = TEN[:4]  # 2 bits at most, 1.927 needed
    assert check(dict.fromkeys(four, 5), four).status == "pass"
    assert check({**dict.fromkeys(four, 5), "s0": 30}, four).status == "fail"
    assert check({"one": 3}, ["one"]).status == "pass"


def test_uneven_rows_fail_and_the_rows_named_make_them_even() -> None:
    counts = {**dict.fromkeys(TEN, 100), "s0": 10, "s1": 900}
    found = check(counts, TEN)
    assert (found.status, found.value) == ("fail", 100.0)
    assert found.missing is not None
    assert " more of s0" in found.missing
    more = int(found.missing.split(" more of s0")[0].split()[-1])
    level = 10 + more
    assert entropy({name: max(count, level) for name, count in counts.items()}) > 3.2
    assert entropy({name: max(count, level - 1) for name, count in counts.items()}) <= 3.2


def test_undeclared_scenarios_are_not_invented_but_their_evenness_is_judged() -> None:
    even, uneven = check(dict.fromkeys(TEN, 5), []), check({"a": 1, "b": 99}, [])
    assert (even.status, even.value) == ("unknown", None)
    assert even.missing is not None
    assert "declare the list" in even.missing
    assert uneven.status == "fail"


@pytest.mark.parametrize(
    ("counts", "silent", "status"),
    [
        (dict.fromkeys(TEN, 50), 10, "pass"),  # wherever they belong
        (dict.fromkeys(TEN[:6], 50), 1, "fail"),  # one row cannot cover two scenarios
        (dict.fromkeys(TEN[:7], 50), 400, "unknown"),
        (dict.fromkeys(TEN, 50), 900, "unknown"),
        ({}, 10, "unknown"),
    ],
)
def test_rows_without_a_scenario_count_neither_way(
    counts: dict[str, int], silent: int, status: str
) -> None:
    found = check(counts, TEN, silent)
    assert found.status == status
    assert found.found == silent


def test_declared_names_come_first_and_case_does_not_matter() -> None:
    rows = rows_of({"REFUND": 2, "other": 5})
    assert count_scenarios(rows, ["invoice", "Refund"]) == {"invoice": 0, "Refund": 2, "other": 5}
    found = check_scenarios(rows, ["invoice", "Refund"])
    assert (found.value, found.details["rows_of_undeclared_scenarios"]) == (50.0, 5)

"""The share of rows that a model made."""

import pytest

from adapters.data.readiness.synthetic import check_synthetic
from tests.adapters.data.readiness.rows import row


@pytest.mark.parametrize(("made", "status"), [(0, "pass"), (20, "pass"), (21, "fail")])
def test_at_most_a_fifth_may_be_synthetic(made: int, status: str) -> None:
    rows = [row(f"{n}?", "a", synthetic=n < made) for n in range(100)]
    found = check_synthetic(rows)
    assert (found.status, found.value) == (status, made)


def test_it_tells_how_many_to_leave_out_or_to_write() -> None:
    rows = [row(f"{n}?", "a", line=n, **({"synthetic": True} if n < 50 else {})) for n in range(90)]
    found = check_synthetic(rows)
    assert found.missing == "leave out 40 synthetic rows, or add 160 that people wrote"
    assert check_synthetic(rows[40:]).status == "pass"
    assert check_synthetic([*rows, *([rows[-1]] * 160)]).status == "pass"
    assert check_synthetic([*rows, *([rows[-1]] * 159)]).status == "fail"
    assert (found.found, found.evidence[0].line) == (50, 0)


def test_only_the_flag_itself_counts() -> None:
    assert check_synthetic([row("?", "a", synthetic="no")]).value == 0.0

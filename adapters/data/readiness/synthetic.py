"""How many rows did a model make? Rows say so as `synthetic`; none is suspected.

A model that learns from model-made rows learns their faults: people must have made most of them.
"""

from collections.abc import Sequence

from adapters.data.findings import Check, first, percent, show
from adapters.data.rows import Row

KEY = "synthetic"
MOST_PERCENT = 20.0  # seeds of the project: at most a fifth, and reviewed by people


def is_synthetic(row: Row) -> bool:
    """Return whether a row says that a model made it."""
    return row.meta.get(KEY) is True


def check_synthetic(rows: Sequence[Row]) -> Check:
    """Judge whether at most `MOST_PERCENT` of the rows are synthetic.

    Args:
        rows: At least one.
    """
    made = [row for row in rows if is_synthetic(row)]
    value = percent(len(made), len(rows))
    fails = value > MOST_PERCENT
    by_people = len(rows) - len(made)
    most = int(by_people * MOST_PERCENT / (100 - MOST_PERCENT))
    more = -(-len(made) * (100 - MOST_PERCENT) // MOST_PERCENT) - by_people
    return Check(
        "synthetic",
        "fail" if fails else "pass",
        value,
        "percent",
        f"at most {MOST_PERCENT:g} % of the rows made by a model",
        missing=f"leave out {len(made) - most} synthetic rows, or add {more:.0f} that people wrote"
        if fails
        else None,
        found=len(made) if fails else 0,
        evidence=first(show(row, "synthetic") for row in made) if fails else (),
        details={"synthetic": len(made), "by_people": by_people},
    )

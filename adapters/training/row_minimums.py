"""How many rows are enough?

Pure: knows kinds of tasks and numbers; knows neither rows nor training.
"""

import math
from dataclasses import dataclass
from typing import Literal

from adapters.config import TrainingConfig
from adapters.data import RowsNeeded

# Where the numbers are from: DECISIONS.md, "How many rows are enough".
PILOT_ROWS = 50
LORA_MIN_ROWS, LORA_RECOMMENDED = 2_000, 5_000  # of the method
TASK_MIN_ROWS: dict[str, tuple[int, int]] = {  # smallest and recommended
    "classification": (500, 2_000),
    "qa": (1_000, 5_000),
    "dialogue": (2_000, 10_000),
    "code": (2_000, 10_000),
}
REGULATED = ("finance", "legal")
REGULATED_FACTOR = 1.3  # they need 30 % more

RowVerdict = Literal["below_pilot", "pilot", "enough", "recommended"]


@dataclass(frozen=True, slots=True)
class RowMinimums:
    """How many rows are needed, beside how many there are.

    Attributes:
        rows: The rows there are.
        pilot: Enough to try and to evaluate.
        min_rows: Enough to go live: the larger of what method and task need.
        recommended: The same, recommended.
    """

    rows: int
    pilot: int
    min_rows: int
    recommended: int

    @property
    def verdict(self) -> RowVerdict:
        """The highest of them that the rows reach."""
        if self.rows < self.pilot:
            return "below_pilot"
        if self.rows < self.min_rows:
            return "pilot"
        return "enough" if self.rows < self.recommended else "recommended"

    def as_dict(self) -> dict[str, object]:
        """Return numbers and verdict as plain content."""
        return {
            "rows": self.rows,
            "pilot": self.pilot,
            "floor": self.min_rows,
            "recommended": self.recommended,
            "verdict": self.verdict,
        }


def count_against_minimums(config: TrainingConfig, rows: int) -> RowMinimums:
    """Return how many rows a configuration needs, beside the `rows` there are."""
    needed = rows_needed(config.task_type, config.domain)
    return RowMinimums(rows, PILOT_ROWS, needed.min_rows, needed.recommended)


def rows_needed(task_type: object, industry: object) -> RowsNeeded:
    """Return how many rows are needed; an unknown kind of task needs what the method needs."""
    of_task = TASK_MIN_ROWS.get(str(task_type), (0, 0))
    factor = REGULATED_FACTOR if industry in REGULATED else 1.0
    smallest, recommended = (
        math.ceil(round(max(task, method) * factor, 6))
        for task, method in zip(of_task, (LORA_MIN_ROWS, LORA_RECOMMENDED), strict=True)
    )
    return RowsNeeded(smallest, recommended)

"""How many rows are enough?

Pure: knows kinds of tasks and numbers; knows neither rows nor training.
"""

import math
from dataclasses import dataclass
from typing import Literal

from adapters.config import TaskType, TrainingConfig

# Where the numbers are from: DECISIONS.md, "How many rows are enough".
PILOT_ROWS = 50
LORA_MIN_ROWS, LORA_RECOMMENDED = 2_000, 5_000  # of the method
TASK_MIN_ROWS: dict[TaskType, tuple[int, int]] = {  # smallest and recommended
    "classification": (500, 2_000),
    "qa": (1_000, 5_000),
    "dialogue": (2_000, 10_000),
    "code": (2_000, 10_000),
}
REGULATED_FACTOR = 1.3  # finance and legal need 30 % more

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
    of_task = TASK_MIN_ROWS.get(config.task_type, (0, 0)) if config.task_type else (0, 0)
    factor = 1.0 if config.domain == "general" else REGULATED_FACTOR
    return RowMinimums(
        rows=rows,
        pilot=PILOT_ROWS,
        min_rows=math.ceil(round(max(of_task[0], LORA_MIN_ROWS) * factor, 6)),
        recommended=math.ceil(round(max(of_task[1], LORA_RECOMMENDED) * factor, 6)),
    )

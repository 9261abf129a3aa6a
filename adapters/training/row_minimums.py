"""How many rows are enough?

Pure: knows kinds of tasks and numbers; knows neither rows nor training.
"""

import math
from dataclasses import asdict, dataclass
from typing import Literal

from adapters.config import TaskType, TrainingConfig

PILOT_ROWS = 50  # OpenAI's guide sees gains from 50 good rows; good enough to try, not to serve
LORA_FLOOR, LORA_RECOMMENDED = 2_000, 5_000  # of the method (D13)
TASK_FLOORS: dict[TaskType, tuple[int, int]] = {  # smallest and recommended (D13)
    "classification": (500, 2_000),
    "qa": (1_000, 5_000),
    "dialogue": (2_000, 10_000),
    "code": (2_000, 10_000),
}
REGULATED_FACTOR = 1.3  # finance and legal need 30 % more (D13)

RowVerdict = Literal["below_pilot", "pilot", "enough", "recommended"]


@dataclass(frozen=True, slots=True)
class RowFloors:
    """The lines a number of rows is held against.

    Attributes:
        rows: The rows there are.
        pilot: Enough to try and to evaluate.
        floor: Enough to go live: the larger of what method and task need.
        recommended: The same, recommended.
    """

    rows: int
    pilot: int
    floor: int
    recommended: int

    @property
    def verdict(self) -> RowVerdict:
        """The highest line that the rows reach."""
        if self.rows < self.pilot:
            return "below_pilot"
        if self.rows < self.floor:
            return "pilot"
        return "enough" if self.rows < self.recommended else "recommended"

    def as_dict(self) -> dict[str, object]:
        """Return lines and verdict as plain content."""
        return {**asdict(self), "verdict": self.verdict}


def count_floors(config: TrainingConfig, rows: int) -> RowFloors:
    """Return the lines for what a configuration trains, and where `rows` stand."""
    floor, recommended = TASK_FLOORS.get(config.task_type, (0, 0)) if config.task_type else (0, 0)
    factor = 1.0 if config.domain == "general" else REGULATED_FACTOR
    return RowFloors(
        rows=rows,
        pilot=PILOT_ROWS,
        floor=math.ceil(round(max(floor, LORA_FLOOR) * factor, 6)),
        recommended=math.ceil(round(max(recommended, LORA_RECOMMENDED) * factor, 6)),
    )

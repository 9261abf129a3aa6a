"""Rows of the last year count more: they are given a weight, and training repeats them by it.

The weight stays with the row (`weight`), and the row stays one: checks, splits and minimums see
each row once. It knows dates and weights; it does not know how a model is trained.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from adapters.data.recency import YEAR, read_date
from adapters.data.rows import Row
from adapters.data.steps import Result, change, keep

KEY = "weight"
MOST_TIMES = 20  # own choice: a row repeated more often is learned by heart


class _HasMeta(Protocol):
    @property
    def meta(self) -> Mapping[str, object]: ...


R = TypeVar("R", bound=_HasMeta)


class WeightRecentSettings(BaseModel):
    """Settings of `weight_recent`.

    Attributes:
        times: The weight of a row of the last year; of others 1 (3: seeds of the project).
        today: The day on which they are judged; none takes the day of the run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    times: Annotated[int, Field(ge=2, le=MOST_TIMES)] = 3
    today: date | None = None


class WeightRecent:
    """Gives rows of the last year their weight; rows that have one keep theirs."""

    name = "weight_recent"

    def __init__(self, settings: WeightRecentSettings, *, today: date) -> None:
        self._times = settings.times
        self._today = settings.today or today

    @property
    def settings(self) -> Mapping[str, object]:
        """The weight, and the day: on another day other rows are from the last year."""
        return {"times": self._times, "today": self._today.isoformat()}

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row."""
        for row in rows:
            dated = read_date(row)
            is_recent = dated is not None and (
                self._today - YEAR < dated <= self._today + timedelta(days=1)
            )
            if is_recent and KEY not in row.meta:
                weighted = replace(row, meta={**row.meta, KEY: float(self._times)})
                yield change(row, weighted, "recent", f"dated {dated}: weight {self._times}")
            else:
                yield keep(row)


def repeat_by_weight(rows: Sequence[R]) -> list[R]:
    """Return `rows` with each as often as its weight says; the trainer shuffles them.

    A weight is rounded, and is at least 1 and at most `MOST_TIMES`; rows without a number as their
    weight count once, and rows with 0 or less are left out.
    """
    return [row for row in rows for _ in range(_times(row.meta.get(KEY)))]


def _times(weight: object) -> int:
    if not isinstance(weight, int | float) or isinstance(weight, bool) or weight != weight:
        return 1
    return 0 if weight <= 0 else max(1, round(min(weight, MOST_TIMES)))

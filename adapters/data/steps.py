"""What a step does with training rows: each is kept, changed, dropped, or others are made from it.

Every row that goes into a step comes out of it as one result with its reason, so that nothing is
dropped silently. It knows no single step.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from adapters.data.rows import Row


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row.

    Attributes:
        row: The row that went in.
        rows: What goes on: itself, a changed one, none where it is dropped, or those made from it.
        reason: Why it was changed or dropped, as a short code such as `too_short`; empty where
            it goes on as it is.
        detail: The same in words, with personal data masked.
        scores: Figures of the step by name, such as `similarity`.
    """

    row: Row
    rows: tuple[Row, ...]
    reason: str = ""
    detail: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)

    @property
    def is_dropped(self) -> bool:
        """Whether nothing goes on."""
        return not self.rows


def keep(row: Row, **scores: float) -> Result:
    """Return the result of a row that goes on as it is."""
    return Result(row, (row,), scores=scores)


def drop(row: Row, reason: str, detail: str, **scores: float) -> Result:
    """Return the result of a row that does not go on."""
    return Result(row, (), reason, detail, scores)


def change(row: Row, into: Row, reason: str, detail: str) -> Result:
    """Return the result of a row that goes on as another."""
    return Result(row, (into,), reason, detail)


class Step(Protocol):
    """One step over rows; if its memory grows with their number, its docstring says so."""

    @property
    def name(self) -> str:
        """What people call it, such as `deduplicate`."""

    @property
    def settings(self) -> Mapping[str, object]:
        """All that its results depend on beside the rows; a part of cache keys."""

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row, in their order."""

"""A filter: every row gets a score, and goes on where that lies on the right side of a threshold.

It knows no single score; what scores is passed in.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from adapters.data.rows import Row
from adapters.data.steps import Result, drop, keep

Score = Callable[[Sequence[Row]], Sequence[float | None]]
"""Returns one score for each row, in their order; None where a row has none."""

NO_SCORE = "no_score"


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where rows are divided.

    Attributes:
        score: Name of the score, such as `similarity`.
        value: The threshold; a row exactly at it goes on.
        is_minimum: Whether rows go on from it upwards; else up to it.
        reason: Why the others are dropped, as a short code.
        source: Where the value comes from.
    """

    score: str
    value: float
    is_minimum: bool
    reason: str
    source: str

    def keeps(self, score: float) -> bool:
        """Whether a row with this score goes on."""
        return score >= self.value if self.is_minimum else score <= self.value

    def __str__(self) -> str:
        """Say what goes on."""
        return f"{'at least' if self.is_minimum else 'at most'} {self.value:.4g}"


class ScoreFilter:
    """A step that keeps rows by their score; it holds one window of rows at a time.

    Attributes:
        threshold: Where it divides them.
    """

    def __init__(
        self,
        name: str,
        threshold: Threshold,
        score: Score,
        *,
        settings: Mapping[str, object],
        window: int,
    ) -> None:
        """Make a filter.

        Args:
            name: What people call it.
            threshold: Where it divides the rows.
            score: Scores the rows of a window.
            settings: All that the scores depend on beside the rows.
            window: Rows scored at once, at least 1.
        """
        self.name = name
        self.threshold = threshold
        self._score = score
        self._settings = settings
        self._window = window

    @property
    def settings(self) -> Mapping[str, object]:
        """What its results depend on, the threshold included."""
        return {**self._settings, "threshold": self.threshold.value}

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row, in their order."""
        waiting = iter(rows)
        while window := list(islice(waiting, self._window)):
            for row, score in zip(window, self._score(window), strict=True):
                yield self._judge(row, score)

    def _judge(self, row: Row, score: float | None) -> Result:
        limit = self.threshold
        if score is None:
            return drop(row, NO_SCORE, f"no {limit.score} could be measured")
        if limit.keeps(score):
            return keep(row, **{limit.score: score})
        detail = f"{limit.score} {score:.4g}, {limit} needed"
        return drop(row, limit.reason, detail, **{limit.score: score})

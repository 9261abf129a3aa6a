"""What a filter did: the share it kept, its scores, rows from both sides of the threshold.

It keeps eight bytes of each row and a few texts, personal data masked. It knows no single filter.
"""

import heapq
from array import array
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from adapters.data.filters.threshold import Threshold
from adapters.data.personal import mask_personal_data
from adapters.data.relevance import said_in
from adapters.data.steps import Result

MAX_SAMPLES = 5  # of each side
MAX_SHOWN_CHARS = 160  # of a sample: a question and the beginning of its answer
_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """A row near the threshold.

    Attributes:
        file: Name of its file.
        line: Its line there (1-based).
        score: Of the row.
        text: Its beginning, personal data masked.
    """

    file: str
    line: int
    score: float
    text: str


class FilterReport:
    """Counts the results of one filter, given one after the other.

    Attributes:
        name: Of the filter.
        threshold: Where it divides the rows.
        rows: Rows that went in.
        dropped: How many were dropped, by reason.
    """

    def __init__(self, name: str, threshold: Threshold) -> None:
        """Begin to count."""
        self.name = name
        self.threshold = threshold
        self.rows = 0
        self.dropped: Counter[str] = Counter()
        self._scores = array("d")
        # (nearness, order, result) of the rows nearest to the threshold: the farthest on top
        self._kept: list[tuple[float, int, Result]] = []
        self._out: list[tuple[float, int, Result]] = []

    def add(self, result: Result) -> None:
        """Count one more."""
        self.rows += 1
        if result.is_dropped:
            self.dropped[result.reason] += 1
        score = result.scores.get(self.threshold.score)
        if score is None:
            return
        self._scores.append(score)
        side = self._out if result.is_dropped else self._kept
        entry = (-abs(score - self.threshold.value), -self.rows, result)
        if len(side) < MAX_SAMPLES:
            heapq.heappush(side, entry)
        elif entry > side[0]:
            heapq.heapreplace(side, entry)

    @property
    def kept(self) -> int:
        """Rows that go on."""
        return self.rows - self.dropped.total()

    @property
    def kept_share(self) -> float:
        """Share of the rows that go on, 0..1; 0 of none."""
        return self.kept / self.rows if self.rows else 0.0

    @property
    def scores(self) -> npt.NDArray[np.float64]:
        """The scores, (n,), in the order of the rows that have one."""
        return np.asarray(self._scores)

    @property
    def kept_samples(self) -> list[ScoredRow]:
        """Kept rows, the nearest to the threshold first."""
        return self._samples(self._kept)

    @property
    def dropped_samples(self) -> list[ScoredRow]:
        """Dropped rows, the nearest to the threshold first."""
        return self._samples(self._out)

    def as_dict(self) -> dict[str, Any]:
        """Return plain content."""
        quantiles = np.quantile(self.scores, _QUANTILES) if len(self._scores) else ()
        return {
            "filter": self.name,
            "score": self.threshold.score,
            "threshold": self.threshold.value,
            "threshold_source": self.threshold.source,
            "rows": self.rows,
            "kept": self.kept,
            "kept_share": round(self.kept_share, 4),
            "dropped": dict(self.dropped),
            "quantiles": {
                f"{at:g}": round(float(value), 4)
                for at, value in zip(_QUANTILES, quantiles, strict=False)
            },
            "kept_samples": [asdict(one) for one in self.kept_samples],
            "dropped_samples": [asdict(one) for one in self.dropped_samples],
        }

    def _samples(self, side: list[tuple[float, int, Result]]) -> list[ScoredRow]:
        return [
            _sample(result, self.threshold.score)
            for _, _, result in sorted(side, key=lambda entry: entry[:2], reverse=True)
        ]


def _sample(result: Result, score: str) -> ScoredRow:
    row = result.row
    # Masked before it is cut, so that no half of a number is shown.
    text = mask_personal_data(said_in(row)[: 4 * MAX_SHOWN_CHARS])[:MAX_SHOWN_CHARS]
    return ScoredRow(row.file.name, row.line, round(result.scores[score], 4), text)

"""What could chance have done? Intervals by a paired bootstrap, and the exact McNemar test.

Knows numbers for each row and arm; knows no texts and no thresholds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt
import pydantic

Values = npt.NDArray[np.float64]

ROUNDS = 2_000  # of the bootstrap: the ends of a 95 % interval then move by about 0.001
SEED = 7  # the same rows always give the same interval


class Score(pydantic.BaseModel):
    """A score over rows with its 95 % bootstrap interval; a difference may be negative."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    score: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Resamples:
    """How often each row is drawn in each round: the same draws for every arm.

    Attributes:
        weights: (rounds, rows) float64; every line sums to the number of rows.
    """

    weights: Values

    @classmethod
    def draw(cls, rows: int, *, rounds: int = ROUNDS) -> "Resamples":
        """Draw the rows of every round, with a fixed seed."""
        draws = np.random.default_rng(SEED).multinomial(rows, np.full(rows, 1 / rows), size=rounds)
        return cls(draws.astype(np.float64))

    def score(self, counts: Values, score: Callable[[Values], Values]) -> Score:
        """Return the score of all rows and its interval.

        Args:
            counts: (rows, d), as a metric counts them.
            score: Of the same metric.
        """
        value = float(score(counts.sum(axis=0)))
        return _with_interval(value, score(self.weights @ counts))

    def difference(self, better: Values, worse: Values, score: Callable[[Values], Values]) -> Score:
        """Return by how much `better` scores higher than `worse` on the same rows."""
        value = float(score(better.sum(axis=0)) - score(worse.sum(axis=0)))
        return _with_interval(value, score(self.weights @ better) - score(self.weights @ worse))


class McNemar(pydantic.BaseModel):
    """The exact McNemar test of adapter against base.

    Attributes:
        counts: `right_rows`: rows that one of them got right and the other wrong;
            `better_rows`: for metrics of degree, rows that one of them answered better.
        adapter_only: Such rows in favour of the adapter.
        base_only: Such rows in favour of the base model.
        p_value: Two-sided; 1.0 where no row tells them apart.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    counts: str
    adapter_only: int
    base_only: int
    p_value: float


def compare_rows(adapter: Sequence[float], base: Sequence[float], *, is_graded: bool) -> McNemar:
    """Test whether adapter and base differ on the same rows.

    Args:
        adapter: For each row 1 or 0 for right or wrong, or its score where `is_graded`.
        base: Likewise, in the same order.
        is_graded: The test on "which is better" is the sign test, the same binomial.
    """
    up = sum(a > b for a, b in zip(adapter, base, strict=True))
    down = sum(a < b for a, b in zip(adapter, base, strict=True))
    return McNemar(
        counts="better_rows" if is_graded else "right_rows",
        adapter_only=up,
        base_only=down,
        p_value=exact_p_value(up, down),
    )


def exact_p_value(up: int, down: int) -> float:
    """Return the two-sided binomial probability of a split at least as uneven as up : down."""
    n, fewer = up + down, min(up, down)
    tail = sum(comb(n, i) for i in range(fewer + 1))
    return min(1.0, 2 * tail / (1 << n))


def _with_interval(value: float, draws: Values) -> Score:
    low, high = np.percentile(draws, [2.5, 97.5])
    return Score(score=value, low=float(low), high=float(high))

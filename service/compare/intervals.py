"""Confidence interval of a mean over questions: a percentile bootstrap.

It knows numbers; it does not know what they measure.
"""

from collections.abc import Sequence

import numpy as np

RESAMPLES = 2_000
SEED = 20_261
PERCENTILES = (2.5, 97.5)  # 95 % interval


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of `values`, the same for the same values.

    Args:
        values: One number a question, at least one. Differences of two scores of one question make
            the interval a paired one.
    """
    numbers = np.array(values, dtype=np.float64)  # (questions,)
    picks = np.random.default_rng(SEED).integers(0, numbers.size, (RESAMPLES, numbers.size))
    low, high = np.percentile(numbers[picks].mean(axis=1), PERCENTILES)
    return float(low), float(high)

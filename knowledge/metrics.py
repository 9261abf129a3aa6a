"""How well were the questions served, and below which relevance is it "nothing relevant"?

It knows rankings of ids, relevance values and labels; it does not know retrievers, files or
commands. Every figure is a mean over questions, so that a bootstrap over questions bounds it.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge.errors import TooFewQuestions

Values = npt.NDArray[np.float64]

MOST_FLAGGED = 0.05
"""Share of the answerable questions that may count as not answerable; see "Relevance is not the
score" in `DECISIONS.md`."""
FOLDS = 5
ROUNDS = 1_000  # of the bootstrap; the ends of a 95 % interval move by about 0.001
SEED = 7


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over questions and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MinRelevanceFit:
    """A least relevance for one set of questions, and what it does to questions it has not seen.

    Attributes:
        min_relevance: Fitted on all answerable questions: the one to configure.
        fold_values: Fitted without one fold each; the figures below come from these.
        flagged_answerable: (n,) 1.0 where the value of the other folds flags the question.
        flagged_unanswerable: (m,) share of the fold values that flag the question.
    """

    min_relevance: float
    fold_values: tuple[float, ...]
    flagged_answerable: Values
    flagged_unanswerable: Values


def hit(found: Sequence[str], gold: Collection[str], *, cutoff: int) -> float:
    """Return 1.0 where at least one gold id is among the first `cutoff` ids, else 0.0."""
    return float(any(name in gold for name in found[:cutoff]))


def recall(found: Sequence[str], gold: Collection[str], *, cutoff: int) -> float:
    """Return the share of the gold ids among the first `cutoff` ids."""
    return len(set(found[:cutoff]).intersection(gold)) / len(set(gold))


def reciprocal_rank(found: Sequence[str], gold: Collection[str], *, cutoff: int) -> float:
    """Return 1 / rank of the first gold id, 0.0 where none is among the first `cutoff`."""
    ranks = (rank for rank, name in enumerate(found[:cutoff], start=1) if name in gold)
    return 1.0 / next(ranks, math.inf)


def ndcg(found: Sequence[str], gold: Collection[str], *, cutoff: int) -> float:
    """Return the normalised discounted cumulative gain with gain 1 for each gold id.

    Source: Järvelin and Kekäläinen 2002, with the logarithm to base 2 from the first rank on.
    """
    gains = (1.0 / math.log2(1 + r) for r, n in enumerate(found[:cutoff], start=1) if n in gold)
    ideal = sum(1.0 / math.log2(1 + rank) for rank in range(1, min(len(set(gold)), cutoff) + 1))
    return sum(gains) / ideal


def interval(values: Sequence[float] | Values, *, rounds: int = ROUNDS) -> Interval:
    """Return the mean and its 95 % percentile bootstrap interval; the seed is fixed.

    Args:
        values: One per question, at least one.
        rounds: Resamples.
    """
    sample = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(SEED)
    means = [sample[draws.integers(0, len(sample), len(sample))].mean() for _ in range(rounds)]
    low, high = np.percentile(means, [2.5, 97.5])
    return Interval(float(sample.mean()), float(low), float(high))


def fit_min_relevance(
    answerable: Sequence[float] | Values, *, most_flagged: float = MOST_FLAGGED
) -> float:
    """Return the highest relevance below which few enough of these questions lie.

    One standard error of the share is kept free, so that questions not seen here keep to
    `most_flagged` as well. A question is flagged where its relevance is below that value.

    Args:
        answerable: Best relevance of each answerable question, at least one.
        most_flagged: Largest share of them that may be flagged, 0 to 1.
    """
    ordered = np.sort(np.asarray(answerable, dtype=np.float64))
    count = len(ordered)
    spare = math.sqrt(count * most_flagged * (1.0 - most_flagged))
    return float(ordered[max(0, math.floor(count * most_flagged - spare))])


def cross_fit(
    answerable: Sequence[float] | Values,
    unanswerable: Sequence[float] | Values = (),
    *,
    most_flagged: float = MOST_FLAGGED,
    folds: int = FOLDS,
) -> MinRelevanceFit:
    """Fit the value without each fold in turn and apply it to that fold and to the others.

    Args:
        answerable: Best relevance of each question that the collection answers.
        unanswerable: The same for questions that it does not answer; they fit nothing.
        most_flagged: Largest share of the answerable ones that may be flagged.
        folds: Parts of the answerable questions, dealt at random with a fixed seed.

    Raises:
        TooFewQuestions: Fewer answerable questions than folds.
    """
    known = np.asarray(answerable, dtype=np.float64)
    other = np.asarray(unanswerable, dtype=np.float64)
    if len(known) < folds:
        raise TooFewQuestions(
            f"{len(known)} answerable questions; fitting in {folds} folds needs at least {folds}"
        )
    fold_of = np.random.default_rng(SEED).permutation(len(known)) % folds
    values_by_fold = [
        fit_min_relevance(known[fold_of != f], most_flagged=most_flagged) for f in range(folds)
    ]
    flagged = known < np.asarray(values_by_fold)[fold_of]
    shares = (other[:, None] < np.asarray(values_by_fold)[None, :]).mean(axis=1)
    return MinRelevanceFit(
        min_relevance=fit_min_relevance(known, most_flagged=most_flagged),
        fold_values=tuple(values_by_fold),
        flagged_answerable=flagged.astype(np.float64),
        flagged_unanswerable=np.asarray(shares),
    )

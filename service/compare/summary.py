"""Summary of a comparison: scores with intervals, latency, and the winner.

It knows statistics; it does not know where the outcomes came from. A question that failed counts
as an error, never as a score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from service.compare.intervals import mean_interval
from service.compare.outcome import Outcome
from service.compare.questions import Kind
from service.compare.winner import Winner, WinnerReason, because_of


@dataclass(frozen=True, slots=True)
class KindScore:
    """Mean score of the `n` answered questions of one kind."""

    n: int
    score: float


@dataclass(frozen=True, slots=True)
class Percentiles:
    """The median and the 95th percentile."""

    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class StrategySummary:
    """What one strategy scored.

    Attributes:
        n: Questions that it answered; the others are `errors`.
        score: Mean, 0 to 1; `score_low` and `score_high` bound its 95 % interval.
        latency_ms: Until the whole answer; `first_token_ms` until its first token.
        prompt_tokens: Mean of an answer, as is `completion_tokens`.
    """

    n: int
    errors: int
    score: float
    score_low: float
    score_high: float
    by_kind: Mapping[Kind, KindScore]
    latency_ms: Percentiles
    first_token_ms: Percentiles
    prompt_tokens: float
    completion_tokens: float


@dataclass(frozen=True, slots=True)
class Summary:
    """Scores by strategy, language and kind of question; its fields are the keys of its JSON."""

    questions: int
    strategies: Mapping[str, StrategySummary]
    by_language: Mapping[str, Mapping[str, StrategySummary]]
    by_kind_winner: Mapping[Kind, Sequence[str]]
    winner: Winner


def summarise(outcomes: Sequence[Outcome]) -> Summary:
    """Return the summary of `outcomes`, one for each question and strategy.

    Intervals are percentile bootstraps over questions, with a fixed seed.
    """
    strategies = _by_strategy(outcomes)
    languages = dict.fromkeys(row.language for row in outcomes)
    scored = {name: row for name, row in strategies.items() if row.n}
    return Summary(
        questions=len({row.id for row in outcomes}),
        strategies=strategies,
        by_language={
            language: _by_strategy([row for row in outcomes if row.language == language])
            for language in languages
        },
        by_kind_winner=_winners_by_kind(scored),
        winner=_winner(scored, outcomes),
    )


def _by_strategy(outcomes: Sequence[Outcome]) -> dict[str, StrategySummary]:
    names = dict.fromkeys(row.strategy for row in outcomes)
    return {name: _of([row for row in outcomes if row.strategy == name]) for name in names}


def _of(rows: Sequence[Outcome]) -> StrategySummary:
    answered = [row for row in rows if row.score is not None]
    scores = [row.score for row in rows if row.score is not None]
    low, high = mean_interval(scores) if scores else (0.0, 1.0)
    return StrategySummary(
        n=len(answered),
        errors=len(rows) - len(answered),
        score=round(sum(scores) / len(scores), 4) if scores else 0.0,
        score_low=round(low, 4),
        score_high=round(high, 4),
        by_kind=_scores_by_kind(answered),
        latency_ms=_percentiles([row.latency_ms for row in answered]),
        first_token_ms=_percentiles([row.first_token_ms for row in answered]),
        prompt_tokens=_mean([row.prompt_tokens for row in answered]),
        completion_tokens=_mean([row.completion_tokens for row in answered]),
    )


def _scores_by_kind(rows: Sequence[Outcome]) -> dict[Kind, KindScore]:
    by_kind: dict[Kind, list[float]] = {}
    for row in rows:
        if row.score is not None:
            by_kind.setdefault(row.kind, []).append(row.score)
    return {
        kind: KindScore(len(scores), round(sum(scores) / len(scores), 4))
        for kind, scores in by_kind.items()
    }


def _percentiles(values: Sequence[float]) -> Percentiles:
    if not values:
        return Percentiles(0.0, 0.0)
    p50, p95 = np.percentile(np.array(values), (50, 95))
    return Percentiles(round(float(p50), 1), round(float(p95), 1))


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 1) if values else 0.0


def _winners_by_kind(strategies: Mapping[str, StrategySummary]) -> dict[Kind, list[str]]:
    kinds = dict.fromkeys(kind for row in strategies.values() for kind in row.by_kind)
    winners = {}
    for kind in kinds:
        scores = {n: r.by_kind[kind].score for n, r in strategies.items() if kind in r.by_kind}
        best = max(scores.values())
        winners[kind] = [name for name, score in scores.items() if score == best]
    return winners


def _winner(strategies: Mapping[str, StrategySummary], outcomes: Sequence[Outcome]) -> Winner:
    """Return the fixed strategy with the best mean, and whether its lead is significant."""
    found = _lead(strategies, outcomes)
    scores = {name: row.score for name, row in strategies.items()}
    return replace(found, because=because_of(found, scores, "en"))


def _lead(strategies: Mapping[str, StrategySummary], outcomes: Sequence[Outcome]) -> Winner:
    """Return the winner without its sentence."""
    fixed = {name: row for name, row in strategies.items() if name != "auto"}
    asked = {row.strategy for row in outcomes} - {"auto"}
    if not fixed:
        reason = WinnerReason.NONE_ANSWERED if asked else WinnerReason.ONLY_AUTO
        return Winner(None, clear=False, because="", reason=reason)
    ranked = sorted(fixed, key=lambda name: fixed[name].score, reverse=True)
    best = ranked[0]
    if len(ranked) == 1:
        alone = len(asked) == 1
        reason = WinnerReason.ONE_ASKED if alone else WinnerReason.ONE_ANSWERED
        return Winner(best, clear=False, because="", reason=reason)
    second = ranked[1]
    interval = _paired_interval(best, second, outcomes)
    if interval is None:
        reason = WinnerReason.NONE_SHARED
        return Winner(best, clear=False, because="", reason=reason, second=second)
    low, high = interval
    return Winner(
        best,
        clear=low > 0,
        because="",
        reason=WinnerReason.CLEAR if low > 0 else WinnerReason.UNCLEAR,
        second=second,
        difference=round(fixed[best].score - fixed[second].score, 4),
        difference_low=round(low, 4),
        difference_high=round(high, 4),
    )


def _paired_interval(
    best: str, second: str, outcomes: Sequence[Outcome]
) -> tuple[float, float] | None:
    """Return the 95 % interval of the mean difference over questions that both answered.

    None where they answered no question in common.
    """
    scores: dict[str, dict[str, float]] = {best: {}, second: {}}
    for row in outcomes:
        if row.strategy in scores and row.score is not None:
            scores[row.strategy][row.id] = row.score
    shared = sorted(scores[best].keys() & scores[second].keys())
    if not shared:
        return None
    return mean_interval([scores[best][i] - scores[second][i] for i in shared])

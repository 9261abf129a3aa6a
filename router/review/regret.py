"""What a policy's choices were worth: decisions against the outcome of every strategy.

Each question is decided again from its recorded facts, and the score of the chosen strategy on that
question is looked up. It knows neither files nor statistics: how an interval is made is passed in.
A strategy without a score for a question is *missing* there: counted, never taken for a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from router.decide import decide
from router.decision import RuleKind, Strategy
from router.errors import ThresholdRefused
from router.facts import Facts
from router.policy.loading import Policy
from router.text import Text

# Low and high end of the interval of the mean of these values; they are never empty.
Interval = Callable[[Sequence[float]], tuple[float, float]]
POINTS: Final = 100  # a point is a hundredth of the score


@dataclass(frozen=True, slots=True)
class Trial:
    """One question, and how every strategy did on it.

    Attributes:
        id: Id of the question.
        facts: What was known when it was asked.
        scores: Score of each strategy that was asked, 0 to 1; None where it could not run. At
            least one is a number.
        live: Score of the service's own choice (`auto`), where that was asked and ran.
        thresholds: What its use case declares in place of the policy's thresholds.
    """

    id: str
    facts: Facts
    scores: Mapping[Strategy, float | None]
    live: float | None = None
    thresholds: Mapping[str, object] = field(default_factory=dict)

    @property
    def best(self) -> float:
        """The score of the best strategy: the oracle's."""
        return max(score for score in self.scores.values() if score is not None)


class Pick(NamedTuple):
    """What the policy chooses for one trial, and by which rule; None where nothing may run."""

    strategy: Strategy | None
    rule: str
    kind: RuleKind
    because: Text


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its interval."""

    value: float
    low: float
    high: float

    def as_dict(self, name: str, *, digits: int) -> dict[str, float]:
        """Return `{name, name_low, name_high}`, rounded."""
        ends = (("", self.value), ("_low", self.low), ("_high", self.high))
        return {name + end: round(value, digits) + 0.0 for end, value in ends}  # never -0.0


@dataclass(frozen=True, slots=True)
class Performance:
    """How one way of choosing did over the questions where its choice has a score.

    Attributes:
        n: Those questions.
        missing: The questions where its choice has none.
        score: Mean score, 0 to 1; None where n is 0, as are the other two.
        regret: Points lost to the oracle on the same questions.
        gain: Points won over the best fixed strategy on the questions that both scored.
        strategies: How often it chose each strategy; empty where that is not known.
    """

    n: int
    missing: int
    score: Estimate | None
    regret: Estimate | None
    gain: Estimate | None
    strategies: Mapping[Strategy, int]

    def as_dict(self) -> dict[str, object]:
        """Return plain content; an estimate that does not exist is null."""
        return {
            "n": self.n,
            "missing": self.missing,
            **_plain(self.score, "score", digits=4),
            **_plain(self.regret, "regret", digits=2),
            **_plain(self.gain, "gain", digits=2),
            "strategies": {strategy.value: n for strategy, n in self.strategies.items()},
        }


@dataclass(frozen=True, slots=True)
class RuleShare:
    """What one rule cost or saved where it chose.

    `regret` and `gain` are its share of the router's own: over all rules they add up to it.

    Attributes:
        pick: The rule, with what it chose first.
        fired: How many questions it decided.
        of: How many questions there are.
        strategies: How often it chose each strategy.
        missing: How many of its choices have no score.
        score: Mean score of its choices; None where none has one, as are the following.
        regret: Points of the whole score that it lost to the oracle.
        gain: Points of the whole score that it won over the best fixed strategy.
        regret_each: Points lost to the oracle for each question it decided.
        gain_each: Points won over the best fixed strategy for each question it decided.
    """

    pick: Pick
    fired: int
    of: int
    strategies: Mapping[Strategy, int]
    missing: int
    score: float | None
    regret: float | None
    gain: float | None
    regret_each: Estimate | None
    gain_each: Estimate | None

    def as_dict(self) -> dict[str, object]:
        """Return plain content."""
        return {
            "rule": self.pick.rule,
            "kind": self.pick.kind.value,
            "because": self.pick.because.as_dict(),
            "fired": self.fired,
            "share": round(self.fired / self.of, 4),
            "strategies": {strategy.value: n for strategy, n in self.strategies.items()},
            "missing": self.missing,
            "score": _rounded(self.score, 4),
            "regret": _rounded(self.regret, 2),
            "gain": _rounded(self.gain, 2),
            **_plain(self.regret_each, "regret_each", digits=2),
            **_plain(self.gain_each, "gain_each", digits=2),
        }


@dataclass(frozen=True, slots=True)
class Regret:
    """A policy's distance from the best choice, beside every simpler way of choosing.

    Attributes:
        policy_version: The policy that decided.
        questions: How many.
        router: The policy's choices.
        live: The service's own answers as `auto`; None where it was not asked.
        fixed: Each strategy that was asked, taken for every question.
        best_fixed: The one of them with the best mean, a missing score counted as 0 in this choice.
        others: Other choosers, by name.
        oracle: The best strategy of each question.
        rules: What each rule that chose cost or saved, the most frequent first.
    """

    policy_version: str
    questions: int
    router: Performance
    live: Performance | None
    fixed: Mapping[Strategy, Performance]
    best_fixed: Strategy
    others: Mapping[str, Performance]
    oracle: Performance
    rules: tuple[RuleShare, ...]


def measure_regret(
    trials: Sequence[Trial],
    policy: Policy,
    *,
    interval: Interval,
    others: Mapping[str, Sequence[Strategy]] | None = None,
) -> Regret:
    """Decide every trial again and compare with every simpler way of choosing.

    Args:
        trials: The questions, at least one.
        policy: The policy to evaluate.
        interval: Interval of a mean over questions, e.g. a bootstrap. Differences are formed per
            question before, so that it is a paired one.
        others: More ways of choosing: a strategy for each trial, in their order.

    Returns:
        The regret.
    """
    picks = [_redecide(trial, policy) for trial in trials]
    best_fixed = _best_fixed(trials)
    scorer = _Scorer(trials, [trial.scores.get(best_fixed) for trial in trials], interval)
    asked = [s for s in Strategy if any(s in trial.scores for trial in trials)]
    was_live = any(trial.live is not None for trial in trials)
    return Regret(
        policy_version=policy.version,
        questions=len(trials),
        router=scorer.chosen([pick.strategy for pick in picks]),
        live=scorer.scored([trial.live for trial in trials], {}) if was_live else None,
        fixed={strategy: scorer.chosen([strategy] * len(trials)) for strategy in asked},
        best_fixed=best_fixed,
        others={name: scorer.chosen(chosen) for name, chosen in (others or {}).items()},
        oracle=scorer.scored([trial.best for trial in trials], {}),
        rules=tuple(_rules(picks, scorer)),
    )


def _redecide(trial: Trial, policy: Policy) -> Pick:
    """Return what the policy chooses from the facts recorded with the trial."""
    try:
        policy = policy.with_thresholds(trial.thresholds)
    except ThresholdRefused:
        pass  # another policy need not know them; its own values hold then, as when serving
    decision = decide(trial.facts, policy)
    stated = next(f for f in decision.findings if f.rule == decision.rule)
    strategy = None if decision.conflict else decision.strategy
    return Pick(strategy, stated.rule, stated.kind, stated.because)


def _best_fixed(trials: Sequence[Trial]) -> Strategy:
    """Return the strategy with the best sum; the earlier one of equals."""

    def total(strategy: Strategy) -> float:
        return sum(trial.scores.get(strategy) or 0.0 for trial in trials)

    asked = [s for s in Strategy if any(trial.scores.get(s) is not None for trial in trials)]
    return max(asked, key=total)


class _Row(NamedTuple):
    """One chosen score, the points it lost to the oracle and won over the best fixed strategy."""

    score: float
    lost: float
    won: float | None


@dataclass(frozen=True, slots=True)
class _Scorer:
    """Holds scores against the oracle and the best fixed strategy, question by question."""

    trials: Sequence[Trial]
    fixed: Sequence[float | None]
    interval: Interval

    def chosen(self, strategies: Sequence[Strategy | None]) -> Performance:
        """Return the standing of one choice for each trial."""
        return self.scored(self.scores(strategies), _count(strategies))

    def scores(self, strategies: Sequence[Strategy | None]) -> list[float | None]:
        """Return the score of one choice for each trial."""
        pairs = zip(self.trials, strategies, strict=True)
        return [None if strategy is None else t.scores.get(strategy) for t, strategy in pairs]

    def scored(self, scores: Sequence[float | None], counts: Mapping[Strategy, int]) -> Performance:
        """Return the standing of one score, or None, for each trial."""
        rows = [row for row in self.rows(scores) if row is not None]
        return Performance(
            n=len(rows),
            missing=len(self.trials) - len(rows),
            score=self.estimate([row.score for row in rows]),
            regret=self.estimate([row.lost for row in rows]),
            gain=self.estimate([row.won for row in rows if row.won is not None]),
            strategies=counts,
        )

    def rows(self, scores: Sequence[float | None]) -> list[_Row | None]:
        """Return each score beside what the others had; None where there is none."""
        return [
            None
            if score is None
            else _Row(
                score,
                POINTS * (trial.best - score),
                None if fixed is None else POINTS * (score - fixed),
            )
            for trial, score, fixed in zip(self.trials, scores, self.fixed, strict=True)
        ]

    def estimate(self, values: Sequence[float]) -> Estimate | None:
        """Return the mean of `values`; None where there are none."""
        return Estimate(_mean(values), *self.interval(values)) if values else None


def _rules(picks: Sequence[Pick], scorer: _Scorer) -> Iterator[RuleShare]:
    """Yield every rule that chose, the most frequent first, then in the order they came up."""
    rows = scorer.rows(scorer.scores([pick.strategy for pick in picks]))
    n_lost = sum(row is not None for row in rows)
    n_won = sum(row is not None and row.won is not None for row in rows)
    places: dict[str, list[int]] = {}
    for place, pick in enumerate(picks):
        places.setdefault(pick.rule, []).append(place)
    for where in sorted(places.values(), key=len, reverse=True):
        own = [row for row in (rows[place] for place in where) if row is not None]
        lost = [row.lost for row in own]
        won = [row.won for row in own if row.won is not None]
        yield RuleShare(
            pick=picks[where[0]],
            fired=len(where),
            of=len(picks),
            strategies=_count([picks[place].strategy for place in where]),
            missing=len(where) - len(own),
            score=_mean([row.score for row in own]) if own else None,
            regret=sum(lost) / n_lost if lost else None,
            gain=sum(won) / n_won if won else None,
            regret_each=scorer.estimate(lost),
            gain_each=scorer.estimate(won),
        )


def _count(strategies: Sequence[Strategy | None]) -> dict[Strategy, int]:
    return {s: strategies.count(s) for s in Strategy if s in strategies}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _plain(estimate: Estimate | None, name: str, *, digits: int) -> dict[str, float | None]:
    if estimate is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {**estimate.as_dict(name, digits=digits)}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits) + 0.0

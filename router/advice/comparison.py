"""The comparison table: what each strategy means for this case, in its own figures.

Every cell says where its figure comes from: declared, measured, estimated, or general knowledge
where the case brings none. What is not known is said to be unknown. It recommends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from router.advice.catalogue import text
from router.advice.estimates import Estimates, Serving, Training
from router.advice.requirements import RowRequirement
from router.advice.wording import Mark, number, quantity
from router.decision import Strategy
from router.facts import Facts, Provenance
from router.text import Text


@dataclass(frozen=True, slots=True)
class Cell:
    """What one strategy means in one dimension, and where the figure comes from."""

    text: Text
    mark: Mark


@dataclass(frozen=True, slots=True)
class Dimension:
    """One row of the table."""

    id: str
    label: Text
    cells: Mapping[Strategy, Cell]


def compare_strategies(
    facts: Facts, required: RowRequirement, estimates: Estimates
) -> tuple[Dimension, ...]:
    """Return the table, one row for each dimension."""
    case = _Case(facts, required, estimates)
    return tuple(
        Dimension(id_, text(f"comparison.dimensions.{id_}"), {s: fill(s, case) for s in Strategy})
        for id_, fill in _CELLS.items()
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """What the cells are filled from."""

    facts: Facts
    required: RowRequirement
    estimates: Estimates

    def number(self, name: str) -> float | None:
        """Return a fact that is a number; None where it is unknown."""
        value = self.facts.get(name)
        return value if isinstance(value, int | float) else None

    def mark(self, name: str) -> Mark:
        """Return who stated a fact."""
        measured = self.facts.provenances[name] is Provenance.MEASURED
        return Mark.MEASURED if measured else Mark.DECLARED


def _update(strategy: Strategy, case: _Case) -> Cell:
    if strategy is Strategy.PROMPT_ONLY:
        return Cell(text("comparison.update_cost.prompt"), Mark.GENERAL)
    if not strategy.retrieves:
        return _retraining(case, case.estimates.training[strategy])
    changes = case.number("knowledge_changes_per_week")
    if changes is None:
        return Cell(text("comparison.update_cost.documents"), Mark.GENERAL)
    rate = quantity(changes, "per_week")
    return Cell(
        text("comparison.update_cost.documents_rate", rate=rate),
        case.mark("knowledge_changes_per_week"),
    )


def _retraining(case: _Case, training: Training) -> Cell:
    """Return what an update costs that needs a training run."""
    runs, run = training.runs_per_month, _run_in_words(training)
    if runs is None:
        return Cell(text("comparison.update_cost.rate_unknown", run=run), Mark.UNKNOWN)
    if runs:
        content = text("comparison.update_cost.repeated", runs=number(runs), run=run)
    elif case.facts.get("need") == "style":
        content = text("comparison.update_cost.style", run=run)
    else:
        content = text("comparison.update_cost.stable", run=run)
    return Cell(content, Mark.ESTIMATED)


def _data(strategy: Strategy, case: _Case) -> Cell:
    if strategy is Strategy.PROMPT_ONLY:
        return Cell(text("comparison.data.none"), Mark.GENERAL)
    if strategy is Strategy.RAG:
        return Cell(text("comparison.data.documents"), Mark.GENERAL)
    required, rows = case.required, case.number("labelled_examples")
    need = text(
        "comparison.data.need",
        minimum=number(required.minimum),
        recommended=number(required.recommended),
    )
    if required.ideal is not None and required.ideal > required.recommended:
        need = text("comparison.data.ideal", need=need, ideal=number(required.ideal))
    if strategy is Strategy.HYBRID:
        need = text("comparison.data.pilot", need=need, pilot=number(required.pilot))
    if rows is None:
        return Cell(text("comparison.data.unknown", need=need), Mark.UNKNOWN)
    missing = required.minimum - rows
    if missing > 0:
        content = text(
            "comparison.data.missing", need=need, rows=number(rows), missing=number(missing)
        )
    else:
        failed = case.facts.get("data_quality") == "fail"
        end = "enough_but" if failed else "enough"
        content = text(f"comparison.data.{end}", need=need, rows=number(rows))
    return Cell(content, case.mark("labelled_examples"))


def _latency(strategy: Strategy, case: _Case) -> Cell:
    p50, p95 = (case.number(f"{strategy}_{name}_ms") for name in ("p50", "p95"))
    if p95 is None:
        return Cell(_tokens_in_words(case.estimates.serving[strategy]), Mark.UNKNOWN)
    if p50 is None:
        figures = text("comparison.latency.p95", p95=number(p95))
    else:
        figures = text("comparison.latency.p50_p95", p50=number(p50), p95=number(p95))
    budget = case.number("latency_budget_ms")
    if budget is None:
        return Cell(figures, Mark.MEASURED)
    if p95 <= budget:
        content = text("comparison.latency.within", figures=figures, budget=number(budget))
    else:
        content = text("comparison.latency.over", figures=figures, budget=number(budget))
    return Cell(content, Mark.MEASURED)


def _tokens_in_words(serving: Serving) -> Text:
    """Return what is known of the time of an answer that was not measured."""
    if serving.prompt_tokens is None:
        return text("comparison.latency.unknown_total", tokens=number(serving.tokens))
    return text("comparison.latency.unknown", tokens=number(serving.prompt_tokens))


def _privacy(strategy: Strategy, case: _Case) -> Cell:
    content = text(f"comparison.privacy.{strategy}")
    if case.facts.get("data_deletable") and strategy.uses_adapter:
        content = text("comparison.privacy.must_delete", text=content)
        return Cell(content, case.mark("data_deletable"))
    if case.facts.get("privacy") == "secret":
        return Cell(text("comparison.privacy.own_engine", text=content), case.mark("privacy"))
    return Cell(content, Mark.GENERAL)


def _scenario(strategy: Strategy, case: _Case) -> Cell:
    content = text(f"comparison.scenario.{strategy}")
    if case.facts.get("need") != _NEED.get(strategy, ""):
        return Cell(content, Mark.GENERAL)
    return Cell(text("comparison.scenario.this_case", text=content), case.mark("need"))


def _long_run(strategy: Strategy, case: _Case) -> Cell:
    serving = case.estimates.serving[strategy]
    if serving.usd_per_1000 is None:
        return Cell(text("comparison.long_run_cost.unknown"), Mark.UNKNOWN)
    content = text("comparison.long_run_cost.answers", usd=number(serving.usd_per_1000))
    training = case.estimates.training.get(strategy)
    if training is not None:
        run = _run_in_words(training)
        content = text("comparison.long_run_cost.training", text=content, run=run)
    if serving.usd_per_month is None:
        content = text("comparison.long_run_cost.month_unknown", text=content)
    else:
        usd = number(serving.usd_per_month)
        content = text("comparison.long_run_cost.month", text=content, usd=usd)
    return Cell(content, Mark.ESTIMATED)


def _quality(strategy: Strategy, case: _Case) -> Cell:
    score, low, high = (
        case.number(f"{strategy}_{n}") for n in ("score", "score_low", "score_high")
    )
    if score is None:
        return Cell(text("comparison.quality.unknown"), Mark.UNKNOWN)
    if low is None or high is None:
        return Cell(text("comparison.quality.score", score=number(score)), Mark.MEASURED)
    content = text(
        "comparison.quality.interval", score=number(score), low=number(low), high=number(high)
    )
    return Cell(content, Mark.MEASURED)


def _sources(strategy: Strategy, case: _Case) -> Cell:
    if not case.facts.get("citations_required"):
        content = "comparison.sources.cites" if strategy.retrieves else "comparison.sources.cannot"
        return Cell(text(content), Mark.GENERAL)
    if strategy.retrieves:
        content = "comparison.sources.cites_as_required"
    else:
        content = "comparison.sources.cannot_but_required"
    return Cell(text(content), case.mark("citations_required"))


def _run_in_words(training: Training) -> Text:
    """Return hours and cost of one training run."""
    if training.hours is None:
        return text("comparison.run.time_unknown")
    hours = number(training.hours)
    if training.usd is None:
        return text("comparison.run.cost_unknown", hours=hours)
    return text("comparison.run.known", hours=hours, usd=number(training.usd))


# The `need` that each strategy is for.
_NEED: Final[Mapping[Strategy, str]] = {
    Strategy.RAG: "knowledge",
    Strategy.FINE_TUNED: "style",
    Strategy.HYBRID: "both",
}
_CELLS: Final[Mapping[str, Callable[[Strategy, _Case], Cell]]] = {
    "update_cost": _update,
    "data": _data,
    "latency": _latency,
    "privacy": _privacy,
    "scenario": _scenario,
    "long_run_cost": _long_run,
    "quality": _quality,
    "sources": _sources,
}

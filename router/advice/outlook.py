"""What to watch and what to do next: risks, and steps with their commands.

It reads the plan and the gaps; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from router.advice.case import Case
from router.advice.catalogue import join, text
from router.advice.estimates import Estimates, Training
from router.advice.flow import failed_checks
from router.advice.gaps import CHECK, COMPARE, CONTEXT_ROWS, Gap
from router.advice.plan import Plan, lacks_adapter
from router.advice.reasons import Interim
from router.advice.requirements import REGULATED, REGULATED_ALIASES, Category
from router.advice.wording import fact_name, number, quantity, strategy_name
from router.decision import Strategy
from router.text import Text

# `cutoff_len` of the training configuration; what is beyond it is cut.
CUTOFF_TOKENS: Final = 1_024
# A kind of row is called overrepresented from so many points above its share on (assumption).
OVERSHARE: Final = 0.1
# What a comparison or a user measures of a strategy.
_FIGURES: Final = ("score", "score_low", "score_high", "p50_ms", "p95_ms", "tokens")


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do, with the command where there is one."""

    text: Text
    command: str | None = None


def find_risks(
    case: Case, plan: Plan, estimates: Estimates, gaps: Sequence[Gap]
) -> tuple[Text, ...]:
    """Return what could go wrong with what is recommended."""
    strategy = plan.recommended
    lacks_passages = any(gap.command == CONTEXT_ROWS for gap in gaps)
    return (
        *_data_risks(case),
        *_latency_risks(case, plan),
        *(_retrieval_risks(case) if strategy and strategy.retrieves else ()),
        *(
            _adapter_risks(case, plan, estimates, lacks_passages=lacks_passages)
            if strategy and strategy.uses_adapter
            else ()
        ),
        *_knowledge_risks(case, plan),
    )


def next_steps(
    case: Case, plan: Plan, gaps: Sequence[Gap], until: Interim | None
) -> tuple[NextStep, ...]:
    """Return what to do now, in order."""
    meantime = () if until is None else (NextStep(text("next_steps.meantime", text=until.text)),)
    return (
        *_open_questions(gaps),
        *_building(case, plan),
        *meantime,
        *_training(case, plan, gaps),
        *_measuring(case, plan),
    )


def to_build(case: Case, plan: Plan) -> tuple[Text, ...]:
    """Return what the recommended strategy needs and what is not there yet."""
    strategy, facts = plan.recommended, case.facts
    wanted = []
    if "engine_local" in plan.assumed:
        wanted.append(text("to_build.engine"))
    if strategy and strategy.retrieves and facts.get("knowledge_present") is not True:
        wanted.append(text("to_build.knowledge"))
    if strategy is Strategy.HYBRID and facts.get("adapter_context_trained") is not True:
        wanted.append(text("to_build.context_adapter"))
    elif strategy and lacks_adapter(facts, strategy):
        wanted.append(text("to_build.adapter"))
    return tuple(wanted)


def _data_risks(case: Case) -> Iterator[Text]:
    failed = failed_checks(case.facts)
    if failed and case.facts.get("data_quality") == "pass":
        yield text("risks.checks_contradict", failed=join(failed, "semicolon"))
    domain = str(case.facts.get("domain") or "")
    meant = domain.strip().casefold()
    meant = REGULATED_ALIASES.get(meant, meant)
    if meant in REGULATED and domain not in REGULATED:
        yield text("risks.domain_word", domain=domain, meant=meant)
    for category, share in _overrepresented(case.categories):
        yield text(
            "risks.overrepresented",
            category=category.name,
            rows=number(100 * share),
            share=number(100 * (category.share or 0)),
        )


def _retrieval_risks(case: Case) -> Iterator[Text]:
    if case.facts.get("base_gains_from_context") is None:
        yield text("risks.weak_base")
    yield text("risks.irrelevant_passages")


def _adapter_risks(
    case: Case, plan: Plan, estimates: Estimates, *, lacks_passages: bool
) -> Iterator[Text]:
    yield text("risks.refusal")
    yield text("risks.slower")
    if lacks_passages:
        yield text("risks.no_passages")
    if plan.target.pilot:
        yield text("risks.pilot")
    if lacks_adapter(case.facts, plan.target.strategy):
        yield from _training_risks(estimates.training[plan.target.strategy])
    if "data_deletable" not in case.facts:
        yield text("risks.not_deletable")
    if case.facts.get("privacy") == "secret":
        yield text("risks.extractable")


def _training_risks(training: Training) -> Iterator[Text]:
    if training.row_tokens > CUTOFF_TOKENS:
        tokens, limit = number(training.row_tokens), number(CUTOFF_TOKENS)
        yield text("risks.cut_rows", tokens=tokens, limit=limit)
    if training.fits is False:
        yield text("risks.memory")


def _knowledge_risks(case: Case, plan: Plan) -> Iterator[Text]:
    strategy, needs_facts = plan.recommended, case.facts.get("need") in ("knowledge", "both")
    if needs_facts and strategy is not None and not strategy.retrieves:
        yield text("risks.facts_from_weights", strategy=strategy_name(strategy))
    if plan.target.rule == "fallback":
        yield text("risks.fallback")
    else:
        yield from _unmeasured(case, plan)
    if case.measured_by == "caller" and any(_has_figure(s, case) for s in Strategy):
        yield text("risks.caller")


def _unmeasured(case: Case, plan: Plan) -> Iterator[Text]:
    """Yield what is not known of the strategies for want of a comparison."""
    strategy, facts = plan.recommended, case.facts
    if not any(_has_figure(each, case) for each in Strategy):
        yield text("risks.not_measured")
    elif strategy is not None and f"{strategy}_score" not in facts:
        yield text("risks.quality_not_measured", strategy=strategy_name(strategy))
    elif strategy is not None and not any(
        f"{each}_score" in facts for each in Strategy if each is not strategy
    ):
        yield text("risks.only_one_measured", strategy=strategy_name(strategy))


def _has_figure(strategy: Strategy, case: Case) -> bool:
    """Return whether anything was measured of a strategy."""
    return any(f"{strategy}_{name}" in case.facts for name in _FIGURES)


def _latency_risks(case: Case, plan: Plan) -> Iterator[Text]:
    """Yield that the recommended strategy is too slow as measured, and whether another is not."""
    missed = _missed_latency(case, plan)
    if missed is None or plan.recommended is None:
        return
    took, budget = missed
    others = [
        strategy
        for strategy in Strategy
        if isinstance(p95 := case.facts.get(f"{strategy}_p95_ms"), int | float) and p95 <= budget
    ]
    figures = {
        "strategy": strategy_name(plan.recommended),
        "took": quantity(took, "ms"),
        "limit": quantity(budget, "ms"),
    }
    if not others:
        yield text("risks.too_slow", **figures)
    for other in others:
        because = next(r.because for r in plan.target.rejected if r.strategy is other)
        name = strategy_name(other)
        yield text("risks.too_slow_but", other=name, because=because, **figures)


def _missed_latency(case: Case, plan: Plan) -> tuple[float, float] | None:
    """Return measured p95 and budget of the recommended strategy, where it is over the budget."""
    budget = case.facts.get("latency_budget_ms")
    took = case.facts.get(f"{plan.recommended}_p95_ms")
    if not isinstance(budget, int | float) or not isinstance(took, int | float):
        return None
    return (took, budget) if took > budget else None


def _overrepresented(categories: Sequence[Category]) -> Iterator[tuple[Category, float]]:
    total = sum(category.rows for category in categories)
    for category in categories:
        if (
            category.share is not None
            and total
            and category.rows / total > category.share + OVERSHARE
        ):
            yield category, category.rows / total


def _open_questions(gaps: Sequence[Gap]) -> Iterator[NextStep]:
    deciding = [fact_name(gap.about) for gap in gaps if gap.changes]
    if deciding:
        names = join(deciding, "comma")
        yield NextStep(text("next_steps.find_out", names=names), "fingerpost advise FACTS.yaml")


def _building(case: Case, plan: Plan) -> Iterator[NextStep]:
    strategy, facts = plan.recommended, case.facts
    if "engine_local" in plan.assumed:
        yield NextStep(text("next_steps.engine"), "fingerpost up")
    if strategy is None:
        return
    if strategy.retrieves and facts.get("knowledge_present") is not True:
        command = "fingerpost kb sync KNOWLEDGE_BASE FOLDER"
        yield NextStep(text("next_steps.documents"), command)
    yield NextStep(text("next_steps.use_case"), "fingerpost use-case apply USE_CASE.yaml")


def _training(case: Case, plan: Plan, gaps: Sequence[Gap]) -> Iterator[NextStep]:
    strategy = plan.recommended
    if case.facts.get("adapter_gate_passed") is False:
        yield NextStep(text("next_steps.gate"), "fingerpost adapters show ADAPTER_ID")
    if strategy is None or not (lacks_adapter(case.facts, strategy) or _waits_for_data(plan)):
        return
    rows = [gap.text for gap in gaps if gap.kind == "rows" and gap.command is None]
    if rows:
        yield NextStep(text("next_steps.data", gaps=join(rows, "semicolon")))
    passages = next((gap for gap in gaps if gap.command == CONTEXT_ROWS), None)
    if passages is not None:
        yield NextStep(text("next_steps.passages"), CONTEXT_ROWS)
    poor = [gap.text for gap in gaps if gap.kind == "quality"]
    if poor:
        yield NextStep(text("next_steps.mend", gaps=join(poor, "semicolon")), CHECK)
    elif "data_quality" not in case.facts:
        yield NextStep(text("next_steps.check"), CHECK)
    if plan.fine_tuning in ("yes", "pilot"):
        yield NextStep(text("next_steps.train"), "fingerpost train run TRAIN.yaml --publish")
    elif strategy.uses_adapter:
        yield NextStep(text("next_steps.train_then"), "fingerpost train run TRAIN.yaml --publish")


def _waits_for_data(plan: Plan) -> bool:
    return plan.fine_tuning == "not_yet"


def _measuring(case: Case, plan: Plan) -> Iterator[NextStep]:
    if plan.recommended is None:
        return
    if _missed_latency(case, plan) is not None:
        yield NextStep(
            text("next_steps.faster_with_passages")
            if plan.recommended.retrieves
            else text("next_steps.faster_without_passages")
        )
    yield NextStep(text("next_steps.compare"), COMPARE)
    yield NextStep(text("next_steps.advise_again"), "fingerpost advise --use-case USE_CASE")

"""What to watch and what to do next: risks, and steps with their commands.

It reads the plan and the gaps; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from router.advice.case import Case
from router.advice.catalogue import join, text
from router.advice.estimates import Estimates
from router.advice.flow import failed_checks
from router.advice.gaps import COMPARE, Gap
from router.advice.plan import Plan
from router.advice.requirements import REGULATED, REGULATED_ALIASES, Category
from router.advice.wording import fact_name, number
from router.decision import Strategy
from router.text import Text

# `cutoff_len` of the training configuration; what is beyond it is cut.
CUTOFF_TOKENS: Final = 1_024
# A kind of row is called overrepresented from so many points above its share on (assumption).
OVERSHARE: Final = 0.1


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do, with the command where there is one."""

    text: Text
    command: str | None = None


def find_risks(case: Case, plan: Plan, estimates: Estimates) -> tuple[Text, ...]:
    """Return what could go wrong with what is recommended."""
    strategy = plan.recommended
    return (
        *_data_risks(case),
        *(_retrieval_risks(case) if strategy and strategy.retrieves else ()),
        *(_adapter_risks(case, plan, estimates) if strategy and strategy.uses_adapter else ()),
        *_knowledge_risks(case, plan),
    )


def next_steps(case: Case, plan: Plan, gaps: Sequence[Gap]) -> tuple[NextStep, ...]:
    """Return what to do now, in order."""
    return (*_open_questions(gaps), *_building(case, plan, gaps), *_measuring(plan))


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
    elif strategy and strategy.uses_adapter and facts.get("adapter_servable") is not True:
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


def _adapter_risks(case: Case, plan: Plan, estimates: Estimates) -> Iterator[Text]:
    yield text("risks.refusal")
    yield text("risks.slower")
    if plan.target.pilot:
        yield text("risks.pilot")
    training = estimates.training[plan.target.strategy]
    if training.row_tokens > CUTOFF_TOKENS:
        tokens, limit = number(training.row_tokens), number(CUTOFF_TOKENS)
        yield text("risks.cut_rows", tokens=tokens, limit=limit)
    if training.fits is False:
        yield text("risks.memory")
    if case.facts.get("privacy") == "secret" or "data_deletable" not in case.facts:
        yield text("risks.not_deletable")


def _knowledge_risks(case: Case, plan: Plan) -> Iterator[Text]:
    if plan.target.rule == "fallback":
        yield text("risks.fallback")
    elif "rag_score" not in case.facts and "fine_tuned_score" not in case.facts:
        yield text("risks.not_measured")
    if case.measured_by == "caller" and any(f"{s}_score" in case.facts for s in Strategy):
        yield text("risks.caller")


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


def _building(case: Case, plan: Plan, gaps: Sequence[Gap]) -> Iterator[NextStep]:
    strategy, facts = plan.recommended, case.facts
    if "engine_local" in plan.assumed:
        yield NextStep(text("next_steps.engine"), "fingerpost up")
    if strategy is None:
        return
    if strategy.retrieves and facts.get("knowledge_present") is not True:
        command = "fingerpost kb sync KNOWLEDGE_BASE FOLDER"
        yield NextStep(text("next_steps.documents"), command)
    yield NextStep(text("next_steps.use_case"), "fingerpost use-case apply USE_CASE.yaml")
    if strategy.uses_adapter or plan.fine_tuning == "not_yet":
        yield from _training(case, plan, gaps)


def _training(case: Case, plan: Plan, gaps: Sequence[Gap]) -> Iterator[NextStep]:
    lacking = [gap.text for gap in gaps if gap.kind in ("rows", "quality")]
    if lacking:
        yield NextStep(text("next_steps.data", gaps=join(lacking, "semicolon")))
    if plan.fine_tuning in ("yes", "pilot") and case.facts.get("adapter_servable") is not True:
        yield NextStep(text("next_steps.train"), "fingerpost train run TRAIN.yaml --publish")


def _measuring(plan: Plan) -> Iterator[NextStep]:
    if plan.recommended is None:
        return
    yield NextStep(text("next_steps.compare"), COMPARE)
    yield NextStep(text("next_steps.advise_again"), "fingerpost advise --use-case USE_CASE")

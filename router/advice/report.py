"""The advice for a use case: what to build, why, what is missing, what it costs, what to do next.

It joins the parts, and knows no output format. It chooses nothing itself: the strategy
comes from `decide`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from router.advice.case import Case
from router.advice.catalogue import join, text
from router.advice.comparison import Dimension, compare_strategies
from router.advice.estimates import Estimates, estimate
from router.advice.flow import Step, walk_flow
from router.advice.gaps import Gap, find_gaps
from router.advice.outlook import NextStep, find_risks, next_steps, to_build
from router.advice.plan import Plan, lacks_adapter, make_plan
from router.advice.reasons import Interim, interim, reason_of
from router.advice.requirements import RowRequirement, required_rows, threshold_of
from router.advice.wording import strategy_name
from router.decision import Rejection, RuleKind, Strategy
from router.policy.loading import Policy
from router.text import Text

ConclusionId = Literal["fine_tune", "rag", "hybrid"]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """Which of the three standard conclusions holds.

    Attributes:
        id: Its name.
        text: The conclusion with the conditions that are met.
        cost_sensitive: The variant of `rag` for small budgets: a small model with retrieval.
    """

    id: ConclusionId
    text: Text
    cost_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Advice:
    """Everything an advisor would say about one use case. Make it with `advise`.

    Attributes:
        case: What is known.
        policy: The rules in force.
        plan: What to build, and what runs today.
        headline: The recommendation in one sentence.
        fine_tuning: Whether to train, said plainly.
        reasons: Why.
        conclusion: The standard conclusion that holds; None where none does.
        interim: What to run until the recommended strategy is possible; None where it is.
        to_build: What the recommended strategy still needs.
        steps: The five steps of the flow, then what is asked besides.
        comparison: The four strategies in this case's figures.
        required: How many rows training needs.
        gaps: What is missing.
        estimates: Memory, time and cost.
        risks: What could go wrong.
        next_steps: What to do now.
    """

    case: Case
    policy: Policy
    plan: Plan
    headline: Text
    fine_tuning: Text
    reasons: tuple[Text, ...]
    conclusion: Conclusion | None
    interim: Interim | None
    to_build: tuple[Text, ...]
    steps: tuple[Step, ...]
    comparison: tuple[Dimension, ...]
    required: RowRequirement
    gaps: tuple[Gap, ...]
    estimates: Estimates
    risks: tuple[Text, ...]
    next_steps: tuple[NextStep, ...]


def advise(case: Case, policy: Policy) -> Advice:
    """Return the advice for a case, by the same rules and `decide` that route its requests.

    Args:
        case: What is known about the use case.
        policy: The rules in force.

    Returns:
        The advice. Like `decide` it is pure and total: what is unknown is said to be unknown.
    """
    plan = make_plan(case, policy)
    required = required_rows(case.facts, policy)
    most = threshold_of(policy, "max_knowledge_changes_per_week", 1)
    estimates = estimate(case.facts, required, most)
    steps = walk_flow(case, plan, policy)
    gaps = find_gaps(case, plan, policy, required, estimates)
    strategy = plan.recommended
    uses_adapter = strategy is not None and strategy.uses_adapter
    serves = uses_adapter and not lacks_adapter(case.facts, plan.target.strategy)
    until = interim(case, plan, policy)
    return Advice(
        case=case,
        policy=policy,
        plan=plan,
        headline=_headline(plan),
        fine_tuning=text(
            "fine_tuning.serves"
            if serves and plan.fine_tuning == "yes"
            else f"fine_tuning.{plan.fine_tuning}"
        ),
        reasons=_reasons(plan, steps),
        conclusion=_conclude(plan, steps, case),
        interim=until,
        to_build=to_build(case, plan),
        steps=steps,
        comparison=compare_strategies(case.facts, required, estimates),
        required=required,
        gaps=gaps,
        estimates=estimates,
        risks=find_risks(case, plan, estimates, gaps),
        next_steps=next_steps(case, plan, gaps, until),
    )


def _headline(plan: Plan) -> Text:
    strategy = plan.recommended
    if strategy is None:
        return text("headline.none")
    if plan.target.rule == "fallback":
        return text("headline.start", strategy=strategy_name(strategy))
    return text("headline.recommended", strategy=strategy_name(strategy))


def _reasons(plan: Plan, steps: tuple[Step, ...]) -> tuple[Text, ...]:
    """Return why this strategy, why not an earlier one, and what is against training."""
    target, strategy = plan.target, plan.recommended
    reasons = [reason_of(target)]
    explained: set[Strategy] = set()
    preferred = next((f.strategies for f in target.findings if f.rule == target.rule), ())
    if strategy is not None and strategy in preferred[1:]:
        before = preferred[: preferred.index(strategy)]
        explained.update(before)
        first = strategy_name(preferred[0])
        reasons.append(text("reasons.first_choice", first=first, strategy=strategy_name(strategy)))
    if plan.fine_tuning in ("no", "not_yet"):
        explained.update(s for s in Strategy if s.uses_adapter)
    reasons += [r.because for r in target.rejected if r.strategy in explained and _is_hard(r)]
    if plan.fine_tuning == "not_yet" and strategy is not None and strategy.uses_adapter:
        reasons.append(steps[0].finding)  # nobody knows yet that the data is enough
    return tuple(dict.fromkeys(reasons))


def _is_hard(rejection: Rejection) -> bool:
    return rejection.kind is RuleKind.HARD


def _conclude(plan: Plan, steps: tuple[Step, ...], case: Case) -> Conclusion | None:
    verdicts = {step.id: step.verdict for step in steps}
    if plan.recommended is Strategy.HYBRID and verdicts["need"] == "both":
        return Conclusion("hybrid", text("conclusions.hybrid"))
    if plan.recommended is Strategy.FINE_TUNED:
        return _conclude_fine_tune(verdicts, case)
    if plan.recommended is Strategy.RAG:
        return _conclude_rag(verdicts, failed=case.facts.get("data_quality") == "fail")
    return None


def _conclude_fine_tune(verdicts: Mapping[str, str], case: Case) -> Conclusion | None:
    wanted = {
        "conclusions.speed": "latency_budget_ms" in case.facts,
        "conclusions.privacy": verdicts["privacy"] == "yes",
    }
    if verdicts["change"] != "no" or verdicts["data"] != "yes" or not any(wanted.values()):
        return None
    words = join((text(name) for name, holds in wanted.items() if holds), "and")
    return Conclusion("fine_tune", text("conclusions.fine_tune", wanted=words))


def _conclude_rag(verdicts: Mapping[str, str], *, failed: bool) -> Conclusion | None:
    conditions = {
        "conclusions.change": verdicts["change"] == "yes",
        "conclusions.data": verdicts["data"] == "no" and not failed,
        "conclusions.poor_data": verdicts["data"] == "no" and failed,
        "conclusions.budget": verdicts["budget"] == "yes",
    }
    if not any(conditions.values()):
        return None
    words = join((text(name) for name, holds in conditions.items() if holds), "comma")
    cheap = conditions["conclusions.budget"]
    name = "conclusions.small_rag" if cheap else "conclusions.rag"
    return Conclusion("rag", text(name, conditions=words), cheap)

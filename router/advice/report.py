"""The advice for a use case: what to build, why, what is missing, what it costs, what to do next.

It joins the parts, and knows no form that an advice is shown in. It chooses nothing itself: the
strategy comes from `decide`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from router.advice.case import Case
from router.advice.comparison import Dimension, compare_strategies
from router.advice.estimates import Estimates, estimate
from router.advice.floors import Floor, find_floor, threshold_of
from router.advice.flow import Step, walk_flow
from router.advice.gaps import Gap, find_gaps
from router.advice.outlook import NextStep, find_risks, next_steps, to_build
from router.advice.plan import FineTuning, Plan, make_plan
from router.advice.wording import (
    STRATEGIES,
)
from router.decision import Decision, Rejection, RuleKind, Strategy
from router.policy.loading import Policy
from router.text import Text

ConclusionId = Literal["fine_tune", "rag", "hybrid"]

_PLAINLY: Final[Mapping[FineTuning, Text]] = {
    "yes": Text(zh="建议微调。", en="Fine-tune."),
    "pilot": Text(zh="只做微调试点。", en="Fine-tune as a pilot only."),
    "not_yet": Text(zh="现在不要微调。", en="Do not fine-tune yet."),
    "no": Text(zh="不要微调。", en="Do not fine-tune."),
}
_SERVES: Final = Text(
    zh="已发布的适配器继续使用，不必重新训练。",
    en="Keep the adapter that serves; train no new one.",
)


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
        to_build: What the recommended strategy still needs.
        steps: The five steps of the flow, then what is asked besides.
        comparison: The four strategies in this case's figures.
        floor: How many rows training needs.
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
    to_build: tuple[Text, ...]
    steps: tuple[Step, ...]
    comparison: tuple[Dimension, ...]
    floor: Floor
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
    floor = find_floor(case.facts, policy)
    most = threshold_of(policy, "max_knowledge_changes_per_week", 1)
    estimates = estimate(case.facts, floor, most)
    steps = walk_flow(case, plan, policy)
    gaps = find_gaps(case, plan, policy, floor, estimates)
    serves = case.facts.get("adapter_servable") is True and plan.fine_tuning == "yes"
    return Advice(
        case=case,
        policy=policy,
        plan=plan,
        headline=_headline(plan),
        fine_tuning=_SERVES if serves else _PLAINLY[plan.fine_tuning],
        reasons=_reasons(plan, steps),
        conclusion=_conclude(plan, steps, case),
        to_build=to_build(case, plan),
        steps=steps,
        comparison=compare_strategies(case.facts, floor, estimates),
        floor=floor,
        gaps=gaps,
        estimates=estimates,
        risks=find_risks(case, plan, estimates),
        next_steps=next_steps(case, plan, gaps),
    )


def reason_of(decision: Decision) -> Text:
    """Return why a decision was taken, or what stands in its way."""
    if decision.conflict is not None:
        return decision.conflict.because
    return next(f.because for f in decision.findings if f.rule == decision.rule)


def _headline(plan: Plan) -> Text:
    strategy = plan.recommended
    if strategy is None:
        return Text(zh="目前没有可以运行的策略。", en="No strategy may run as things are.")
    name = STRATEGIES[strategy]
    if plan.target.rule == "fallback":
        return Text(
            zh=f"已知太少，先从{name.zh}起步。", en=f"Too little is known; start with {name.en}."
        )
    return Text(zh=f"推荐策略：{name.zh}。", en=f"Recommended: {name.en}.")


def _reasons(plan: Plan, steps: tuple[Step, ...]) -> tuple[Text, ...]:
    """Return why this strategy, what stood before it, and what stands against training."""
    target, strategy = plan.target, plan.recommended
    reasons = [reason_of(target)]
    explained: set[Strategy] = set()
    wished = next((f.strategies for f in target.findings if f.rule == target.rule), ())
    if strategy is not None and strategy in wished[1:]:
        before = wished[: wished.index(strategy)]
        explained.update(before)
        zh, en = (STRATEGIES[wished[0]].zh, STRATEGIES[wished[0]].en)
        reasons.append(
            Text(
                zh=f"首选是{zh}，但被下列规则排除，因此用{STRATEGIES[strategy].zh}",
                en=f"{en} would come first, but the rules below are against it, so "
                f"{STRATEGIES[strategy].en}",
            )
        )
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
    strategy = plan.recommended
    if strategy is Strategy.HYBRID and verdicts["need"] == "both":
        return Conclusion(
            "hybrid",
            Text(
                zh="事实与风格都需要 → 混合：检索提供事实，微调负责风格",
                en="facts and style are both needed → hybrid: passages bring the facts, "
                "fine-tuning the style",
            ),
        )
    if strategy is Strategy.FINE_TUNED:
        wanted = [
            words
            for words, holds in (
                (Text(zh="要求速度", en="speed"), "latency_budget_ms" in case.facts),
                (Text(zh="要求保密", en="privacy"), verdicts["privacy"] == "yes"),
            )
            if holds
        ]
        if verdicts["change"] == "no" and verdicts["data"] == "yes" and wanted:
            zh, en = "、".join(w.zh for w in wanted), " and ".join(w.en for w in wanted)
            return Conclusion(
                "fine_tune",
                Text(
                    zh=f"知识稳定、有高质量标注数据，并且{zh} → 微调",
                    en=f"stable knowledge, good labelled data, and {en} matter → fine-tune",
                ),
            )
    if strategy is Strategy.RAG:
        return _conclude_rag(verdicts)
    return None


def _conclude_rag(verdicts: Mapping[str, str]) -> Conclusion | None:
    met = [
        words
        for words, holds in (
            (Text(zh="知识常变", en="changing knowledge"), verdicts["change"] == "yes"),
            (Text(zh="缺少标注数据", en="too little labelled data"), verdicts["data"] == "no"),
            (Text(zh="成本敏感", en="a small budget"), verdicts["budget"] == "yes"),
        )
        if holds
    ]
    if not met:
        return None
    cheap = verdicts["budget"] == "yes"
    zh, en = "、".join(w.zh for w in met), ", ".join(w.en for w in met)
    what = Text(zh="小模型加检索", en="a small model with retrieval") if cheap else None
    what = what or Text(zh="检索增强（RAG）", en="retrieval (RAG)")
    return Conclusion("rag", Text(zh=f"{zh} → {what.zh}", en=f"{en} → {what.en}"), cheap)

"""The five questions of the decision flow, what this case answers to each, and what else binds.

Each step shows what was asked, what is known, the verdict, and the rules and thresholds of the
policy in force that speak of it. The choice itself is made by `decide`, not here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from router.advice.case import Case
from router.advice.catalogue import join, text
from router.advice.plan import Plan, enough_data, lacks_adapter, lacks_context_rows
from router.advice.requirements import (
    CHECKS,
    Check,
    RowRequirement,
    required_rows,
    threshold_of,
)
from router.advice.wording import fact_name, number, quantity, strategy_name, value_in_words
from router.decision import Finding, RuleKind, Strategy
from router.facts import Facts, FactValue
from router.policy.loading import Policy
from router.text import Text

Need = Literal["knowledge", "style", "both"]
Answer = Need | Literal["yes", "no", "unknown"]

_NEEDS: Final[tuple[Need, ...]] = ("knowledge", "style", "both")

_DATA: Final = (
    "labelled_examples",
    "data_quality",
    "context_bearing_examples",
    "domain",
    *(check.fact for check in CHECKS),
)
# The facts that each question asks for.
_ASKED: Final[Mapping[str, tuple[str, ...]]] = {
    "data": _DATA,
    "change": ("knowledge_changes_per_week", "adapter_older_than_knowledge"),
    "need": ("need", "task_type", "adapter_context_trained"),
    "budget": ("budget",),
    "sources": ("citations_required",),
    "privacy": ("privacy", "engine_local"),
    "deletable": ("data_deletable",),
    "latency": ("latency_budget_ms", *(f"{strategy}_p95_ms" for strategy in Strategy)),
    "measured": tuple(f"{strategy}_score" for strategy in Strategy),
}
STEPS: Final = ("data", "change", "need", "budget", "sources")


@dataclass(frozen=True, slots=True)
class Step:
    """One question of the flow.

    Attributes:
        id: Its name.
        number: 1 to 5; None for what is asked besides the five steps.
        question: What is asked.
        verdict: The answer.
        finding: What the answer means here.
        facts: The facts it asks for, known or not.
        thresholds: Names of the policy's thresholds that the rules compare them with.
        rules: The rules of the policy that name one of the facts, with their findings.
    """

    id: str
    number: int | None
    question: Text
    verdict: Answer
    finding: Text
    facts: tuple[str, ...]
    thresholds: tuple[str, ...]
    rules: tuple[Finding, ...]


def walk_flow(case: Case, plan: Plan, policy: Policy) -> tuple[Step, ...]:
    """Return the five steps in order, then what is asked besides them."""
    facts = case.facts
    answered: Mapping[str, tuple[Answer, Text]] = {
        "data": _data(facts, policy, plan),
        "change": _change(facts, policy),
        "need": _need(facts),
        "budget": _budget(facts, plan),
        "sources": _sources(facts),
        "privacy": _privacy(facts),
        "deletable": _deletable(facts),
        "latency": _latency(facts, plan),
        "measured": _measured(facts),
    }
    steps = []
    for id_, (verdict, finding) in answered.items():
        names = _ASKED[id_]
        rules = tuple(f for f in plan.target.findings if _is_about(f, names))
        steps.append(
            Step(
                id=id_,
                number=STEPS.index(id_) + 1 if id_ in STEPS else None,
                question=text(f"flow.questions.{id_}"),
                verdict=verdict,
                finding=finding,
                facts=tuple(n for n in names if n in facts or id_ in STEPS and n not in _OPTIONAL),
                thresholds=_thresholds(rules, names),
                rules=rules,
            )
        )
    return tuple(steps)


# Asked for only where somebody stated them: a step is answered without.
_OPTIONAL: Final = frozenset(
    {
        "context_bearing_examples",
        "domain",
        "task_type",
        "adapter_older_than_knowledge",
        "adapter_context_trained",
        *(check.fact for check in CHECKS),
    }
)


def check_in_words(check: Check, value: FactValue) -> Text:
    """Return what a check found and what it asks, e.g. "label disagreement is 9 %, ..."."""
    unit = "rows" if check.fact.endswith("_rows") else "percent"
    if check.at_least:
        asked = "flow.check.at_least"
    else:
        asked = "flow.check.below" if check.strict else "flow.check.at_most"
    return text(
        asked,
        name=fact_name(check.fact),
        found=value_in_words(check.fact, value),
        limit=quantity(check.limit, unit),
    )


def failed_checks(facts: Facts) -> tuple[Text, ...]:
    """Return each of the five checks that fails, in numbers."""
    return tuple(
        check_in_words(check, facts.values[check.fact])
        for check in CHECKS
        if check.judge(facts) is False
    )


def _data(facts: Facts, policy: Policy, plan: Plan) -> tuple[Answer, Text]:
    required = required_rows(facts, policy)
    minimum = required.minimum
    quality = facts.get("data_quality")
    parts = [
        _rows_in_words(facts.get("labelled_examples"), minimum),
        text("flow.data.checks_unknown" if quality is None else f"flow.data.checks_{quality}"),
        *failed_checks(facts),
    ]
    if lacks_context_rows(facts, plan, required):
        parts.append(_context_rows_in_words(facts, required))
    enough = enough_data(facts, policy)
    if lacks_context_rows(facts, plan, required) and "context_bearing_examples" in facts:
        enough = False
    return _yes_no(enough), _sentence(parts)


def _rows_in_words(rows: FactValue | None, minimum: int) -> Text:
    least = number(minimum)
    if not isinstance(rows, int | float):
        return text("flow.data.rows_unknown", minimum=least)
    if rows >= minimum:
        return text("flow.data.rows_enough", rows=number(rows), minimum=least)
    missing = number(minimum - rows)
    return text("flow.data.rows_missing", rows=number(rows), minimum=least, missing=missing)


def _context_rows_in_words(facts: Facts, required: RowRequirement) -> Text:
    rows, pilot = facts.get("context_bearing_examples"), number(required.pilot)
    if not isinstance(rows, int | float):
        return text("flow.data.passages_unknown", pilot=pilot)
    return text("flow.data.passages_missing", rows=number(rows), pilot=pilot)


def _change(facts: Facts, policy: Policy) -> tuple[Answer, Text]:
    changes = facts.get("knowledge_changes_per_week")
    most = threshold_of(policy, "max_knowledge_changes_per_week", math.inf)
    if not isinstance(changes, int | float):
        return "unknown", text("flow.change.unknown")
    if most == math.inf:
        return "unknown", text("flow.change.no_threshold")
    rate, limit = quantity(changes, "per_week"), quantity(most, "per_week")
    if changes > most:
        return "yes", text("flow.change.often", rate=rate, limit=limit)
    return "no", text("flow.change.stable", rate=rate, limit=limit)


def _need(facts: Facts) -> tuple[Answer, Text]:
    for need in _NEEDS:
        if facts.get("need") == need:
            return need, text(f"flow.need.{need}")
    if facts.get("task_type") == "classification":
        return "style", text("flow.need.labels")
    return "unknown", text("flow.need.unknown")


def _budget(facts: Facts, plan: Plan) -> tuple[Answer, Text]:
    if "budget" not in facts:
        return "unknown", text("flow.budget.unknown")
    if facts.get("budget") == "limited":
        return "yes", _limited_budget(plan)
    return "no", text("flow.budget.ample")


def _limited_budget(plan: Plan) -> Text:
    """Return what a limited budget means for what is recommended, also where it does not decide."""
    strategy = plan.recommended
    if strategy is None:
        return text("flow.budget.limited_nothing")
    if strategy is Strategy.RAG:
        return text("flow.budget.limited")
    if strategy is Strategy.PROMPT_ONLY:
        return text("flow.budget.limited_prompt_only")
    if not lacks_adapter(plan.facts, strategy):
        return text("flow.budget.limited_served")
    return text("flow.budget.limited_other", because=plan.target.because)


def _sources(facts: Facts) -> tuple[Answer, Text]:
    if "citations_required" not in facts:
        return "unknown", text("flow.sources.unknown")
    if facts.get("citations_required"):
        return "yes", text("flow.sources.required")
    return "no", text("flow.sources.free")


def _privacy(facts: Facts) -> tuple[Answer, Text]:
    privacy = facts.get("privacy")
    if privacy is None:
        return "unknown", text("flow.privacy.unknown")
    if privacy != "secret":
        return "no", text("flow.privacy.open")
    if facts.get("engine_local"):
        return "yes", text("flow.privacy.local")
    return "yes", text("flow.privacy.elsewhere")


def _deletable(facts: Facts) -> tuple[Answer, Text]:
    if "data_deletable" not in facts:
        return "unknown", text("flow.deletable.unknown")
    if facts.get("data_deletable"):
        return "yes", text("flow.deletable.required")
    return "no", text("flow.deletable.free")


def _latency(facts: Facts, plan: Plan) -> tuple[Answer, Text]:
    budget = facts.get("latency_budget_ms")
    known = _figures(facts, "p95_ms")
    if not isinstance(budget, int | float):
        return "unknown", text("flow.latency.unknown")
    limit = quantity(budget, "ms")
    if not known:
        return "unknown", text("flow.latency.not_measured", limit=limit)
    figures = join(
        (_figure_in_words(strategy, quantity(value, "ms")) for strategy, value in known.items()),
        "semicolon",
    )
    strategy = plan.recommended
    if strategy is None:
        return "unknown", text("flow.latency.measured", limit=limit, figures=figures)
    name = strategy_name(strategy)
    if strategy not in known:
        return "unknown", text(
            "flow.latency.not_this_one", limit=limit, figures=figures, strategy=name
        )
    met = known[strategy] <= budget
    end = "met" if met else "missed"
    return _yes_no(met), text(f"flow.latency.{end}", limit=limit, figures=figures, strategy=name)


def _measured(facts: Facts) -> tuple[Answer, Text]:
    known = _figures(facts, "score")
    if not known:
        names = [
            fact_name(f"{s}_{n}")
            for n in ("p95_ms", "p50_ms", "tokens")
            for s in Strategy
            if f"{s}_{n}" in facts
        ]
        if names:
            return "no", text("flow.measured.no_scores", names=join(names, "comma"))
        return "no", text("flow.measured.none")
    figures = join(
        (_figure_in_words(strategy, number(value)) for strategy, value in known.items()),
        "semicolon",
    )
    return "yes", text("flow.measured.scores", figures=figures)


def _figures(facts: Facts, name: str) -> dict[Strategy, float]:
    """Return the strategies for which a figure was measured."""
    measured = {strategy: facts.get(f"{strategy}_{name}") for strategy in Strategy}
    return {s: value for s, value in measured.items() if isinstance(value, int | float)}


def _figure_in_words(strategy: Strategy, value: Text | str) -> Text:
    return text("flow.figure", strategy=strategy_name(strategy), value=value)


def _is_about(finding: Finding, names: tuple[str, ...]) -> bool:
    if finding.kind in (RuleKind.FALLBACK, RuleKind.ASKED):
        return False
    claims = finding.leaves[: finding.stated.when_leaves]  # `unless` only holds a rule back
    return any(fact in names for leaf in claims for fact in leaf.facts)


def _thresholds(rules: tuple[Finding, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for finding in rules:
        for leaf in finding.leaves:
            if any(fact in names for fact in leaf.facts):
                found |= dict.fromkeys(leaf.thresholds)
    return tuple(found)


def _yes_no(truth: bool | None) -> Answer:
    return "unknown" if truth is None else "yes" if truth else "no"


def _sentence(parts: Sequence[Text]) -> Text:
    """Return the parts as one sentence."""
    joined = join(parts, "semicolon")
    return text("flow.sentence", text=Text(joined.zh, joined.en[:1].upper() + joined.en[1:]))

"""What should be built, and what runs today: the same rules and `decide` as for requests.

Advice is given before things exist. So the plan asks `decide` about the case with what can still be
built taken as built, and without the hard rules that only say that it is not there yet; every
other rule holds. It does not word anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from router.advice.case import Case
from router.advice.requirements import RowRequirement, required_rows
from router.decide import decide
from router.decision import Decision, RuleKind, Strategy
from router.facts import Facts, FactValue, Provenance
from router.policy.loading import Policy
from router.policy.rules import HardRule

FineTuning = Literal["yes", "pilot", "not_yet", "no"]

# What is there or not there yet. A hard rule that names nothing else says only "build it first".
_THERE: Final = frozenset({"adapter_present", "adapter_servable", "knowledge_present"})
_AS_BUILT: Final[Mapping[str, FactValue]] = {
    "adapter_present": True,
    "knowledge_present": True,
    "adapter_context_trained": True,
}
# What is taken of an adapter that is not there yet, where it is not to be built.
_READS_PASSAGES: Final[Mapping[str, FactValue]] = {"adapter_context_trained": True}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to build, and why.

    Attributes:
        today: What `decide` says of the facts as they are.
        target: What `decide` says once what can be built is built; the recommendation. With a
            `conflict` nothing may run.
        policy: The policy the target was decided by.
        facts: The facts the target was decided on.
        assumed: Those of them that are not so yet, or not known to be so.
        fine_tuning: Whether to train an adapter.
    """

    today: Decision
    target: Decision
    policy: Policy
    facts: Facts
    assumed: Mapping[str, FactValue]
    fine_tuning: FineTuning

    @property
    def recommended(self) -> Strategy | None:
        """The strategy to build; None where hard rules forbid all four."""
        return None if self.target.conflict else self.target.strategy


def make_plan(case: Case, policy: Policy) -> Plan:
    """Return what should be built for a case.

    Args:
        case: What is known.
        policy: The rules in force.

    Returns:
        The plan; like `decide`, total.
    """
    to_plan_by = replace(policy, hard=tuple(r for r in policy.hard if not _only_missing(r, policy)))
    today = decide(case.facts, policy)
    facts, assumed = _as_built(case.facts)
    facts, target = _decide_where_it_may_run(facts, to_plan_by)
    if _is_beaten(target.strategy, today, case.facts):
        # What was measured to be worse is not built: the evidence of today decides.
        assumed = {n: v for n, v in _READS_PASSAGES.items() if n not in case.facts}
        facts = _with(case.facts, assumed)
        target = decide(facts, to_plan_by)
    if facts.get("engine_local") != case.facts.get("engine_local"):
        assumed = {**assumed, "engine_local": True}
    return Plan(
        today=today,
        target=target,
        policy=to_plan_by,
        facts=facts,
        assumed=assumed,
        fine_tuning=_judge_fine_tuning(target, case.facts, facts, to_plan_by),
    )


def recommend(plan: Plan, stated: Mapping[str, FactValue]) -> Strategy | None:
    """Return what the plan would recommend if these facts were known to be so as well."""
    _, decision = _decide_where_it_may_run(_with(plan.facts, stated), plan.policy)
    return None if decision.conflict else decision.strategy


def lacks_adapter(facts: Facts, strategy: Strategy) -> bool:
    """Return whether `strategy` needs an adapter that does not serve yet.

    For hybrid an adapter that was not trained to read passages does not count.
    """
    if not strategy.uses_adapter:
        return False
    if strategy is Strategy.HYBRID and facts.get("adapter_context_trained") is not True:
        return True
    return facts.get("adapter_servable") is not True


def lacks_context_rows(case_facts: Facts, plan: Plan, required: RowRequirement) -> bool:
    """Return whether hybrid is to be trained and too few rows with passages are known of."""
    if plan.recommended is not Strategy.HYBRID or not lacks_adapter(case_facts, Strategy.HYBRID):
        return False
    rows = case_facts.get("context_bearing_examples")
    return not isinstance(rows, int | float) or rows < required.pilot


def enough_data(facts: Facts, policy: Policy) -> bool | None:
    """Return whether there are enough rows of good quality; None while that is not known."""
    rows, quality = facts.get("labelled_examples"), facts.get("data_quality")
    many = rows >= required_rows(facts, policy).minimum if isinstance(rows, int | float) else None
    good = None if quality is None else quality == "pass"
    if many is False or good is False:
        return False
    return None if many is None or good is None else True


def _is_beaten(strategy: Strategy, today: Decision, facts: Facts) -> bool:
    """Return whether a comparison shows that what runs today is clearly better than `strategy`."""
    rule = next(finding for finding in today.findings if finding.rule == today.rule)
    low, high = facts.get(f"{today.strategy}_score_low"), facts.get(f"{strategy}_score_high")
    if today.conflict is not None or rule.kind is not RuleKind.EVIDENCE:
        return False
    return isinstance(low, int | float) and isinstance(high, int | float) and low > high


def _decide_where_it_may_run(facts: Facts, policy: Policy) -> tuple[Facts, Decision]:
    """Decide; where nothing may run, on own machines, since secret data can be answered there."""
    decision = decide(facts, policy)
    if decision.conflict is not None and facts.get("engine_local") is not True:
        at_home = _with(facts, {"engine_local": True})
        there = decide(at_home, policy)
        if there.conflict is None:
            return at_home, there
    return facts, decision


def _judge_fine_tuning(target: Decision, today: Facts, facts: Facts, policy: Policy) -> FineTuning:
    """Say whether to train: by the recommendation, and where it does not, by what data would do."""
    if target.conflict is None and target.strategy.uses_adapter:
        if target.pilot:
            return "pilot"
        if not lacks_adapter(today, target.strategy):
            return "yes"
        return "yes" if _can_train(target.strategy, facts, policy) else "not_yet"
    required = required_rows(facts, policy)
    with_data: dict[str, FactValue] = {
        "labelled_examples": required.minimum,
        "context_bearing_examples": required.pilot,
        "data_quality": "pass",
    }
    decision = decide(_with(facts, with_data), policy)
    would = decision.conflict is None and decision.strategy.uses_adapter
    return "not_yet" if would else "no"


def _can_train(strategy: Strategy, facts: Facts, policy: Policy) -> bool:
    """Return whether there are enough good rows, and for hybrid not too few with passages."""
    rows = facts.get("context_bearing_examples")
    if strategy is Strategy.HYBRID and isinstance(rows, int | float):
        return bool(enough_data(facts, policy)) and rows >= required_rows(facts, policy).pilot
    return bool(enough_data(facts, policy))


def _only_missing(rule: HardRule, policy: Policy) -> bool:
    named = {fact for leaf in rule.rule.when.leaves for fact in policy.leaves[leaf].facts}
    return named <= _THERE


def _as_built(facts: Facts) -> tuple[Facts, dict[str, FactValue]]:
    """Return the facts with everything built, and which of them are not so yet.

    An adapter that does not serve is left unknown, not taken as serving: rules read `true` as
    "published already", which would excuse too few rows.
    """
    assumed = {name: value for name, value in _AS_BUILT.items() if facts.get(name) != value}
    built = _with(facts, assumed)
    if facts.get("adapter_servable") is False:
        values = {n: v for n, v in built.values.items() if n != "adapter_servable"}
        built = Facts(values, {n: built.provenances[n] for n in values})
    return built, assumed


def _with(facts: Facts, stated: Mapping[str, FactValue]) -> Facts:
    """Return the facts with some stated; who would state them does not matter to `decide`."""
    return Facts(
        {**facts.values, **stated},
        {**facts.provenances, **dict.fromkeys(stated, Provenance.DECLARED)},
    )

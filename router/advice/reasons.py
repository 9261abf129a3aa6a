"""Why a decision was taken or nothing may run, and what to run until everything is built.

It reads what `decide` says; it chooses nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from router.advice.case import Case
from router.advice.catalogue import join, text
from router.advice.plan import Plan, lacks_adapter
from router.advice.wording import strategy_name
from router.decide import decide
from router.decision import Decision, Rejection, Strategy
from router.facts import Facts, Provenance
from router.policy.loading import Policy
from router.text import Text

# What is built, in this order, and the fact that says so.
_ENGINE: Final = "engine_local"
_KNOWLEDGE: Final = "knowledge_present"


@dataclass(frozen=True, slots=True)
class Interim:
    """What to run until the recommended strategy is possible.

    Attributes:
        strategy: What runs until the last thing is there; None where nothing may.
        text: The same in words, with what has to be there first.
    """

    strategy: Strategy | None
    text: Text


def reason_of(decision: Decision) -> Text:
    """Return why a decision was taken, or what stands in the way of every strategy."""
    if decision.conflict is not None:
        return _blocked(decision)
    return next(f.because for f in decision.findings if f.rule == decision.rule)


def reason_today(decision: Decision, target: Decision) -> Text:
    """Return why this strategy runs today, and why not the one that would come first.

    Of several reasons the one is given that would hold with everything built, as `target` has it.
    """
    because = reason_of(decision)
    preferred = next(f.strategies for f in decision.findings if f.rule == decision.rule)
    if decision.conflict is not None or preferred.index(decision.strategy) == 0:
        return because
    lasting = {rejection.rule for rejection in target.rejected}
    against = [r for r in decision.rejected if r.strategy is preferred[0]]
    against.sort(key=lambda rejection: rejection.rule not in lasting)
    return text("reasons.not_first", first=strategy_name(preferred[0]), because=_cause(against[0]))


def rule_of(decision: Decision) -> str:
    """Return the rule that chose, or the one that forbids the most."""
    if decision.conflict is None:
        return decision.rule
    return _blocking(decision)[0][0].rule


def interim(case: Case, plan: Plan, policy: Policy) -> Interim | None:
    """Return what to run until the recommended strategy is possible; None where it is already."""
    if plan.recommended is None:
        return None
    stages = list(_stages(case, plan, policy))
    if not stages:
        return None
    words = [
        text(
            "interim.stage",
            thing=thing,
            strategy=text("labels.nothing") if strategy is None else strategy_name(strategy),
        )
        for thing, strategy in stages
    ]
    return Interim(stages[-1][1], join(words, "then"))


def _stages(case: Case, plan: Plan, policy: Policy) -> Iterator[tuple[Text, Strategy | None]]:
    """Yield each thing that has to be there, and what runs until then; equal ones joined."""
    strategy, facts = plan.recommended, case.facts
    assert strategy is not None, "the caller has looked"
    missing = []
    if _ENGINE in plan.assumed:
        missing.append((text("interim.engine"), {_ENGINE: True}))
    if strategy.retrieves and facts.get(_KNOWLEDGE) is not True:
        missing.append((text("interim.knowledge"), {_KNOWLEDGE: True}))
    if lacks_adapter(facts, strategy):
        missing.append((text("interim.adapter"), {}))
    elif plan.fine_tuning == "not_yet" and not strategy.uses_adapter:
        missing.append((text("interim.data"), {}))
    things: list[Text] = []
    for number, (thing, then) in enumerate(missing):
        now = _runs(facts, policy)
        things.append(thing)
        facts = _with(facts, then)
        is_last = number == len(missing) - 1
        if is_last or _runs(facts, policy) is not now:
            yield join(things, "and"), now
            things = []


def _runs(facts: Facts, policy: Policy) -> Strategy | None:
    decision = decide(facts, policy)
    return None if decision.conflict else decision.strategy


def _with(facts: Facts, stated: Mapping[str, bool]) -> Facts:
    provenances = dict.fromkeys(stated, Provenance.MEASURED)
    return Facts({**facts.values, **stated}, {**facts.provenances, **provenances})


def _blocked(decision: Decision) -> Text:
    blocking = _blocking(decision)
    if len(blocking) == 1:
        return _cause(blocking[0][0])
    return join(
        (
            text(
                "reasons.blocked",
                strategies=join(map(strategy_name, strategies), "comma"),
                because=_cause(rejection),
            )
            for rejection, strategies in blocking
        ),
        "semicolon",
    )


def _blocking(decision: Decision) -> list[tuple[Rejection, tuple[Strategy, ...]]]:
    """Return the fewest hard rules that forbid all strategies, each with those it is named for.

    What stands in the way of every strategy is the reason, not the rule that happens to come first
    for one of them.
    """
    forbids: dict[str, list[Rejection]] = {}
    for rejection in decision.rejected:  # with a conflict each is of a hard rule
        forbids.setdefault(rejection.rule, []).append(rejection)
    fewest = next(
        rules
        for size in range(1, len(Strategy) + 1)
        for rules in combinations(forbids.values(), size)
        if {rejection.strategy for rule in rules for rejection in rule} == set(Strategy)
    )
    left, named = set(Strategy), []
    for rule in fewest:
        strategies = tuple(r.strategy for r in rule if r.strategy in left)
        named.append((rule[0], strategies))
        left -= set(strategies)
    return named


def _cause(rejection: Rejection) -> Text:
    """Return the reason of a rule; one that holds since nobody knows better says so."""
    if not rejection.unknown_facts:
        return rejection.because
    return text("reasons.not_known", because=rejection.because)

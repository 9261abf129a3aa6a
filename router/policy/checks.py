"""What a policy can never do: rules that never hold, never choose, or contradict each other.

A fault that `solver.py` proves is an *error* where the policy cannot work as written (a condition
that is never true, hard rules that together leave nothing, a rule that only prefers what is
forbidden whenever it holds) and a *warning* where it works and a part of it has no effect (a
shadowed rule, a branch that is never true). It does not know files; faults name a place in
the document and the loader adds the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from router.facts import FactSpec
from router.policy.document import Where
from router.policy.leaves import Leaf
from router.policy.rules import CompiledRule, HardRule, Rules
from router.policy.solver import Formula, Search, Space, all_of, any_of
from router.strategy import Strategy
from router.trace import Tree

# In pieces of formulas looked at, about 1 µs each. The default policy takes 14,600.
LOAD_WORK: Final = 200_000
CHECK_WORK: Final = 20_000_000
_MOST_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Fault:
    """Something a policy can never do.

    Attributes:
        where: The place in the document.
        reason: What is wrong, and where it helps, which rules make it so.
        refuses: The policy must not be used; otherwise a warning.
    """

    where: Where
    reason: str
    refuses: bool


def find_faults(
    policy: Rules,
    facts: Mapping[str, FactSpec],
    evidence: Mapping[str, FactSpec],
    *,
    work: int = LOAD_WORK,
) -> Iterator[Fault]:
    """Yield what the policy can never do, what must be refused first.

    Args:
        policy: The compiled policy.
        facts: The table of facts its rules may name.
        evidence: What its settle rules may name besides.
        work: The most to spend, in pieces of formulas. What was not completed is reported.
    """
    prover = _Prover(policy.leaves, facts, policy.hard, work=work)
    settling = _Prover(policy.settling.leaves, {**facts, **evidence}, (), work=work)
    choosing = [*policy.evidence, *policy.preference]
    settles = [each.rule for each in policy.settling.rules]
    pilots = [] if policy.pilot is None else [policy.pilot]
    forbidding = [each.rule for each in policy.hard]
    declining = [each.rule for each in policy.decline]
    for asked, rules in (
        (prover, [*forbidding, *declining, *choosing, *pilots]),
        (settling, settles),
    ):
        for rule in rules:
            yield from _find_dead(asked, rule)
    yield from _find_contradictions(prover, policy.hard)
    for rule in choosing:
        yield from _find_unreachable(prover, rule)
    yield from _find_shadowed(prover, choosing)
    yield from _find_shadowed_settlements(settling, settles)
    unanswered = prover.search.unanswered + settling.search.unanswered
    if unanswered:
        reason = f"{unanswered} checks were not completed within the work limit; see `policy check`"
        yield Fault((), reason, refuses=False)


class _Prover:
    """Asks what can be true of one list of leaves under some hard rules."""

    def __init__(
        self,
        leaves: Sequence[Leaf],
        specs: Mapping[str, FactSpec],
        hard: Sequence[HardRule],
        *,
        work: int,
    ) -> None:
        self.space = Space(leaves, specs)
        self.search = Search(self.space, work=work)
        self.can = self.search.is_satisfiable
        self.hard = hard
        self._eligible = {
            strategy: all_of(self.allows(rule) for rule in self.forbidding(strategy))
            for strategy in Strategy
        }
        self._forbidden = {
            strategy: any_of(self.forbids(rule) for rule in self.forbidding(strategy))
            for strategy in Strategy
        }

    def forbidding(self, strategy: Strategy) -> list[HardRule]:
        return [each for each in self.hard if strategy in each.rule.stated.strategies]

    def holds(self, rule: CompiledRule) -> Formula:
        """The rule is true."""
        return all_of([self._is_true(rule.when.tree), self._is_not_lifted(rule)])

    def does_not_hold(self, rule: CompiledRule) -> Formula:
        """The rule is not true: it is false or unknown."""
        return any_of([self._is_not_true(rule.when.tree), *self._is_lifted(rule)])

    def forbids(self, hard: HardRule) -> Formula:
        """The hard rule forbids."""
        if not hard.forbids_unknown:
            return self.holds(hard.rule)
        not_false = self.space.formula(hard.rule.when.tree, is_true=False, negated=True)
        return all_of([not_false, self._is_not_lifted(hard.rule)])

    def allows(self, hard: HardRule) -> Formula:
        """The hard rule does not forbid."""
        if not hard.forbids_unknown:
            return self.does_not_hold(hard.rule)
        is_false = self.space.formula(hard.rule.when.tree, is_true=False)
        return any_of([is_false, *self._is_lifted(hard.rule)])

    def is_eligible(self, strategy: Strategy) -> Formula:
        return self._eligible[strategy]

    def chooses(self, rule: CompiledRule) -> Formula:
        """The rule is true and prefers something that may run."""
        wanted = any_of(self._eligible[strategy] for strategy in rule.stated.strategies)
        return all_of([self.holds(rule), wanted])

    def does_not_choose(self, rule: CompiledRule) -> Formula:
        """The rule does not choose."""
        forbidden = all_of(self._forbidden[strategy] for strategy in rule.stated.strategies)
        return any_of([self.does_not_hold(rule), forbidden])

    def _is_true(self, tree: Tree) -> Formula:
        return self.space.formula(tree, is_true=True)

    def _is_not_true(self, tree: Tree) -> Formula:
        return self.space.formula(tree, is_true=True, negated=True)

    def _is_not_lifted(self, rule: CompiledRule) -> Formula:
        return all_of([] if rule.unless is None else [self._is_not_true(rule.unless.tree)])

    def _is_lifted(self, rule: CompiledRule) -> list[Formula]:
        return [] if rule.unless is None else [self._is_true(rule.unless.tree)]


def _find_dead(prover: _Prover, rule: CompiledRule) -> Iterator[Fault]:
    """Yield that a rule can never hold, or that a part of its condition never does."""
    when = prover.space.formula(rule.when.tree, is_true=True)
    if not prover.can(when):
        yield Fault((*rule.where, "when"), "can never be true, so the rule never holds", True)
    elif not prover.can(prover.holds(rule)):
        reason = "is true whenever `when` is, so the rule never holds"
        yield Fault((*rule.where, "unless"), reason, refuses=True)
    else:
        for key, condition in (("when", rule.when), ("unless", rule.unless)):
            if condition is not None:
                yield from _find_dead_branches(prover, condition.tree, (*rule.where, key))


def _find_dead_branches(prover: _Prover, tree: Tree, where: Where) -> Iterator[Fault]:
    """Yield parts of a living condition that never change its verdict."""
    if not prover.can(prover.space.formula(tree, is_true=True)):
        yield Fault(where, "can never be true", refuses=False)
    elif not prover.can(prover.space.formula(tree, is_true=False)):
        yield Fault(where, "can never be false", refuses=False)
    elif not isinstance(tree, int):
        word, branches = tree
        for number, branch in enumerate(branches):
            yield from _find_dead_branches(prover, branch, (*where, word, number))


def _find_contradictions(prover: _Prover, hard: Sequence[HardRule]) -> Iterator[Fault]:
    """Yield hard rules that cannot be obeyed together, and strategies that can never run."""
    never_eligible = [s for s in Strategy if not prover.can(prover.is_eligible(s))]
    if len(never_eligible) == len(Strategy):
        yield Fault(("hard",), "no strategy can ever run: together they always forbid all", True)
        return
    for rule in hard:
        left = [s for s in Strategy if s not in rule.rule.stated.strategies]
        holds = prover.holds(rule.rule)
        if left and not any(prover.can(holds, prover.is_eligible(s)) for s in left):
            others = [o for s in left for o in prover.forbidding(s)]
            implied = [o for o in others if not prover.can(holds, prover.allows(o))]
            reason = (
                f"contradiction: it leaves only {_list(left)}, which {_name(implied or others)} "
                "forbid whenever it holds, so nothing may run; forbid all four in one rule if that "
                "is meant"
            )
            yield Fault(rule.rule.where, reason, refuses=True)
    for strategy in never_eligible:
        rules = prover.forbidding(strategy)
        reason = f"{strategy} can never run: whatever the facts, {_name(rules)} forbid it"
        yield Fault(rules[0].rule.where, reason, refuses=False)


def _find_unreachable(prover: _Prover, rule: CompiledRule) -> Iterator[Fault]:
    """Yield that a rule prefers what is forbidden whenever it holds."""
    holds = prover.holds(rule)
    preferred = rule.stated.strategies
    unreachable = [s for s in preferred if not prover.can(holds, prover.is_eligible(s))]
    if not unreachable:
        return
    others = [o for s in unreachable for o in prover.forbidding(s)]
    implied = [o for o in others if not prover.can(holds, prover.allows(o))]
    never = len(unreachable) == len(preferred)
    effect = "so it can never choose" if never else "so naming it there has no effect"
    reason = (
        f"prefers {_list(unreachable)}, which {_name(implied or others)} forbid whenever it holds, "
    )
    # Where one rule forbids all four, nothing is to run, and the preferences need not be removed.
    is_closed = any(len(o.rule.stated.strategies) == len(Strategy) for o in implied)
    yield Fault((*rule.where, "prefer"), reason + effect, refuses=never and not is_closed)


def _find_shadowed(prover: _Prover, choosing: Sequence[CompiledRule]) -> Iterator[Fault]:
    """Yield rules that can never choose because earlier ones always have."""
    chooses = [prover.chooses(rule) for rule in choosing]
    does_not_choose = [prover.does_not_choose(rule) for rule in choosing]
    yield from _find_shadowed_among(prover, choosing, chooses, does_not_choose, verb="choose")


def _find_shadowed_settlements(prover: _Prover, rules: Sequence[CompiledRule]) -> Iterator[Fault]:
    holds = [prover.holds(rule) for rule in rules]
    does_not_hold = [prover.does_not_hold(rule) for rule in rules]
    yield from _find_shadowed_among(prover, rules, holds, does_not_hold, verb="settle")


def _find_shadowed_among(
    prover: _Prover,
    rules: Sequence[CompiledRule],
    acts: Sequence[Formula],
    does_not_act: Sequence[Formula],
    *,
    verb: str,
) -> Iterator[Fault]:
    """Yield the rules that cannot act unless an earlier one does."""
    for place, rule in enumerate(rules):
        if not prover.can(acts[place]):
            continue  # it never acts, whatever stands before it, and that is already reported
        unanswered = prover.search.unanswered
        is_shadowed = not prover.can(acts[place], *does_not_act[:place])
        if not is_shadowed and prover.search.unanswered == unanswered:
            continue
        # One earlier rule alone is a smaller question, which may still be answered.
        alone = [n for n in range(place) if not prover.can(acts[place], does_not_act[n])]
        if alone:
            prover.search.unanswered = unanswered
        if is_shadowed or alone:
            yield _shadowed_fault(rule, [rules[n] for n in alone] or rules[:place], verb)


def _shadowed_fault(rule: CompiledRule, by: Sequence[CompiledRule], verb: str) -> Fault:
    names = ", ".join(f"{each.stated.id} (line {each.line})" for each in by)
    if len(by) > _MOST_NAMED:
        names = f"the {len(by)} rules before it together"
    reason = f"can never {verb}: whenever it could, {names} already did"
    return Fault(rule.where, reason, refuses=False)


def _name(rules: Iterable[HardRule]) -> str:
    found = {each.rule.stated.id: each.rule.line for each in rules}
    return ", ".join(f"{rule_id} (line {line})" for rule_id, line in found.items())


def _list(strategies: Iterable[Strategy]) -> str:
    return ", ".join(strategy.value for strategy in strategies)

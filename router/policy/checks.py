"""What a policy can never do: rules that never hold, never choose, or contradict each other.

A fault that `solver.py` proves is *refused* where the policy cannot be meant (a condition that
is never true, hard rules that together leave nothing, a rule that only prefers what is forbidden
whenever it holds) and *warned of* where it works but says more than it does (a rule that earlier
ones always forestall, a branch that is never true). It does not know files; faults name a place in
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
from router.policy.solver import Formula, Search, Space, every, some
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
        work: The most to spend, in pieces of formulas looked at. What is left open is said.
    """
    prover = _Prover(policy.leaves, facts, policy.hard, work=work)
    settling = _Prover(policy.settling.leaves, {**facts, **evidence}, (), work=work)
    wishes = [*policy.evidence, *policy.preference]
    settles = [each.rule for each in policy.settling.rules]
    pilots = [] if policy.pilot is None else [policy.pilot]
    for judge, rules in (
        (prover, [each.rule for each in policy.hard] + wishes + pilots),
        (settling, settles),
    ):
        for rule in rules:
            yield from _find_dead(judge, rule)
    yield from _find_contradictions(prover, policy.hard)
    for rule in wishes:
        yield from _find_vain(prover, rule)
    yield from _find_shadows(prover, wishes)
    yield from _find_settle_shadows(settling, settles)
    given_up = prover.search.given_up + settling.search.given_up
    if given_up:
        reason = f"{given_up} questions were too entangled to be answered; see `policy check`"
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
        self.can = self.search.finds
        self.hard = hard
        self._eligible = {
            strategy: every(self.spares(rule) for rule in self.forbidding(strategy))
            for strategy in Strategy
        }
        self._fallen = {
            strategy: some(self.fells(rule) for rule in self.forbidding(strategy))
            for strategy in Strategy
        }

    def forbidding(self, strategy: Strategy) -> list[HardRule]:
        return [each for each in self.hard if strategy in each.rule.stated.strategies]

    def holds(self, rule: CompiledRule) -> Formula:
        """The rule is true."""
        return every([self._says(rule.when.tree), self._keeps(rule)])

    def fails(self, rule: CompiledRule) -> Formula:
        """The rule is not true: false or unknown."""
        return some([self._denies(rule.when.tree), *self._lifts(rule)])

    def fells(self, hard: HardRule) -> Formula:
        """The hard rule forbids."""
        if not hard.forbids_unknown:
            return self.holds(hard.rule)
        not_false = self.space.say(hard.rule.when.tree, is_true=False, denied=True)
        return every([not_false, self._keeps(hard.rule)])

    def spares(self, hard: HardRule) -> Formula:
        """The hard rule does not forbid."""
        if not hard.forbids_unknown:
            return self.fails(hard.rule)
        is_false = self.space.say(hard.rule.when.tree, is_true=False)
        return some([is_false, *self._lifts(hard.rule)])

    def is_eligible(self, strategy: Strategy) -> Formula:
        return self._eligible[strategy]

    def chooses(self, rule: CompiledRule) -> Formula:
        """The rule is true and prefers something that may run."""
        wanted = some(self._eligible[strategy] for strategy in rule.stated.strategies)
        return every([self.holds(rule), wanted])

    def passes(self, rule: CompiledRule) -> Formula:
        """The rule does not choose."""
        fallen = every(self._fallen[strategy] for strategy in rule.stated.strategies)
        return some([self.fails(rule), fallen])

    def _says(self, tree: Tree) -> Formula:
        return self.space.say(tree, is_true=True)

    def _denies(self, tree: Tree) -> Formula:
        return self.space.say(tree, is_true=True, denied=True)

    def _keeps(self, rule: CompiledRule) -> Formula:
        return every([] if rule.unless is None else [self._denies(rule.unless.tree)])

    def _lifts(self, rule: CompiledRule) -> list[Formula]:
        return [] if rule.unless is None else [self._says(rule.unless.tree)]


def _find_dead(prover: _Prover, rule: CompiledRule) -> Iterator[Fault]:
    """Yield that a rule can never hold, or that a part of its condition never does."""
    when = prover.space.say(rule.when.tree, is_true=True)
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
    if not prover.can(prover.space.say(tree, is_true=True)):
        yield Fault(where, "can never be true", refuses=False)
    elif not prover.can(prover.space.say(tree, is_true=False)):
        yield Fault(where, "can never be false", refuses=False)
    elif not isinstance(tree, int):
        word, branches = tree
        for number, branch in enumerate(branches):
            yield from _find_dead_branches(prover, branch, (*where, word, number))


def _find_contradictions(prover: _Prover, hard: Sequence[HardRule]) -> Iterator[Fault]:
    """Yield hard rules that cannot be obeyed together, and strategies that can never run."""
    stranded = [s for s in Strategy if not prover.can(prover.is_eligible(s))]
    if len(stranded) == len(Strategy):
        yield Fault(("hard",), "no strategy can ever run: together they always forbid all", True)
        return
    for rule in hard:
        left = [s for s in Strategy if s not in rule.rule.stated.strategies]
        holds = prover.holds(rule.rule)
        if left and not any(prover.can(holds, prover.is_eligible(s)) for s in left):
            others = [o for s in left for o in prover.forbidding(s)]
            implied = [o for o in others if not prover.can(holds, prover.spares(o))]
            reason = (
                f"contradiction: it leaves only {_list(left)}, which {_name(implied or others)} "
                "forbid whenever it holds, so nothing may run; forbid all four in one rule if that "
                "is meant"
            )
            yield Fault(rule.rule.where, reason, refuses=True)
    for strategy in stranded:
        rules = prover.forbidding(strategy)
        reason = f"{strategy} can never run: whatever the facts, {_name(rules)} forbid it"
        yield Fault(rules[0].rule.where, reason, refuses=False)


def _find_vain(prover: _Prover, rule: CompiledRule) -> Iterator[Fault]:
    """Yield that a rule prefers what is forbidden whenever it holds."""
    holds = prover.holds(rule)
    preferred = rule.stated.strategies
    vain = [s for s in preferred if not prover.can(holds, prover.is_eligible(s))]
    if not vain:
        return
    others = [o for s in vain for o in prover.forbidding(s)]
    implied = [o for o in others if not prover.can(holds, prover.spares(o))]
    never = len(vain) == len(preferred)
    effect = "so it can never choose" if never else "so it stands there in vain"
    reason = f"prefers {_list(vain)}, which {_name(implied or others)} forbid whenever it holds, "
    # Where one rule forbids all four, nothing is to run, and preferences may well be left standing.
    is_closed = any(len(o.rule.stated.strategies) == len(Strategy) for o in implied)
    yield Fault((*rule.where, "prefer"), reason + effect, refuses=never and not is_closed)


def _find_shadows(prover: _Prover, wishes: Sequence[CompiledRule]) -> Iterator[Fault]:
    """Yield rules that can never choose because earlier ones always have."""
    chooses = [prover.chooses(rule) for rule in wishes]
    passes = [prover.passes(rule) for rule in wishes]
    yield from _find_late(prover, wishes, chooses, passes, verb="choose")


def _find_settle_shadows(prover: _Prover, rules: Sequence[CompiledRule]) -> Iterator[Fault]:
    holds = [prover.holds(rule) for rule in rules]
    fails = [prover.fails(rule) for rule in rules]
    yield from _find_late(prover, rules, holds, fails, verb="settle")


def _find_late(
    prover: _Prover,
    rules: Sequence[CompiledRule],
    acts: Sequence[Formula],
    rests: Sequence[Formula],
    *,
    verb: str,
) -> Iterator[Fault]:
    """Yield the rules that cannot act unless an earlier one does."""
    for place, rule in enumerate(rules):
        if not prover.can(acts[place]):
            continue  # it never acts, whatever stands before it, and that is already told
        given_up = prover.search.given_up
        is_late = not prover.can(acts[place], *rests[:place])
        if not is_late and prover.search.given_up == given_up:
            continue
        # One earlier rule alone is a smaller question, which may still be answered.
        alone = [n for n in range(place) if not prover.can(acts[place], rests[n])]
        if alone:
            prover.search.given_up = given_up
        if is_late or alone:
            yield _shadow(rule, [rules[n] for n in alone] or rules[:place], verb)


def _shadow(rule: CompiledRule, by: Sequence[CompiledRule], verb: str) -> Fault:
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

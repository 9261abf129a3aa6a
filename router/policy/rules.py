"""Compiled rules: what a policy is made of once it is read.

It knows conditions and findings; it does not know where a policy is read, checked or followed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from router.decision import Finding, LeafFinding, Outcome, Rule, Truth
from router.policy.conditions import Condition, Judged
from router.policy.document import Where
from router.policy.leaves import Leaf


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its condition, ready to be judged.

    Attributes:
        stated: The rule as a finding shows it.
        when: The condition.
        unless: What makes the rule false; None where nothing does.
        pick: Takes the leaves of `when`, then those of `unless`, from the policy's judged leaves.
        where: Its place in the document.
        line: Its line in the file, counted from 1.
    """

    stated: Rule
    when: Condition
    unless: Condition | None
    pick: Callable[[Judged], tuple[LeafFinding, ...]]
    where: Where
    line: int | None

    @property
    def all_leaves(self) -> tuple[int, ...]:
        """Numbers of the leaves of `when`, then of `unless`."""
        return self.when.leaves + (() if self.unless is None else self.unless.leaves)

    def judge(self, judged: Judged) -> Finding:
        """Return the rule's finding over the policy's judged leaves."""
        truth: Truth = self.when.judge(judged)
        if truth is not False and self.unless is not None and self.unless.judge(judged) is True:
            truth = False
        return Finding(self.stated, truth, self.pick(judged))


@dataclass(frozen=True, slots=True)
class HardRule:
    """An eligibility rule.

    Attributes:
        rule: The rule.
        forbids_unknown: It also forbids when it cannot be judged.
        binds_asked: It also forbids what a caller asks for by name.
    """

    rule: CompiledRule
    forbids_unknown: bool
    binds_asked: bool


@dataclass(frozen=True, slots=True)
class SettleRule:
    """A rule after retrieval.

    Attributes:
        rule: The rule.
        outcome: What follows when it holds.
        or_prompt_only: Whether an answer without passages may stand in, where the caller allows.
    """

    rule: CompiledRule
    outcome: Outcome
    or_prompt_only: bool


@dataclass(frozen=True, slots=True)
class Settling:
    """The part of a policy that is read after retrieval.

    Attributes:
        leaves: Its leaves.
        rules: Its rules, the first that holds settles.
        otherwise: What is found when none holds: answer.
        without_retrieval: What is found for a strategy that does not retrieve: answer.
    """

    leaves: tuple[Leaf, ...]
    rules: tuple[SettleRule, ...]
    otherwise: Finding
    without_retrieval: Finding


class Rules(Protocol):
    """What is asked of a policy by who only reads its rules; `Policy` says what each is."""

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """Every different leaf of the rules."""

    @property
    def hard(self) -> tuple[HardRule, ...]:
        """Who may not answer."""

    @property
    def evidence(self) -> tuple[CompiledRule, ...]:
        """What the last compare says."""

    @property
    def preference(self) -> tuple[CompiledRule, ...]:
        """Who should answer."""

    @property
    def pilot(self) -> CompiledRule | None:
        """When an adapter is marked as a pilot."""

    @property
    def settling(self) -> Settling:
        """What follows retrieval."""

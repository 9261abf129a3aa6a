"""Compiled rules: what a policy is made of once it is read.

It knows conditions and findings; it does not know where a policy is read, checked or followed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from router.decision import (
    Abstention,
    Evidence,
    Finding,
    LeafFinding,
    Outcome,
    Rule,
    Truth,
)
from router.policy.conditions import Condition, LeafFindings
from router.policy.document import Where
from router.policy.leaves import Leaf


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its condition, ready to be evaluated.

    Attributes:
        stated: The rule as a finding shows it.
        when: The condition.
        unless: What makes the rule false; None where nothing does.
        pick: Takes its own findings, `when` before `unless`, from those of the policy's leaves.
        where: Its place in the document.
        line: Its line in the file, counted from 1.
    """

    stated: Rule
    when: Condition
    unless: Condition | None
    pick: Callable[[LeafFindings], tuple[LeafFinding, ...]]
    where: Where
    line: int | None

    @property
    def all_leaves(self) -> tuple[int, ...]:
        """Numbers of the leaves of `when`, then of `unless`."""
        return self.when.leaves + (() if self.unless is None else self.unless.leaves)

    def evaluate(self, found: LeafFindings) -> Finding:
        """Return the rule's finding over the findings of the policy's leaves."""
        truth: Truth = self.when.evaluate(found)
        if truth is not False and self.unless is not None and self.unless.evaluate(found) is True:
            truth = False
        return Finding(self.stated, truth, self.pick(found))


@dataclass(frozen=True, slots=True)
class HardRule:
    """An eligibility rule.

    Attributes:
        rule: The rule.
        forbids_unknown: It also forbids when it cannot be evaluated.
        binds_asked: It also forbids what a caller asks for by name.
    """

    rule: CompiledRule
    forbids_unknown: bool
    binds_asked: bool


@dataclass(frozen=True, slots=True)
class DeclineRule:
    """A rule by which a request is refused before anything is searched.

    Attributes:
        rule: The rule.
        reason: Why it is not answered.
        or_prompt_only: Whether an answer without passages may stand in, where the caller allows.
    """

    rule: CompiledRule
    reason: Abstention
    or_prompt_only: bool


@dataclass(frozen=True, slots=True)
class SettleRule:
    """A rule after retrieval.

    Attributes:
        rule: The rule.
        outcome: What follows when it holds.
        or_prompt_only: Whether an answer without passages may stand in, where the caller allows.
        reason: Why it abstains, as the policy says; None where it does not say.
    """

    rule: CompiledRule
    outcome: Outcome
    or_prompt_only: bool
    reason: Abstention | None = None

    def reason_for(self, evidence: Evidence) -> Abstention:
        """Return why it abstains; unless the policy says, what was found tells."""
        return self.reason or ("degraded" if evidence.degraded else "nothing_relevant")


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


@dataclass(frozen=True, slots=True)
class PolicyWarning:
    """A part of a policy that can never take effect, although the policy works.

    Attributes:
        file: The file, as the caller named it.
        line: Line of the key, counted from 1, or None when no line can be named.
        key: Where in the file, e.g. `preference[2]`.
        reason: What is wrong.
    """

    file: str
    line: int | None
    key: str
    reason: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}, line {self.line}"
        return f"{place}: {self.key}: {self.reason}" if self.key else f"{place}: {self.reason}"


class Rules(Protocol):
    """The rules of a policy, for readers of rules only; `Policy` describes each attribute."""

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """Every different leaf of the rules."""

    @property
    def hard(self) -> tuple[HardRule, ...]:
        """Which strategies are forbidden, and when."""

    @property
    def decline(self) -> tuple[DeclineRule, ...]:
        """Which requests are refused before anything is searched."""

    @property
    def evidence(self) -> tuple[CompiledRule, ...]:
        """Rules on the scores of the last compare."""

    @property
    def preference(self) -> tuple[CompiledRule, ...]:
        """Which strategy to prefer."""

    @property
    def pilot(self) -> CompiledRule | None:
        """When an adapter is marked as a pilot."""

    @property
    def settling(self) -> Settling:
        """What follows retrieval."""

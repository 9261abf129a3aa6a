"""The values a decision is made of: rules as stated, findings, rejections, decisions.

Frozen and plain. It does not know how a rule is evaluated; `decide.py` does that. Everything here
answers `as_dict()` with content that JSON can carry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Literal, NamedTuple

from router.facts import Facts, FactValue
from router.strategy import Strategy as Strategy
from router.text import Text
from router.trace import VERDICTS, Node, Tree, value_nodes
from router.trace import Truth as Truth
from router.trace import Verdict as Verdict

Outcome = Literal["answer", "abstain", "prompt_only"]
# Why a request is not answered.
Abstention = Literal["nothing_relevant", "degraded", "out_of_scope"]


class RuleKind(StrEnum):
    """Which part of the policy a rule stands in."""

    HARD = "hard"
    DECLINE = "decline"
    EVIDENCE = "evidence"
    PREFERENCE = "preference"
    PILOT = "pilot"
    FALLBACK = "fallback"
    ASKED = "asked"
    SETTLE = "settle"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A value that rules name.

    Attributes:
        value: The value.
        source: Where it comes from.
        unit: Its unit, empty where there is none.
        instead_of: The policy's own value, where a use case declares another.
    """

    value: FactValue
    source: str
    unit: str
    instead_of: FactValue | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as the policy states it.

    Attributes:
        id: Its name in the policy.
        kind: The part of the policy it stands in.
        strategies: What it forbids, prefers in this order, or marks.
        because: Its reason.
        when_leaves: How many of its leaves, the first ones, belong to `when`; the rest to `unless`.
        when: The tree of its condition; None where it has none.
        unless: The tree of what makes it false; None where nothing does.
    """

    id: str
    kind: RuleKind
    strategies: tuple[Strategy, ...]
    because: Text
    when_leaves: int = 0
    when: Tree | None = None
    unless: Tree | None = None


@dataclass(frozen=True, slots=True)
class LeafFinding:
    """The result of one leaf of a condition.

    Attributes:
        expression: The leaf as the policy writes it.
        truth: True, False, or None where it is unknown.
        unknown_facts: The unknown facts it names, when it is unknown.
        facts: Every fact it names.
        thresholds: Every threshold it names, with its value.
    """

    expression: str
    truth: Truth
    unknown_facts: tuple[str, ...]
    facts: tuple[str, ...]
    thresholds: Mapping[str, FactValue]

    @property
    def verdict(self) -> Verdict:
        """The truth as a word."""
        return VERDICTS[self.truth]

    def as_dict(self, values: Mapping[str, FactValue]) -> dict[str, object]:
        """Return `{expression, verdict, values}`; `values` hold the facts and thresholds read."""
        read = {name: values[name] for name in self.facts if name in values}
        read.update(self.thresholds)
        return {"expression": self.expression, "verdict": VERDICTS[self.truth], "values": read}


class Finding(NamedTuple):
    """The result of one rule. Every rule gives one, whether it chose or not, and if it is unknown.

    A true preference rule need not be the one that chose: an earlier rule may have, or nothing it
    prefers may have been eligible. `Decision.rule` names the one that chose.

    A named tuple, not a frozen dataclass: some 40 are made for every request, at a third the cost.

    Attributes:
        stated: The rule.
        truth: True, False, or None where it is unknown.
        leaves: The results of its leaves, those of `when` before those of `unless`.
    """

    stated: Rule
    truth: Truth
    leaves: tuple[LeafFinding, ...] = ()

    @property
    def rule(self) -> str:
        """Id of the rule."""
        return self.stated.id

    @property
    def kind(self) -> RuleKind:
        """The part of the policy the rule stands in."""
        return self.stated.kind

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        """What the rule forbids, prefers or marks."""
        return self.stated.strategies

    @property
    def because(self) -> Text:
        """The rule's reason."""
        return self.stated.because

    @property
    def verdict(self) -> Verdict:
        """The truth as a word."""
        return VERDICTS[self.truth]

    @property
    def unknown_facts(self) -> tuple[str, ...]:
        """The facts that would have to be known; empty where the rule is true or false."""
        if self.truth is not None:
            return ()
        of_when = self.leaves[: self.stated.when_leaves]
        return tuple(dict.fromkeys(name for leaf in of_when for name in leaf.unknown_facts))

    def nodes(self) -> dict[str, Node]:
        """Return `when` and `unless` with the verdict of every node; a leaf is its number here."""
        truths = tuple([leaf.truth for leaf in self.leaves])
        return _nodes(self.stated.when, self.stated.unless, truths)

    def as_dict(
        self,
        values: Mapping[str, FactValue] | None = None,
        *,
        with_leaves: bool = True,
        shown: dict[int, dict[str, object]] | None = None,
    ) -> dict[str, object]:
        """Return plain content.

        Args:
            values: The facts, to show beside each leaf.
            with_leaves: Whether to show the leaves at all.
            shown: Leaves of the same decision by `id`, half of which stand in several rules.
        """
        stated = self.stated
        plain: dict[str, object] = {
            "rule": stated.id,
            "kind": stated.kind.value,
            "strategies": [*map(str, stated.strategies)],
            "verdict": VERDICTS[self.truth],
            "because": stated.because.as_dict(),
            "unknown_facts": [] if self.truth is not None else [*self.unknown_facts],
        }
        if with_leaves:
            known, seen = values or {}, {} if shown is None else shown
            for leaf in self.leaves:
                if id(leaf) not in seen:
                    seen[id(leaf)] = leaf.as_dict(known)
            plain["leaves"] = [seen[id(leaf)] for leaf in self.leaves]
            plain.update(self.nodes())
        return plain

    def as_brief(self) -> dict[str, object]:
        """Return rule, kind and verdict, and where it is unknown the facts that are missing."""
        brief: dict[str, object] = {
            "rule": self.rule,
            "kind": self.kind.value,
            "verdict": self.verdict,
        }
        if self.truth is None:
            brief["unknown_facts"] = list(self.unknown_facts)
        return brief


@lru_cache(maxsize=4_096)  # of a policy's rules each a few: most facts stay the same
def _nodes(when: Tree | None, unless: Tree | None, truths: tuple[Truth, ...]) -> dict[str, Node]:
    numbered = enumerate(truths)
    trees = {"when": when, "unless": unless}
    return {w: value_nodes(tree, numbered)[0] for w, tree in trees.items() if tree is not None}


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one strategy does not answer.

    Attributes:
        strategy: The strategy that was rejected.
        rule: What rejected it: a hard rule, or the rule that chose another strategy.
        kind: That rule's kind; only `hard` means that the strategy must not run.
        because: That rule's reason.
        unknown_facts: Unknown facts for which it was rejected; empty if the rule was true.
    """

    strategy: Strategy
    rule: str
    kind: RuleKind
    because: Text
    unknown_facts: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Return plain content."""
        return {
            "strategy": self.strategy.value,
            "rule": self.rule,
            "kind": self.kind.value,
            "because": self.because.as_dict(),
            "unknown_facts": list(self.unknown_facts),
        }


@dataclass(frozen=True, slots=True)
class Decision:
    """Which strategy answers, and why.

    Attributes:
        strategy: The choice. With a `conflict` it must not be run.
        rule: Id of the rule that chose, or of the hard rule that stands in the way.
        findings: One for every rule of the policy, in the policy's order.
        rejected: Why each other strategy is: every hard rule that forbids it, or the choice.
        facts: What the decision rests on.
        policy_version: Name and digest of the policy.
        conflict: Set when the strategy asked for is forbidden, or when none is eligible.
        pilot: The adapter was trained on fewer rows than the minimum: to be evaluated first.
        declined_by: The rule that puts the request outside the use case: nothing is to be
            retrieved or generated; None where it is not.
        overrides: Thresholds that the use case declares in place of the policy's.
    """

    strategy: Strategy
    rule: str
    findings: tuple[Finding, ...] = field(repr=False)
    rejected: tuple[Rejection, ...]
    facts: Facts
    policy_version: str
    conflict: Rejection | None = None
    pilot: bool = False
    declined_by: Finding | None = None
    overrides: Mapping[str, Threshold] = field(default_factory=dict)

    @property
    def declines(self) -> bool:
        """Whether the request lies outside the use case and is to be refused at once."""
        return self.declined_by is not None

    def forbids(self, strategy: Strategy) -> bool:
        """Return whether a hard rule forbids `strategy`."""
        return any(r.strategy is strategy and r.kind is RuleKind.HARD for r in self.rejected)

    @property
    def because(self) -> Text:
        """The reason of the rule that chose, or that stands in the way."""
        return next(finding.because for finding in self.findings if finding.rule == self.rule)

    def as_dict(self, *, with_leaves: bool = True) -> dict[str, object]:
        """Return plain content: every node with the values it read, or the findings in brief."""
        values = self.facts.values
        shown: dict[int, dict[str, object]] = {}
        plain: dict[str, object] = {
            "strategy": self.strategy.value,
            "rule": self.rule,
            "because": self.because.as_dict(),
            "findings": [
                each.as_dict(values, shown=shown) if with_leaves else each.as_brief()
                for each in self.findings
            ],
            "rejected": [rejection.as_dict() for rejection in self.rejected],
            "facts": self.facts.as_dict(),
            "policy_version": self.policy_version,
            "conflict": None if self.conflict is None else self.conflict.as_dict(),
            "pilot": self.pilot,
        }
        if self.declined_by is not None:
            plain["declined_by"] = self.declined_by.rule
        if self.overrides:
            plain["thresholds"] = self.overrides_as_dict()
        return plain

    def overrides_as_dict(self) -> dict[str, object]:
        """Return the thresholds that the use case declares, beside the policy's own."""
        return {
            name: {"value": t.value, "provenance": "declared", "policy_value": t.instead_of}
            for name, t in self.overrides.items()
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """What retrieval brought.

    Attributes:
        passages: How many passages reach `min_relevance` of the retriever that found them.
        best_score: Relevance of the best one, 0 to 1; None where nothing was measured.
        degraded: A retriever that should have answered did not.
    """

    passages: int
    best_score: float | None = None
    degraded: bool = False

    def as_values(self) -> dict[str, FactValue]:
        """Return the evidence as values for the policy's leaves; an unknown score is left out."""
        values: dict[str, FactValue] = {"passages": self.passages, "degraded": self.degraded}
        if self.best_score is not None:
            values["best_score"] = self.best_score
        return values


@dataclass(frozen=True, slots=True)
class Settlement:
    """What to do once the passages are known.

    Attributes:
        outcome: Answer with them, abstain, or answer without them and say so (`prompt_only`).
        finding: The rule that settled it.
        evidence: What it rests on.
        reason: Why it abstains; None where it answers.
    """

    outcome: Outcome
    finding: Finding
    evidence: Evidence
    reason: Abstention | None = None

    def as_dict(self, *, with_leaves: bool = True) -> dict[str, object]:
        """Return plain content; with leaves, each with the values it read."""
        values = self.evidence.as_values()
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "finding": self.finding.as_dict(values, with_leaves=with_leaves),
            "evidence": {
                "passages": self.evidence.passages,
                "best_score": self.evidence.best_score,
                "degraded": self.evidence.degraded,
            },
        }

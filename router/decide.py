"""Facts and a policy in, a decision with every finding out; then what to do with the passages.

Both functions are pure and total: they read no clock, file or network and raise nothing. They do
not know where facts come from or what a strategy does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from router.decision import (
    Decision,
    Evidence,
    Finding,
    Rejection,
    Rule,
    RuleKind,
    Settlement,
    Strategy,
)
from router.facts import Facts
from router.policy.loading import Policy
from router.policy.rules import HardRule
from router.text import Text

_ASKED: Final = {
    strategy: Rule(
        "asked",
        RuleKind.ASKED,
        (strategy,),
        Text(zh="调用方指名使用这一策略", en="the caller named this strategy"),
    )
    for strategy in Strategy
}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the hard rules leave.

    Attributes:
        eligible: The strategies no hard rule forbids.
        rejected: Why each other one is rejected, in the policy's order; one entry per rule.
    """

    eligible: frozenset[Strategy]
    rejected: tuple[Rejection, ...]


def decide(facts: Facts, policy: Policy, *, asked: Strategy | None = None) -> Decision:
    """Choose a strategy and say why.

    Hard rules come first and always hold. Unless the caller named a strategy, a decline rule that
    is true puts the request outside the use case; the evidence of the last compare chooses, then
    the preferences in order, then the fallback.

    Args:
        facts: What is known; a fact that is missing is unknown.
        policy: The rules.
        asked: A strategy the caller named. Evidence and preference are then found but not followed.

    Returns:
        The decision. Look at `conflict` first: where it is set, nothing may run; then at
        `declines`.
    """
    found = [leaf.evaluate(facts.values) for leaf in policy.leaves]
    hard = [hard_rule.rule.evaluate(found) for hard_rule in policy.hard]
    preferences = [rule.evaluate(found) for rule in (*policy.evidence, *policy.preference)]
    ruling = drop_ineligible(policy.hard, hard, asked=asked)
    if asked is not None:
        chosen, choice = asked, Finding(_ASKED[asked], truth=True)
    else:
        chosen, choice = _choose(preferences, policy.fallback, ruling.eligible)
    conflict = _find_conflict(chosen, ruling)
    declines = [each.rule.evaluate(found) for each in policy.decline]
    declined = next((finding for finding in declines if finding.truth), None)
    pilot = None if policy.pilot is None else policy.pilot.evaluate(found)
    others = () if conflict else _reject_others(chosen, choice.stated, ruling)
    return Decision(
        strategy=chosen,
        rule=conflict.rule if conflict else choice.rule,
        findings=_collect([*hard, *declines], preferences, pilot, policy.fallback, choice),
        rejected=ruling.rejected + others,
        facts=facts,
        policy_version=policy.version,
        conflict=conflict,
        declined_by=None if asked or conflict else declined,
        pilot=conflict is None and chosen.uses_adapter and pilot is not None and bool(pilot.truth),
        overrides=policy.overrides,
    )


def settle(
    decision: Decision, evidence: Evidence, policy: Policy, *, allow_prompt_only: bool = False
) -> Settlement:
    """Decide what to do with the passages that retrieval returned.

    Args:
        decision: The decision that led here.
        evidence: What was found.
        policy: The rules.
        allow_prompt_only: The use case allows an answer without passages, labelled as such.

    Returns:
        Answer, abstain, or `prompt_only`, with the rule that says so. A strategy that does not
        retrieve is always answered, and a declined request never.
    """
    settling = policy.settling
    if decision.declined_by is not None:
        return _settle_declined(
            decision,
            decision.declined_by,
            evidence,
            policy=policy,
            allow_prompt_only=allow_prompt_only,
        )
    if not decision.strategy.retrieves:
        return Settlement("answer", settling.without_retrieval, evidence)
    values = {**decision.facts.values, **evidence.as_values()}
    found = [leaf.evaluate(values) for leaf in settling.leaves]
    for settle_rule in settling.rules:
        finding = settle_rule.rule.evaluate(found)
        if finding.truth:
            may_answer_without = allow_prompt_only and settle_rule.or_prompt_only
            if may_answer_without and not decision.forbids(Strategy.PROMPT_ONLY):
                return Settlement("prompt_only", finding, evidence)
            abstains = settle_rule.outcome == "abstain"
            reason = settle_rule.reason_for(evidence) if abstains else None
            return Settlement(settle_rule.outcome, finding, evidence, reason)
    return Settlement("answer", settling.otherwise, evidence)


def _settle_declined(
    decision: Decision, by: Finding, evidence: Evidence, *, policy: Policy, allow_prompt_only: bool
) -> Settlement:
    rule = next(each for each in policy.decline if each.rule.stated.id == by.rule)
    may_answer = rule.or_prompt_only and allow_prompt_only
    if may_answer and not decision.forbids(Strategy.PROMPT_ONLY):
        return Settlement("prompt_only", by, evidence)
    return Settlement("abstain", by, evidence, rule.reason)


def drop_ineligible(
    rules: Sequence[HardRule], findings: Sequence[Finding], *, asked: Strategy | None = None
) -> Ruling:
    """Return the strategies no hard rule forbids, and why the others are rejected.

    Args:
        rules: The hard rules.
        findings: Their findings, in the same order.
        asked: The strategy the caller named; rules with `asked: allow` do not apply to it.

    Returns:
        The ruling.
    """
    rejected: list[Rejection] = []
    for rule, finding in zip(rules, findings, strict=True):
        if finding.truth is False or (finding.truth is None and not rule.forbids_unknown):
            continue
        unknown = finding.unknown_facts
        for strategy in finding.strategies:
            if strategy is not asked or rule.binds_asked:
                rejected.append(
                    Rejection(strategy, finding.rule, finding.kind, finding.because, unknown)
                )
    forbidden = {rejection.strategy for rejection in rejected}
    return Ruling(frozenset(s for s in Strategy if s not in forbidden), tuple(rejected))


def _choose(
    preferences: Iterable[Finding], fallback: Rule, eligible: frozenset[Strategy]
) -> tuple[Strategy, Finding]:
    """Return the first eligible strategy of the first true rule with one; else the fallback's."""
    for finding in preferences:
        if finding.truth:
            for strategy in finding.strategies:
                if strategy in eligible:
                    return strategy, finding
    first = next((s for s in fallback.strategies if s in eligible), fallback.strategies[0])
    return first, Finding(fallback, truth=True)


def _find_conflict(chosen: Strategy, ruling: Ruling) -> Rejection | None:
    """Return the first hard rule that forbids the choice, or None where it may run."""
    if chosen in ruling.eligible:
        return None
    return next(rejection for rejection in ruling.rejected if rejection.strategy is chosen)


def _reject_others(chosen: Strategy, by: Rule, ruling: Ruling) -> tuple[Rejection, ...]:
    """Return why each eligible strategy but the chosen one does not answer."""
    return tuple(
        Rejection(strategy, by.id, by.kind, by.because)
        for strategy in Strategy
        if strategy is not chosen and strategy in ruling.eligible
    )


def _collect(
    hard: list[Finding],
    preferences: list[Finding],
    pilot: Finding | None,
    fallback: Rule,
    choice: Finding,
) -> tuple[Finding, ...]:
    """Return every finding in the policy's order, the choice made outside its rules last."""
    findings = [*hard, *preferences]
    if pilot is not None:
        findings.append(pilot)
    findings.append(Finding(fallback, truth=choice.kind is RuleKind.FALLBACK))
    if choice.kind is RuleKind.ASKED:
        findings.append(choice)
    return tuple(findings)

"""What a shadow policy would have done with the same request: decided, compared, never applied.

Pure and total, as deciding is. It does not know where comparisons are stored or counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from router.decide import decide, settle
from router.decision import Decision, Outcome, RuleKind, Settlement, Strategy
from router.policy.loading import Policy

# `refused`: nothing may run. `not_known`: it would have retrieved, and nothing was retrieved.
Course = Outcome | Literal["refused", "not_known"]
_ASKED: Final = RuleKind.ASKED.value


@dataclass(frozen=True, slots=True)
class Choice:
    """What a policy does with one request.

    Attributes:
        policy_version: The policy.
        strategy: The strategy it decides for, before anything is retrieved.
        rule: The rule that chose it, or that stands in the way.
        course: What follows once the passages are known.
    """

    policy_version: str
    strategy: Strategy
    rule: str
    course: Course

    def as_dict(self) -> dict[str, str]:
        """Return plain content."""
        return {
            "policy_version": self.policy_version,
            "strategy": self.strategy.value,
            "rule": self.rule,
            "course": self.course,
        }


@dataclass(frozen=True, slots=True)
class ShadowComparison:
    """What was done with a request, and what the shadow policy would have done."""

    now: Choice
    then: Choice

    @property
    def differs(self) -> bool:
        """Whether the answer would have been another; another rule alone is no difference."""
        known = self.then.course != "not_known"
        return self.now.strategy is not self.then.strategy or (
            known and self.now.course != self.then.course
        )

    def as_dict(self) -> dict[str, object]:
        """Return plain content."""
        return {
            "differs": self.differs,
            "now": self.now.as_dict(),
            "then": self.then.as_dict(),
        }


def compare_with_shadow(
    decision: Decision,
    settlement: Settlement | None,
    policy: Policy,
    *,
    allow_prompt_only: bool = False,
) -> ShadowComparison:
    """Decide again by a shadow policy, on the same facts and passages.

    Args:
        decision: The decision that was followed; a strategy that its caller named is named again.
        settlement: What followed from the passages; None where nothing was retrieved.
        policy: The policy to compare_with_shadow.
        allow_prompt_only: As it was when the request was settled.
    """
    asked = decision.strategy if decision.rule == _ASKED else None
    other = decide(decision.facts, policy, asked=asked)
    course: Course = "answer"
    if other.conflict is not None:
        course = "refused"
    elif other.strategy.retrieves and settlement is None:
        course = "not_known"
    elif other.strategy.retrieves and settlement is not None:
        evidence = settlement.evidence
        course = settle(other, evidence, policy, allow_prompt_only=allow_prompt_only).outcome
    done: Course = "answer" if settlement is None else settlement.outcome
    return ShadowComparison(
        now=Choice(decision.policy_version, decision.strategy, decision.rule, done),
        then=Choice(other.policy_version, other.strategy, other.rule, course),
    )

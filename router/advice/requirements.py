"""How many rows fine-tuning needs, of what quality, and how many are missing.

The minimum is the policy's own threshold, so that advice and decisions agree; the recommended and
ideal numbers and the five checks stand here with their source. It does not choose a strategy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from router.facts import Facts
from router.policy.loading import Policy

# LoRA, the method that Fingerpost serves: minimum and recommended rows.
LORA_ROWS: Final = (2_000, 5_000)
# By task: minimum, recommended, ideal rows.
TASK_ROWS: Final[Mapping[str, tuple[int, int, int]]] = {
    "classification": (500, 2_000, 5_000),
    "qa": (1_000, 5_000, 10_000),
    "dialogue": (2_000, 10_000, 50_000),
    "code": (2_000, 10_000, 50_000),
}
REGULATED: Final = frozenset({"finance", "legal"})
# Words that plainly mean one of them, though the rules know only the word itself.
REGULATED_ALIASES: Final[Mapping[str, str]] = {
    "金融": "finance",
    "银行": "finance",
    "证券": "finance",
    "保险": "finance",
    "financial": "finance",
    "banking": "finance",
    "insurance": "finance",
    "法律": "legal",
    "司法": "legal",
    "law": "legal",
}
REGULATED_FACTOR: Final = 1.3
PILOT_ROWS: Final = 100
# 3.2 bits is 96 % of what ten equal scenarios have; with fewer, the share is compared.
MIN_ENTROPY_BITS: Final = 3.2
ENTROPY_SCENARIOS: Final = 10


@dataclass(frozen=True, slots=True)
class Category:
    """Rows of one kind, as declared.

    Attributes:
        name: The user's own word.
        rows: How many there are.
        share: Its share of the questions in real use, 0 to 1; None where none was declared.
    """

    name: str
    rows: int
    share: float | None = None


@dataclass(frozen=True, slots=True)
class RowRequirement:
    """How many rows fine-tuning needs.

    Attributes:
        minimum: Below it the policy does not train a new adapter.
        recommended: What is advised.
        ideal: Beyond it more rows bring little; None where the kind of task is not in the list.
        pilot: Rows with passages that allow a pilot below the minimum.
        factor: 1.3 for finance and legal, else 1.
    """

    minimum: int
    recommended: int
    ideal: int | None
    pilot: int
    factor: float


@dataclass(frozen=True, slots=True)
class Check:
    """One of the five checks: a fact and what it must reach.

    Attributes:
        fact: Its name.
        limit: The threshold.
        at_least: True where the fact must reach the limit; False where it must not go beyond.
        strict: The limit itself is not enough.
    """

    fact: str
    limit: float
    at_least: bool
    strict: bool = False

    def judge(self, facts: Facts) -> bool | None:
        """Return whether the check is passed; None where the fact is unknown."""
        value = facts.get(self.fact)
        if not isinstance(value, int | float):
            return None
        if value == self.limit:
            return not self.strict
        return (value > self.limit) is self.at_least


CHECKS: Final = (
    Check("relevant_rows_percent", 90, at_least=True),
    Check("scenario_coverage_percent", 80, at_least=True),
    Check("label_disagreement_percent", 5, at_least=False, strict=True),
    Check("recent_rows_percent", 80, at_least=True),
    Check("personal_data_rows", 0, at_least=False),
)


def derive_quality(facts: Facts) -> str | None:
    """Return the verdict of the five checks: fail if one fails, pass if all do, else None."""
    verdicts = [check.judge(facts) for check in CHECKS]
    if False in verdicts:
        return "fail"
    return None if None in verdicts else "pass"


def required_rows(facts: Facts, policy: Policy) -> RowRequirement:
    """Return how many rows this case needs, by the policy in force."""
    factor = 1.0
    if facts.get("domain") in REGULATED:
        factor = threshold_of(policy, "regulated_domain_factor", REGULATED_FACTOR)
    least = threshold_of(policy, "min_labelled_examples", LORA_ROWS[0])
    by_task = TASK_ROWS.get(str(facts.get("task_type")))
    task_least, task_recommended = (0, 0) if by_task is None else by_task[:2]
    return RowRequirement(
        minimum=_rows(max(least, task_least), factor),
        recommended=_rows(max(LORA_ROWS[1], task_recommended, least), factor),
        ideal=None if by_task is None else _rows(max(by_task[2], least), factor),
        pilot=math.ceil(threshold_of(policy, "min_context_bearing_examples", PILOT_ROWS)),
        factor=factor,
    )


def threshold_of(policy: Policy, name: str, default: float) -> float:
    """Return a threshold of the policy, or `default` where the policy has no such number."""
    threshold = policy.thresholds.get(name)
    known = threshold is not None and isinstance(threshold.value, int | float)
    return float(threshold.value) if threshold is not None and known else default


def missing_by_category(
    categories: Sequence[Category], required: RowRequirement
) -> tuple[tuple[Category, int], ...]:
    """Return how many rows each category lacks of its part of the minimum.

    Args:
        categories: As declared; without shares each is to have an equal part.
        required: How many rows are needed in all.

    Returns:
        The categories that lack rows, the largest gap first.
    """
    gaps = []
    for category in categories:
        share = 1 / len(categories) if category.share is None else category.share
        missing = _rows(required.minimum, share) - category.rows
        if missing > 0:
            gaps.append((category, missing))
    return tuple(sorted(gaps, key=lambda gap: -gap[1]))


def evenness(categories: Sequence[Category]) -> float | None:
    """Return the entropy of the categories as a share of the most it could be, 0 to 1.

    Returns:
        None for fewer than two categories, no rows, or declared shares (which need not be equal).
    """
    total = sum(category.rows for category in categories)
    if len(categories) < 2 or not total or any(c.share is not None for c in categories):
        return None
    parts = [category.rows / total for category in categories if category.rows]
    return -sum(part * math.log2(part) for part in parts) / math.log2(len(categories))


def least_evenness(categories: Sequence[Category]) -> float:
    """Return the evenness that so many categories must have: what 3.2 bits are of ten or more."""
    return MIN_ENTROPY_BITS / math.log2(max(ENTROPY_SCENARIOS, len(categories)))


def _rows(rows: float, factor: float) -> int:
    """Return rows times a factor, rounded up, but not for the error of a float."""
    return math.ceil(round(rows * factor, 6))

"""What one policy says and another does not, and which decisions that changes.

It compares policies as they are compiled, by the ids of rules and the names of thresholds; a rule
that was renamed is one removed and one added. It does not know where facts come from.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from router.decide import decide
from router.decision import Decision, Strategy
from router.facts import FACTS, Facts, Provenance
from router.policy.loading import Policy
from router.policy.solver import Space
from router.review.explanation import describe_rule, describe_threshold, rules_of

_IGNORED = ("line", "effect", "notes")  # said by the other fields, or of no effect


@dataclass(frozen=True, slots=True)
class Situation:
    """Facts to decide on with both policies, under a name."""

    name: str
    facts: Facts
    asked: Strategy | None = None


def diff_rules(old: Policy, new: Policy) -> dict[str, Any]:
    """Return `{added, removed, changed}` of the rules; each change field by field, old and new.

    `position` is a rule's place in its section, counted among the rules that both policies have.
    """
    return _diff(_rules(old, new), _rules(new, old))


def diff_thresholds(old: Policy, new: Policy) -> dict[str, Any]:
    """Return `{added, removed, changed}` of the thresholds, likewise."""
    before = {name: describe_threshold(each) for name, each in old.thresholds.items()}
    after = {name: describe_threshold(each) for name, each in new.thresholds.items()}
    return _diff(before, after)


def diff_decisions(
    old: Policy, new: Policy, situations: Iterable[Situation]
) -> list[dict[str, Any]]:
    """Return the situations that come out otherwise: another strategy, or another conflict."""
    changed = []
    for each in situations:
        before = decide(each.facts, old, asked=each.asked)
        after = decide(each.facts, new, asked=each.asked)
        if _outcome(before) != _outcome(after):
            changed.append({"case": each.name, "from": _summary(before), "to": _summary(after)})
    return changed


def sample_situations(old: Policy, new: Policy, *, count: int, seed: int = 7) -> list[Situation]:
    """Return random facts that touch what the two policies can tell apart.

    Args:
        old: One policy.
        new: The other.
        count: How many to draw; the same seed draws the same.
        seed: Where drawing starts.

    Returns:
        The situations, about half of the facts unknown in each.
    """
    cells = Space((*old.leaves, *new.leaves), FACTS).cells
    values = {name: cells[name].values for name in sorted(cells) if name in FACTS}
    rng = random.Random(seed)
    situations = []
    for number in range(1, count + 1):
        stated: dict[str, dict[str, object]] = {source.value: {} for source in Provenance}
        for name, choices in values.items():
            if rng.random() < 0.5:
                source = next(s for s in Provenance if s in FACTS[name].provenances)
                stated[source][name] = rng.choice(choices)
        situations.append(Situation(f"sample_{number}", Facts.build(**stated)))
    return situations


def _rules(policy: Policy, other: Policy) -> dict[str, dict[str, Any]]:
    shared = {describe_rule(each, other)["id"] for each in rules_of(other)}
    placed: dict[str, int] = {}
    rules = {}
    for each in rules_of(policy):
        plain = describe_rule(each, policy)
        for field in _IGNORED:
            plain.pop(field, None)
        plain["says"] = [note.en for note in each.notes]
        if plain["id"] in shared:
            plain["position"] = placed[each.section] = placed.get(each.section, 0) + 1
        rules[plain.pop("id")] = plain
    return rules


def _diff(
    before: Mapping[str, dict[str, Any]], after: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    changed = {}
    for name in before.keys() & after.keys():
        fields = before[name].keys() | after[name].keys()
        pairs = {f: (before[name].get(f), after[name].get(f)) for f in sorted(fields)}
        differing = {f: {"from": a, "to": b} for f, (a, b) in pairs.items() if a != b}
        if differing:
            changed[name] = differing
    return {
        "added": [name for name in after if name not in before],
        "removed": [name for name in before if name not in after],
        "changed": {name: changed[name] for name in after if name in changed},
    }


def _outcome(decision: Decision) -> tuple[str, str | None]:
    conflict = decision.conflict
    return decision.strategy.value, None if conflict is None else conflict.rule


def _summary(decision: Decision) -> dict[str, Any]:
    conflict = None if decision.conflict is None else decision.conflict.rule
    return {"strategy": decision.strategy.value, "rule": decision.rule, "conflict": conflict}

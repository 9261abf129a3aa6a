"""A compiled leaf of a condition: one expression, ready to be evaluated over facts.

It does not know how an expression is read; `expressions.py` does, with rule-engine.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from router.decision import LeafFinding
from router.policy.predicates import Predicate, Test, Values


class LeafFault(Exception):
    """A leaf cannot be used; the message says why. The policy loader adds file, line and key."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A compiled leaf.

    Attributes:
        expression: As the policy writes it.
        facts: The facts it names.
        thresholds: The thresholds it names, with their values.
        predicate: Its predicate over facts; None where only the engine can evaluate it.
        test: Its result over values that hold all of `facts`.
        evaluate: Its finding over any values: unknown if one of `facts` is missing, or if the
            engine cannot evaluate it (e.g. a division by zero).
    """

    expression: str
    facts: tuple[str, ...]
    thresholds: Values
    predicate: Predicate | None
    test: Test
    evaluate: Callable[[Values], LeafFinding]

"""The predicate of a leaf, in the few forms that can be reasoned about and evaluated fast.

A leaf that has no such form (arithmetic on facts, regular expressions) has no predicate: the
engine evaluates it, and no check looks into it. This file does not know rule-engine.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from router.facts import FactValue

Values = Mapping[str, FactValue]
Test = Callable[[Values], object]
Op = Literal["eq", "ne", "lt", "le", "gt", "ge"]

COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
# `5 < x` is `x > 5`; the opposite of `x < 5` is `x >= 5`.
MIRRORED: Final[Mapping[str, Op]] = {
    **{"eq": "eq", "ne": "ne", "lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
}
OPPOSITE: Final[Mapping[str, Op]] = {
    **{"eq": "ne", "ne": "eq", "lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A fact against a constant; a truth fact that stands alone is compared with true."""

    fact: str
    op: Op
    constant: FactValue


@dataclass(frozen=True, slots=True)
class Membership:
    """A fact is one of some constants."""

    fact: str
    constants: frozenset[FactValue]


@dataclass(frozen=True, slots=True)
class FactComparison:
    """A fact against another fact."""

    left: str
    op: Op
    right: str


@dataclass(frozen=True, slots=True)
class Compound:
    """Two predicates joined by `and` or `or` inside one leaf."""

    word: Literal["and", "or"]
    left: Predicate
    right: Predicate


@dataclass(frozen=True, slots=True)
class Negation:
    """The opposite of a predicate."""

    predicate: Predicate


Predicate = Comparison | Membership | FactComparison | Compound | Negation


def compile_predicate(predicate: Predicate) -> Test:
    """Return a plain function that evaluates the predicate, over values that hold all its facts."""
    if isinstance(predicate, Comparison):
        return _compile_comparison(predicate.fact, predicate.op, predicate.constant)
    if isinstance(predicate, Membership):
        name, constants = predicate.fact, predicate.constants
        return lambda values: values[name] in constants
    if isinstance(predicate, FactComparison):
        compare, one, other = COMPARE[predicate.op], predicate.left, predicate.right
        return lambda values: compare(values[one], values[other])
    if isinstance(predicate, Negation):
        inner = compile_predicate(predicate.predicate)
        return lambda values: not inner(values)
    left, right = compile_predicate(predicate.left), compile_predicate(predicate.right)
    if predicate.word == "and":
        return lambda values: left(values) and right(values)
    return lambda values: left(values) or right(values)


def _compile_comparison(name: str, op: Op, constant: FactValue) -> Test:
    if op == "eq" and constant is True:
        return operator.itemgetter(name)
    compare = COMPARE[op]
    return lambda values: compare(values[name], constant)

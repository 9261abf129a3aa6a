"""What a leaf claims, in the few forms that can be reasoned about and judged fast.

A leaf that has no such form (arithmetic on facts, regular expressions) has no claim here: the
engine judges it and nothing is concluded from it. This file does not know rule-engine.
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
class Compared:
    """A fact against a constant; a truth fact that stands alone is compared with true."""

    fact: str
    op: Op
    constant: FactValue


@dataclass(frozen=True, slots=True)
class Among:
    """A fact is one of some constants."""

    fact: str
    constants: frozenset[FactValue]


@dataclass(frozen=True, slots=True)
class Ordered:
    """A fact against another fact."""

    left: str
    op: Op
    right: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Two claims joined by `and` or `or` inside one leaf."""

    word: Literal["and", "or"]
    left: Claim
    right: Claim


@dataclass(frozen=True, slots=True)
class Denied:
    """The opposite of a claim."""

    claim: Claim


Claim = Compared | Among | Ordered | Joined | Denied


def compile_claim(claim: Claim) -> Test:
    """Return a plain function with the claim's verdict, over values that hold all its facts."""
    if isinstance(claim, Compared):
        return _compile_comparison(claim.fact, claim.op, claim.constant)
    if isinstance(claim, Among):
        name, constants = claim.fact, claim.constants
        return lambda values: values[name] in constants
    if isinstance(claim, Ordered):
        compare, one, other = COMPARE[claim.op], claim.left, claim.right
        return lambda values: compare(values[one], values[other])
    if isinstance(claim, Denied):
        inner = compile_claim(claim.claim)
        return lambda values: not inner(values)
    left, right = compile_claim(claim.left), compile_claim(claim.right)
    if claim.word == "and":
        return lambda values: left(values) and right(values)
    return lambda values: left(values) or right(values)


def _compile_comparison(name: str, op: Op, constant: FactValue) -> Test:
    if op == "eq" and constant is True:
        return operator.itemgetter(name)
    compare = COMPARE[op]
    return lambda values: compare(values[name], constant)

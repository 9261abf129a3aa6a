"""Conditions on the attributes of documents, as OpenAI writes them, or as plain equality.

It knows operators, types and limits; it does not know how attributes are stored and compared
(`sql/chunks.py`).

    {"plan": "basic", "year": 2026}                                all of these are equal
    {"type": "gte", "key": "year", "value": 2025}                  one comparison
    {"type": "or", "filters": [{...}, {...}]}                      several, nested
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from knowledge.errors import InvalidFilter
from knowledge.types import MAX_ATTRIBUTES, AttributeValue

MOST_NESTED = 20
"""Levels of `and` and `or`; people nest two or three."""
MOST_COMPARISONS, MOST_VALUES = 100, 1_000
"""Comparisons of one filter, and values in them: each comparison is a select of its own, and SQLite
takes 1,000 levels in an expression and 32,766 parameters."""


class Operator(StrEnum):
    """How an attribute is compared."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"
    NIN = "nin"


class Joiner(StrEnum):
    """Which of several conditions must hold."""

    AND = "and"
    OR = "or"


LISTS = (Operator.IN, Operator.NIN)
ORDERS = (Operator.GT, Operator.GTE, Operator.LT, Operator.LTE)
_KNOWN: tuple[str, ...] = (*Operator, *Joiner)
_COMPARISON = frozenset(["type", "key", "value"])
_COMPOUND = frozenset(["type", "filters"])


@dataclass(frozen=True, slots=True)
class Comparison:
    """One attribute against one value, or against a list of them.

    Values of another type are unequal and have no order: 1 is not "1". `ne` and `nin` are what `eq`
    and `in` are not, so they hold for documents without the attribute.
    """

    key: str
    operator: Operator
    values: tuple[AttributeValue, ...]


@dataclass(frozen=True, slots=True)
class Compound:
    """Several conditions: all of them, or any."""

    joiner: Joiner
    filters: tuple["Filter", ...]


Filter = Comparison | Compound


def read_filter(written: Mapping[str, object]) -> Filter | None:
    """Return the filter that a JSON object says; None for an empty one.

    Raises:
        InvalidFilter: It is none, or nested too deep, or too long; the message says where.
    """
    if not written:
        return None
    if not _is_object(written):
        return _all_equal(written)
    found = _read(written, "filters", level=0)
    comparisons = list(_comparisons(found))
    if len(comparisons) > MOST_COMPARISONS:
        raise InvalidFilter(f"{len(comparisons)} comparisons; at most {MOST_COMPARISONS}")
    values = sum(len(each.values) for each in comparisons)
    if values > MOST_VALUES:
        raise InvalidFilter(f"{values} values to compare with; at most {MOST_VALUES}")
    return found


def _is_object(written: Mapping[str, object]) -> bool:
    """Return whether this is one of OpenAI's objects and not attributes by name.

    Attributes may be called `type` and `key` too: what an operator or the shape gives away counts.
    """
    shapes = ({"key", "value"}, _COMPARISON, _COMPOUND)
    return written.get("type") in _KNOWN or set(written) in shapes


def _all_equal(written: Mapping[str, object]) -> Filter:
    if len(written) > MAX_ATTRIBUTES:
        raise InvalidFilter(f"{len(written)} attributes; at most {MAX_ATTRIBUTES}")
    equal = tuple(
        Comparison(key, Operator.EQ, (_value(value, f"filters.{key}"),))
        for key, value in written.items()
    )
    return equal[0] if len(equal) == 1 else Compound(Joiner.AND, equal)


def _read(written: object, where: str, *, level: int) -> Filter:
    """Return the filter of one of OpenAI's objects.

    Args:
        written: The object.
        where: Its place, for messages.
        level: How many `and` and `or` stand around it.
    """
    if not isinstance(written, Mapping):
        raise InvalidFilter(f'{where}: an object with "type", not {_shown(written)}')
    kind = written.get("type")
    if not isinstance(kind, str) or kind not in _KNOWN:
        told = "no type" if "type" not in written else f"{_shown(kind)} is no operator"
        choices = ", ".join(_KNOWN)
        raise InvalidFilter(f"{where}: {told}; choose one of {choices}")
    if kind in list(Joiner):
        return _compound(Joiner(kind), written, where, level=level)
    _check_keys(written, _COMPARISON, where)
    key = written["key"]
    if not isinstance(key, str) or not key:
        raise InvalidFilter(f"{where}.key: the name of an attribute, not {_shown(key)}")
    operator = Operator(kind)
    return Comparison(key, operator, _values(written["value"], operator, f"{where}.value"))


def _compound(joiner: Joiner, written: Mapping[str, object], where: str, *, level: int) -> Compound:
    _check_keys(written, _COMPOUND, where)
    if level == MOST_NESTED:
        raise InvalidFilter(f"{where}: nested more than {MOST_NESTED} deep; write it flatter")
    inner = written["filters"]
    if not isinstance(inner, Sequence) or isinstance(inner, str) or not inner:
        told = f"a list of at least one filter, not {_shown(inner)}"
        raise InvalidFilter(f"{where}.filters: {told}")
    return Compound(
        joiner,
        tuple(
            _read(each, f"{where}.filters[{place}]", level=level + 1)
            for place, each in enumerate(inner)
        ),
    )


def _check_keys(written: Mapping[str, object], expected: frozenset[str], where: str) -> None:
    if missing := sorted(expected - set(written)):
        raise InvalidFilter(f"{where}: {written['type']!s} needs {', '.join(missing)} too")
    if unknown := sorted(set(written) - expected):
        told = f"{written['type']!s} takes {', '.join(sorted(expected))}"
        raise InvalidFilter(f"{where}: {told}, not {', '.join(unknown)}")


def _values(written: object, operator: Operator, where: str) -> tuple[AttributeValue, ...]:
    if operator in LISTS:
        if not isinstance(written, Sequence) or isinstance(written, str):
            raise InvalidFilter(f"{where}: {operator} takes a list, not {_shown(written)}")
        return tuple(_value(each, f"{where}[{place}]") for place, each in enumerate(written))
    if isinstance(written, Sequence) and not isinstance(written, str):
        raise InvalidFilter(f"{where}: {operator} takes one value, no list; use in or nin")
    value = _value(written, where)
    if operator in ORDERS and isinstance(value, bool):
        raise InvalidFilter(f"{where}: {operator} takes a number or a text, not {_shown(value)}")
    return (value,)


def _value(written: object, where: str) -> AttributeValue:
    """Return a value that an attribute can have."""
    if isinstance(written, str | bool):
        return written
    if isinstance(written, int | float) and _is_finite(written):
        return written
    raise InvalidFilter(f"{where}: text, number or boolean, not {_shown(written)}")


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number that no float holds
        return False


def _comparisons(found: Filter) -> Iterator[Comparison]:
    if isinstance(found, Comparison):
        yield found
        return
    for each in found.filters:
        yield from _comparisons(each)


def _shown(value: object) -> str:
    """Return a value for a message, cut where it is long."""
    told = repr(value)
    return told if len(told) <= 60 else f"{told[:60]}…"

"""Names, units and numbers as the advice writes them; the texts are those of the catalogue.

It knows no case. Every fact, strategy, value and mark that can appear in an advice has a name there
in both languages; a test compares the catalogue with `FACTS`.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from router.advice.catalogue import load_catalogue, section, text
from router.decision import Strategy
from router.facts import FACTS, FactValue
from router.text import Text


class Mark(StrEnum):
    """Where a figure of the advice comes from."""

    DECLARED = "declared"
    MEASURED = "measured"
    ESTIMATED = "estimated"
    ASSUMED = "assumed"
    GENERAL = "general"
    UNKNOWN = "unknown"


def strategy_name(strategy: Strategy) -> Text:
    """Return the name of a strategy."""
    return text(f"strategies.{strategy}")


def fact_name(name: str) -> Text:
    """Return what a fact is called; the figures of a strategy are named after it."""
    for strategy in Strategy:
        figure = name.removeprefix(f"{strategy}_")
        if figure != name:
            return text(
                "outcomes.name",
                strategy=strategy_name(strategy),
                figure=text(f"outcomes.{figure}"),
            )
    return text(f"facts.{name}")


def threshold_source(source: str) -> Text:
    """Return where a threshold comes from; a source that the catalogue lacks is not translated."""
    known = (each for each in section("threshold_sources").values() if each.en == source)
    return next(known, Text(zh=source, en=source))


def number(value: float) -> str:
    """Return a number as people write it: 1,400; 2.79; 0.0031; 1.2e+40."""
    if abs(value) >= 1e15:
        return f"{Decimal(value):.2g}"  # a whole number can be too large for a float
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def quantity(value: float, unit: str) -> Text:
    """Return a number with its unit."""
    name = load_catalogue().get(f"units.{unit}")
    if name is None:
        return Text(zh=number(value), en=number(value))
    gap = "" if unit == "percent" else " "
    return Text(zh=f"{number(value)}{gap}{name.zh}", en=f"{number(value)}{gap}{name.en}")


def value_in_words(name: str, value: FactValue | None) -> Text:
    """Return the value of a fact in words."""
    if value is None:
        return text("truth.unknown")
    if isinstance(value, bool):
        return text("truth.yes") if value else text("truth.no")
    if isinstance(value, int | float):
        return quantity(value, FACTS[name].unit)
    # A text without choices is the user's own word; only closed sets are translated.
    return text(f"values.{value}") if FACTS[name].choices else Text(zh=value, en=value)

"""One score of how ready rows are: quality × quantity × match, each with its figures.

Each part is its weakest figure, for that is what has to be mended first; each figure is the share
reached of what is needed. It knows finished checks; it makes none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from adapters.data import agreement, recency, relevance, scenarios
from adapters.data.findings import Check, Status
from adapters.data.readiness import synthetic

PartName = Literal["quality", "quantity", "match"]


@dataclass(frozen=True, slots=True)
class RowsNeeded:
    """How many rows a task needs.

    Attributes:
        min_rows: Enough to go live.
        recommended: What is recommended.
    """

    min_rows: int
    recommended: int


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the score.

    Attributes:
        name: `quality`, `quantity` or `match`.
        percent: Its weakest figure, 0 to 100, and the most that it can be while others are not
            known; None where none is known.
        figures: The share reached of what is needed, in percent, by what was judged.
        unknown: What could not be judged.
    """

    name: PartName
    percent: float | None
    figures: Mapping[str, float]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """How ready rows are.

    Attributes:
        verdict: `fail` if one of the five checks or of the common faults fails, `pass` if all
            pass, else `unknown`. The number of rows does not count: it is a fact of its own.
        percent: The product of the three parts, 0 to 100; None while one of them is not known.
        parts: Quality, quantity, match.
    """

    verdict: Status
    percent: float | None
    parts: tuple[Part, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain content."""
        return {
            "verdict": self.verdict,
            "percent": self.percent,
            "parts": [
                {
                    "name": part.name,
                    "percent": part.percent,
                    "figures": dict(part.figures),
                    "unknown": list(part.unknown),
                }
                for part in self.parts
            ],
        }


@dataclass(frozen=True, slots=True)
class _Counted:
    """The rows behind the checks."""

    rows: int
    distinct: int
    needed: RowsNeeded | None


def rate_readiness(
    verdict: Status,
    checks: Sequence[Check],
    *,
    rows: int,
    distinct_rows: int,
    needed: RowsNeeded | None,
) -> Readiness:
    """Return the score of rows that were checked.

    Args:
        verdict: Of all `checks` together.
        checks: The five, and those of common faults that were made.
        rows: How many there are, at least 1.
        distinct_rows: How many of them differ.
        needed: How many the task needs; None where that is not known.
    """
    by_name = {check.name: check for check in checks}
    counted = _Counted(rows, distinct_rows, needed)
    parts = (
        _part("quality", _quality(by_name, counted)),
        _part("quantity", _quantity(counted)),
        _part("match", _match(by_name)),
    )
    product = 100.0
    for part in parts:
        product *= (part.percent or 0.0) / 100
    is_known = all(part.percent is not None for part in parts)
    return Readiness(verdict, round(product, 1) if is_known else None, parts)


def _part(name: PartName, figures: Mapping[str, float | None]) -> Part:
    known = {
        key: round(min(100.0, value), 1) for key, value in figures.items() if value is not None
    }
    unknown = tuple(key for key, value in figures.items() if value is None)
    return Part(name, min(known.values(), default=None), known, unknown)


def _quality(checks: Mapping[str, Check], counted: _Counted) -> dict[str, float | None]:
    with_personal_data = checks["personal_data"].value or 0.0
    return {
        "agreement": _least(checks, "agreement", of=agreement.NEEDED_PERCENT),
        "recency": _reached(checks, "recency", of=recency.NEEDED_PERCENT),
        "personal_data": 100 * (1 - with_personal_data / counted.rows),
        "distinct": 100 * counted.distinct / counted.rows,
        "synthetic": _least(checks, "synthetic", of=synthetic.MOST_PERCENT),
    }


def _quantity(counted: _Counted) -> dict[str, float | None]:
    needed = counted.needed
    return {"rows": None if needed is None else 100 * counted.distinct / needed.min_rows}


def _match(checks: Mapping[str, Check]) -> dict[str, float | None]:
    figures = {
        "relevance": _reached(checks, "relevance", of=relevance.NEEDED_PERCENT),
        "scenarios": _reached(checks, "scenarios", of=scenarios.NEEDED_PERCENT),
        "evenness": _evenness(checks["scenarios"]),
    }
    if "business_lines" in checks:
        figures["business_lines"] = _reached(checks, "business_lines", of=100.0)
    return figures


def _reached(checks: Mapping[str, Check], name: str, *, of: float) -> float | None:
    """Return a figure as a share of what is needed; None where it was not judged."""
    check = checks[name]
    return None if check.status == "unknown" or check.value is None else 100 * check.value / of


def _least(checks: Mapping[str, Check], name: str, *, of: float) -> float | None:
    """Return the rows without a fault as a share of what is needed: at most `of` may have it."""
    check = checks[name]
    if check.status == "unknown" or check.value is None:
        return None
    return 100 * (100 - check.value) / (100 - of)


def _evenness(check: Check) -> float | None:
    """Return the entropy of the scenarios as a share of what is needed."""
    needed = check.details.get("needed_bits")
    if check.status == "unknown" or not needed:
        return None
    return float(100 * check.details["entropy_bits"] / needed)

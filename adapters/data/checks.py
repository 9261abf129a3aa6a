"""The five checks of training rows, and their verdict.

Relevance, scenarios, agreement of labels, recency, personal data: each passes, fails, or is
unknown where the rows do not say enough. It knows neither training nor where a result is kept.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from adapters.data.agreement import answer_of, check_agreement, key_of
from adapters.data.context import count_context
from adapters.data.findings import Check, Evidence, Status, first, show, text_of
from adapters.data.personal import find_personal_data, mask_personal_data
from adapters.data.recency import check_recency
from adapters.data.relevance import Domain, check_relevance
from adapters.data.rows import Row
from adapters.data.scenarios import check_scenarios, count_scenarios

SAMPLE_SHARE = 0.1  # seeds of the project: a person reads a tenth after the patterns
NO_DOMAIN = "describe the use case in a sentence: relevance is checked against its description"


@dataclass(frozen=True, slots=True)
class Expectations:
    """What the rows are compared with.

    Attributes:
        today: The day on which they are judged.
        scenarios: The use case's scenarios; empty where none were declared.
        domain: What it is about, or in words why that is not known.
    """

    today: date
    scenarios: tuple[str, ...] = ()
    domain: Domain | str = NO_DOMAIN


@dataclass(frozen=True, slots=True)
class DataCheck:
    """What the five checks found.

    Attributes:
        verdict: `fail` if a check fails, `pass` if all pass, else `unknown`.
        rows: How many rows were read.
        distinct_rows: How many of them differ in question or answer: what training gains from.
        context_rows: Those that show passages to read.
        scenarios: Rows of each scenario, the declared ones first.
        checks: The five, in this order.
    """

    verdict: Status
    rows: int
    distinct_rows: int
    context_rows: int
    scenarios: Mapping[str, int]
    checks: tuple[Check, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain content."""
        return {
            "verdict": self.verdict,
            "rows": self.rows,
            "distinct_rows": self.distinct_rows,
            "context_rows": self.context_rows,
            "scenarios": dict(self.scenarios),
            "checks": [check.as_dict() for check in self.checks],
        }


def check_rows(rows: Sequence[Row], expected: Expectations) -> DataCheck:
    """Make the five checks.

    Args:
        rows: At least one.
        expected: What they are compared with.
    """
    checks = (
        check_relevance(rows, expected.domain),
        check_scenarios(rows, expected.scenarios),
        check_agreement(rows),
        check_recency(rows, expected.today),
        check_personal_data(rows),
    )
    return DataCheck(
        judge([check.status for check in checks]),
        rows=len(rows),
        distinct_rows=len({(key_of(row), answer_of(row)) for row in rows}),
        context_rows=count_context(rows).with_context,
        scenarios=count_scenarios(rows, expected.scenarios),
        checks=checks,
    )


def judge(statuses: Sequence[Status]) -> Status:
    """Return the verdict: `fail` if a check fails, `pass` if all pass, else `unknown`."""
    if "fail" in statuses:
        return "fail"
    return "unknown" if "unknown" in statuses else "pass"


def check_personal_data(rows: Sequence[Row]) -> Check:
    """Judge whether patterns find personal data in what is trained on; none may be left."""
    found = [(row, kinds) for row in rows if (kinds := _kinds_in(row))]
    total: Counter[str] = Counter()
    for _, kinds in found:
        total.update(kinds)
    by_hand = math.ceil(len(rows) * SAMPLE_SHARE)
    counts = ", ".join(f"{count} {kind}" for kind, count in total.most_common())
    return Check(
        "personal_data",
        "fail" if found else "pass",
        float(len(found)),
        "rows",
        "no row with personal data that the patterns match; they do not match names and addresses",
        missing=f"mask {len(found)} rows ({counts})" if found else None,
        found=len(found),
        evidence=first(_point_at(row, kinds) for row, kinds in found),
        details={"kinds": dict(total.most_common()), "read_by_hand_rows": by_hand},
    )


def _kinds_in(row: Row) -> list[str]:
    return [one.kind for one in find_personal_data(text_of(row))]


def _point_at(row: Row, kinds: Sequence[str]) -> Evidence:
    place = mask_personal_data(text_of(row)).find(f"<{kinds[0]}>")
    return show(row, ", ".join(dict.fromkeys(kinds)), at=place)

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
from adapters.data.by_hand import NOBODY_HAS_READ, ReadByHand
from adapters.data.context import count_context
from adapters.data.findings import Check, Evidence, Status, first, show, text_of
from adapters.data.personal import (
    find_names_and_addresses,
    find_personal_data,
    mask_personal_data,
)
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
        by_hand: Which rows people have reviewed.
        manual_sample_share: Share of the rows that a person must have read before the check of
            personal data passes; 0 where the use case does not demand it.
    """

    today: date
    scenarios: tuple[str, ...] = ()
    domain: Domain | str = NO_DOMAIN
    by_hand: ReadByHand = NOBODY_HAS_READ
    manual_sample_share: float = 0.0


@dataclass(frozen=True, slots=True)
class DataCheck:
    """What the five checks found.

    Attributes:
        verdict: `fail` if a check fails, `pass` if all pass, else `unknown`.
        rows: How many rows were read.
        distinct_rows: How many of them differ in question or answer: what training gains from.
        human_rows: Distinct rows that a person wrote, or accepted where a model made them.
        synthetic_rows: Rows with questions that a model made up.
        unreviewed_rows: Rows that a model made and nobody has accepted.
        context_rows: Those that show passages to read.
        scenarios: Rows of each scenario, the declared ones first.
        checks: The five, in this order.
    """

    verdict: Status
    rows: int
    distinct_rows: int
    human_rows: int
    synthetic_rows: int
    unreviewed_rows: int
    context_rows: int
    scenarios: Mapping[str, int]
    checks: tuple[Check, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain content."""
        return {
            "verdict": self.verdict,
            "rows": self.rows,
            "distinct_rows": self.distinct_rows,
            "human_rows": self.human_rows,
            "synthetic_rows": self.synthetic_rows,
            "unreviewed_rows": self.unreviewed_rows,
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
        check_personal_data(
            rows, by_hand=expected.by_hand, manual_sample_share=expected.manual_sample_share
        ),
    )
    human = [row for row in rows if expected.by_hand.counts_as_human(row)]
    return DataCheck(
        judge([check.status for check in checks]),
        rows=len(rows),
        distinct_rows=_count_distinct(rows),
        human_rows=_count_distinct(human),
        synthetic_rows=sum(row.meta.get("synthetic") is True for row in rows),
        unreviewed_rows=len(rows) - len(human),
        context_rows=count_context(rows).with_context,
        scenarios=count_scenarios(rows, expected.scenarios),
        checks=checks,
    )


def _count_distinct(rows: Sequence[Row]) -> int:
    return len({(key_of(row), answer_of(row)) for row in rows})


def judge(statuses: Sequence[Status]) -> Status:
    """Return the verdict: `fail` if a check fails, `pass` if all pass, else `unknown`."""
    if "fail" in statuses:
        return "fail"
    return "unknown" if "unknown" in statuses else "pass"


def check_personal_data(
    rows: Sequence[Row],
    *,
    by_hand: ReadByHand = NOBODY_HAS_READ,
    manual_sample_share: float = 0.0,
) -> Check:
    """Judge whether personal data is in what is trained on; none may be left.

    Names and street addresses are counted, not judged: words of another kind are among the finds.
    Where the use case demands it, it is unknown whether none is left until a person has read a
    sample. A row that a person refused may not be left.

    Args:
        rows: At least one.
        by_hand: Which rows people have reviewed.
        manual_sample_share: Share of the rows that they must have read; 0: not demanded.
    """
    found = [(row, kinds) for row in rows if (kinds := _kinds_in(row))]
    refused = [row for row in rows if by_hand.has_refused(row)]
    total: Counter[str] = Counter()
    for _, kinds in found:
        total.update(kinds)
    named = Counter(one.kind for row in rows for one in find_names_and_addresses(text_of(row)))
    to_read = math.ceil(round(len(rows) * (manual_sample_share or SAMPLE_SHARE), 9))
    sampled = sum(by_hand.has_accepted(row) for row in rows)
    told = f"sampled by hand: {sampled} of {to_read}"
    missing = []
    if found:
        counts = ", ".join(f"{count} {kind}" for kind, count in total.most_common())
        missing.append(f"mask {len(found)} rows ({counts})")
    if refused:
        missing.append(f"remove {len(refused)} rows that were rejected or replaced by hand")
    status: Status = "fail" if missing else "pass"
    if manual_sample_share and sampled < to_read:
        missing.append(f"review {to_read - sampled} more rows by hand (`fingerpost data sample`)")
        status = "fail" if status == "fail" else "unknown"
    evidence = [_point_at(row, kinds) for row, kinds in found]
    evidence += [show(row, "rejected or replaced by hand") for row in refused]
    return Check(
        "personal_data",
        status,
        float(len(found)),
        "rows",
        f"no row with personal data of a checkable kind; names and addresses apart ({told})",
        missing="; ".join(missing) or None,
        found=len(evidence),
        evidence=first(evidence),
        details={
            "kinds": dict(total.most_common()),
            "names_and_addresses": dict(named.most_common()),
            "read_by_hand_rows": to_read,
            "sampled_by_hand": sampled,
            "refused_by_hand": len(refused),
        },
    )


def _kinds_in(row: Row) -> list[str]:
    return [one.kind for one in find_personal_data(text_of(row))]


def _point_at(row: Row, kinds: Sequence[str]) -> Evidence:
    place = mask_personal_data(text_of(row)).find(f"<{kinds[0]}>")
    return show(row, ", ".join(dict.fromkeys(kinds)), at=place)

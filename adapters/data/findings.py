"""What one check of training rows found: a verdict, its figure, the rows that show it.

It knows how a finding is told; it does not know what is checked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from adapters.data.personal import mask_personal_data
from adapters.data.rows import Row

Status = Literal["pass", "fail", "unknown"]

MAX_EVIDENCE = 20  # rows shown for a check: enough to see what it means, few enough to read
MAX_QUOTED_CHARS = 100


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row that speaks against the data.

    Attributes:
        file: Name of its file.
        line: Its line (1-based), or its place in a list.
        reason: What is wrong with it.
        text: A piece of it, personal data masked.
    """

    file: str
    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: `relevance`, `scenarios`, `agreement`, `recency` or `personal_data`.
        status: Whether the data passes; unknown where the rows do not say enough.
        value: The figure; None where no questions.
        unit: Of the figure, `percent` or `rows`.
        needed: What passes, in words with its numbers.
        missing: What to do or to bring, in words; None where it passes.
        found: Rows that speak against the data; the first of them are `evidence`.
        evidence: Up to `MAX_EVIDENCE` of them.
        details: Further figures by name.
    """

    name: str
    status: Status
    value: float | None
    unit: str
    needed: str
    missing: str | None = None
    found: int = 0
    evidence: tuple[Evidence, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain content."""
        return {**asdict(self), "evidence": [asdict(one) for one in self.evidence]}


def show(row: Row, reason: str, *, at: int | None = None) -> Evidence:
    """Return a row as evidence: its question, or what stands around `at` in its masked text."""
    text = mask_personal_data(row.messages[-2].content if at is None else text_of(row))
    begin = max(0, (at or 0) - MAX_QUOTED_CHARS // 2)
    quoted = text[begin : begin + MAX_QUOTED_CHARS]
    more = "…" if begin + MAX_QUOTED_CHARS < len(text) else ""
    return Evidence(row.file.name, row.line, reason, ("…" if begin else "") + quoted + more)


def text_of(row: Row) -> str:
    """Return all that is trained on: every turn, and the rejected answer of a pair."""
    rejected = row.meta.get("rejected")
    turns = [message.content for message in row.messages]
    return "\n".join([*turns, rejected] if isinstance(rejected, str) else turns)


def is_at_least(low: float, high: float, limit: float) -> Status:
    """Return whether a figure that lies between `low` and `high` reaches `limit`."""
    if low >= limit:
        return "pass"
    return "fail" if high < limit else "unknown"


def first(found: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """Return the first pieces of evidence."""
    return tuple(one for one, _ in zip(found, range(MAX_EVIDENCE), strict=False))


def percent(part: float, whole: float) -> float:
    """Return a share in percent, two places; 0 of nothing."""
    return round(100 * part / whole, 2) if whole else 0.0

"""Which answers are out of date? The same question with another answer and a later date.

Questions and answers are compared folded. It knows rows and dates; which of two answers is right
it does not know, only which came later.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from adapters.data.copies import answer_of, question_of
from adapters.data.findings import MAX_EVIDENCE, Evidence, show
from adapters.data.personal import mask_personal_data
from adapters.data.recency import read_date
from adapters.data.rows import Row
from adapters.data.steps import Result, change, drop, keep

MAX_ANSWER_CHARS = 200  # of an answer that is shown


@dataclass(frozen=True, slots=True)
class ChangedAnswer:
    """One question that two versions answer differently.

    Attributes:
        older: The row of the older version.
        newer: The row of the newer version.
        older_answer: Its answer, personal data masked, cut.
        newer_answer: As `older_answer`.
    """

    older: Evidence
    newer: Evidence
    older_answer: str
    newer_answer: str


@dataclass(frozen=True, slots=True)
class VersionComparison:
    """Two versions of one list of questions and answers.

    Attributes:
        same: Questions with the same answer in both.
        changed: Questions with another answer in the newer one, in its order.
        added: Questions that only the newer one has.
        removed: Questions that only the older one has.
        outdated: The rows of the older one whose answer changed or whose question is gone.
    """

    same: int
    changed: tuple[ChangedAnswer, ...]
    added: int
    removed: int
    outdated: tuple[Row, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the counts, and up to `MAX_EVIDENCE` changed answers, as plain content."""
        return {
            "same": self.same,
            "changed": len(self.changed),
            "added": self.added,
            "removed": self.removed,
            "changes": [asdict(one) for one in self.changed[:MAX_EVIDENCE]],
        }


def compare_versions(older: Sequence[Row], newer: Sequence[Row]) -> VersionComparison:
    """Compare two versions of one list of questions and answers.

    Where a version has a question several times, its last row counts.
    """
    before = {question_of(row): row for row in older}
    now = {question_of(row): row for row in newer}
    both = [(before[asked], row) for asked, row in now.items() if asked in before]
    changed = tuple(_changed(old, new) for old, new in both if answer_of(old) != answer_of(new))
    return VersionComparison(
        same=len(both) - len(changed),
        changed=changed,
        added=len(now) - len(both),
        removed=len(before) - len(both),
        outdated=tuple(
            row
            for row in older
            if (new := now.get(question_of(row))) is None or answer_of(new) != answer_of(row)
        ),
    )


def _changed(old: Row, new: Row) -> ChangedAnswer:
    return ChangedAnswer(show(old, _dated(old)), show(new, _dated(new)), _answer(old), _answer(new))


def _dated(row: Row) -> str:
    dated = read_date(row)
    return f"dated {dated}" if dated else "no date"


def _answer(row: Row) -> str:
    return mask_personal_data(row.messages[-1].content)[:MAX_ANSWER_CHARS]


class OutdatedSettings(BaseModel):
    """Settings of `outdated`.

    Attributes:
        action: `drop` leaves outdated answers out; `mark` keeps them with `outdated: true` and
            `replaced_by`, for a person to read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Literal["drop", "mark"] = "drop"


class Outdated:
    """Finds answers that a later row replaces: same question, another answer, a later date.

    Rows without a date, and other answers of the same day, stay as they are: which of them is
    right is for a person. It keeps all rows in memory, as a later one may come last.
    """

    name = "outdated"

    def __init__(self, settings: OutdatedSettings) -> None:
        self._settings = settings

    @property
    def settings(self) -> Mapping[str, object]:
        """What is done with outdated answers."""
        return self._settings.model_dump()

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row; outdated ones have the reason `outdated_answer`."""
        every = list(rows)
        latest: defaultdict[str, tuple[date, Row] | None] = defaultdict(lambda: None)
        for row in every:
            dated, known = read_date(row), latest[question_of(row)]
            if dated is not None and (known is None or dated >= known[0]):
                latest[question_of(row)] = (dated, row)
        for row in every:
            yield self._judge(row, latest[question_of(row)])

    def _judge(self, row: Row, latest: tuple[date, Row] | None) -> Result:
        dated = read_date(row)
        if latest is None or dated is None or dated >= latest[0]:
            return keep(row)
        newer = latest[1]
        if answer_of(newer) == answer_of(row):
            return keep(row)
        place = f"{newer.file}:{newer.line}"
        why = f"dated {dated}; {place}, dated {latest[0]}, answers otherwise"
        if self._settings.action == "drop":
            return drop(row, "outdated_answer", why)
        marked = replace(row, meta={**row.meta, "outdated": True, "replaced_by": place})
        return change(row, marked, "outdated_answer", why)

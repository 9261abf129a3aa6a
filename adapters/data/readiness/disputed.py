"""The step `disputed`: of labels that disagree, the one that most rows have stays.

Answers in free text are left alone: two of them may both be right.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict

from adapters.data.agreement import answer_of, have_labels, key_of
from adapters.data.rows import Row
from adapters.data.steps import Result, drop, keep


class DisputedSettings(BaseModel):
    """Settings of `disputed`.

    Attributes:
        keep: `majority` keeps the label that more than half of a question's rows have; `none`
            drops every row of a question whose labels differ.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    keep: Literal["majority", "none"] = "majority"


class Disputed:
    """Drops rows whose label is not that of the other rows with their question.

    It keeps all rows in memory, as a disagreeing row may come last.
    """

    name = "disputed"

    def __init__(self, settings: DisputedSettings) -> None:
        self._settings = settings

    @property
    def settings(self) -> Mapping[str, object]:
        """Which labels stay."""
        return self._settings.model_dump()

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row; those that do not stay have the reason `disputed_label`.

        Where no label has more than half of the rows, none of them stays.
        """
        every = list(rows)
        labels: defaultdict[str, Counter[str]] = defaultdict(Counter)
        if have_labels(every):
            for row in every:
                labels[key_of(row)][answer_of(row)] += 1
        for row in every:
            counts = labels.get(key_of(row)) or Counter()
            stays = len(counts) < 2 or self._stays(counts, answer_of(row))
            told = f"{counts.total()} rows with this question have {len(counts)} labels"
            yield keep(row) if stays else drop(row, "disputed_label", told)

    def _stays(self, counts: Counter[str], label: str) -> bool:
        return self._settings.keep == "majority" and 2 * counts[label] > counts.total()

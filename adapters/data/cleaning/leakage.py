"""Leakage: rows of a test that also stand among the rows to train on.

A model that learned them is judged on what it remembers. Knows questions and answers as they are
compared; does not know how a model is judged.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from adapters.data.agreement import are_labels
from adapters.data.cleaning.folded import FoldedRow, fold_row
from adapters.data.rows import Row, hash_rows
from adapters.data.steps import Result, drop, keep

COMMON_SHARE, MIN_COMMON_ROWS = 0.05, 4  # own choice, as where rows are held out


class LeakageSettings(BaseModel):
    """Settings of `leakage`.

    Attributes:
        by_answer: Whether rows are dropped for their answer, too: what is asked for is learned
            with any question. Labels, and answers to one test row in twenty, do not count.
        min_answer_letters: Shorter answers do not count (own choice: yes, 有货).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by_answer: bool = True
    min_answer_letters: Annotated[int, Field(ge=1)] = 10


class Leakage:
    """Drops rows to train on that stand in a test: `question_in_test`, `answer_in_test`.

    The question is all that is said before the last answer, without the system turn. Memory grows
    with the rows of the test, not with those to train on.
    """

    name = "leakage"

    def __init__(self, settings: LeakageSettings, test: Sequence[Row]) -> None:
        folded = [fold_row(row) for row in test]
        places = [f"{row.file.name}:{row.line}" for row in test]
        self.settings: Mapping[str, object] = {**settings.model_dump(), "test": hash_rows(test)}
        self._questions = _first_places([one.question for one in folded], places)
        self._answers: Mapping[str, str] = {}
        if settings.by_answer:
            counted = _telling(folded, settings.min_answer_letters)
            found = _first_places([one.answer for one in folded], places)
            self._answers = {answer: at for answer, at in found.items() if answer in counted}

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row."""
        for row in rows:
            folded = fold_row(row)
            if (place := self._questions.get(folded.question)) is not None:
                yield drop(row, "question_in_test", f"its question stands in {place}")
            elif (place := self._answers.get(folded.answer)) is not None:
                yield drop(row, "answer_in_test", f"its answer stands in {place}")
            else:
                yield keep(row)


def _first_places(texts: Sequence[str], places: Sequence[str]) -> dict[str, str]:
    """Return where each text stands first."""
    return dict(zip(reversed(texts), reversed(places), strict=True))


def _telling(rows: Sequence[FoldedRow], min_letters: int) -> frozenset[str]:
    """Return the answers that tell of a single row."""
    answers = [one.answer for one in rows]
    if are_labels(answers):
        return frozenset()
    most = max(MIN_COMMON_ROWS, COMMON_SHARE * len(answers))
    counts = Counter(answers)
    return frozenset(a for a, count in counts.items() if count < most and len(a) >= min_letters)

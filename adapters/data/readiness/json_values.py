"""Rows of an extraction whose answer cannot come from their text.

What is usual is learned from the rows themselves: that answers are JSON objects, and which of
their values are copied from the text. It knows JSON and spellings; it does not know what the keys
mean, nor which values are right.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from adapters.data.folding import fold
from adapters.data.rows import Row
from adapters.data.steps import Result, drop, keep


class JsonValuesSettings(BaseModel):
    """Settings of `json_values`.

    Attributes:
        usual: Share of the rows from which on something is a rule that the others break.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    usual: Annotated[float, Field(gt=0.5, le=1)] = 0.8


class JsonValues:
    """Drops rows that break the rules which the other rows of an extraction keep.

    `no_json_answer`: the answer is no JSON object, and nearly all others are.
    `other_value_in_text`: a value does not stand in the text, nearly all others of its key do, and
    the text has another of them: the answer is that to another text. A value in other words (city
    center) stays. It keeps all rows in memory, as the rules follow from all of them.
    """

    name = "json_values"

    def __init__(self, settings: JsonValuesSettings | None = None) -> None:
        self._usual = (settings or JsonValuesSettings()).usual

    @property
    def settings(self) -> Mapping[str, object]:
        """What counts as usual."""
        return {"usual": self._usual}

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row."""
        every = list(rows)
        answers = [_read_object(row.messages[-1].content) for row in every]
        objects = sum(answer is not None for answer in answers)
        if objects < self._usual * len(every):  # another task
            yield from map(keep, every)
            return
        texts = [_text_of(row) for row in every]
        values = self._copied_values(texts, answers)
        for row, text, answer in zip(every, texts, answers, strict=True):
            if answer is None:
                told = f"{objects} of {len(every)} answers are JSON objects"
                yield drop(row, "no_json_answer", told)
            elif wrong := [key for key in answer if _is_of_another(text, answer[key], values[key])]:
                told = f"{wrong[0]} {answer[wrong[0]]!r} is not in the text, another one is"
                yield drop(row, "other_value_in_text", told)
            else:
                yield keep(row)

    def _copied_values(
        self, texts: Iterable[str], answers: Iterable[Mapping[str, object] | None]
    ) -> defaultdict[str, frozenset[str]]:
        """Return what stands in texts as a value, for the keys whose values usually do."""
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        judged = Counter[str]()
        for text, answer in zip(texts, answers, strict=True):
            for key, value in (answer or {}).items():
                if folded := _fold_value(value):
                    judged[key] += 1
                    found[key][folded] += folded in text
        copied = {
            key: frozenset(+counts)
            for key, counts in found.items()
            if counts.total() >= self._usual * judged[key]
        }
        return defaultdict(frozenset, copied)


def _is_of_another(text: str, value: object, values: frozenset[str]) -> bool:
    """Return whether a folded text has another one of a key's values and not its own."""
    folded = _fold_value(value)
    return bool(folded) and folded not in text and any(other in text for other in values)


def _read_object(text: str) -> dict[str, object] | None:
    """Return the JSON object that an answer is, or None."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text_of(row: Row) -> str:
    """Return what was said before the answer, folded."""
    return fold("\n".join(turn.content for turn in row.messages[:-1] if turn.role != "system"))


def _fold_value(value: object) -> str:
    """Return a text or number folded; of anything else nothing."""
    is_plain = isinstance(value, str | int | float) and not isinstance(value, bool)
    return fold(str(value)) if is_plain else ""

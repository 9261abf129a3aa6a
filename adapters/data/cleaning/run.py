"""Steps over rows one after the other, with counts and samples of what they did.

Rows go through all steps one by one, so that memory is that of the steps. It knows no files.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from adapters.data.findings import MAX_QUOTED_CHARS
from adapters.data.formats.refusals import Refusal
from adapters.data.personal import mask_personal_data
from adapters.data.rows import Row
from adapters.data.steps import Result, Step

MAX_SAMPLES = 3  # for each reason: enough to see what it means
_BEFORE_CHARS = 20  # shown before the first change


@dataclass(frozen=True, slots=True)
class Sample:
    """One row that was changed or dropped, personal data masked.

    Attributes:
        file: Name of its file.
        line: Its line (1-based), or its place in a list.
        detail: Why, in words.
        before: A piece of it; empty where the line was no row.
        after: The same piece as it goes on; empty where the row was dropped.
    """

    file: str
    line: int
    detail: str
    before: str
    after: str


@dataclass(slots=True)
class Cleaning:
    """What was done with rows: `rows == written + sum(dropped.values())`.

    Attributes:
        rows: How many went in.
        written: How many came out.
        changed: Changes by step and reason; a row may be changed by several steps.
        dropped: Dropped rows by step and reason.
        samples: The first rows of each step and reason.
    """

    rows: int = 0
    written: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    samples: defaultdict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))

    def as_dict(self) -> dict[str, Any]:
        """Return plain content."""
        return {
            "rows": self.rows,
            "written": self.written,
            "changed": {**self.changed},
            "dropped": {**self.dropped},
            "samples": {key: [asdict(one) for one in told] for key, told in self.samples.items()},
        }

    def add(self, step: str, result: Result) -> None:
        """Count what a step did with a row."""
        if not result.reason:
            return
        key = f"{step}: {result.reason}"
        (self.dropped if result.is_dropped else self.changed)[key] += 1
        if len(self.samples[key]) < MAX_SAMPLES:
            self.samples[key].append(_show(result))

    def refuse(self, refusal: Refusal) -> None:
        """Count a line that is no row."""
        key = "read: refused"
        self.rows += 1
        self.dropped[key] += 1
        if len(self.samples[key]) < MAX_SAMPLES:
            at = (refusal.file.name, refusal.line, refusal.reason)
            self.samples[key].append(Sample(*at, before="", after=""))


def clean(
    rows: Iterable[Row],
    steps: Sequence[Step],
    told: Cleaning,
    *,
    on_dropped: Callable[[str, Result], None] = lambda _step, _result: None,
) -> Iterator[Row]:
    """Yield the rows that are left after all steps.

    Args:
        rows: Read one by one.
        steps: Each keeps, changes or drops rows; in their order.
        told: Is told what was done, while rows are taken.
        on_dropped: Is given every dropped row with the name of the step.
    """
    left = _count(rows, told)
    for step in steps:
        left = _through(step, left, told, on_dropped)
    for row in left:
        told.written += 1
        yield row


def _count(rows: Iterable[Row], told: Cleaning) -> Iterator[Row]:
    for row in rows:
        told.rows += 1
        yield row


def _through(
    step: Step, rows: Iterable[Row], told: Cleaning, on_dropped: Callable[[str, Result], None]
) -> Iterator[Row]:
    for result in step.run(rows):
        told.add(step.name, result)
        if result.is_dropped:
            on_dropped(step.name, result)
        yield from result.rows


def _show(result: Result) -> Sample:
    """Return a row as a sample: its turns, or what stands around the first change."""
    before = _text_of(result.row)
    after = _text_of(result.rows[0]) if result.rows else ""
    begin = 0
    if after:
        same = next(
            (at for at, pair in enumerate(zip(before, after, strict=False)) if len({*pair}) > 1), 0
        )
        begin = max(0, same - _BEFORE_CHARS)
    row = result.row
    shown = [_quote(text, begin) for text in (before, after)]
    return Sample(row.file.name, row.line, result.detail, *shown)


def _text_of(row: Row) -> str:
    """Return the turns of a row without its system turn, personal data masked."""
    return mask_personal_data(
        " → ".join(turn.content for turn in row.messages if turn.role != "system")
    )


def _quote(text: str, begin: int) -> str:
    piece = text[begin : begin + MAX_QUOTED_CHARS]
    rest = "…" if begin + MAX_QUOTED_CHARS < len(text) else ""
    return ("…" if begin else "") + piece + rest

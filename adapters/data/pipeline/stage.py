"""One stage of a pipeline: rows in, rows out, dropped ones with reasons; kept for the next run.

A stage is named by the hash of its step, its settings and the rows it is given, so that a run goes
on where another was stopped and does again only what changed. It knows one stage, not their order.
"""

import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from adapters.data.findings import MAX_QUOTED_CHARS, text_of
from adapters.data.personal import mask_personal_data
from adapters.data.pipeline.table import MadeStep
from adapters.data.pipeline.tracked import Draft, TrackedRow, read_rows
from adapters.data.rows import Row
from adapters.data.steps import Result
from adapters.data.structure import is_document
from adapters.errors import PipelineFailed

FORMAT = 1  # of the kept files: another one makes no use of them

Tell = Callable[[int, int], None]
"""Is told how many rows are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the rows of a stage: `rows_in + made == rows_out + dropped`.

    Attributes:
        step: Its name.
        rows_in: Rows that it was given.
        made: Rows beyond the first that were made of one.
        rows_out: Rows that go on.
        changed: Rows that were changed or made into others, by reason.
        dropped: Rows that do not go on, by reason.
    """

    step: str
    rows_in: int
    made: int
    rows_out: int
    changed: Mapping[str, int]
    dropped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Stage:
    """A finished stage.

    Attributes:
        key: Its name in the folder.
        counts: What became of its rows.
        sha256: Of the file of rows that go on.
        size_bytes: Of that file: one that a power cut left shorter is made anew.
        is_cached: Whether an earlier run had made it.
    """

    key: str
    counts: Counts
    sha256: str
    size_bytes: int
    is_cached: bool


def key_of(step: str, settings: Mapping[str, object], rows_sha256: str) -> str:
    """Return the name of a stage: 64 hex digits."""
    content = json.dumps([FORMAT, step, settings, rows_sha256], sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()


def rows_file(folder: Path, key: str) -> Path:
    """Return the file of rows that go on from a stage."""
    return folder / f"{key}.rows.jsonl"


def dropped_file(folder: Path, key: str) -> Path:
    """Return the file of what a stage dropped or refused."""
    return folder / f"{key}.dropped.jsonl"


def find_stage(folder: Path, key: str) -> Stage | None:
    """Return a stage that an earlier run finished."""
    try:
        told = json.loads((folder / f"{key}.json").read_bytes())
        size = rows_file(folder, key).stat().st_size
        counts = Counts(**told["counts"])
        stage = Stage(key, counts, told["sha256"], told["size_bytes"], is_cached=True)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return stage if stage.size_bytes == size else None


def keep_stage(folder: Path, key: str, counts: Counts, sha256: str) -> Stage:
    """Write what tells that a stage is finished, once its rows are there, and return it."""
    size = rows_file(folder, key).stat().st_size
    with Draft(folder / f"{key}.json") as draft:
        draft.write({"counts": asdict(counts), "sha256": sha256, "size_bytes": size})
        draft.finish()
    return Stage(key, counts, sha256, size, is_cached=False)


def run_stage(made: MadeStep, before: Stage, folder: Path, tell: Tell) -> Stage:
    """Run a step over the rows of the stage before, or take what an earlier run made of them.

    Raises:
        PipelineFailed: The step did not give one result for each row, in their order.
    """
    step = made.step
    key = key_of(step.name, {**step.settings, **made.depends_on}, before.sha256)
    if (found := find_stage(folder, key)) is not None:
        return found
    total, done, more = before.counts.rows_out, 0, 0
    changed: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    with Draft(rows_file(folder, key)) as rows, Draft(dropped_file(folder, key)) as out:
        for tracked, result in _results(made, read_rows(rows_file(folder, before.key))):
            done += 1
            steps = tracked.steps
            if result.is_dropped:
                dropped[result.reason] += 1
                out.write(describe_dropped(step.name, result))
            elif result.reason:
                changed[result.reason] += 1
                steps = (*steps, step.name)
            more += max(0, len(result.rows) - 1)
            for row in result.rows:
                rows.write_row(TrackedRow(row, steps))
            tell(done, total)
        counts = Counts(step.name, done, more, rows.count, dict(changed), dict(dropped))
        out.finish()
        return keep_stage(folder, key, counts, rows.finish())


def describe_dropped(step: str, result: Result) -> dict[str, object]:
    """Return a dropped row as it is told: its place, the reason, a piece of it, masked."""
    row = result.row
    return {
        "file": str(row.file),
        "line": row.line,
        "step": step,
        "reason": result.reason,
        "detail": result.detail,
        "scores": dict(result.scores),
        "text": mask_personal_data(text_of(row)[: 4 * MAX_QUOTED_CHARS])[:MAX_QUOTED_CHARS],
    }


def _results(made: MadeStep, rows: Iterable[TrackedRow]) -> Iterator[tuple[TrackedRow, Result]]:
    """Yield each row with its result, in order; documents pass by steps that read none."""
    waiting: deque[TrackedRow] = deque()

    def is_given(row: Row) -> bool:
        return made.reads_documents or not is_document(row)

    def given() -> Iterator[Row]:
        for tracked in rows:
            waiting.append(tracked)
            if is_given(tracked.row):
                yield tracked.row

    def passed_by() -> Iterator[tuple[TrackedRow, Result]]:
        while waiting and not is_given(waiting[0].row):
            tracked = waiting.popleft()
            yield tracked, Result(tracked.row, (tracked.row,))

    for result in made.step.run(given()):
        yield from passed_by()
        if not waiting or waiting[0].row != result.row:
            raise PipelineFailed(f"step {made.step.name} gave a result that is of no row's turn")
        yield waiting.popleft(), result
    yield from passed_by()
    if waiting:
        raise PipelineFailed(f"step {made.step.name} gave no result for {len(waiting)} rows")

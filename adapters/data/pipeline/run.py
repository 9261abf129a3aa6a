"""Runs a pipeline: reads, goes through the steps, writes the rows and the way of each of them.

Beside the rows stand a file of lineage (a line for each row: its source, and the steps that
changed it) and a file of what was dropped or refused, with reasons. It knows no HTTP and no model.
"""

import fcntl
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from adapters.data.checks import DataCheck
from adapters.data.formats import Refusal, RowFormat, to_fields
from adapters.data.pipeline.file import StepEntry
from adapters.data.pipeline.outside import Outside
from adapters.data.pipeline.sources import (
    ReadDocument,
    find_files,
    hash_file,
    read_file,
)
from adapters.data.pipeline.stage import (
    Counts,
    Stage,
    describe_dropped,
    dropped_file,
    find_stage,
    keep_stage,
    key_of,
    rows_file,
    run_stage,
)
from adapters.data.pipeline.table import make_step
from adapters.data.pipeline.tracked import Draft, TrackedRow, read_lines, read_rows
from adapters.data.rows import Row
from adapters.data.steps import drop
from adapters.data.structure import is_document
from adapters.errors import InvalidPipeline, PipelineFailed

READ, WRITE, CHECK = "read", "write", "check"
NO_CONVERSATION = "no_conversation"

OnProgress = Callable[[str, float, str], None]
"""Is told the stage, how much of the whole is done (0..1), and the rows done."""
CheckRows = Callable[[Sequence[Row]], DataCheck]


@dataclass(frozen=True, slots=True)
class PipelineJob:
    """What one run does.

    Attributes:
        read: Files and folders.
        steps: The steps, in their order.
        out: The file of finished rows.
        read_document: Returns the text of a document; None: documents are refused.
        check: Checks the finished rows; None: they are not checked.
    """

    read: Sequence[Path]
    steps: Sequence[StepEntry]
    out: Path
    read_document: ReadDocument | None = None
    check: CheckRows | None = None

    @property
    def lineage(self) -> Path:
        """The file with the source of each finished row."""
        return self.out.with_name(f"{self.out.name}.lineage.jsonl")

    @property
    def dropped(self) -> Path:
        """The file of what was dropped or refused."""
        return self.out.with_name(f"{self.out.name}.dropped.jsonl")

    @property
    def folder(self) -> Path:
        """Where finished stages are kept for the next run."""
        return self.out.with_name(f"{self.out.name}.stages")


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """What became of all rows: `read + made == written + dropped + refused`.

    Attributes:
        files: Files that were read.
        read: Rows and documents found in them, the refused ones too.
        made: Rows beyond the first that were made of one.
        refused: What could not be read, by file.
        dropped: Rows that a step dropped, or of which no conversation was made.
        written: Finished rows.
        stages: What became of the rows of each step.
        cached: How many of the stages an earlier run had made.
        check: What the checks found in the finished rows; None where there are none.
    """

    files: int
    read: int
    made: int
    refused: int
    dropped: int
    written: int
    stages: tuple[Counts, ...]
    cached: int
    check: DataCheck | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain content."""
        told = {name: getattr(self, name) for name in self.__slots__ if name != "check"}
        told["stages"] = [asdict(stage) for stage in self.stages]
        return {**told, "check": None if self.check is None else self.check.as_dict()}


def run_pipeline(job: PipelineJob, outside: Outside, on_progress: OnProgress) -> PipelineResult:
    """Run a pipeline; what an earlier run of it finished is not done again.

    Raises:
        InvalidPipeline: A step, its settings or a path is wrong; nothing has been written.
        PipelineFailed: A step broke its contract, or another run writes the same file.
    """
    steps = [make_step(entry, outside) for entry in job.steps]
    own = (job.out, job.lineage, job.dropped, job.folder)
    files = find_files(job.read, leave_out=own)
    _make_folder(job.folder)
    with _alone(job.folder):
        _remove_drafts(job)
        whole = len(steps) + 2  # reading and writing, too

        def tell_of(name: str, place: int) -> Callable[[int, int], None]:
            def tell(done: int, total: int) -> None:
                on_progress(name, (place + done / max(total, 1)) / whole, f"{done:,} of {total:,}")

            return tell

        stage = _read(job, files, tell_of(READ, 0))
        stages = [stage]
        for place, made in enumerate(steps, start=1):
            stage = run_stage(made, stage, job.folder, tell_of(made.step.name, place))
            stages.append(stage)
        last = _write(job, stages, tell_of(WRITE, whole - 1))
        _forget_others(job.folder, {one.key for one in stages})
    check = None
    if job.check is not None and last.rows_out:
        on_progress(CHECK, 1.0, f"{last.rows_out:,} rows")
        check = job.check([tracked.row for tracked in _finished(job.folder, stages[-1])])
    return _sum_up(len(files), stages, last, check)


def _sum_up(
    files: int, stages: Sequence[Stage], last: Counts, check: DataCheck | None
) -> PipelineResult:
    read, *steps = (stage.counts for stage in stages)
    counts = (*steps, last)
    return PipelineResult(
        files=files,
        read=read.rows_in,
        made=sum(one.made for one in counts),
        refused=sum(read.dropped.values()),
        dropped=sum(sum(one.dropped.values()) for one in counts),
        written=last.rows_out,
        stages=(read, *counts),
        cached=sum(stage.is_cached for stage in stages),
        check=check,
    )


def _read(job: PipelineJob, files: Sequence[Path], tell: Callable[[int, int], None]) -> Stage:
    """Read all files as the first stage; what is refused is what it dropped."""
    content = json.dumps([[str(file), hash_file(file)] for file in files])
    key = key_of(READ, {"documents": job.read_document is not None}, content)
    if (found := find_stage(job.folder, key)) is not None:
        return found
    refused: Counter[str] = Counter()
    with (
        Draft(rows_file(job.folder, key)) as rows,
        Draft(dropped_file(job.folder, key)) as out,
    ):
        for done, file in enumerate(files, start=1):
            for one in read_file(file, job.read_document):
                if isinstance(one, Refusal):
                    refused["unreadable"] += 1
                    out.write(_describe_refusal(one))
                else:
                    rows.write_row(TrackedRow(one))
            tell(done, len(files))
        counts = Counts(READ, rows.count + out.count, 0, rows.count, {}, dict(refused))
        out.finish()
        return keep_stage(job.folder, key, counts, rows.finish())


def _describe_refusal(refused: Refusal) -> dict[str, object]:
    return {
        "file": str(refused.file),
        "line": refused.line,
        "step": READ,
        "reason": "unreadable",
        "detail": refused.reason,
    }


def _finished(folder: Path, stage: Stage) -> Iterator[TrackedRow]:
    return (one for one in read_rows(rows_file(folder, stage.key)) if not is_document(one.row))


def _write(job: PipelineJob, stages: Sequence[Stage], tell: Callable[[int, int], None]) -> Counts:
    """Write the rows, their lineage, and what was dropped on the way.

    The rows are named last, so that a run that was stopped leaves no rows without their lineage.
    """
    folder, last = job.folder, stages[-1]
    total = last.counts.rows_out
    with Draft(job.out) as rows, Draft(job.lineage) as lineage, Draft(job.dropped) as dropped:
        for stage in stages:
            for told in read_lines(dropped_file(folder, stage.key)):
                dropped.write(told)
        before = dropped.count
        for done, one in enumerate(read_rows(rows_file(folder, last.key)), start=1):
            if is_document(one.row):
                why = drop(one.row, NO_CONVERSATION, "no step made a conversation of it")
                dropped.write(describe_dropped(WRITE, why))
            else:
                rows.write(_as_written(one.row))
                lineage.write(_describe_way(rows.count, one))
            tell(done, total)
        left = dropped.count - before
        left_out = {NO_CONVERSATION: left} if left else {}
        counts = Counts(WRITE, total, 0, rows.count, {}, left_out)
        for draft in (dropped, lineage, rows):
            draft.finish()
    return counts


def _as_written(row: Row) -> dict[str, object]:
    """Return a row in the form of messages, a preference pair in that of pairs."""
    is_pair = isinstance(row.meta.get("rejected"), str)
    return to_fields(row, RowFormat.PREFERENCE if is_pair else RowFormat.MESSAGES)


def _describe_way(line: int, tracked: TrackedRow) -> dict[str, object]:
    """Return where an output row comes from, and the steps that changed it."""
    row = tracked.row
    return {
        "row": line,
        "file": str(row.file),
        "line": row.line,
        "steps": list(tracked.steps),
    }


def _make_folder(folder: Path) -> None:
    """Make the folder of stages; they hold rows as they were before they were masked."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise InvalidPipeline(f"{folder} cannot be made: {exc.strerror}") from exc


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Refuse a second run on the same output; the lock ends with its process."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise PipelineFailed(f"another run writes to {folder}") from exc
        yield


def _remove_drafts(job: PipelineJob) -> None:
    """Remove what a run that was killed had begun to write beside the output."""
    for draft in job.out.parent.glob(f".{job.out.name}.*.new"):
        draft.unlink(missing_ok=True)


def _forget_others(folder: Path, keys: set[str]) -> None:
    """Remove the stages of earlier settings and inputs, and what a killed run had begun."""
    for file in folder.glob("*.json*"):
        if file.name.partition(".")[0] not in keys:
            file.unlink(missing_ok=True)


def forget_stages(out: Path) -> None:
    """Remove every stage that is kept for an output file, so that the next run does all again."""
    shutil.rmtree(PipelineJob((), (), out).folder, ignore_errors=True)

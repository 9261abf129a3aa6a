"""What the commands of `fingerpost data` share that make rows: reading, a step's run, writing.

It knows files, the review queue and the engine of this home; it does not know what a step does.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from adapters import (
    Generate,
    Result,
    Row,
    Step,
    document_row,
    parse_any_rows,
    row_as_dict,
)
from knowledge import KnowledgeError, parse
from service.access import LOOPBACK_CALLER
from service.api.schemas.shapes import JsonObject
from service.cli.client import Gateway
from service.cli.data.context import write_rows
from service.cli.output import CommandFailed, Output
from service.cli.replies import AddedReply
from service.context import engine_url
from service.engine.cache_salt import cache_salts
from service.engine.client import EngineClient
from service.engine.control_tokens import load_as_text
from service.fine_tuning.generation import open_generate
from service.home import Home, Ports
from service.settings import home_folder, load_settings

ROWS_AT_ONCE = 100  # rows sent to the queue together
OF_ROWS = (".jsonl", ".json")


@dataclass(slots=True)
class Tally:
    """What a step did with its rows.

    Attributes:
        rows: How many went in.
        made: How many came out.
        reasons: Results by reason; those that went on as they were are `kept`.
        dropped: Each dropped row, with its place and the reason.
    """

    rows: int = 0
    made: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    dropped: list[JsonObject] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Count one result."""
        self.rows += 1
        self.made += len(result.rows)
        self.reasons[result.reason or "kept"] += 1
        if result.is_dropped:
            place: JsonObject = {"file": str(result.row.file), "line": result.row.line}
            self.dropped.append({**place, "reason": result.reason, "detail": result.detail})

    def as_dict(self) -> JsonObject:
        """Return the counts as plain content."""
        return {"rows": self.rows, "made": self.made, "reasons": {**self.reasons}}


def read_sources(paths: Sequence[Path], output: Output) -> list[Row]:
    """Read rows, and documents of any format as texts without an answer.

    A document that cannot be read is told and passed over; a bad row is not.

    Args:
        paths: Files, or folders with all that is in them.
        output: Where passed over documents are told.

    Raises:
        CommandFailed: A path does not exist, or nothing could be read.
        InvalidTrainingData: A file of rows holds bad ones.
    """
    rows: list[Row] = []
    for path in paths:
        if not path.exists():
            raise CommandFailed(f"{path} does not exist", code="invalid_file")
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            rows += _read(file, output)
    if not rows:
        raise CommandFailed("there is nothing to read in the given files", code="invalid_file")
    return rows


def _read(file: Path, output: Output) -> list[Row]:
    try:
        content = file.read_bytes()
    except OSError as exc:
        raise CommandFailed(f"{file} cannot be read: {exc.strerror}", code="invalid_file") from exc
    if file.suffix in OF_ROWS:
        return parse_any_rows(content, str(file))
    try:
        return [document_row(parse(file.name, content).text, file)]
    except KnowledgeError as exc:
        output.info(f"not read: {file}: {exc}")
        return []


@contextmanager
def engine_of_this_home(temperature: float) -> Iterator[Generate]:
    """Yield what asks the model server of this home, which must run.

    Raises:
        EngineUnavailable: From its calls; `fingerpost up` starts the server.
    """
    settings = load_settings()
    ports = Home(home_folder()).read_ports() or Ports(0, 0, 0)
    salt_of = cache_salts(settings.paths) if settings.engine.takes_cache_salt else None
    as_text = load_as_text(settings.base_model_path)
    engine = EngineClient(settings.engine, engine_url(settings, ports), as_text, salt_of=salt_of)
    with open_generate(
        engine, settings.engine.base_model, tenant=LOOPBACK_CALLER.tenant, temperature=temperature
    ) as generate:
        yield generate


class ReviewQueue:
    """Puts rows that nobody has reviewed into the review queue of a gateway, as one batch."""

    def __init__(self, gateway: Gateway, batch: str) -> None:
        self._gateway = gateway
        self.batch = batch
        self.added = 0

    def take(self, rows: Sequence[Row]) -> None:
        """Send rows; one that the batch has already is not added again.

        Raises:
            CommandFailed: The gateway does not answer, or refuses them.
        """
        for begin in range(0, len(rows), ROWS_AT_ONCE):
            sent: list[JsonValue] = [row_as_dict(row) for row in rows[begin : begin + ROWS_AT_ONCE]]
            body: JsonObject = {"batch": self.batch, "rows": sent}
            self.added += self._gateway.post("/review_items", AddedReply, body=body).reply.added


def run_step(
    step: Step, rows: Sequence[Row], output: Output, *, take: Callable[[Sequence[Row]], object]
) -> Tally:
    """Run a step over rows and hand on what it makes, some rows at a time.

    Args:
        step: What to run.
        rows: All of them.
        output: Shows progress.
        take: Given the rows that go on; those made before an error too.
    """
    tally, waiting = Tally(), list[Row]()
    try:
        with output.progress(step.name) as bar:
            for result in step.run(rows):
                tally.add(result)
                waiting += result.rows
                if len(waiting) >= ROWS_AT_ONCE:
                    take(waiting)
                    waiting = []
                bar.show(tally.rows / len(rows), f"{tally.rows} of {len(rows)} texts")
    finally:  # a reply that took minutes is not thrown away when the model server stops
        if waiting:
            take(waiting)
    return tally


def write_made(file: Path, rows: Sequence[Row], tally: Tally) -> JsonObject:
    """Write rows, and those that were dropped with their reasons beside them; return the names.

    Raises:
        CommandFailed: A file cannot be written.
    """
    write_rows(file, [_to_train(row) for row in rows])
    if not tally.dropped:
        return {"out": str(file)}
    beside = file.with_name(f"{file.name}.dropped.jsonl")
    write_rows(beside, tally.dropped)
    return {"out": str(file), "dropped": str(beside)}


def _to_train(row: Row) -> JsonObject:
    content = row_as_dict(row)
    return {"messages": content["messages"], "meta": content["meta"]}


def lines_of(tally: Tally, written: JsonObject) -> Iterator[str]:
    """Yield what a person reads of a run."""
    yield f"{tally.made} rows from {tally.rows} texts" + _into(written)
    for reason, count in tally.reasons.most_common():
        yield f"  {count} {reason}"
    if "dropped" in written:
        yield f"dropped texts with their reasons: {written['dropped']}"


def _into(written: JsonObject) -> str:
    if "out" in written:
        return f": {written['out']}"
    return f", {written['added']} new ones to review in batch {written['batch']!r}"

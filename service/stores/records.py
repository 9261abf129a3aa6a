"""What is kept of each answered request.

It knows a queue and a table; it does not know who reads them. Rows are written in batches by a
background task, so that a request never waits for the database; what is dear to work out (the
trace of a decision, the observed policy's choice) is worked out there as well. Question and answer
text is kept only where `records.store_text` says so.
"""

import json
import logging
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
import orjson
from anyio import to_thread
from sqlalchemy import (
    JSON,
    Column,
    Engine,
    Float,
    LargeBinary,
    String,
    Table,
    Text,
    delete,
    func,
    select,
)
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from service.settings import RecordSettings
from service.stores.tables import metadata

log = logging.getLogger(__name__)

BATCH_S = 0.25  # at most this much is lost when the machine stops: records are not answers
MAX_WAITING = 10_000
FORGET_S = 3_600.0
DAY_S = 86_400
PAUSE_S = 0.001  # between two records: requests go first, a trace holds the interpreter 0.3 ms
PACKING = 3  # 0.06 ms for 5.3 kB; the default takes 0.15 ms for 4.8

records = Table(
    "records",
    metadata,
    Column("request_id", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("use_case", String(64), nullable=False),
    Column("created_at", Float, nullable=False, index=True),
    Column("strategy", String(16), nullable=False),
    Column("model", String(200), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("decision", JSON, nullable=False),
    Column("usage", JSON, nullable=False),
    Column("timings_ms", JSON, nullable=False),
    Column("question", Text, nullable=True),
    Column("answer", Text, nullable=True),
    Column("trace", LargeBinary, nullable=True),
    Column("observed", JSON(none_as_null=True), nullable=True),
)


@dataclass(frozen=True, slots=True)
class Trace:
    """What is worked out about a request once it is answered.

    Attributes:
        decision: The decision with every node.
        observed: What a shadow policy would have done (`ShadowComparison.as_dict`), or None.
    """

    decision: Mapping[str, Any]
    observed: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Record:
    """One answered request; `trace` is packed, `explained` gives it."""

    request_id: str
    tenant: str
    use_case: str
    created_at: float
    strategy: str
    model: str
    outcome: str
    decision: Mapping[str, Any]
    usage: Mapping[str, int]
    timings_ms: Mapping[str, float]
    question: str | None
    answer: str | None
    trace: bytes | None = None
    observed: Mapping[str, Any] | None = None

    def explained(self) -> dict[str, Any]:
        """Return the decision with every node; what is kept of it where there is no trace."""
        if self.trace is None:
            return dict(self.decision)
        trace: dict[str, Any] = json.loads(zlib.decompress(self.trace))
        return trace


@dataclass(frozen=True, slots=True)
class Pair:
    """How often the policy in force did one thing where the observed one would do another."""

    now: Mapping[str, str]
    then: Mapping[str, str]
    differs: bool
    n: int
    since: float
    until: float


class Records:
    """The records of one database, written behind."""

    def __init__(self, engine: Engine, settings: RecordSettings) -> None:
        self._engine = engine
        self._settings = settings
        self._waiting: list[tuple[Record, Callable[[], Trace] | None]] = []

    def keep(self, record: Record, trace: Callable[[], Trace] | None = None) -> None:
        """Queue `record`.

        Args:
            record: What is kept; its text is already left out where it may not be stored.
            trace: Gives what is added to it; called in the thread that writes, never raises.
        """
        if len(self._waiting) >= MAX_WAITING:
            log.warning("record %s dropped: the database takes no writes", record.request_id)
            return
        self._waiting.append((record, trace))

    @property
    def keep_days(self) -> int:
        """For how many days a record is kept."""
        return self._settings.keep_days

    @property
    def stores_text(self) -> bool:
        """Whether question and answer may be kept."""
        return self._settings.store_text

    async def write_behind(self) -> None:
        """Write what is queued, for as long as the service runs; a last time at its end."""
        forget_at = anyio.current_time()
        try:
            while True:
                if anyio.current_time() >= forget_at:
                    forget_at = anyio.current_time() + FORGET_S
                    await self.forget_old()
                await anyio.sleep(BATCH_S)
                await self.flush()
        finally:
            with anyio.CancelScope(shield=True):
                await self.flush()

    async def flush(self) -> None:
        """Write what is queued now."""
        if not self._waiting:
            return
        batch, self._waiting = self._waiting, []
        try:
            await to_thread.run_sync(partial(self._insert, batch))
        except (OperationalError, IntegrityError):  # away, locked, or another wrote the same id
            log.exception("%d records could not be written; they are tried again", len(batch))
            self._waiting = batch + self._waiting
        except SQLAlchemyError:
            log.exception("%d records cannot be written and are lost", len(batch))

    async def forget_old(self) -> None:
        """Delete the records that are older than `keep_days`."""
        try:
            await to_thread.run_sync(self._delete_old)
        except SQLAlchemyError:
            log.exception("old records could not be deleted; it is tried again")

    def get(self, request_id: str, *, tenant: str) -> Record | None:
        """Return the record of a request, or None where none is kept."""
        query = select(records).where(
            records.c.request_id == request_id, records.c.tenant == tenant
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Record(**row._mapping)

    def observed(self, *, tenant: str) -> tuple[Pair, ...]:
        """Return every different pair of choices among the records, newest policies first."""
        kept = records.c.observed
        names = ("policy_version", "strategy", "rule", "course")
        keys = [kept[side, name].as_string() for side in ("now", "then") for name in names]
        seen = (
            select(*keys, kept["differs"].as_boolean(), records.c.created_at)
            .where(records.c.tenant == tenant, kept.is_not(None))
            .subquery()
        )
        *pair, created_at = seen.c
        until = func.max(created_at)
        query = select(*pair, func.count(), func.min(created_at), until).group_by(*pair)
        query = query.order_by(until.desc())
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        half = len(names)
        return tuple(
            Pair(
                now=dict(zip(names, row[:half], strict=True)),
                then=dict(zip(names, row[half : 2 * half], strict=True)),
                differs=row[-4],
                n=row[-3],
                since=row[-2],
                until=row[-1],
            )
            for row in rows
        )

    def _insert(self, batch: Sequence[tuple[Record, Callable[[], Trace] | None]]) -> None:
        """Write `batch`; a client may send one request id twice, and the first record stays."""
        rows: dict[str, dict[str, Any]] = {}
        for record, trace in batch:
            if record.request_id not in rows:
                rows[record.request_id] = _row(record, trace)
                time.sleep(PAUSE_S)
        known = select(records.c.request_id).where(records.c.request_id.in_(rows))
        with self._engine.execution_options(write=True).begin() as connection:
            for request_id in connection.execute(known).scalars().all():
                del rows[request_id]
            if rows:
                connection.execute(records.insert(), list(rows.values()))

    def _delete_old(self) -> None:
        oldest = time.time() - self._settings.keep_days * DAY_S
        with self._engine.execution_options(write=True).begin() as connection:
            connection.execute(delete(records).where(records.c.created_at < oldest))


def _row(record: Record, trace: Callable[[], Trace] | None) -> dict[str, Any]:
    row = {name: getattr(record, name) for name in Record.__slots__}
    if trace is not None:
        made = trace()
        row["trace"] = _pack(made.decision)
        row["observed"] = made.observed
    return row


def _pack(trace: Mapping[str, Any]) -> bytes:
    """Return about 30 kB of JSON in 5; compressing lets go of the interpreter meanwhile."""
    try:
        text = orjson.dumps(trace)
    except TypeError:  # a declared number beyond 64 bits; the slower one writes it
        text = json.dumps(trace).encode()
    return zlib.compress(text, PACKING)

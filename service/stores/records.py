"""Records of answered requests.

It knows a queue and a table; it does not know who reads them. Rows are written in batches by a
background task, so that a request never waits for the database; what is expensive to compute (the
trace of a decision, the shadow policy's choice) is computed there as well. The texts of question
and answer are stored only where `records.store_text` is set.
"""

import json
import logging
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import cast

import anyio
import orjson
from anyio import to_thread
from sqlalchemy import (
    JSON,
    Column,
    Float,
    Index,
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
from service.stores.database import Database
from service.stores.json_value import JsonMapping, JsonObject
from service.stores.tables import metadata
from service.stores.tenancy.tenants import tenants_in_use

log = logging.getLogger(__name__)

Row = dict[str, object]  # column to value

BATCH_S = 0.25  # at most this much is lost when the machine stops: records are not answers
MAX_QUEUED = 10_000
CLEANUP_S = 3_600.0
DAY_S = 86_400
PAUSE_S = 0.001  # between two records: requests go first, a trace blocks the interpreter 0.3 ms
COMPRESSION = 3  # half the time of the default for a third more
TRACE_DICTIONARY = (resources.files(__package__) / "trace_dictionary.txt").read_bytes()
"""What traces have in common, the rules of the policy that ships: 3 kB are kept in place of 7.
Never changed, since kept traces are read with it; a trace of before is read without."""

records = Table(
    "records",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("request_id", String(64), primary_key=True),
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
    Column("user", String(256), nullable=True),  # whom the caller said it asks for
    Column("key_id", String(64), nullable=True),
    Column("access_labels", JSON(none_as_null=True), nullable=True),
    Index("records_by_user", "tenant", "user"),
)


@dataclass(frozen=True, slots=True)
class Trace:
    """What is computed about a request once it is answered.

    Attributes:
        decision: The decision with every node.
        shadow: What the shadow policy would have done (`ShadowComparison.as_dict`), or None.
    """

    decision: Mapping[str, object]
    shadow: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class Record:
    """One answered request; `trace` is compressed, `full_decision` reads it.

    Attributes:
        key_id: The API key that asked; None without one, and where that was not recorded.
        access_labels: Labels by which documents were searched; None: not recorded.
    """

    request_id: str
    tenant: str
    use_case: str
    created_at: float
    strategy: str
    model: str
    outcome: str
    decision: Mapping[str, object]
    usage: Mapping[str, int]
    timings_ms: Mapping[str, float]
    question: str | None
    answer: str | None
    trace: bytes | None = None
    observed: JsonMapping | None = None
    user: str | None = None
    key_id: str | None = None
    access_labels: Collection[str] | None = None

    def full_decision(self) -> JsonObject:
        """Return the decision with every node; without a trace, the short decision."""
        if self.trace is None:
            return cast(JsonObject, dict(self.decision))
        text = zlib.decompressobj(zdict=TRACE_DICTIONARY).decompress(self.trace)
        decision: JsonObject = json.loads(text)
        return decision


@dataclass(frozen=True, slots=True)
class ShadowCount:
    """How often the policy in force did `now` where a shadow policy would have done `then`."""

    now: Mapping[str, str]
    then: Mapping[str, str]
    differs: bool
    n: int
    since: float
    until: float


class Records:
    """The records of one database, written in the background."""

    def __init__(self, database: Database, settings: RecordSettings) -> None:
        self._database = database
        self._settings = settings
        self._queue: list[tuple[Record, Callable[[], Trace] | None]] = []

    def save(self, record: Record, build_trace: Callable[[], Trace] | None = None) -> None:
        """Queue `record`.

        Args:
            record: What to store; without its texts where they may not be stored.
            build_trace: Computes its trace; called in the writing thread, never raises.
        """
        if len(self._queue) >= MAX_QUEUED:
            log.warning(
                "record %s dropped: the queue is full because the database accepts no writes",
                record.request_id,
            )
            return
        self._queue.append((record, build_trace))

    @property
    def keep_days(self) -> int:
        """How many days a record is stored."""
        return self._settings.keep_days

    @property
    def stores_text(self) -> bool:
        """Whether the texts of question and answer may be stored."""
        return self._settings.store_text

    async def write_behind(self) -> None:
        """Write what is queued until cancelled, and once more at the end."""
        cleanup_at = anyio.current_time()
        try:
            while True:
                if anyio.current_time() >= cleanup_at:
                    cleanup_at = anyio.current_time() + CLEANUP_S
                    await self.delete_old()
                await anyio.sleep(BATCH_S)
                await self.flush()
        finally:
            with anyio.CancelScope(shield=True):
                await self.flush()

    async def flush(self) -> None:
        """Write what is queued now."""
        if not self._queue:
            return
        batch, self._queue = self._queue, []
        try:
            await to_thread.run_sync(partial(self._insert, batch))
        except (OperationalError, IntegrityError):  # away, locked, or another wrote the same id
            log.exception("%d records could not be written; retrying", len(batch))
            self._queue = batch + self._queue
        except SQLAlchemyError:
            log.exception("%d records cannot be written and are dropped", len(batch))

    async def delete_old(self) -> None:
        """Delete the records that are older than `keep_days`."""
        try:
            await to_thread.run_sync(self._delete_expired)
        except SQLAlchemyError:
            log.exception("old records could not be deleted; retrying")

    def get(self, request_id: str, *, tenant: str) -> Record | None:
        """Return the record of a request, or None where there is none."""
        query = select(records).where(
            records.c.request_id == request_id, records.c.tenant == tenant
        )
        with self._database.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Record(**row._mapping)

    def shadow_counts(
        self, *, tenant: str, use_cases: Collection[str] | None = None
    ) -> tuple[ShadowCount, ...]:
        """Return how often each pair of choices was recorded, newest policies first.

        Args:
            tenant: Whose requests.
            use_cases: Only requests to these use cases; None: to all of the tenant.
        """
        observed = records.c.observed
        names = ("policy_version", "strategy", "rule", "course")
        keys = [observed[side, name].as_string() for side in ("now", "then") for name in names]
        recorded = select(*keys, observed["differs"].as_boolean(), records.c.created_at).where(
            records.c.tenant == tenant, observed.is_not(None)
        )
        if use_cases is not None:
            recorded = recorded.where(records.c.use_case.in_(use_cases))
        *pair, created_at = recorded.subquery().c
        until = func.max(created_at)
        query = select(*pair, func.count(), func.min(created_at), until).group_by(*pair)
        query = query.order_by(until.desc())
        with self._database.connect() as connection:
            rows = connection.execute(query).all()
        half = len(names)
        return tuple(
            ShadowCount(
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
        """Write `batch`; of two records with one request id the first is stored.

        An answer may end after its tenant was deleted: then nothing of it is kept.
        """
        rows: dict[tuple[str, str], Row] = {}
        for record, build_trace in batch:
            key = record.tenant, record.request_id
            if key not in rows:
                rows[key] = _row(record, build_trace)
                time.sleep(PAUSE_S)
        ids = {request_id for _, request_id in rows}
        known = select(records.c.tenant, records.c.request_id).where(records.c.request_id.in_(ids))
        with self._database.execution_options(write=True).begin() as connection:
            for tenant, request_id in connection.execute(known).all():
                rows.pop((tenant, request_id), None)
            in_use = set(connection.scalars(tenants_in_use()))
            kept = [row for (tenant, _), row in rows.items() if tenant in in_use]
            if kept:
                connection.execute(records.insert(), kept)

    def _delete_expired(self) -> None:
        oldest = time.time() - self._settings.keep_days * DAY_S
        with self._database.execution_options(write=True).begin() as connection:
            connection.execute(delete(records).where(records.c.created_at < oldest))


def _row(record: Record, build_trace: Callable[[], Trace] | None) -> Row:
    row: Row = {name: getattr(record, name) for name in Record.__slots__}
    if build_trace is not None:
        trace = build_trace()
        row["trace"] = _compress(trace.decision)
        row["observed"] = None if trace.shadow is None else dict(trace.shadow)
    return row


def _compress(decision: Mapping[str, object]) -> bytes:
    """Return about 34 kB of JSON in 3; compressing releases the interpreter meanwhile."""
    try:
        text = orjson.dumps(decision)
    except TypeError:  # a declared number beyond 64 bits, which orjson refuses
        text = json.dumps(decision).encode()
    packer = zlib.compressobj(COMPRESSION, zdict=TRACE_DICTIONARY)
    return packer.compress(text) + packer.flush()

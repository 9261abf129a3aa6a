"""Training rows that people review: each is pending, then accepted, edited or rejected.

It knows the table and the states of a row; it does not know who made a row, nor what is checked.
"""

import secrets
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import (
    JSON,
    Column,
    Float,
    Index,
    String,
    Table,
    UniqueConstraint,
    delete,
    func,
    select,
    update,
)

from adapters import ReadByHand, Row, digest_of, row_as_dict
from service.errors import NotFound
from service.repeat_errors import AlreadyReviewed
from service.stores.database import Database
from service.stores.json_value import JsonObject
from service.stores.tables import metadata

ReviewStatus = Literal["pending", "accepted", "edited", "rejected"]
STATUSES: tuple[ReviewStatus, ...] = get_args(ReviewStatus)

MAX_BATCH_CHARS = 200
MAX_NOTE_CHARS = 1_000
_AT_ONCE = 500  # digests in one statement: SQLite takes 32,766 parameters, older ones 999

review_items = Table(
    "review_items",
    metadata,
    Column("item_id", String(40), primary_key=True),  # they sort in the order they came in
    Column("tenant", String(64), nullable=False),
    Column("batch", String(MAX_BATCH_CHARS), nullable=False),
    Column("row", JSON, nullable=False),
    Column("row_sha256", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("edited", JSON(none_as_null=True)),
    Column("edited_sha256", String(64)),
    Column("note", String(MAX_NOTE_CHARS), nullable=False),
    Column("reviewed_by", String(64)),
    Column("reviewed_at", Float),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("tenant", "row_sha256", "batch", name="review_items_once"),
    Index("review_items_by_status", "tenant", "status", "item_id"),
    Index("review_items_by_batch", "tenant", "batch", "item_id"),
    Index("review_items_by_edit", "tenant", "edited_sha256"),
)


class ReviewItemNotFound(NotFound):
    """No row of the review queue has this id."""

    code = "review_item_not_found"
    hint = "GET /review_items or `fingerpost data review ls` lists them."


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One row of the queue.

    Attributes:
        item_id: Its id.
        tenant: Whose.
        batch: What it came in with: a file or a run.
        row: As it came, as `adapters.row_as_dict` writes it.
        row_sha256: `adapters.digest_of` of it.
        status: What people have decided.
        edited: As it is now, where a person has changed it.
        edited_sha256: Digest of that.
        note: Why, in the reviewer's words.
        reviewed_by: Key of the reviewer; None without one.
        reviewed_at: Unix seconds; None while it is pending.
        created_at: Unix seconds.
    """

    item_id: str
    tenant: str
    batch: str
    row: JsonObject
    row_sha256: str
    status: ReviewStatus
    edited: JsonObject | None
    edited_sha256: str | None
    note: str
    reviewed_by: str | None
    reviewed_at: float | None
    created_at: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person has decided about a row.

    Attributes:
        status: `accepted`, `edited` or `rejected`.
        by: Key of the reviewer.
        note: Why.
        edited: The changed row, where it is one.
        again: Whether an earlier decision is replaced.
    """

    status: Literal["accepted", "edited", "rejected"]
    by: str | None
    note: str = ""
    edited: Row | None = None
    again: bool = False


class ReviewItems:
    """The review queue of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._write = database.execution_options(write=True)

    def add(self, rows: Sequence[Row], batch: str, *, tenant: str) -> int:
        """Put rows into the queue and return how many are new.

        A row that the batch has already, whatever was decided about it, is not added again.
        """
        by_digest = {digest_of(row): row for row in rows}
        now = time.time_ns()
        with self._write.begin() as connection:
            known = set[str]()
            for digests in _in_parts(by_digest):
                query = select(review_items.c.row_sha256).where(
                    review_items.c.tenant == tenant,
                    review_items.c.batch == batch,
                    review_items.c.row_sha256.in_(digests),
                )
                known.update(connection.scalars(query))
            new = [
                {
                    "item_id": f"rev_{now:016x}{place:06x}{secrets.token_hex(3)}",
                    "tenant": tenant,
                    "batch": batch,
                    "row": row_as_dict(row),
                    "row_sha256": digest,
                    "status": "pending",
                    "note": "",
                    "created_at": now / 1e9,
                }
                for place, (digest, row) in enumerate(by_digest.items())
                if digest not in known
            ]
            if new:
                connection.execute(review_items.insert(), new)
        return len(new)

    def get(self, item_id: str, *, tenant: str) -> ReviewItem:
        """Return a row of the queue.

        Raises:
            ReviewItemNotFound: The queue has no such row.
        """
        query = select(review_items).where(_is(item_id, tenant))
        with self._database.connect() as connection:
            found = connection.execute(query).one_or_none()
        if found is None:
            raise ReviewItemNotFound(f"There is no row {item_id!r} to review.", param="item_id")
        return ReviewItem(**found._mapping)

    def list(
        self,
        *,
        tenant: str,
        status: ReviewStatus | None = None,
        batch: str | None = None,
        after: str | None = None,
        limit: int = 100,
    ) -> tuple[ReviewItem, ...]:
        """Return rows of the queue, those that came first first.

        Args:
            tenant: Whose.
            status: Only those; None: all.
            batch: Only those of it; None: of all.
            after: Only those behind this id: the last one of the previous page.
            limit: Most rows to return.
        """
        query = select(review_items).where(review_items.c.tenant == tenant)
        if status is not None:
            query = query.where(review_items.c.status == status)
        if batch is not None:
            query = query.where(review_items.c.batch == batch)
        if after is not None:
            query = query.where(review_items.c.item_id > after)
        with self._database.connect() as connection:
            found = connection.execute(query.order_by(review_items.c.item_id).limit(limit))
            return tuple(ReviewItem(**row._mapping) for row in found)

    def decide(self, item_id: str, decision: Decision, *, tenant: str) -> ReviewItem:
        """Store a person's decision and return the row.

        Raises:
            ReviewItemNotFound: The queue has no such row.
            AlreadyReviewed: Another decision was made, and this one does not replace it.
        """
        edited = decision.edited
        values: dict[str, Any] = {
            "status": decision.status,
            "edited": None if edited is None else row_as_dict(edited),
            "edited_sha256": None if edited is None else digest_of(edited),
            "note": decision.note,
            "reviewed_by": decision.by,
            "reviewed_at": time.time(),
        }
        change = update(review_items).where(_is(item_id, tenant))
        if not decision.again:
            change = change.where(review_items.c.status == "pending")
        with self._write.begin() as connection:
            is_done = connection.execute(change.values(**values)).rowcount == 1
        found = self.get(item_id, tenant=tenant)
        if not is_done:
            raise AlreadyReviewed(f"The row {item_id!r} is {found.status} already.", param="again")
        return found

    def count(self, *, tenant: str) -> dict[str, dict[ReviewStatus, int]]:
        """Return how many rows of each batch are in each state, by the batch's name."""
        columns = review_items.c.batch, review_items.c.status
        query = select(*columns, func.count()).where(review_items.c.tenant == tenant)
        counts: dict[str, dict[ReviewStatus, int]] = {}
        with self._database.connect() as connection:
            for batch, status, rows in connection.execute(query.group_by(*columns)):
                counts.setdefault(batch, dict.fromkeys(STATUSES, 0))[status] = rows
        return dict(sorted(counts.items()))

    def delete_batch(self, batch: str, *, tenant: str) -> int:
        """Delete every row of a batch and return how many there were.

        Raises:
            ReviewItemNotFound: There was none.
        """
        is_its = review_items.c.tenant == tenant, review_items.c.batch == batch
        with self._write.begin() as connection:
            rows = int(connection.execute(delete(review_items).where(*is_its)).rowcount)
        if not rows:
            raise ReviewItemNotFound(f"There is no batch {batch!r}.", param="batch")
        return rows

    def by_hand(self, rows: Sequence[Row], *, tenant: str) -> ReadByHand:
        """Return which of `rows` people have accepted or refused, in whatever batch."""
        accepted, refused = set[str](), set[str]()
        table = review_items.c
        with self._database.connect() as connection:
            for digests in _in_parts({digest_of(row) for row in rows}):
                as_it_came = select(table.row_sha256, table.status).where(
                    table.tenant == tenant, table.row_sha256.in_(digests)
                )
                for digest, status in connection.execute(as_it_came):
                    if status != "pending":
                        (accepted if status == "accepted" else refused).add(digest)
                edits = select(table.edited_sha256).where(
                    table.tenant == tenant, table.edited_sha256.in_(digests)
                )
                accepted.update(connection.scalars(edits))
        return ReadByHand(frozenset(accepted), frozenset(refused))


def _is(item_id: str, tenant: str) -> Any:
    return (review_items.c.item_id == item_id) & (review_items.c.tenant == tenant)


def _in_parts(digests: Collection[str]) -> Iterator[list[str]]:
    waiting = list(digests)
    for begin in range(0, len(waiting), _AT_ONCE):
        yield waiting[begin : begin + _AT_ONCE]

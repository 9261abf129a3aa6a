"""First replies under an idempotency key: a request that is sent again is answered as before.

It knows a table of replies; it does not know endpoints. A reply is stored for ten minutes under
tenant, API key, idempotency key and the digest of the request, and then deleted. While a request
is being answered its row is a claim that the process renews; the claim of a process that died
ends by itself.
"""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
from anyio import to_thread
from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Float,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from service.repeat_errors import IdempotencyInProgress, IdempotencyKeyReused
from service.stores.database import Database
from service.stores.requests.request_names import request_name
from service.stores.tables import metadata

log = logging.getLogger(__name__)

KEPT_S = 600.0  # issue 17: the first answer again for ten minutes
CLAIM_S = 45.0  # a claim that is not renewed for so long is that of a dead process
RENEW_S = 15.0
MOST_BYTES = 2**20  # a longer reply is not stored: the request is answered anew

first_replies = Table(
    "first_replies",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("key_id", String(64), nullable=True),
    Column("user", String(256), nullable=True),
    Column("request_sha256", String(64), nullable=False),
    Column("status", Integer, nullable=True),
    Column("headers", JSON(none_as_null=True), nullable=True),
    Column("body", LargeBinary, nullable=True),
    Column("changed_at", Float, nullable=False),
    Index("first_replies_by_user", "tenant", "user"),
    Index("first_replies_by_age", "changed_at"),
)


@dataclass(frozen=True, slots=True)
class RepeatableRequest:
    """A request that may be sent again.

    Attributes:
        tenant: Whose.
        key_id: The API key; None without one.
        idempotency_key: The caller's own name for the request.
        sha256: Digest of method, path and body.
        user: Whom the body names as the person asking.
    """

    tenant: str
    key_id: str | None
    idempotency_key: str
    sha256: str
    user: str | None = None

    @property
    def name(self) -> str:
        """Return what the row is found by; the idempotency key itself is not stored."""
        return request_name(self.tenant, self.key_id, self.idempotency_key)


@dataclass(frozen=True, slots=True)
class FirstReply:
    """The reply that a request got when it was first sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class FirstReplies:
    """The first replies of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._write = database.execution_options(write=True)
        self._claimed: set[str] = set()

    def claim(self, request: RepeatableRequest) -> FirstReply | None:
        """Return the first reply to `request`, or None where it is to be answered now.

        After None the caller calls `save` or `release`.

        Raises:
            IdempotencyKeyReused: The key was sent with another request.
            IdempotencyInProgress: The first request is being answered; retry.
        """
        try:
            row = self._claim(request)
        except IntegrityError as exc:  # another gateway claimed it between look and claim
            raise _in_progress() from exc
        if row is None:
            self._claimed.add(request.name)
            return None
        if row.request_sha256 != request.sha256:
            raise IdempotencyKeyReused(
                "This Idempotency-Key was sent before with another request; send a new key.",
                param="idempotency-key",
            )
        if row.status is None:
            raise _in_progress()
        return FirstReply(row.status, row.headers, row.body)

    def _claim(self, request: RepeatableRequest) -> Row[Any] | None:
        """Return the row of an earlier request, or None where this one's was added."""
        now = time.time()
        this = first_replies.c.name == request.name
        with self._write.begin() as connection:
            connection.execute(delete(first_replies).where(this, _has_expired(now)))
            row = connection.execute(select(first_replies).where(this)).one_or_none()
            if row is None:
                connection.execute(
                    first_replies.insert().values(
                        name=request.name,
                        tenant=request.tenant,
                        key_id=request.key_id,
                        user=request.user,
                        request_sha256=request.sha256,
                        changed_at=now,
                    )
                )
        return row

    def save(self, request: RepeatableRequest, reply: FirstReply) -> None:
        """Store the reply to a claimed request; one that is too long is released instead."""
        if len(reply.body) > MOST_BYTES:
            self.release(request)
            return
        values = {
            "status": reply.status,
            "headers": dict(reply.headers),
            "body": reply.body,
            "changed_at": time.time(),
        }
        try:
            with self._write.begin() as connection:
                connection.execute(
                    update(first_replies).where(_is_claim_of(request.name)).values(values)
                )
        finally:
            self._claimed.discard(request.name)  # unsaved, the claim ends by itself

    def release(self, request: RepeatableRequest) -> None:
        """Forget a claimed request, so that it is answered when it is sent again."""
        self._claimed.discard(request.name)
        with self._write.begin() as connection:
            connection.execute(delete(first_replies).where(_is_claim_of(request.name)))

    async def renew(self) -> None:
        """Renew this process's claims and delete what has expired, until cancelled."""
        while True:
            await anyio.sleep(RENEW_S)
            try:
                await to_thread.run_sync(partial(self.clean, time.time()))
            except SQLAlchemyError:
                log.exception("first replies could not be cleaned; retrying")

    def clean(self, now: float) -> None:
        """Renew this process's claims and delete the rows that have expired at `now`."""
        claimed = sorted(self._claimed)
        with self._write.begin() as connection:
            for name in claimed:
                connection.execute(
                    update(first_replies).where(_is_claim_of(name)).values(changed_at=now)
                )
            connection.execute(delete(first_replies).where(_has_expired(now)))


def _in_progress() -> IdempotencyInProgress:
    return IdempotencyInProgress(
        "The first request with this Idempotency-Key is still being answered.",
        param="idempotency-key",
    )


def _is_claim_of(name: str) -> ColumnElement[bool]:
    return (first_replies.c.name == name) & first_replies.c.status.is_(None)


def _has_expired(now: float) -> ColumnElement[bool]:
    """Return the condition; a time far ahead is of a clock that was set back."""
    at = first_replies.c.changed_at
    is_claim = first_replies.c.status.is_(None)
    return or_(at < now - KEPT_S, is_claim & (at < now - CLAIM_S), at > now + KEPT_S)

"""Which documents answers cited, written behind the answers.

It knows document ids and times; it does not know what is made of them (`Knowledge.usage`). A
document is written once an hour at most, so that an answer costs a look into a dictionary.
"""

import logging
import time
from collections.abc import Collection, Iterable
from functools import partial
from typing import Protocol

import anyio
from anyio import to_thread
from sqlalchemy.exc import SQLAlchemyError

from knowledge import KnowledgeError

log = logging.getLogger(__name__)

BATCH_S = 5.0  # at most this much is lost when the machine stops: days are asked for
AGAIN_S = 3_600.0  # as `kb_documents.cited_at` is kept: to the hour
MOST_KNOWN = 100_000  # documents whose last citation is remembered: some 20 MB

Cited = tuple[str, str]  # tenant and document id


class NoteCited(Protocol):
    """Writes that an answer cited documents; `knowledge.usage.note_cited`."""

    def __call__(self, document_ids: Collection[str], *, tenant: str, at: float) -> None:
        """Write it."""


class CitedDocuments:
    """Citations on their way into the database."""

    def __init__(self, note_cited: NoteCited) -> None:
        self._note_cited = note_cited
        self._known: dict[Cited, float] = {}
        self._waiting: dict[str, set[str]] = {}

    def add(self, document_ids: Iterable[str], *, tenant: str) -> None:
        """Note that an answer cited documents; costs no database."""
        now = time.monotonic()  # a clock that is set back delays nothing
        for document_id in document_ids:
            if now - self._known.get((tenant, document_id), -AGAIN_S) < AGAIN_S:
                continue
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[tenant, document_id] = now
            self._waiting.setdefault(tenant, set()).add(document_id)

    async def write_behind(self) -> None:
        """Write what is noted until cancelled, and once more at the end."""
        try:
            while True:
                await anyio.sleep(BATCH_S)
                await self.flush()
        finally:
            with anyio.CancelScope(shield=True):
                await self.flush()

    async def flush(self) -> None:
        """Write what is noted now."""
        waiting, self._waiting = self._waiting, {}
        for tenant, document_ids in waiting.items():
            write = partial(self._note_cited, document_ids, tenant=tenant, at=time.time())
            try:
                await to_thread.run_sync(write)
            except (KnowledgeError, SQLAlchemyError):  # a full disk, a locked database
                log.exception("%d citations are not written; retrying", len(document_ids))
                self._waiting.setdefault(tenant, set()).update(document_ids)

"""`Usage`: which documents are cited, and which were neither changed nor cited for long.

It knows document ids and times; it does not know answers.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Engine

from knowledge.errors import InvalidQuery
from knowledge.sql.bases import get_base
from knowledge.sql.history import usage
from knowledge.sql.history.usage import StaleDocument
from knowledge.sql.transaction import write_transaction

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class StaleDocuments:
    """Stale documents of a base; citations were noted from `citations_since` on."""

    documents: tuple[StaleDocument, ...]
    citations_since: float


class Usage:
    """The use of documents, for every tenant; reached by `Knowledge.usage`."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def note_cited(self, document_ids: Collection[str], *, tenant: str, at: float) -> None:
        """Write that an answer cited documents, to the hour.

        Args:
            document_ids: Of any base; one that is deleted by now is no error.
            tenant: Whose.
            at: Unix seconds.
        """
        with write_transaction(self._database) as connection:
            usage.note_cited(connection, document_ids, tenant=tenant, at=at)

    def stale(
        self,
        base_id: str,
        days: int,
        *,
        tenant: str,
        access: Collection[str] | None = None,
        limit: int = 1_000,
        after: str | None = None,
    ) -> StaleDocuments:
        """Return live documents that nobody changed or cited for so many days.

        Args:
            base_id: Which base.
            days: At least 1.
            tenant: Whose.
            access: The labels that the reader holds; documents with others are left out. None: any.
            limit: Most documents to return, the first that came in first.
            after: A document id that ended the page before.

        Raises:
            CollectionNotFound, DocumentNotFound: There is no such base; never a document `after`
                that the reader may read.
            InvalidQuery: `days` is below 1.
        """
        if days < 1:
            raise InvalidQuery(f"days is {days}; it is at least 1")
        before = time.time() - days * DAY_S
        with self._database.connect() as connection:
            base = get_base(connection, base_id, tenant=tenant)
            found = usage.stale_documents(
                connection, base, before=before, access=access, limit=limit, after=after
            )
            return StaleDocuments(tuple(found), usage.citations_since(connection, base))

"""`FolderSyncs`: what the last sync of each folder with a base did.

It knows runs and what they report; it does not know folders, nor what is in a report.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import Engine

from knowledge.sql.bases import get_base
from knowledge.sql.history import syncs
from knowledge.sql.history.syncs import FolderSync
from knowledge.sql.transaction import write_transaction


class FolderSyncs:
    """The syncs of folders with bases, for every tenant; reached by `Knowledge.syncs`."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def begin(
        self,
        base_id: str,
        source: str,
        *,
        contents: Mapping[str, str],
        tenant: str,
        access: Collection[str] | None = None,
    ) -> tuple[FolderSync, list[str]]:
        """Write that a sync begins, in the place of the folder's last run.

        Args:
            base_id: Which base.
            source: Names the folder, the same one always by the same words.
            contents: Content hash by external id of documents that the folder holds as they are:
                where another folder put them in, or nobody knows, they are this one's from now on.
            tenant: Whose.
            access: The labels that whoever syncs holds; documents with others stay as they are.
                None: any.

        Returns:
            The run, unfinished, and the external ids of documents that became the folder's.

        Raises:
            CollectionNotFound: There is no such base.
        """
        with write_transaction(self._database) as connection:
            base = get_base(connection, base_id, tenant=tenant)
            sync_id = syncs.begin(connection, base, source)
            adopted = syncs.adopt(connection, base, source, contents, access=access)
            begun = syncs.report(connection, base, sync_id, state=syncs.UNFINISHED, report={})
        return begun, adopted

    def report(
        self,
        base_id: str,
        sync_id: str,
        *,
        state: str,
        report: Mapping[str, object],
        tenant: str,
    ) -> FolderSync:
        """Write what a run did so far; a state other than `unfinished` ends it.

        Raises:
            CollectionNotFound: There is no such base.
            SyncNotFound: There is no such run, or a later one took its place.
        """
        with write_transaction(self._database) as connection:
            base = get_base(connection, base_id, tenant=tenant)
            return syncs.report(connection, base, sync_id, state=state, report=report)

    def list(self, base_id: str, *, tenant: str) -> list[FolderSync]:
        """Return the last run of each folder, the newest first. Raises `CollectionNotFound`."""
        with self._database.connect() as connection:
            return syncs.list_syncs(connection, get_base(connection, base_id, tenant=tenant))

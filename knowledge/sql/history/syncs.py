"""The last run of each folder's sync, and which documents a folder put in.

It knows rows; it does not know folders or how a sync decides what to delete. Every function runs
inside the caller's transaction.
"""

import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from knowledge.errors import SyncNotFound
from knowledge.sql.bases import Base
from knowledge.sql.labels import may_read
from knowledge.sql.tables import documents, syncs, versions

UNFINISHED = "unfinished"


@dataclass(frozen=True, slots=True)
class FolderSync:
    """The last run of a sync of one folder with a knowledge base.

    Attributes:
        source: Names the folder, as `Document.synced_from` does.
        state: `unfinished` until its end is reported: it still runs, or was killed.
        heard_at: Unix seconds at which it last said how far it is.
        report: What it did so far, as whoever runs it wrote it.
    """

    sync_id: str
    source: str
    state: str
    began_at: float
    heard_at: float
    ended_at: float | None
    report: Mapping[str, object]


def begin(connection: Connection, base: Base, source: str) -> str:
    """Write that a sync of a folder begins, in the place of its last run; return its id."""
    owned = syncs.c.base_pk == base.pk, syncs.c.source == source
    connection.execute(delete(syncs).where(*owned))
    now = time.time()
    row = {
        "base_pk": base.pk,
        "sync_id": f"sync_{secrets.token_hex(16)}",
        "source": source,
        "state": UNFINISHED,
        "began_at": now,
        "heard_at": now,
        "report": {},
    }
    connection.execute(insert(syncs).values(row))
    return str(row["sync_id"])


def report(
    connection: Connection, base: Base, sync_id: str, *, state: str, report: Mapping[str, object]
) -> FolderSync:
    """Write what a run did so far, and how it ended if it did.

    Raises:
        SyncNotFound: There is no such run, or a later one took its place.
    """
    now = time.time()
    ended_at = None if state == UNFINISHED else now
    run = syncs.c.base_pk == base.pk, syncs.c.sync_id == sync_id
    told = {"state": state, "report": dict(report), "heard_at": now, "ended_at": ended_at}
    if not connection.execute(update(syncs).where(*run).values(told)).rowcount:
        raise SyncNotFound(f"knowledge base {base.base_id!r} has no sync {sync_id!r}")
    return next(one for one in list_syncs(connection, base) if one.sync_id == sync_id)


def list_syncs(connection: Connection, base: Base) -> list[FolderSync]:
    """Return the last run of each folder, the newest first."""
    query = select(*(syncs.c[name] for name in FolderSync.__slots__))
    query = query.where(syncs.c.base_pk == base.pk).order_by(syncs.c.pk.desc())
    return [FolderSync(**row._mapping) for row in connection.execute(query)]


def adopt(
    connection: Connection,
    base: Base,
    source: str,
    contents: Mapping[str, str],
    *,
    access: Collection[str] | None,
) -> list[str]:
    """Let documents that a folder holds as they are count as put in by its sync.

    Those that no sync put in stay so: whoever uploaded them deletes them.

    Args:
        connection: A write transaction.
        base: Whose documents.
        source: The folder.
        contents: Content hash by external id.
        access: Only documents that a reader with these labels may read; None: all.

    Returns:
        The external ids of those that were another folder's, or of unknown origin.
    """
    adopted: list[str] = []
    names = sorted(contents)
    for start in range(0, len(names), _BATCH):
        batch = names[start : start + _BATCH]
        asked = {"base_pk": base.pk, "external_ids": batch, "source": source}
        rows = [
            row
            for row in connection.execute(_OTHERS, asked)
            if row.content_hash == contents[row.external_id] and may_read(row.access or (), access)
        ]
        set_origin(connection, source, [row.pk for row in rows])
        adopted += [row.external_id for row in rows]
    return adopted


def set_origin(connection: Connection, source: str, version_pks: Sequence[int]) -> None:
    """Write which folder's sync versions come from, none if empty."""
    if version_pks:
        of_these = versions.c.pk.in_(list(version_pks))
        connection.execute(update(versions).where(of_these).values(synced_from=source))


_BATCH = 500  # SQLite allows 32,766 variables; small statements also stay in its cache
_OTHERS = (
    select(versions.c.pk, versions.c.content_hash, versions.c.access, documents.c.external_id)
    .join(documents, documents.c.active_version == versions.c.pk)
    .where(
        documents.c.base_pk == bindparam("base_pk"),
        documents.c.external_id.in_(bindparam("external_ids", expanding=True)),
        or_(
            versions.c.synced_from.is_(None),
            versions.c.synced_from.not_in(["", bindparam("source")]),
        ),
    )
)

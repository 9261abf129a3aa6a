"""The write transaction of the room, and what its failures are called.

It knows how a database says that its disk is full; it does not know any table.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from knowledge.errors import StorageFull

FULL = ("database or disk is full", "no space left on device", "disk full")
"""SQLite's SQLITE_FULL, the kernel's ENOSPC and PostgreSQL's 53100."""


@contextmanager
def write_transaction(database: Engine) -> Iterator[Connection]:
    """Give a connection in a write transaction; all of it is committed, or nothing.

    Raises:
        StorageFull: No room on the disk; nothing was written, and a retry may succeed.
    """
    try:
        with database.execution_options(write=True).begin() as connection:
            yield connection
    except DBAPIError as exc:
        if is_disk_full(exc):
            raise StorageFull(
                "the disk of the database is full; free some space and try again"
            ) from exc
        raise


def is_disk_full(exc: DBAPIError) -> bool:
    """Say whether a database failed because its disk has no room left."""
    return any(words in str(exc.orig).lower() for words in FULL)

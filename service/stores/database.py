"""Opens the one SQL database that holds every room's truth.

It knows drivers, pragmas and transactions; it does not know any table. Rooms receive the
`Engine` made here. A write says so by `engine.execution_options(write=True).begin()`, and on
SQLite begins with BEGIN IMMEDIATE, so that two writers queue up instead of failing midway.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event

BUSY_TIMEOUT_MS = 10_000  # longest wait for another writer; our longest write is well under 1 s


def open_database(url: str) -> Engine:
    """Return an engine for `url`, prepared for several processes and threads.

    Args:
        url: SQLAlchemy address, `sqlite:///path` or `postgresql+psycopg://…`.

    Returns:
        The engine. SQLite runs in WAL mode with `synchronous=FULL`: a committed write survives
        the death of the process and of the machine.
    """
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True)
    path = url.removeprefix("sqlite:///")
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"check_same_thread": False, "timeout": 10})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def create_tables(engine: Engine, *metadatas: MetaData) -> None:
    """Create every missing table of `metadatas`; tests and one-process tools use it."""
    with engine.execution_options(write=True).begin() as connection:
        for metadata in metadatas:
            metadata.create_all(connection)


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None  # we say BEGIN ourselves
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

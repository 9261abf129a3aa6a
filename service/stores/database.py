"""Opens the SQL database that all rooms share.

It knows drivers, pragmas and transactions; it does not know any table. Rooms receive the
`Database` made here (SQLAlchemy's `Engine`; `engine` is the model server). A write transaction is
opened by `database.execution_options(write=True).begin()`: on SQLite it begins with BEGIN
IMMEDIATE, so that a second writer waits instead of failing midway.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, MetaData, create_engine, event

Database = Engine

BUSY_TIMEOUT_MS = 10_000  # longest wait for another writer; our longest write is well under 1 s


def open_database(url: str) -> Database:
    """Return the database at `url`, prepared for several processes and threads.

    Args:
        url: SQLAlchemy address, `sqlite:///path` or `postgresql+psycopg://…`.

    Returns:
        The database. SQLite runs in WAL mode with `synchronous=FULL`: a committed write survives
        a crash of the process and of the machine.
    """
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    path = url.removeprefix("sqlite:///")
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    wait = {"check_same_thread": False, "timeout": 10}
    # parameters are questions and answers: they do not belong into the log
    database = create_engine(url, connect_args=wait, hide_parameters=True)
    event.listen(database, "connect", _prepare_sqlite)
    event.listen(database, "begin", _begin_sqlite)
    return database


def create_tables(database: Database, *metadatas: MetaData) -> None:
    """Create every missing table of `metadatas`; tests and one-process tools use it."""
    with database.execution_options(write=True).begin() as connection:
        for metadata in metadatas:
            metadata.create_all(connection)


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None  # `_begin_sqlite` sends BEGIN
    cursor = dbapi_connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten, free pages too
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

"""The one SQL database: durable, checked, and patient with a second writer."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import (
    Column,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from service.stores.database import BUSY_TIMEOUT_MS, create_tables, open_database

metadata = MetaData()
counters = Table(
    "counters", metadata, Column("id", Integer, primary_key=True), Column("n", Integer)
)
parts = Table("parts", metadata, Column("of", Integer, ForeignKey("counters.id"), nullable=False))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/new/folder/state.db"


@pytest.fixture
def database(url: str) -> Iterator[Engine]:
    opened = open_database(url)
    create_tables(opened, metadata)
    yield opened
    opened.dispose()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),  # FULL: a commit survives the death of the machine
        ("foreign_keys", 1),
        ("busy_timeout", BUSY_TIMEOUT_MS),
    ],
)
def test_every_connection_has_its_pragmas(database: Engine, pragma: str, value: object) -> None:
    with database.connect() as first, database.connect() as second:
        for connection in (first, second):
            assert connection.execute(text(f"PRAGMA {pragma}")).scalar_one() == value


def test_a_reference_to_nothing_is_refused(database: Engine) -> None:
    with pytest.raises(IntegrityError), database.begin() as connection:
        connection.execute(insert(parts).values(of=99))


def test_creating_tables_twice_changes_nothing(database: Engine) -> None:
    with database.begin() as connection:
        connection.execute(insert(counters).values(id=1, n=5))
    create_tables(database, metadata)
    with database.connect() as connection:
        assert connection.execute(select(counters.c.n)).scalar_one() == 5


def test_a_write_that_fails_leaves_nothing_behind(database: Engine) -> None:
    def write_half() -> None:
        with database.execution_options(write=True).begin() as connection:
            connection.execute(insert(counters).values(id=1, n=1))
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        write_half()
    with database.connect() as connection:
        assert connection.execute(select(func.count()).select_from(counters)).scalar_one() == 0


def test_two_writers_queue_up_instead_of_failing_midway(database: Engine, url: str) -> None:
    with database.begin() as connection:
        connection.execute(insert(counters).values(id=1, n=0))
    failures: list[Exception] = []

    def count_up() -> None:
        own = open_database(url)  # as another process has it
        try:
            for _ in range(10):
                with own.execution_options(write=True).begin() as connection:
                    n = connection.execute(select(counters.c.n)).scalar_one()
                    time.sleep(0.002)  # between reading and writing, where a plain BEGIN fails
                    connection.execute(update(counters).values(n=n + 1))
        except Exception as exc:
            failures.append(exc)
        finally:
            own.dispose()

    writers = [threading.Thread(target=count_up) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    with database.connect() as connection:
        assert connection.execute(select(counters.c.n)).scalar_one() == 20


def test_a_reader_does_not_wait_for_a_writer_and_sees_no_half_write(database: Engine) -> None:
    with database.execution_options(write=True).begin() as writing:
        writing.execute(insert(counters).values(id=1, n=1))
        with database.connect() as reading:
            assert reading.execute(select(func.count()).select_from(counters)).scalar_one() == 0


def test_a_write_takes_the_lock_when_it_begins(database: Engine, url: str) -> None:
    other = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=0.05)
    try:
        with database.execution_options(write=True).begin():
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                other.execute("BEGIN IMMEDIATE")
        with database.begin():  # a transaction that only reads locks nobody out
            other.execute("BEGIN IMMEDIATE")
    finally:
        other.close()


def test_what_is_stored_stands_in_no_error(database: Engine) -> None:
    row = insert(counters).values(id=4711, n=1)
    with database.begin() as connection:
        connection.execute(row)
    with database.connect() as connection, pytest.raises(IntegrityError) as refused:
        connection.execute(row)
    assert "4711" not in str(refused.value)

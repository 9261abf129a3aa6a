"""The audit log takes rows and gives none back changed."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from service.stores.database import Database, create_tables, open_database
from service.stores.requests.audit_log import REFUSAL, AuditLog
from service.stores.requests.chain import Change
from service.stores.tables import metadata

PUT = Change("acme", "key_1", "http", "PUT /use_cases/{use_case_id}", "use_cases", "demo")
REMOVED = Change("", "key_9", "command", "tenants delete", "tenants")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/audit.db")
    create_tables(opened, metadata)
    yield opened
    opened.dispose()


@pytest.fixture
def log(database: Database) -> AuditLog:
    return AuditLog(database)


def tamper(database: Database, statement: str) -> None:
    """Change the file as somebody with the disk could: without the triggers."""
    path = database.url.database
    assert path is not None
    connection = sqlite3.connect(path)
    for name in ("delete", "update", "replace"):
        connection.execute(f"DROP TRIGGER audit_log_no_{name}")
    connection.execute(statement)
    connection.commit()
    connection.close()


def fill(log: AuditLog, n: int = 5) -> None:
    for number in range(n):
        log.append(replace(PUT, object_id=f"case-{number}", after=f"{number:064}"))


def test_rows_are_listed_newest_first_and_by_pages(log: AuditLog) -> None:
    fill(log)
    page = log.list(limit=2)
    assert [row.object_id for row in page] == ["case-4", "case-3"]
    assert [row.object_id for row in log.list(before_seq=page[-1].seq, limit=2)] == [
        "case-2",
        "case-1",
    ]


def test_rows_are_chosen_by_tenant_and_time(log: AuditLog) -> None:
    fill(log, 2)
    other = log.append(replace(PUT, tenant="bolt"))
    assert [row.seq for row in log.list(tenant="bolt")] == [other.seq]
    assert [row.seq for row in log.list(since=other.created_at)] == [other.seq]


def test_a_change_begins_where_the_last_one_of_the_object_ended(log: AuditLog) -> None:
    first = log.append(replace(PUT, after="a" * 64))
    log.append(replace(PUT, tenant="bolt", after="c" * 64))
    second = log.append(replace(PUT, after="b" * 64))
    assert (first.before, second.before) == (None, "a" * 64)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_log WHERE seq = 2",
        "UPDATE audit_log SET action = 'GET /' WHERE seq = 2",
        "UPDATE audit_log SET tenant = 'bolt' WHERE seq = 2",
        "UPDATE audit_log SET redacted_by = 3 WHERE seq = 2",
        "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log WHERE seq = 2",
    ],
)
def test_the_database_refuses_every_other_write(
    log: AuditLog, database: Database, statement: str
) -> None:
    fill(log)
    with pytest.raises(IntegrityError, match=REFUSAL), database.begin() as connection:
        connection.execute(text(statement))
    assert log.verify().first_changed is None


@pytest.mark.parametrize(
    ("statement", "first", "problem"),
    [
        ("UPDATE audit_log SET action = 'GET /' WHERE seq = 3", 3, "fit its fields"),
        ("UPDATE audit_log SET tenant = 'bolt' WHERE seq = 3", 3, "names or digests"),
        ("UPDATE audit_log SET after = NULL WHERE seq = 3", 3, "names or digests"),
        ("UPDATE audit_log SET tenant = NULL WHERE seq = 3", 3, "without a redaction"),
        ("UPDATE audit_log SET redacted_by = 5 WHERE seq = 3", 3, "and has names"),
        ("UPDATE audit_log SET hash = previous WHERE seq = 3", 3, "fit its fields"),
        ("UPDATE audit_log SET created_at = 0 WHERE seq = 3", 3, "fit its fields"),
        ("DELETE FROM audit_log WHERE seq = 3", 3, "missing"),
        ("DELETE FROM audit_log WHERE seq = 1", 1, "missing"),
        (
            "UPDATE audit_log SET salt = NULL, tenant = NULL, key_id = NULL, object_id = NULL, "
            "before = NULL, after = NULL, redacted_by = 5 WHERE seq = 3",
            5,
            "redacted 0 rows, and 1 rows name it",
        ),
    ],
)
def test_verifying_names_the_first_row_that_was_changed(
    log: AuditLog, database: Database, statement: str, first: int, problem: str
) -> None:
    fill(log)
    tamper(database, statement)
    found = log.verify()
    assert found.first_changed == first
    assert problem in (found.problem or "")


def test_an_untouched_log_is_in_order(log: AuditLog) -> None:
    fill(log)
    found = log.verify()
    assert (found.rows, found.first_changed, found.redacted) == (5, None, 0)
    assert found.head == log.list(limit=1)[0].hash


def test_a_removed_tenant_loses_its_names_and_the_chain_holds(
    log: AuditLog, database: Database
) -> None:
    fill(log, 3)
    log.append(replace(PUT, tenant="bolt"))
    told = log.redact("acme", REMOVED)
    assert told.redacts == 3
    rows = log.list()
    assert [row.tenant for row in rows] == ["", "bolt", None, None, None]
    assert {(row.object_id, row.key_id, row.after, row.salt) for row in rows[2:]} == {(None,) * 4}
    assert {row.redacted_by for row in rows[2:]} == {told.seq}
    found = log.verify()
    assert (found.rows, found.redacted, found.first_changed) == (5, 3, None)
    path = database.url.database
    assert path is not None
    with database.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    assert b"acme" not in Path(path).read_bytes()


def test_writers_at_once_make_one_chain(log: AuditLog) -> None:
    threads = [Thread(target=fill, args=(log, 10)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (log.verify().rows, log.verify().first_changed) == (40, None)

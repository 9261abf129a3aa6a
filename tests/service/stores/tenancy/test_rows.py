"""Whose a row is, is read from the tables: a new one is found without a word."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, ForeignKey, Integer, MetaData, String, Table, insert, select

from service.stores.database import create_tables, open_database
from service.stores.migrations import METADATAS
from service.stores.tenancy.rows import (
    count_rows,
    delete_rows,
    names_in_rows,
    owned_tables,
    read_rows,
)
from service.stores.tenancy.tenants import KEPT_AFTER_DELETION

metadata = MetaData()
boxes = Table(
    "boxes",
    metadata,
    Column("box_id", String(8), primary_key=True),
    Column("tenant", String(8), nullable=False),
    Column("filename", String(8)),
    Column("state", String(8)),
)
parts = Table(
    "parts",
    metadata,
    Column("pk", Integer, primary_key=True),
    Column("box_id", ForeignKey("boxes.box_id"), nullable=False),
)
screws = Table(
    "screws",
    metadata,
    Column("pk", Integer, primary_key=True),
    Column("part_pk", ForeignKey("parts.pk"), nullable=False),
)
kept = Table(
    "kept",
    metadata,
    Column("tenant", String(8), primary_key=True),
    info={KEPT_AFTER_DELETION: True},
)
nobodys = Table("nobodys", metadata, Column("pk", Integer, primary_key=True))
OWNED = owned_tables([metadata])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path}/state.db")
    create_tables(opened, metadata)
    with opened.begin() as connection:
        for number, tenant in enumerate(("acme", "bolt"), 1):
            box = {"box_id": f"b{number}", "tenant": tenant, "filename": "same", "state": "s"}
            connection.execute(insert(boxes).values(box))
            connection.execute(insert(parts).values(pk=number, box_id=f"b{number}"))
            connection.execute(insert(screws).values(part_pk=number))
            connection.execute(insert(kept).values(tenant=tenant))
    yield opened
    opened.dispose()


def test_rows_that_hang_on_a_tenants_rows_are_its_own(database: Engine) -> None:
    assert [each.table.name for each in OWNED] == ["boxes", "parts", "screws"]
    with database.begin() as connection:
        assert count_rows(connection, OWNED, "acme") == {"boxes": 1, "parts": 1, "screws": 1}
        delete_rows(connection, OWNED, "acme")
        assert count_rows(connection, OWNED, "acme") == {}
        assert count_rows(connection, OWNED, "bolt") == {"boxes": 1, "parts": 1, "screws": 1}
        assert len(connection.execute(select(kept)).all()) == 2


def test_names_that_others_have_too_are_left_out(database: Engine) -> None:
    with database.connect() as connection:
        assert names_in_rows(connection, OWNED, "acme") == {"b1"}
        assert [row["box_id"] for row in read_rows(connection, OWNED[0], "bolt")] == ["b2"]


def test_every_table_of_the_service_belongs_to_tenants() -> None:
    owned = {each.table.name for each in owned_tables(METADATAS)}
    every = {table.name for each in METADATAS for table in each.tables.values()}
    of_the_home = {"tenants", "audit_log", "signing_secrets"}  # the log loses its names
    assert every - owned == of_the_home, "deleting a tenant would leave its rows there"

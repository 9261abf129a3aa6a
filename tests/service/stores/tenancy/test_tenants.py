"""Tenants are named, found and marked; the default one is in every home."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from service.access_errors import InvalidTenantName, TenantExists, TenantKept, TenantNotFound
from service.stores.database import create_tables, open_database
from service.stores.migrations import METADATAS, upgrade
from service.stores.tenancy.tenants import Tenants


@pytest.fixture(params=["declared", "migrated"])
def database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    opened = open_database(f"sqlite:///{tmp_path}/state.db")
    if request.param == "migrated":
        upgrade(opened)
    else:
        create_tables(opened, *METADATAS)
    yield opened
    opened.dispose()


def test_the_default_tenant_is_in_every_home(database: Engine) -> None:
    assert [each.tenant for each in Tenants(database).list()] == ["default"]


def test_a_tenant_is_created_once(database: Engine) -> None:
    tenants = Tenants(database)
    made = tenants.create("acme")
    assert tenants.get("acme") == made
    with pytest.raises(TenantExists):
        tenants.create("acme")
    assert [each.tenant for each in tenants.list()] == ["default", "acme"]


@pytest.mark.parametrize("name", ["", "A", "a:b", "a/b", "../x", "-a", "a" * 65, "a b", "租户"])
def test_a_name_with_other_signs_is_refused(database: Engine, name: str) -> None:
    with pytest.raises(InvalidTenantName):
        Tenants(database).create(name)


def test_a_deletion_is_begun_once_and_keeps_its_time(database: Engine) -> None:
    tenants = Tenants(database)
    tenants.create("acme")
    assert tenants.begin_deletion("acme").deleting_since is None
    since = tenants.get("acme").deleting_since
    assert since is not None
    tenants.begin_deletion("acme")
    assert tenants.get("acme").deleting_since == since
    tenants.remove("acme")
    with pytest.raises(TenantNotFound):
        tenants.get("acme")


def test_the_default_tenant_cannot_be_deleted(database: Engine) -> None:
    with pytest.raises(TenantKept):
        Tenants(database).begin_deletion("default")
    with pytest.raises(TenantNotFound):
        Tenants(database).begin_deletion("nobody")

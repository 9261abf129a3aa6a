"""Tenants: the teams that share a home and see nothing of each other.

It knows their names and when they were made; it does not know what they have, nor who may act
for them. The tenant of the loopback caller is in every home.
"""

import re
import time
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Select,
    String,
    Table,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from service.access import LOOPBACK_CALLER
from service.access_errors import InvalidTenantName, TenantExists, TenantKept, TenantNotFound
from service.stores.database import Database
from service.stores.tables import metadata

KEPT_AFTER_DELETION = "kept_after_deletion"
"""Key in `Table.info`: rows of such a table stay when their tenant is deleted."""

# No colon: the subjects and idempotency keys of jobs begin with the tenant's name and one.
NAME = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}$")

tenants = Table(
    "tenants",
    metadata,
    Column("tenant", String(64), primary_key=True),
    Column("created_at", Float, nullable=False),
    Column("deleting_since", Float),  # NULL: in use
    info={KEPT_AFTER_DELETION: True},  # `Tenants.remove` deletes its row, as the last of all
)


@event.listens_for(tenants, "after_create")
def _add_default(_table: Table, connection: Connection, **_: object) -> None:
    row = {"tenant": LOOPBACK_CALLER.tenant, "created_at": time.time()}
    connection.execute(insert(tenants).values(row))


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant; `deleting_since` is set while it is being deleted (unix seconds)."""

    tenant: str
    created_at: float
    deleting_since: float | None


class Tenants:
    """The tenants of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._write = database.execution_options(write=True)

    def create(self, name: str) -> Tenant:
        """Add a tenant without anything.

        Raises:
            InvalidTenantName: It is no name of a tenant.
            TenantExists: The name is taken.
        """
        if not NAME.match(name):
            raise InvalidTenantName(f"{name!r} cannot be the name of a tenant.", param="tenant")
        row = {"tenant": name, "created_at": time.time()}
        try:
            with self._write.begin() as connection:
                connection.execute(insert(tenants).values(row))
        except IntegrityError as exc:
            raise TenantExists(f"There is a tenant {name!r} already.", param="tenant") from exc
        return self.get(name)

    def get(self, name: str) -> Tenant:
        """Return a tenant, also one that is being deleted.

        Raises:
            TenantNotFound: No tenant has this name.
        """
        with self._database.connect() as connection:
            row = connection.execute(select(tenants).where(tenants.c.tenant == name)).one_or_none()
        if row is None:
            raise TenantNotFound(f"There is no tenant {name!r}.", param="tenant")
        return Tenant(**row._mapping)

    def require_open(self, name: str) -> None:
        """Refuse what is meant for a tenant that is not there, or is being deleted.

        Raises:
            TenantNotFound: As named.
        """
        if self.get(name).deleting_since is not None:
            raise TenantNotFound(f"The tenant {name!r} is being deleted.", param="tenant")

    def list(self) -> tuple[Tenant, ...]:
        """Return all tenants, oldest first."""
        query = select(tenants).order_by(tenants.c.created_at, tenants.c.tenant)
        with self._database.connect() as connection:
            return tuple(Tenant(**row._mapping) for row in connection.execute(query))

    def begin_deletion(self, name: str) -> Tenant:
        """Note that a tenant is being deleted; once more is no error.

        Raises:
            TenantNotFound: No tenant has this name.
            TenantKept: It is the tenant that every home has.
        """
        found = self.get(name)
        if name == LOOPBACK_CALLER.tenant:
            raise TenantKept(f"The tenant {name!r} cannot be deleted.", param="tenant")
        is_in_use = tenants.c.tenant == name, tenants.c.deleting_since.is_(None)
        with self._write.begin() as connection:
            connection.execute(update(tenants).where(*is_in_use).values(deleting_since=time.time()))
        return found

    def remove(self, name: str) -> None:
        """Delete the tenant's own row, once nothing else of it is left."""
        with self._write.begin() as connection:
            connection.execute(delete(tenants).where(tenants.c.tenant == name))


def tenants_in_use() -> Select[str]:
    """Return the query for the names of the tenants that are not being deleted."""
    return select(tenants.c.tenant).where(tenants.c.deleting_since.is_(None))

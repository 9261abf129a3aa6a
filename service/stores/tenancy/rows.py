"""Which rows of the database are whose, by the tables' own columns and foreign keys.

It knows columns and keys; it does not know what a table is for. A table belongs to tenants if it
has a column `tenant`, or a foreign key to a table that does: a new one is found without a word
here.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    MetaData,
    String,
    Table,
    delete,
    false,
    func,
    select,
)

from service.stores.tenancy.tenants import KEPT_AFTER_DELETION

TENANT, USER = "tenant", "user"
NAMES = frozenset({"name", "filename", "folder", "collection", "subject", "task", "use_case", USER})
ROWS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class OwnedTable:
    """A table whose rows belong to tenants; `parent` where it has no column that says so."""

    table: Table
    parent: "OwnedTable | None" = None
    key: str = ""
    parent_key: str = ""

    @property
    def has_users(self) -> bool:
        """Whether its rows name the user whom they are about."""
        return USER in self.table.c

    def of(self, tenant: str) -> ColumnElement[bool]:
        """Return the condition that a row is the tenant's."""
        if self.parent is None:
            return self.table.c[TENANT] == tenant
        parent = self.parent
        owned = select(parent.table.c[self.parent_key]).where(parent.of(tenant))
        return self.table.c[self.key].in_(owned)

    def of_user(self, user: str, tenant: str) -> ColumnElement[bool]:
        """Return the condition that a row is about the user of the tenant."""
        return self.of(tenant) & func.coalesce(self.table.c[USER] == user, false())


def owned_tables(metadatas: Iterable[MetaData]) -> tuple[OwnedTable, ...]:
    """Return the tables whose rows belong to tenants; one that others refer to comes before them.

    Tables whose rows stay when their tenant is deleted are left out.
    """
    found: dict[Table, OwnedTable] = {}
    for metadata in metadatas:
        for table in metadata.sorted_tables:
            owned = _owned(table, found)
            if owned is not None and not table.info.get(KEPT_AFTER_DELETION):
                found[table] = owned
    return tuple(found.values())


def _owned(table: Table, known: Mapping[Table, OwnedTable]) -> OwnedTable | None:
    if TENANT in table.c:
        return OwnedTable(table)
    for key in sorted(table.foreign_keys, key=lambda each: each.parent.name):
        if key.column.table in known:
            return OwnedTable(table, known[key.column.table], key.parent.name, key.column.name)
    return None


def count_rows(connection: Connection, owned: Sequence[OwnedTable], tenant: str) -> dict[str, int]:
    """Return how many rows of each table are the tenant's; tables without any are left out."""
    counted = {}
    for each in owned:
        query = select(func.count()).select_from(each.table).where(each.of(tenant))
        counted[each.table.name] = int(connection.scalar(query) or 0)
    return {name: rows for name, rows in counted.items() if rows}


def delete_rows(connection: Connection, owned: Sequence[OwnedTable], tenant: str) -> None:
    """Delete every row of the tenant."""
    for each in reversed(owned):
        connection.execute(delete(each.table).where(each.of(tenant)))


def read_rows(connection: Connection, owned: OwnedTable, tenant: str) -> Iterator[dict[str, Any]]:
    """Yield the tenant's rows of one table, in the order of its primary key."""
    query = select(owned.table).where(owned.of(tenant)).order_by(*owned.table.primary_key)
    rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
    for row in rows:
        yield dict(row._mapping)


def names_in_rows(connection: Connection, owned: Sequence[OwnedTable], tenant: str) -> set[str]:
    """Return the ids and names that the tenant's rows have and no row of another tenant has."""
    found: set[str] = set()
    for each in owned:
        found |= names_where(connection, each, each.of(tenant))
    return found


def names_where(
    connection: Connection,
    owned: OwnedTable,
    condition: ColumnElement[bool],
    *,
    names: Collection[str] = NAMES,
) -> set[str]:
    """Return the ids and names that rows of one table have for which `condition` holds.

    What other rows of the table have as well is left out.

    Args:
        connection: Of the caller's transaction.
        owned: Which table.
        condition: Which rows.
        names: Columns that hold names; columns of ids are known by theirs.
    """
    found: set[str] = set()
    for column in owned.table.c:
        is_id = column.name.endswith("_id") or column.name in names
        if not is_id or not isinstance(column.type, String):
            continue
        mine = select(column).where(condition, column.is_not(None))
        others = select(column).where(~condition, column.is_not(None))
        found.update(connection.scalars(mine.except_(others)))
    return found

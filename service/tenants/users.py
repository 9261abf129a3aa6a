"""One user of a tenant erased: every row that names the user, and the log lines that do.

It knows the column `user`; it does not know which tables have it: they are found by it.
"""

import time
from dataclasses import dataclass

from sqlalchemy import delete

from service.settings import Settings
from service.stores.database import Database
from service.stores.migrations import METADATAS
from service.stores.tenancy.rows import names_where, owned_tables
from service.stores.tenancy.tenants import Tenants
from service.tenants.deletion import NOT_REACHED, SETTLE_S
from service.tenants.erasing import cut_log, is_running
from service.tenants.logs import erase_entries


@dataclass(frozen=True, slots=True)
class ErasedUser:
    """What was erased of one user; `left` says what is not erased yet, one sentence each."""

    user: str
    tenant: str
    rows: int
    log_lines: int
    left: tuple[str, ...]
    not_reached: tuple[str, ...]


def erase_user(settings: Settings, database: Database, user: str, *, tenant: str) -> ErasedUser:
    """Erase what is kept about a user: records with their texts, and whatever else names the user.

    Args:
        settings: Of the home; it may run.
        database: Of the home.
        user: As callers name the person in `user`.
        tenant: Whose callers.

    Raises:
        TenantNotFound: There is no such tenant.
    """
    Tenants(database).get(tenant)
    home = settings.paths
    owned = [each for each in owned_tables(METADATAS) if each.has_users]
    names, rows = {user}, 0
    for again in (False, True):
        if again:
            if not is_running(home):
                break
            time.sleep(SETTLE_S)
        with database.execution_options(write=True).begin() as connection:
            for each in reversed(owned):
                theirs = each.of_user(user, tenant)
                names |= names_where(connection, each, theirs, names=())
                rows += connection.execute(delete(each.table).where(theirs)).rowcount
    lines = erase_entries(home.logs, names) if home.logs.is_dir() else 0
    left = () if cut_log(database) else ("the database's log: emptied once nobody reads it",)
    return ErasedUser(user, tenant, rows, lines, left, (NOT_REACHED,))

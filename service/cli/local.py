"""What commands that need no gateway work with: this home's settings, database and registry.

It opens and closes; it does not know what a command does with them.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from adapters import AdapterNotFound, AdapterRegistry
from service.access import LOOPBACK_CALLER
from service.settings import Settings, load_settings
from service.stores.adapters import adapter_registry
from service.stores.database import Database, open_database
from service.stores.migrations import upgrade
from service.stores.requests.audit_log import AuditLog
from service.stores.requests.chain import Change

TENANT = LOOPBACK_CALLER.tenant
"""Whose adapters they are: whoever runs a command on this machine is the loopback caller."""


@dataclass(frozen=True, slots=True)
class LocalContext:
    """This home as a command of this machine sees it."""

    settings: Settings
    registry: AdapterRegistry
    database: Database
    audit: AuditLog

    def adapter_folder(self, name: str) -> Path:
        """Return the folder of an adapter, by its id or by the task it is live for.

        Raises:
            AdapterNotFound: This home has no such adapter; the message names those it has.
        """
        if "@" not in name:
            with suppress(AdapterNotFound):
                return self.registry.resolve(name, tenant=TENANT).folder
        directory = self.settings.paths.adapters
        known = sorted(p.name for p in directory.glob("*@*") if p.is_dir() and p.name[0] != ".")
        if name not in known:
            there = f"there are {', '.join(known)}" if known else "there are none"
            raise AdapterNotFound(f"there is no adapter {name} in {directory}; {there}")
        return directory / name

    def note_change(
        self,
        action: str,
        kind: str,
        object_id: str,
        *,
        after: str | None = None,
        tenant: str = TENANT,
    ) -> None:
        """Add a change that a command has made to the audit log.

        Args:
            action: The words of the command.
            kind: What was changed, as in the paths of the gateway.
            object_id: Which one.
            after: SHA-256 of what is there now.
            tenant: Whose data was changed.
        """
        self.audit.append(Change(tenant, None, "command", action, kind, object_id, after=after))


def note_file(action: str, written: Path, in_force: Path) -> None:
    """Add to the audit log that a command wrote a file of this home that is in force.

    Args:
        action: The words of the command.
        written: The file.
        in_force: The file of the home that the gateway reads; another one is no change.
    """
    if written.resolve() != in_force.resolve():
        return
    digest = hashlib.sha256(written.read_bytes()).hexdigest()
    with open_local() as local:
        local.note_change(action, "files", in_force.name, after=digest)


@contextmanager
def open_local() -> Iterator[LocalContext]:
    """Yield this home with its folders made and its database brought to the newest schema."""
    with open_local_database() as (settings, database):
        yield LocalContext(
            settings, adapter_registry(settings, database), database, AuditLog(database)
        )


@contextmanager
def open_local_database() -> Iterator[tuple[Settings, Database]]:
    """Yield this home's settings and its database, brought to the newest schema."""
    settings = load_settings()
    settings.paths.make()
    database = open_database(settings.database_url)
    try:
        upgrade(database)
        yield settings, database
    finally:
        database.dispose()

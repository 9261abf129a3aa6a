"""A tenant deleted: its jobs ended, then every row, vector, folder and log line of it.

It knows in which order: first nothing is written for the tenant any more, then what it has is
deleted, and what processes wrote meanwhile once more. It does not know what a table holds.
"""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import anyio
from sqlalchemy import select

from knowledge import VectorIndex, delete_tenant
from service.access_errors import TenantBusy
from service.engine.client import EngineClient
from service.errors import ServiceError
from service.home import Home
from service.settings import Settings
from service.stores.database import Database
from service.stores.jobs import ENDED, Jobs, Status, jobs
from service.stores.migrations import METADATAS
from service.stores.requests.audit_log import AuditLog
from service.stores.requests.chain import Change
from service.stores.tenancy.rows import count_rows, delete_rows, names_in_rows, owned_tables
from service.stores.tenancy.tenants import Tenants
from service.tenants.erasing import cut_log, erase_index_remains, is_running
from service.tenants.folders import delete_folders, find_folders
from service.tenants.logs import erase_entries

JOB_WAIT_S = 120.0  # a training stops within seconds, a document that is read goes to its end
POLL_S = 0.2
SETTLE_S = 1.0  # records are written 0.25 s after an answer, citations likewise
PREVIOUS = "*.before-restore*"

NOT_REACHED = "backups (`fingerpost kb backup`) and exports, which lie outside the home"


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was deleted of one tenant.

    Attributes:
        tenant: Its name.
        rows: Of all tables.
        bases: Knowledge bases.
        folders: Of adapters and training runs.
        log_lines: Overwritten in the logs.
        left: What is not deleted yet or stays, and why, one sentence each.
        not_reached: Where copies may be that no command of this home can delete.
    """

    tenant: str
    rows: int
    bases: int
    folders: int
    log_lines: int
    left: tuple[str, ...]
    not_reached: tuple[str, ...]


def delete_whole_tenant(
    settings: Settings,
    database: Database,
    tenant: str,
    *,
    index: VectorIndex | None,
    job_wait_s: float = JOB_WAIT_S,
) -> Deleted:
    """Delete a tenant and all that it has; repeated after a failure, it goes on.

    Args:
        settings: Of the home; it may run.
        database: Of the home.
        tenant: Which.
        index: The vector index, or None where it does not answer.
        job_wait_s: How long its running jobs are waited for.

    Raises:
        TenantNotFound, TenantKept: There is no such tenant, or it is `default`.
        TenantBusy: A job of it has not ended in time; nothing is deleted yet.
    """
    tenants, home = Tenants(database), settings.paths
    tenants.begin_deletion(tenant)
    _end_jobs(database, tenant, job_wait_s)
    owned = owned_tables(METADATAS)
    names = {tenant}
    folders = find_folders(home, database, tenant)
    rows = bases = folder_count = 0
    left: list[str] = []
    for again in (False, True):
        if again:
            if not is_running(home):
                break
            time.sleep(SETTLE_S)
        with database.connect() as connection:
            names |= names_in_rows(connection, owned, tenant)
            rows += sum(count_rows(connection, owned, tenant).values())
        known = delete_tenant(database, index, tenant)
        left += [f"collection {each}: dropped at the next start" for each in known.left_collections]
        bases += known.bases
        folder_count += delete_folders(find_folders(home, database, tenant))
        with database.execution_options(write=True).begin() as connection:
            delete_rows(connection, owned, tenant)
    left += [
        f"adapter folder {each.name}: another tenant has it" for each in folders.shared_adapters
    ]
    left += _unload(settings, [each.name for each in folders.adapters])
    _delete_copies(home, [each.name for each in folders.adapters])
    if not erase_index_remains(settings):
        left.append("vectors in files of Chroma: overwritten when it writes there again")
    lines = erase_entries(home.logs, names) if home.logs.is_dir() else 0
    removal = Change("", None, "command", "tenants delete", "tenants", f"{rows} rows")
    AuditLog(database).redact(tenant, removal)
    tenants.remove(tenant)
    if not cut_log(database):
        left.append("the database's log: emptied once nobody reads the database")
    return Deleted(
        tenant, rows, bases, folder_count, lines, tuple(left), (NOT_REACHED, *_previous(home))
    )


def _end_jobs(database: Database, tenant: str, wait_s: float) -> None:
    """Cancel every job of the tenant, and wait until none runs.

    A job whose worker died has ended, too: its lease is over.
    """
    store = Jobs(database)
    deadline = time.monotonic() + wait_s
    while open_jobs := _open_jobs(database, tenant):
        for job_id in open_jobs:
            store.cancel(job_id, tenant=tenant)
        running = _open_jobs(database, tenant)
        if running and time.monotonic() > deadline:
            raise TenantBusy(
                f"{len(running)} jobs of {tenant!r} have not ended within {wait_s:g} s: "
                f"{', '.join(running[:3])}."
            )
        if running:
            time.sleep(POLL_S)


def _open_jobs(database: Database, tenant: str) -> Sequence[str]:
    query = select(jobs.c.job_id, jobs.c.status, jobs.c.lease_until).where(
        jobs.c.tenant == tenant, jobs.c.status.not_in(ENDED)
    )
    with database.connect() as connection:
        rows = connection.execute(query).all()
    now = time.time()
    return [
        row.job_id
        for row in rows
        if row.status != Status.RUNNING or (row.lease_until or 0.0) >= now
    ]


def _unload(settings: Settings, adapter_ids: Sequence[str]) -> list[str]:
    """Have the model server unload adapters; return a sentence for each that stays loaded."""
    home, ports = settings.paths, settings.paths.read_ports()
    if settings.engine.url is None and (not is_running(home) or ports is None):
        return []
    if not adapter_ids:
        return []
    url = settings.engine.url or f"http://127.0.0.1:{ports.engine if ports else 0}"
    return anyio.run(partial(_unload_from, settings, url, adapter_ids))


async def _unload_from(settings: Settings, url: str, adapter_ids: Sequence[str]) -> list[str]:
    engine = EngineClient(settings.engine, url, str)
    left = []
    try:
        listed = {model.model_id for model in await engine.list_models()}
        for adapter_id in adapter_ids:
            if adapter_id in listed:
                await engine.unload_adapter(adapter_id)
    except ServiceError as exc:
        left.append(f"adapters in the memory of the model server, until it restarts: {exc}")
    finally:
        await engine.aclose()
    return left


def _delete_copies(home: Home, adapter_ids: Sequence[str]) -> None:
    """Delete what a restore put aside of these adapters, and damaged indexes put aside."""
    aside = [path for name in adapter_ids for path in home.adapters.glob(f"{name}.before-restore*")]
    for path in (*aside, *home.root.glob(f"{home.chroma.name}.damaged-*")):
        shutil.rmtree(path)


def _previous(home: Home) -> tuple[str, ...]:
    """Return the databases that restores put aside: whole copies of an earlier state."""
    return tuple(str(path) for path in sorted(home.root.glob(PREVIOUS)))

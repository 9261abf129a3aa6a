"""A tenant written out as one ZIP file: rows as JSON lines, uploaded files, folders.

It knows rows and files; it does not know what a table holds. Bytes in a row are base64, but for
uploaded files, which are files of their own.
"""

import base64
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection

from service.access_errors import ExportImpossible
from service.settings import VERSION, Settings
from service.stores.database import Database
from service.stores.files import files
from service.stores.migrations import METADATAS
from service.stores.tenancy.rows import OwnedTable, owned_tables, read_rows
from service.stores.tenancy.tenants import Tenants
from service.tenants.folders import find_folders

FORMAT, FORMAT_VERSION = "fingerpost-tenant", 1
SUFFIX = ".zip"


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export holds: rows by table, uploaded files, files of adapters and trainings."""

    tenant: str
    rows: Mapping[str, int]
    uploads: int
    files: int


def export_tenant(
    settings: Settings, database: Database, tenant: str, target: Path, *, overwrite: bool = False
) -> Exported:
    """Write everything of a tenant to `target`, and nothing of others, while everything runs.

    Args:
        settings: Of the home.
        database: Of the home; its rows are read as they are at one moment.
        tenant: Which.
        target: File to write, `.zip`; it appears once it is complete.
        overwrite: Whether an existing file may be replaced.

    Raises:
        TenantNotFound: There is no such tenant.
        ExportImpossible: The file cannot be written.
    """
    Tenants(database).get(tenant)
    if target.suffix != SUFFIX:
        raise ExportImpossible(f"{target} must end in {SUFFIX}.", param="file")
    if target.exists() and not overwrite:
        raise ExportImpossible(f"{target} exists already; --force replaces it.", param="file")
    try:
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".export-")
        try:
            with os.fdopen(handle, "wb") as opened:
                exported = _write(settings, database, tenant, opened)
                opened.flush()
                os.fsync(opened.fileno())
            os.replace(draft, target)
        finally:
            Path(draft).unlink(missing_ok=True)
    except OSError as exc:
        raise ExportImpossible(f"{target} cannot be written: {exc}.", param="file") from exc
    return exported


def _write(settings: Settings, database: Database, tenant: str, into: IO[bytes]) -> Exported:
    rows: dict[str, int] = {}
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with database.connect() as connection, connection.begin():
            for owned in owned_tables(METADATAS):
                if count := _write_table(archive, connection, owned, tenant):
                    rows[owned.table.name] = count
            uploads = _write_uploads(archive, connection, tenant)
        folders = find_folders(settings.paths, database, tenant)
        paths = (*folders.adapters, *folders.shared_adapters, *folders.trainings)
        written = sum(_write_folder(archive, path, settings.home) for path in paths)
        exported = Exported(tenant, rows, uploads, written)
        head = {"format": FORMAT, "format_version": FORMAT_VERSION, "fingerpost": VERSION}
        archive.writestr("manifest.json", json.dumps({**head, **asdict(exported)}, indent=1))
    return exported


def _write_table(
    archive: zipfile.ZipFile, connection: Connection, owned: OwnedTable, tenant: str
) -> int:
    """Write the tenant's rows of one table, one line each; return how many."""
    lines = 0
    with tempfile.TemporaryFile() as scratch:  # a table without rows gets no file
        for row in read_rows(connection, owned, tenant):
            if owned.table is files:
                del row["content"]
            line = json.dumps(row, ensure_ascii=False, default=_as_json)
            scratch.write(line.encode() + b"\n")
            lines += 1
        if lines:
            scratch.seek(0)
            with archive.open(f"rows/{owned.table.name}.jsonl", "w", force_zip64=True) as member:
                while block := scratch.read(1 << 20):
                    member.write(block)
    return lines


def _write_uploads(archive: zipfile.ZipFile, connection: Connection, tenant: str) -> int:
    """Write every uploaded file under its id: a name of its own could lead elsewhere."""
    count = 0
    for row in read_rows(connection, OwnedTable(files), tenant):
        archive.writestr(f"files/{row['file_id']}", row["content"])
        count += 1
    return count


def _write_folder(archive: zipfile.ZipFile, folder: Path, home: Path) -> int:
    """Write the plain files of a folder under their paths in the home; return how many."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    for path in found:
        archive.write(path, path.relative_to(home).as_posix())
    return len(found)


def _as_json(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(f"{type(value).__name__} has no form in JSON")

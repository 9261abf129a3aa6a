"""Backup: the database and its digest in one archive.

It knows SQLite files and the archive; it does not know what the tables mean, nor how a backup is
restored. The database holds the vectors, so the index is rebuilt from it. Adapter folders are
included on request (`adapter_files`); models never are.
"""

import io
import json
import os
import sqlite3
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from service.backup.adapter_files import (
    ArchivedFile,
    describe_file,
    list_files,
)
from service.errors import BackupImpossible
from service.settings import Settings

FORMAT = "fingerpost-backup"
FORMAT_VERSION = 2  # 1 had no adapters
SUFFIXES = (".tar.gz", ".tgz")
MANIFEST, DATABASE, ADAPTERS = "manifest.json", "state.db", "adapters"
_PAGES = 2_000  # copied between two reports of progress: 8 MB
_COMPRESSION = 1  # float16 vectors hardly compress, and text compresses well at any level

OnProgress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of a backup.

    Attributes:
        adapters: How many are registered in the database.
        adapter_files: Files of their folders by path; empty if the backup has none.
    """

    format: str
    format_version: int
    created_at: float
    sha256: str
    bytes: int
    schema: str | None
    knowledge_bases: int
    documents: int
    chunks: int
    adapters: int
    adapter_files: Mapping[str, ArchivedFile] = field(default_factory=dict)

    @property
    def included_adapters(self) -> int:
        """How many adapter folders are in the backup."""
        return len({path.partition("/")[0] for path in self.adapter_files})


def make_backup(
    settings: Settings,
    target: Path,
    *,
    overwrite: bool = False,
    with_adapters: bool = False,
    on_progress: OnProgress,
) -> Manifest:
    """Write a consistent copy of the database to `target`, while everything runs.

    Args:
        settings: Whose database.
        target: File to write, `.tar.gz`; it appears once it is complete.
        overwrite: Whether an existing file may be replaced.
        with_adapters: Whether to include the folders of all adapters that are not retired.
        on_progress: Called with the copied share, 0..1.

    Raises:
        BackupImpossible: No SQLite database, no space, the name is in use or has another suffix,
            or an adapter folder differs from its registered digest.
    """
    database = database_file(settings)
    if not database.is_file():
        raise BackupImpossible(f"There is no database at {database} yet, so nothing to back up.")
    if not target.name.endswith(SUFFIXES):
        raise BackupImpossible(f"{target} must end in {' or '.join(SUFFIXES)}.", param="file")
    if not target.parent.is_dir():
        raise BackupImpossible(f"There is no folder {target.parent}.", param="file")
    if target.exists() and not overwrite:
        raise BackupImpossible(f"{target} exists already; --force replaces it.", param="file")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as scratch:
            copy, archive = Path(scratch) / DATABASE, Path(scratch) / "archive"
            _copy_database(database, copy, on_progress)
            directory = settings.paths.adapters
            files = _list_adapters(copy, directory) if with_adapters else {}
            manifest = _describe(copy, files)
            _pack(copy, manifest, archive, directory)
            os.replace(archive, target)
            sync_folder(target.parent)
    except (OSError, sqlite3.Error) as exc:
        raise BackupImpossible(f"The backup could not be written: {exc}.") from exc
    return manifest


def database_file(settings: Settings) -> Path:
    """Return the file of the home's database; `BackupImpossible` if it is not a SQLite file."""
    try:
        url = make_url(settings.database_url)
    except ArgumentError as exc:
        raise BackupImpossible("state.url is not a database address.") from exc
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        raise BackupImpossible(f"state.url names a {url.get_backend_name()} database, not a file.")
    return Path(str(url.database)).absolute()


def _copy_database(source: Path, copy: Path, on_progress: OnProgress) -> None:
    def progress(_status: int, remaining: int, total: int) -> None:
        on_progress(1 - remaining / total if total else 1.0)

    with closing(open_existing(source)) as origin, closing(sqlite3.connect(copy)) as into:
        os.chmod(copy, 0o600)  # it contains documents and keys
        origin.execute("BEGIN")  # one snapshot: writers neither wait nor restart the copy
        origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
        origin.backup(into, pages=_PAGES, progress=progress)
        into.execute("PRAGMA journal_mode=DELETE")  # one file, no log beside it
        fault = into.execute("PRAGMA quick_check(1)").fetchone()[0]
    if fault != "ok":
        raise BackupImpossible(
            f"The database itself is damaged ({fault}); restore an older backup."
        )


def _list_adapters(copy: Path, directory: Path) -> dict[str, ArchivedFile]:
    """Return the files of every adapter that may still serve."""
    with closing(open_existing(copy)) as connection:
        query = "SELECT folder, sha256 FROM adapter_adapters WHERE state != 'retired'"
        registered = dict(connection.execute(query).fetchall())
    return list_files(directory, registered)


def _describe(copy: Path, files: Mapping[str, ArchivedFile]) -> Manifest:
    with closing(open_existing(copy)) as connection:
        tables = {r[0] for r in connection.execute("SELECT name FROM sqlite_master")}

        def count(table: str, where: str = "1") -> int:
            if table not in tables:
                return 0
            query = f"SELECT count(*) FROM {table} WHERE {where}"
            return int(connection.execute(query).fetchone()[0])

        return Manifest(
            format=FORMAT,
            format_version=FORMAT_VERSION,
            created_at=time.time(),
            **asdict(describe_file(copy)),
            schema=_schema(connection, tables),
            knowledge_bases=count("kb_bases"),
            documents=count("kb_documents", "active_version IS NOT NULL"),
            chunks=count("kb_chunks"),
            adapters=count("adapter_adapters"),
            adapter_files=files,
        )


def _schema(connection: sqlite3.Connection, tables: set[str]) -> str | None:
    if "alembic_version" not in tables:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _pack(copy: Path, manifest: Manifest, archive: Path, directory: Path) -> None:
    content = json.dumps(asdict(manifest), indent=1).encode()
    about = tarfile.TarInfo(MANIFEST)
    about.size, about.mtime, about.mode = len(content), int(manifest.created_at), 0o600
    with archive.open("wb") as file:
        os.chmod(archive, 0o600)
        with tarfile.open(
            fileobj=file, mode="w:gz", compresslevel=_COMPRESSION, dereference=True
        ) as tar:
            tar.addfile(about, io.BytesIO(content))
            tar.add(copy, DATABASE)
            for name in manifest.adapter_files:
                tar.add(directory / name, f"{ADAPTERS}/{name}")
        file.flush()
        os.fsync(file.fileno())


def open_existing(database: Path) -> sqlite3.Connection:
    """Open a database that must exist."""
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, timeout=10.0)


def sync_folder(folder: Path) -> None:
    """Write the names in a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

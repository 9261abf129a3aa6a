"""The whole state in one file, and back: the database, with its digest beside it.

It knows SQLite files and the archive; it does not know what the tables mean. Vectors are in the
database, so the index is refilled from it; adapter folders and models are not in a backup.
"""

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from service.errors import BackupImpossible, InvalidBackup, RestoreRefused
from service.home import Home
from service.migrations import is_known
from service.processes import one_start_at_a_time, read_instance
from service.settings import Settings

FORMAT = "fingerpost-backup"
FORMAT_VERSION = 1
SUFFIXES = (".tar.gz", ".tgz")
KEPT = ".before-restore"
_MANIFEST, _DATABASE = "manifest.json", "state.db"
_MAX_MANIFEST_BYTES = 100_000
_BLOCK = 1 << 20
_PAGES = 2_000  # copied between two looks at the progress: 8 MB
_COMPRESSION = 1  # float16 vectors hardly shrink, text does at once
_SIDES = ("-wal", "-shm")

OnProgress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself."""

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


@dataclass(frozen=True, slots=True)
class Restored:
    """A database that is back, and where the one before it lies."""

    manifest: Manifest
    database: Path
    kept: Path | None


def make_backup(
    settings: Settings, target: Path, *, overwrite: bool = False, on_progress: OnProgress
) -> Manifest:
    """Write a consistent copy of the database to `target`; everything may go on running.

    Args:
        settings: Whose database.
        target: File to write, `.tar.gz`; it appears whole or not at all.
        overwrite: Whether a file that is there may be replaced.
        on_progress: Called with the share that is copied, 0..1.

    Raises:
        BackupImpossible: No SQLite database, no place, or the name is taken or of another kind.
    """
    database = database_file(settings)
    if not database.is_file():
        raise BackupImpossible(f"There is no database at {database} yet; nothing to back up.")
    if not target.name.endswith(SUFFIXES):
        raise BackupImpossible(f"{target} must end in {' or '.join(SUFFIXES)}.", param="file")
    if not target.parent.is_dir():
        raise BackupImpossible(f"There is no folder {target.parent}.", param="file")
    if target.exists() and not overwrite:
        raise BackupImpossible(f"{target} is there already; --force replaces it.", param="file")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as scratch:
            copy, archive = Path(scratch) / _DATABASE, Path(scratch) / "archive"
            _copy_database(database, copy, on_progress)
            manifest = _describe(copy)
            _pack(copy, manifest, archive)
            os.replace(archive, target)
            _sync_folder(target.parent)
    except (OSError, sqlite3.Error) as exc:
        raise BackupImpossible(f"The backup could not be written: {exc}.") from exc
    return manifest


def restore_backup(settings: Settings, source: Path) -> Restored:
    """Put a backup in the place of the home's database; the old one is kept beside it.

    Everything is proved before anything is changed, and the swap is one rename: killed at any
    moment, the home has its old database or the new one. The next start refills the index.

    Raises:
        InvalidBackup: No backup, damaged, or newer than this version.
        RestoreRefused: The home runs, or something else has its database open.
        BackupImpossible: The database is not a SQLite file, or there is no room.
    """
    database = database_file(settings)
    home = settings.paths
    home.make()
    database.parent.mkdir(parents=True, exist_ok=True)
    with one_start_at_a_time(home):
        _refuse_running(home)
        with _unpacked(source, beside=database) as (copy, manifest):
            _take_alone(database)
            try:
                kept = _keep(database)
                os.replace(copy, database)
                _sync_folder(database.parent)
            except OSError as exc:
                raise BackupImpossible(f"The database could not be put in place: {exc}.") from exc
    return Restored(manifest, database, kept)


def database_file(settings: Settings) -> Path:
    """Return the file of the home's database. Raises `BackupImpossible` where it is none."""
    try:
        url = make_url(settings.database_url)
    except ArgumentError as exc:
        raise BackupImpossible("state.url is no database address.") from exc
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        raise BackupImpossible(f"state.url names a {url.get_backend_name()} database, not a file.")
    return Path(str(url.database)).absolute()


def _copy_database(source: Path, copy: Path, on_progress: OnProgress) -> None:
    def progress(_status: int, remaining: int, total: int) -> None:
        on_progress(1 - remaining / total if total else 1.0)

    with closing(_open(source)) as origin, closing(sqlite3.connect(copy)) as into:
        os.chmod(copy, 0o600)  # documents and keys are in it
        origin.execute("BEGIN")  # one snapshot: writers neither wait nor start the copy anew
        origin.execute("SELECT count(*) FROM sqlite_master").fetchone()
        origin.backup(into, pages=_PAGES, progress=progress)
        into.execute("PRAGMA journal_mode=DELETE")  # one file, no log beside it
        fault = into.execute("PRAGMA quick_check(1)").fetchone()[0]
    if fault != "ok":
        raise BackupImpossible(f"The database itself is damaged ({fault}); restore an older one.")


def _describe(copy: Path) -> Manifest:
    with closing(_open(copy)) as connection:
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
            sha256=_digest(copy),
            bytes=copy.stat().st_size,
            schema=_schema(connection, tables),
            knowledge_bases=count("kb_bases"),
            documents=count("kb_documents", "active_version IS NOT NULL"),
            chunks=count("kb_chunks"),
            adapters=count("adapters"),
        )


def _schema(connection: sqlite3.Connection, tables: set[str]) -> str | None:
    if "alembic_version" not in tables:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _pack(copy: Path, manifest: Manifest, archive: Path) -> None:
    content = json.dumps(asdict(manifest), indent=1).encode()
    about = tarfile.TarInfo(_MANIFEST)
    about.size, about.mtime, about.mode = len(content), int(manifest.created_at), 0o600
    with archive.open("wb") as file:
        os.chmod(archive, 0o600)
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=_COMPRESSION) as tar:
            tar.addfile(about, io.BytesIO(content))
            tar.add(copy, _DATABASE)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _unpacked(source: Path, *, beside: Path) -> Iterator[tuple[Path, Manifest]]:
    """Give the proved database of a backup, in a folder on the disk of `beside`."""
    prefix = f".restore-{beside.name}-"
    for left in beside.parent.glob(f"{prefix}*"):  # by a restore that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=beside.parent, prefix=prefix) as scratch:
        copy = Path(scratch) / _DATABASE
        try:
            with tarfile.open(source, "r:*") as tar:
                manifest = _read_manifest(tar)
                _extract(tar, copy, manifest)
        except FileNotFoundError as exc:
            raise InvalidBackup(f"There is no file {source}.", param="file") from exc
        except (tarfile.TarError, EOFError, zlib.error, OSError) as exc:
            raise InvalidBackup(f"{source} cannot be read as a backup: {exc}.") from exc
        _prove(copy)
        yield copy, manifest


def _read_manifest(tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    file = _content(tar, first, _MANIFEST)
    try:
        fields = json.loads(file.read(_MAX_MANIFEST_BYTES))
        if fields["format"] != FORMAT:
            raise InvalidBackup(f"This is a {fields['format']!r}, not a {FORMAT}.")
        version = int(fields["format_version"])
        if version > FORMAT_VERSION:
            raise InvalidBackup(
                f"The backup is of format {version}; this version reads up to {FORMAT_VERSION}. "
                "Restore it with the Fingerpost that made it, or a newer one."
            )
        manifest = Manifest(**fields)
    except (ValueError, KeyError, TypeError) as exc:
        raise InvalidBackup(f"Its {_MANIFEST} cannot be read: {exc}.") from exc
    if manifest.schema is not None and not is_known(manifest.schema):
        raise InvalidBackup(
            f"Its database is at step {manifest.schema!r}, which this version does not know. "
            "Update Fingerpost, then restore."
        )
    return manifest


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo | None, name: str) -> IO[bytes]:
    file = tar.extractfile(member) if member is not None and member.isreg() else None
    if file is None or member is None or member.name != name:
        raise InvalidBackup(f"It holds no {name} where a backup has it; it is none, or cut off.")
    return file


def _extract(tar: tarfile.TarFile, copy: Path, manifest: Manifest) -> None:
    file, digest, size = _content(tar, tar.next(), _DATABASE), hashlib.sha256(), 0
    with copy.open("wb") as into:
        os.chmod(copy, 0o600)
        while block := file.read(_BLOCK):
            size += len(block)
            if size > manifest.bytes:
                break
            digest.update(block)
            into.write(block)
        into.flush()
        os.fsync(into.fileno())
    if size != manifest.bytes or digest.hexdigest() != manifest.sha256:
        raise InvalidBackup("The digest of its database is not the one it names: it is damaged.")


def _prove(copy: Path) -> None:
    try:
        with closing(_open(copy)) as connection:
            fault = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as exc:
        fault = str(exc)
    if fault != "ok":
        raise InvalidBackup(f"The database in the backup is damaged: {fault}.")


def _refuse_running(home: Home) -> None:
    instance = read_instance(home)
    if instance is not None:
        raise RestoreRefused(f"{home.root} runs at {instance.url}.")


def _take_alone(database: Path) -> None:
    """Write the log back into the old database, which SQLite does only for the last user."""
    if not database.is_file():
        return
    try:
        with closing(sqlite3.connect(database, timeout=1.0)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as exc:
        if "locked" in str(exc) or "busy" in str(exc):
            raise RestoreRefused(f"Another process has {database} open.") from exc
    except sqlite3.DatabaseError:
        return  # damaged: the reason for a restore; it is kept as it is


def _keep(database: Path) -> Path | None:
    """Give the old database a second name; it keeps the first until the swap."""
    if not database.exists():
        return None
    kept, number = database.with_name(database.name + KEPT), 1
    while kept.exists():
        number += 1
        kept = database.with_name(f"{database.name}{KEPT}-{number}")
    _second_name(database, kept)
    for side in _SIDES:  # there only if the old database was damaged
        log = database.with_name(database.name + side)
        if log.exists():
            _second_name(log, kept.with_name(kept.name + side))
            log.unlink()
    return kept


def _second_name(file: Path, name: Path) -> None:
    try:
        os.link(file, name)
    except OSError:  # a file system without hard links
        shutil.copy2(file, name)


def _open(database: Path) -> sqlite3.Connection:
    """Open a database that must be there."""
    return sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True, timeout=10.0)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

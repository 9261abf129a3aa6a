"""The whole state in one file, and back: the database, with its digest beside it.

It knows SQLite files and the archive; it does not know what the tables mean. Vectors are in the
database, so the index is refilled from it. Adapter folders are in a backup that was asked to hold
them (`adapter_files`); models are not.
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
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from service.backup.adapter_files import (
    HeldFile,
    check_names,
    free_name,
    hold,
    list_files,
    put_in_place,
)
from service.errors import BackupImpossible, InvalidBackup, RestoreRefused
from service.home import Home
from service.settings import Settings
from service.stores.migrations import is_known
from service.supervision.processes import one_start_at_a_time, read_instance

FORMAT = "fingerpost-backup"
FORMAT_VERSION = 2  # 1 held no adapters
SUFFIXES = (".tar.gz", ".tgz")
_MANIFEST, _DATABASE, _ADAPTERS = "manifest.json", "state.db", "adapters"
_MAX_MANIFEST_BYTES = 10_000_000  # an adapter has some ten files of 150 bytes each here
_BLOCK = 1 << 20
_PAGES = 2_000  # copied between two looks at the progress: 8 MB
_COMPRESSION = 1  # float16 vectors hardly shrink, text does at once
_SIDES = ("-wal", "-shm")

OnProgress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    Attributes:
        adapters: How many the database registers.
        adapter_files: Files of their folders by path, empty where they are not in the backup.
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
    adapter_files: Mapping[str, HeldFile] = field(default_factory=dict)

    @property
    def held_adapters(self) -> int:
        """How many adapter folders are in the backup."""
        return len({path.partition("/")[0] for path in self.adapter_files})


@dataclass(frozen=True, slots=True)
class Restored:
    """A database that is back, and where what stood in its way lies."""

    manifest: Manifest
    database: Path
    kept: Path | None
    kept_adapters: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Proved:
    manifest: Manifest
    database: Path
    adapters: Path


def make_backup(
    settings: Settings,
    target: Path,
    *,
    overwrite: bool = False,
    with_adapters: bool = False,
    on_progress: OnProgress,
) -> Manifest:
    """Write a consistent copy of the database to `target`; everything may go on running.

    Args:
        settings: Whose database.
        target: File to write, `.tar.gz`; it appears whole or not at all.
        overwrite: Whether a file that is there may be replaced.
        with_adapters: Whether the folders of all adapters that are not retired go in too.
        on_progress: Called with the share that is copied, 0..1.

    Raises:
        BackupImpossible: No SQLite database, no place, the name is taken or of another kind, or
            an adapter's folder is not what was registered.
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
            directory = settings.paths.adapters
            held = _list_adapters(copy, directory) if with_adapters else {}
            manifest = _describe(copy, held)
            _pack(copy, manifest, archive, directory)
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
        with _unpacked(source, beside=database, home=home) as proved:
            _take_alone(database)
            held = proved.manifest.adapter_files
            try:
                # first, since folders that no database names do no harm
                kept_adapters = put_in_place(proved.adapters, home.adapters, held)
                _sync_folder(home.adapters)
                kept = _keep(database)
                os.replace(proved.database, database)
                _sync_folder(database.parent)
            except OSError as exc:
                raise BackupImpossible(f"The backup could not be put in place: {exc}.") from exc
    return Restored(proved.manifest, database, kept, kept_adapters)


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


def _list_adapters(copy: Path, directory: Path) -> dict[str, HeldFile]:
    """Return the files of every adapter that may still serve."""
    with closing(_open(copy)) as connection:
        query = "SELECT folder, sha256 FROM adapter_adapters WHERE state != 'retired'"
        registered = dict(connection.execute(query).fetchall())
    return list_files(directory, registered)


def _describe(copy: Path, held: Mapping[str, HeldFile]) -> Manifest:
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
            **asdict(hold(copy)),
            schema=_schema(connection, tables),
            knowledge_bases=count("kb_bases"),
            documents=count("kb_documents", "active_version IS NOT NULL"),
            chunks=count("kb_chunks"),
            adapters=count("adapter_adapters"),
            adapter_files=held,
        )


def _schema(connection: sqlite3.Connection, tables: set[str]) -> str | None:
    if "alembic_version" not in tables:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _pack(copy: Path, manifest: Manifest, archive: Path, directory: Path) -> None:
    content = json.dumps(asdict(manifest), indent=1).encode()
    about = tarfile.TarInfo(_MANIFEST)
    about.size, about.mtime, about.mode = len(content), int(manifest.created_at), 0o600
    with archive.open("wb") as file:
        os.chmod(archive, 0o600)
        with tarfile.open(
            fileobj=file, mode="w:gz", compresslevel=_COMPRESSION, dereference=True
        ) as tar:
            tar.addfile(about, io.BytesIO(content))
            tar.add(copy, _DATABASE)
            for name in manifest.adapter_files:
                tar.add(directory / name, f"{_ADAPTERS}/{name}")
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _unpacked(source: Path, *, beside: Path, home: Home) -> Iterator[_Proved]:
    """Give what a backup holds, proved, on the disks of the database and of the adapters."""
    with (
        _scratch(beside.parent, beside.name) as scratch,
        _scratch(home.adapters, _ADAPTERS) as adapters,
    ):
        copy = scratch / _DATABASE
        try:
            with tarfile.open(source, "r:*") as tar:
                manifest = _read_manifest(tar)
                _extract(tar, _DATABASE, HeldFile(manifest.bytes, manifest.sha256), copy)
                for name, held in manifest.adapter_files.items():
                    (adapters / name).parent.mkdir(parents=True, exist_ok=True)
                    _extract(tar, f"{_ADAPTERS}/{name}", held, adapters / name)
        except FileNotFoundError as exc:
            raise InvalidBackup(f"There is no file {source}.", param="file") from exc
        except (tarfile.TarError, EOFError, zlib.error, OSError) as exc:
            raise InvalidBackup(f"{source} cannot be read as a backup: {exc}.") from exc
        _prove(copy)
        yield _Proved(manifest, copy, adapters)


@contextmanager
def _scratch(inside: Path, name: str) -> Iterator[Path]:
    """Give an empty folder."""
    prefix = f".restore-{name}-"
    for left in inside.glob(f"{prefix}*"):  # by a restore that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=inside, prefix=prefix) as folder:
        yield Path(folder)


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
        held = {name: HeldFile(**file) for name, file in fields.pop("adapter_files", {}).items()}
        check_names(held)
        manifest = Manifest(**fields, adapter_files=held)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
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


def _extract(tar: tarfile.TarFile, name: str, held: HeldFile, copy: Path) -> None:
    file, digest, size = _content(tar, tar.next(), name), hashlib.sha256(), 0
    with copy.open("wb") as into:
        os.chmod(copy, 0o600)  # documents and keys are in it
        while block := file.read(_BLOCK):
            size += len(block)
            if size > held.bytes:
                break
            digest.update(block)
            into.write(block)
        into.flush()
        os.fsync(into.fileno())
    if HeldFile(size, digest.hexdigest()) != held:
        raise InvalidBackup(f"The digest of its {name} is not the one it names: it is damaged.")


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
    kept = free_name(database)
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


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

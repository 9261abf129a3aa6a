"""Restore: a backup verified and swapped in for the home's database.

It knows the archive and who may use the database meanwhile; it does not know what the tables mean.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from service.backup.adapter_files import ArchivedFile, check_names, free_name, restore_folders
from service.backup.archive import (
    ADAPTERS,
    DATABASE,
    FORMAT,
    FORMAT_VERSION,
    MANIFEST,
    Manifest,
    database_file,
    open_existing,
    sync_folder,
)
from service.errors import BackupImpossible, InvalidBackup, RestoreRefused
from service.home import Home
from service.settings import Settings
from service.stores.migrations import is_known
from service.supervision.instance import one_start_at_a_time, read_instance

_MAX_MANIFEST_BYTES = 10_000_000  # an adapter has some ten files of 150 bytes each here
_BLOCK = 1 << 20
_SIDES = ("-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored database, and the new paths of what was there before."""

    manifest: Manifest
    database: Path
    previous: Path | None
    previous_adapters: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class _Verified:
    manifest: Manifest
    database: Path
    adapters: Path


def restore_backup(settings: Settings, source: Path) -> Restored:
    """Replace the home's database by that of a backup; the old one is renamed, not deleted.

    Everything is verified before anything is changed, and the swap is one rename: killed at any
    moment, the home has its old database or the new one. The next start rebuilds the index.

    Raises:
        InvalidBackup: Not a backup, damaged, or newer than this version.
        RestoreRefused: The home runs, or another process has its database open.
        BackupImpossible: The database is not a SQLite file, or there is no space.
    """
    database = database_file(settings)
    home = settings.paths
    home.make()
    database.parent.mkdir(parents=True, exist_ok=True)
    with one_start_at_a_time(home):
        _refuse_running(home)
        with _unpacked(source, beside=database, home=home) as verified:
            _require_unused(database)
            files = verified.manifest.adapter_files
            try:
                # first, since folders that no database names are harmless
                folders = restore_folders(verified.adapters, home.adapters, files)
                sync_folder(home.adapters)
                previous = _keep_previous(database)
                os.replace(verified.database, database)
                sync_folder(database.parent)
            except OSError as exc:
                raise BackupImpossible(f"The backup could not be restored: {exc}.") from exc
    return Restored(verified.manifest, database, previous, folders)


@contextmanager
def _unpacked(source: Path, *, beside: Path, home: Home) -> Iterator[_Verified]:
    """Yield the verified content of a backup, on the disks of the database and of the adapters."""
    with (
        _scratch(beside.parent, beside.name) as scratch,
        _scratch(home.adapters, ADAPTERS) as adapters,
    ):
        copy = scratch / DATABASE
        try:
            with tarfile.open(source, "r:*") as tar:
                manifest = _read_manifest(tar)
                _extract(tar, DATABASE, ArchivedFile(manifest.bytes, manifest.sha256), copy)
                for name, expected in manifest.adapter_files.items():
                    (adapters / name).parent.mkdir(parents=True, exist_ok=True)
                    _extract(tar, f"{ADAPTERS}/{name}", expected, adapters / name)
        except FileNotFoundError as exc:
            raise InvalidBackup(f"There is no file {source}.", param="file") from exc
        except (tarfile.TarError, EOFError, zlib.error, OSError) as exc:
            raise InvalidBackup(f"{source} cannot be read as a backup: {exc}.") from exc
        _verify(copy)
        yield _Verified(manifest, copy, adapters)


@contextmanager
def _scratch(inside: Path, name: str) -> Iterator[Path]:
    """Yield an empty folder."""
    prefix = f".restore-{name}-"
    for leftover in inside.glob(f"{prefix}*"):  # of a restore that was killed
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=inside, prefix=prefix) as folder:
        yield Path(folder)


def _read_manifest(tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    file = _content(tar, first, MANIFEST)
    try:
        fields = json.loads(file.read(_MAX_MANIFEST_BYTES))
        if fields["format"] != FORMAT:
            raise InvalidBackup(f"This is a {fields['format']!r}, not a {FORMAT}.")
        version = int(fields["format_version"])
        if version > FORMAT_VERSION:
            raise InvalidBackup(
                f"The backup has format {version}; this version reads up to {FORMAT_VERSION}. "
                "Restore it with the Fingerpost version that made it, or a newer one."
            )
        files = {
            name: ArchivedFile(**file) for name, file in fields.pop("adapter_files", {}).items()
        }
        check_names(files)
        manifest = Manifest(**fields, adapter_files=files)
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InvalidBackup(f"Its {MANIFEST} cannot be read: {exc}.") from exc
    if manifest.schema is not None and not is_known(manifest.schema):
        raise InvalidBackup(
            f"Its database is at migration {manifest.schema!r}, unknown to this version. "
            "Update Fingerpost, then restore."
        )
    return manifest


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo | None, name: str) -> IO[bytes]:
    file = tar.extractfile(member) if member is not None and member.isreg() else None
    if file is None or member is None or member.name != name:
        raise InvalidBackup(
            f"It has no {name} where a backup has one; it is not a backup, or truncated."
        )
    return file


def _extract(tar: tarfile.TarFile, name: str, expected: ArchivedFile, copy: Path) -> None:
    file, digest, size = _content(tar, tar.next(), name), hashlib.sha256(), 0
    with copy.open("wb") as into:
        os.chmod(copy, 0o600)  # it contains documents and keys
        while block := file.read(_BLOCK):
            size += len(block)
            if size > expected.bytes:
                break
            digest.update(block)
            into.write(block)
        into.flush()
        os.fsync(into.fileno())
    if ArchivedFile(size, digest.hexdigest()) != expected:
        raise InvalidBackup(f"The digest of its {name} does not match: it is damaged.")


def _verify(copy: Path) -> None:
    try:
        with closing(open_existing(copy)) as connection:
            fault = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as exc:
        fault = str(exc)
    if fault != "ok":
        raise InvalidBackup(f"The database in the backup is damaged: {fault}.")


def _refuse_running(home: Home) -> None:
    instance = read_instance(home)
    if instance is not None:
        raise RestoreRefused(f"{home.root} runs at {instance.url}.")


def _require_unused(database: Path) -> None:
    """Write the log back into the old database; SQLite does so only for its last user."""
    if not database.is_file():
        return
    try:
        with closing(sqlite3.connect(database, timeout=1.0)) as connection:
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as exc:
        if "locked" in str(exc) or "busy" in str(exc):
            raise RestoreRefused(f"Another process has {database} open.") from exc
    except sqlite3.DatabaseError:
        return  # damaged: the reason for a restore; it stays as it is


def _keep_previous(database: Path) -> Path | None:
    """Give the old database a second name; it has the first as well until the swap."""
    if not database.exists():
        return None
    previous = free_name(database)
    _link(database, previous)
    for side in _SIDES:  # they exist only if the old database is damaged
        log = database.with_name(database.name + side)
        if log.exists():
            _link(log, previous.with_name(previous.name + side))
            log.unlink()
    return previous


def _link(file: Path, name: Path) -> None:
    try:
        os.link(file, name)
    except OSError:  # a file system without hard links
        shutil.copy2(file, name)

"""Unpacks an adapter's archive (tar or zip) that somebody else has made.

Every name is looked at before a byte is written: plain files and folders below the archive
itself, few of them, of a size that fits on the disk. Knows archives; knows no adapters.
"""

import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from adapters.errors import UnsafeAdapterFolder

MAX_FILES = 1000  # an adapter has some ten; checkpoints beside it some more
MAX_BYTES = 8 * 2**30  # rank 512 on all layers of a model of 70e9 parameters, in 16 bits
_TAR, _ZIP = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"), (".zip",)
_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, shutil.ReadError, zlib.error, lzma.LZMAError),
    *(EOFError, ValueError, RuntimeError, OSError),  # encrypted, unknown method, gzip's own
)


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    bytes: int
    is_plain: bool


def is_archive(path: Path) -> bool:
    """Say whether a name is that of an archive that can be unpacked."""
    return path.name.lower().endswith((*_TAR, *_ZIP))


def unpack(archive: Path, into: Path) -> None:
    """Unpack an archive into an empty folder.

    Raises:
        UnsafeAdapterFolder: It cannot be read, or holds links, special files, names that lead
            out of it, or more than an adapter is made of. Nothing was written then, but for an
            archive that turns out to be damaged on the way.
    """
    try:
        count = total = 0
        for entry in _entries(archive):
            count, total = count + 1, total + entry.bytes
            _check_entry(entry, archive.name)
            if count > MAX_FILES or total > min(MAX_BYTES, shutil.disk_usage(into).free):
                raise UnsafeAdapterFolder(
                    f"{archive.name} holds {count} files and {total} bytes or more; an adapter has "
                    f"at most {MAX_FILES} and {MAX_BYTES}, and they must fit on the disk"
                )
        if archive.name.lower().endswith(_ZIP):
            shutil.unpack_archive(archive, into, "zip")
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(into, filter="data")
    except _BROKEN as exc:
        raise UnsafeAdapterFolder(f"{archive.name} cannot be unpacked: {exc}") from exc


def _entries(archive: Path) -> Iterator[_Entry]:
    if archive.name.lower().endswith(_ZIP):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                yield _Entry(
                    info.orig_filename,
                    info.file_size,
                    kind in (0, stat.S_IFREG, stat.S_IFDIR),
                )
    else:
        with tarfile.open(archive) as tar:
            for member in tar:
                is_plain = (member.isreg() and not member.issparse()) or member.isdir()
                yield _Entry(member.name, member.size, is_plain)


def _check_entry(entry: _Entry, archive: str) -> None:
    parts = PurePosixPath(entry.name).parts
    leads_out = ".." in parts or entry.name.startswith("/") or "\\" in entry.name
    if leads_out or ":" in entry.name or "\0" in entry.name:
        raise UnsafeAdapterFolder(
            f"{archive} contains a path that leads outside the archive: {entry.name!r}"
        )
    if not entry.is_plain:
        raise UnsafeAdapterFolder(f"{archive} contains a link or a special file: {entry.name!r}")

"""Adapter folders in a backup: listed with their digests, packed, and put back in their place.

It knows files and digests; it does not know archives, nor what an adapter answers.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from adapters import AdapterError, digest_adapter
from service.errors import BackupImpossible, InvalidBackup

KEPT = ".before-restore"


@dataclass(frozen=True, slots=True)
class HeldFile:
    """Size and SHA-256 (hex) of one file in a backup."""

    bytes: int
    sha256: str


def hold(file: Path) -> HeldFile:
    """Return size and digest of a file."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return HeldFile(file.stat().st_size, digest)


def list_files(directory: Path, registered: Mapping[str, str]) -> dict[str, HeldFile]:
    """Return every file of the registered folders (name → digest) by its path below `directory`.

    Raises:
        BackupImpossible: A folder is missing, holds a link, or is not what was registered.
    """
    held: dict[str, HeldFile] = {}
    for name, sha256 in registered.items():
        if not _is_registered(directory / name, sha256):
            raise BackupImpossible(
                f"{directory / name} is missing or not the adapter that was registered. Retire it, "
                "or leave out --with-adapters."
            )
        for file in sorted((directory / name).rglob("*")):
            if file.is_symlink():
                raise BackupImpossible(f"{file} is a link; an adapter's folder holds plain files.")
            if file.is_file():
                held[file.relative_to(directory).as_posix()] = hold(file)
    return held


def check_names(names: Iterable[str]) -> None:
    """Raise `InvalidBackup` unless every name is that of a file inside an adapter's folder."""
    for name in names:
        parts = PurePosixPath(name).parts
        if len(parts) < 2 or ".." in parts or parts[0].startswith(("/", ".")) or "\\" in name:
            raise InvalidBackup(f"It names a file outside of the adapters: {name!r}.")


def put_in_place(unpacked: Path, directory: Path, held: Mapping[str, HeldFile]) -> tuple[Path, ...]:
    """Move proved folders into `directory`; a folder that is whole there stays as it is.

    Returns:
        Where folders with another content are kept that stood in the way.
    """
    kept: list[Path] = []
    for name in sorted({PurePosixPath(path).parts[0] for path in held}):
        place = directory / name
        files = {path: file for path, file in held.items() if path.startswith(f"{name}/")}
        if all(_is_whole(directory / path, file) for path, file in files.items()):
            continue
        if place.exists():
            kept.append(free_name(place))
            os.rename(place, kept[-1])
        os.rename(unpacked / name, place)
    return tuple(kept)


def free_name(path: Path) -> Path:
    """Return a name beside `path` under which what is there can be kept."""
    kept, number = path.with_name(path.name + KEPT), 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}{KEPT}-{number}")
    return kept


def _is_registered(folder: Path, sha256: str) -> bool:
    try:
        return digest_adapter(folder) == sha256
    except AdapterError:
        return False


def _is_whole(file: Path, expected: HeldFile) -> bool:
    return file.is_file() and not file.is_symlink() and hold(file) == expected

"""Adapter folders in a backup: listed with their digests, and restored.

It knows files and digests; it does not know archives, nor what an adapter answers.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from adapters import AdapterError, digest_adapter
from service.errors import BackupImpossible, InvalidBackup

PREVIOUS_SUFFIX = ".before-restore"


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """Size and SHA-256 (hex) of one file in a backup."""

    bytes: int
    sha256: str


def describe_file(file: Path) -> ArchivedFile:
    """Return size and digest of a file."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return ArchivedFile(file.stat().st_size, digest)


def list_files(directory: Path, registered: Mapping[str, str]) -> dict[str, ArchivedFile]:
    """Return every file of the registered folders (name → digest) by its path below `directory`.

    Raises:
        BackupImpossible: A folder is missing, has a link, or differs from its registered digest.
    """
    archived: dict[str, ArchivedFile] = {}
    for name, sha256 in registered.items():
        if not _is_registered(directory / name, sha256):
            raise BackupImpossible(
                f"{directory / name} is missing or differs from the registered adapter. Retire it, "
                "or run without --with-adapters."
            )
        for file in sorted((directory / name).rglob("*")):
            if file.is_symlink():
                raise BackupImpossible(
                    f"{file} is a link; an adapter folder may contain plain files only."
                )
            if file.is_file():
                archived[file.relative_to(directory).as_posix()] = describe_file(file)
    return archived


def check_names(names: Iterable[str]) -> None:
    """Raise `InvalidBackup` unless every name is that of a file inside an adapter's folder."""
    for name in names:
        parts = PurePosixPath(name).parts
        if len(parts) < 2 or ".." in parts or parts[0].startswith(("/", ".")) or "\\" in name:
            raise InvalidBackup(f"It names a file outside the adapter folders: {name!r}.")


def restore_folders(
    unpacked: Path, directory: Path, archived: Mapping[str, ArchivedFile]
) -> tuple[Path, ...]:
    """Move verified folders into `directory`; folders that are complete there stay as they are.

    Returns:
        The new paths of folders that had another content and were moved aside.
    """
    previous: list[Path] = []
    for name in sorted({PurePosixPath(path).parts[0] for path in archived}):
        place = directory / name
        files = {path: file for path, file in archived.items() if path.startswith(f"{name}/")}
        if all(_is_complete(directory / path, file) for path, file in files.items()):
            continue
        if place.exists():
            previous.append(free_name(place))
            os.rename(place, previous[-1])
        os.rename(unpacked / name, place)
    return tuple(previous)


def free_name(path: Path) -> Path:
    """Return an unused name beside `path` for what is there now."""
    free, number = path.with_name(path.name + PREVIOUS_SUFFIX), 1
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}{PREVIOUS_SUFFIX}-{number}")
    return free


def _is_registered(folder: Path, sha256: str) -> bool:
    try:
        return digest_adapter(folder) == sha256
    except AdapterError:
        return False


def _is_complete(file: Path, expected: ArchivedFile) -> bool:
    return file.is_file() and not file.is_symlink() and describe_file(file) == expected

"""The files below folders by their document ids, and what could not be read there, with a reason.

It knows links, hidden files and files that change; it does not know who may read a document
(`rules`) nor the knowledge base.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

from service.api.schemas.shapes import JsonObject
from service.cli.output import CommandFailed

T = TypeVar("T")

UNREADABLE = "unreadable_file"


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be written, or a part of a folder, and why."""

    document: str
    message: str
    code: str

    @classmethod
    def of(cls, document: str, exc: OSError | CommandFailed) -> "Failure":
        """Return the failure that an exception tells of."""
        if isinstance(exc, CommandFailed):
            return cls(document, str(exc), exc.code)
        return cls(document, f"{exc.filename or document}: {exc.strerror or exc}", UNREADABLE)

    def as_json(self) -> JsonObject:
        """Return what `--json` prints of it."""
        return {"document": self.document, "error": {"code": self.code, "message": self.message}}


@dataclass
class FoundFiles:
    """Files by document id: the path below a named folder, else the name."""

    files: dict[str, Path] = field(default_factory=dict)
    failed: list[Failure] = field(default_factory=list)

    def may_hold(self, name: str) -> bool:
        """Say whether there is, or may be where nothing could be read, a file of this id."""
        return name in self.files or any(
            name == row.document or name.startswith(f"{row.document}/") for row in self.failed
        )


def find_files(paths: Sequence[Path]) -> FoundFiles:
    """Return every file; in folders hidden ones are left out and links to folders not followed.

    Raises:
        CommandFailed: Two files would have the same id, there is none, or a folder that was named
            cannot be read.
    """
    found = FoundFiles()
    for path in paths:
        inside = _inside(path, found.failed) if path.is_dir() else [(path.name, path)]
        for name, file in inside:
            if name.startswith("."):
                continue
            if name in found.files:
                message = f"{found.files[name]} and {file} would both be the document {name!r}."
                raise CommandFailed(message, code="ambiguous_documents")
            found.files[name] = file
    if not found.files and not found.failed:
        raise CommandFailed("There is no file to add.", code="nothing_to_add")
    return found


def read_unchanged(file: Path, read: Callable[[BufferedReader], T]) -> T:
    """Return what `read` makes of a file that nobody writes meanwhile; a second time if need be.

    Raises:
        CommandFailed: It changed both times.
        OSError: It cannot be read.
    """
    for _ in range(2):
        before = _state(file)
        with file.open("rb") as content:
            made = read(content)
        if _state(file) == before:
            return made
    message = f"{file} changed while it was read. Repeat the command when it is written."
    raise CommandFailed(message, code="changed_while_read")


def identity(folder: Path) -> tuple[int, int] | None:
    """Return what tells a folder from another of its name; None where there is none."""
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _state(file: Path) -> tuple[int, int, int]:
    status = file.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _inside(folder: Path, failed: list[Failure]) -> Iterator[tuple[str, Path]]:
    """Yield the files below a folder with their ids in order; `failed` is told the others."""

    def name_of(path: str | Path) -> str:
        return Path(path).relative_to(folder).as_posix()

    def unreadable(exc: OSError) -> None:
        if Path(exc.filename) == folder:
            raise CommandFailed(f"{folder} cannot be read: {exc.strerror}.", code=UNREADABLE)
        failed.append(Failure.of(name_of(exc.filename), exc))

    root = folder.resolve()
    for place, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in sorted(name for name in [*links, *names] if not name.startswith(".")):
            file = Path(place, name)
            try:
                _require_file_inside(file, root)
            except (OSError, CommandFailed) as exc:
                failed.append(Failure.of(_printable(name_of(file)), exc))
            else:
                yield name_of(file), file


def _require_file_inside(file: Path, root: Path) -> None:
    """Raise `CommandFailed` unless it is a file, or a link to one, in the folder `root`."""
    _printable_or_fail(file)
    mode = file.stat().st_mode  # an `OSError` where a link leads nowhere or in a circle
    if stat.S_ISDIR(mode):
        message = f"{file} is a link to a folder, which is not followed. Put the folder there."
        raise CommandFailed(message, code="link_to_folder")
    if not stat.S_ISREG(mode):
        raise CommandFailed(f"{file} is no regular file.", code=UNREADABLE)
    if not file.resolve().is_relative_to(root):
        message = f"{file} is a link out of the folder. Put a copy of the file there."
        raise CommandFailed(message, code="link_out_of_folder")


def _printable(name: str) -> str:
    return name.encode(errors="backslashreplace").decode()


def _printable_or_fail(file: Path) -> None:
    if _printable(file.name) != file.name:
        message = f"{_printable(str(file))}: the name is not UTF-8. Rename the file."
        raise CommandFailed(message, code="unreadable_name")

"""The files below folders by their document ids, and what could not be read there, with a reason.

It knows links, files of programs and files that change; it does not know who may read a document
(`rules`) nor the knowledge base.
"""

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

from rich.console import Console

from service.api.schemas.shapes import JsonObject
from service.cli.kb.system_files import RULES_FILE, why_skipped
from service.cli.output import CommandFailed

T = TypeVar("T")

UNREADABLE = "unreadable_file"
MOST_PRINTED = 20  # skipped files, a line each: what a screen shows beside the result


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
    """Files by document id: the path below a named folder, else the name.

    Attributes:
        failed: What could not be read, and why.
        skipped: Files and folders of programs by what their id would be, and what they are.
    """

    files: dict[str, Path] = field(default_factory=dict)
    failed: list[Failure] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def may_hold(self, name: str) -> bool:
        """Say whether there is, or may be where nothing could be read, a file of this id."""
        unread = [*self.skipped, *(row.document for row in self.failed)]
        return name in self.files or any(
            name == place or name.startswith(f"{place}/") for place in unread
        )

    def skipped_as_json(self) -> list[JsonObject]:
        """Return what `--json` prints of the files that were left out."""
        return [{"document": name, "why": why} for name, why in sorted(self.skipped.items())]


def find_files(paths: Sequence[Path]) -> FoundFiles:
    """Return every file but those of programs and hidden ones; links to folders are not followed.

    Raises:
        CommandFailed: Two files would have the same id, there is none, or a folder that was named
            cannot be read.
    """
    found = FoundFiles()
    for path in paths:
        inside = _inside(path, found) if path.is_dir() else _alone(path, found)
        for name, file in inside:
            if name in found.files:
                message = f"{found.files[name]} and {file} would both be the document {name!r}."
                raise CommandFailed(message, code="ambiguous_documents")
            found.files[name] = file
    if not found.files and not found.failed:
        told = "".join(f" {name} is left out: {why}." for name, why in found.skipped.items())
        raise CommandFailed(f"There is no file to add.{told[:500]}", code="nothing_to_add")
    return found


def print_skipped(out: Console, skipped: Mapping[str, str], *, width: int) -> None:
    """Print a line for each file that was left out, and how many more there are."""
    rows = sorted(skipped.items())
    for name, why in rows[:MOST_PRINTED]:
        out.print(f"{'skipped':<{width}}{name}: {why}", markup=False)
    if len(rows) > MOST_PRINTED:
        more = len(rows) - MOST_PRINTED
        out.print(f"{'skipped':<{width}}{more} more; --json names all", markup=False)


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


def _alone(file: Path, found: FoundFiles) -> Iterator[tuple[str, Path]]:
    if why := why_skipped(file.name):
        found.skipped[file.name] = why
    else:
        yield file.name, file


def _inside(folder: Path, found: FoundFiles) -> Iterator[tuple[str, Path]]:
    """Yield the files below a folder with their ids in order; `found` is told the others."""

    def name_of(path: str | Path) -> str:
        return Path(path).relative_to(folder).as_posix()

    def unreadable(exc: OSError) -> None:
        if Path(exc.filename) == folder:
            raise CommandFailed(f"{folder} cannot be read: {exc.strerror}.", code=UNREADABLE)
        found.failed.append(Failure.of(name_of(exc.filename), exc))

    def is_meant(place: str, name: str) -> bool:
        why = why_skipped(name)
        if why is not None and name != RULES_FILE:
            found.skipped[_printable(name_of(Path(place, name)))] = why
        return why is None

    root = folder.resolve()
    for place, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if is_meant(place, name))
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in sorted([*links, *(name for name in names if is_meant(place, name))]):
            file = Path(place, name)
            try:
                _require_file_inside(file, root)
            except (OSError, CommandFailed) as exc:
                found.failed.append(Failure.of(_printable(name_of(file)), exc))
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

"""Rows on their way through a pipeline: each with the steps that changed it, kept in files.

A file of rows is written as a draft and renamed when it is whole; its hash is what the next step
is cached by. It knows no step.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import TypeAdapter

from adapters.data.rows import Row


@dataclass(frozen=True, slots=True)
class TrackedRow:
    """A row, and the names of the steps that changed or made it, in their order."""

    row: Row
    steps: tuple[str, ...] = ()


_TRACKED = TypeAdapter(TrackedRow)


class Draft:
    """A file of JSON lines that appears under its name when it is whole, or not at all."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._draft = file.with_name(f".{file.name}.{os.getpid()}.new")
        self._lines = self._draft.open("wb")
        self._digest = hashlib.sha256()
        self.count = 0

    def write(self, value: object) -> None:
        """Add one line."""
        line = json.dumps(value, ensure_ascii=False).encode() + b"\n"
        self._lines.write(line)
        self._digest.update(line)
        self.count += 1

    def write_row(self, tracked: TrackedRow) -> None:
        """Add one row."""
        self.write(_TRACKED.dump_python(tracked, mode="json"))

    def finish(self) -> str:
        """Give the file its name, and return the SHA-256 (hex) of its content."""
        self._lines.close()
        os.replace(self._draft, self._file)
        return self._digest.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Leave nothing behind if it was not finished."""
        self._lines.close()
        self._draft.unlink(missing_ok=True)


def read_rows(file: Path) -> Iterator[TrackedRow]:
    """Yield the rows of a file as `Draft.write_row` wrote them."""
    for value in read_lines(file):
        yield _TRACKED.validate_python(value)


def read_lines(file: Path) -> Iterator[dict[str, object]]:
    """Yield the objects of a file of JSON lines."""
    with file.open("rb") as lines:
        for line in lines:
            yield json.loads(line)

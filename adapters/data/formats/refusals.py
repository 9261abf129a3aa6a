"""Why a row or a file cannot be used.

It knows reasons in words and where a row stands; it does not know what is wrong with rows.
"""

from dataclasses import dataclass
from pathlib import Path


class BadRow(Exception):
    """Why one row cannot be used; becomes a `Refusal`, never leaves this folder."""


class UnreadableFile(Exception):
    """Why the rest of a file cannot be read; becomes a `Refusal`, never leaves this folder."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that cannot be used, or the rest of a file.

    Attributes:
        file: Where it was read.
        line: As in `Row`; 0 where the file is refused as a whole.
        reason: What is wrong and, where that is not plain, what to do.
    """

    file: Path
    line: int
    reason: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else f"{self.file}"
        return f"{where}: {self.reason}"

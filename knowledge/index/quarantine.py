"""Damaged index folders in quarantine: their names, which of them stays, what operators are told.

It knows names and folders; it does not know what damage is (`probe`).
"""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

HINT = "Delete it once the index is ok and nothing is pending: the database holds all of it."


@dataclass(frozen=True, slots=True)
class QuarantinedIndex:
    """Damaged folders beside the one that serves.

    Attributes:
        count: How many; each move deletes the older ones, so more than one could not be deleted.
        newest: Name of the newest, `NAME.damaged-TIME`.
        hint: What the operator may do.
    """

    count: int
    newest: str
    hint: str = HINT


def quarantine(folder: Path) -> Path:
    """Move a folder to `NAME.damaged-TIME` beside it, delete older ones, leave an empty folder."""
    for older in _quarantined(folder):
        shutil.rmtree(older, ignore_errors=True)
    damaged = folder.with_name(f"{folder.name}.damaged-{time.strftime('%Y%m%dT%H%M%S')}")
    folder.rename(damaged)
    folder.mkdir()
    return damaged


def find_quarantined(folder: Path) -> QuarantinedIndex | None:
    """Return what is in quarantine beside a folder, None where nothing is."""
    found = _quarantined(folder)
    return QuarantinedIndex(len(found), found[-1].name) if found else None


def _quarantined(folder: Path) -> list[Path]:
    """Return the folders in quarantine, oldest first."""
    return sorted(folder.parent.glob(f"{folder.name}.damaged-*"))

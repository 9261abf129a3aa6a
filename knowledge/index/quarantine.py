"""Damaged index folders moved aside: how they are named, which is kept, what is told of them.

It knows names and folders; it does not know what damage is (`probe`).
"""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

HINT = "Delete it once the index is ok and nothing is pending: all of it is in the database."


@dataclass(frozen=True, slots=True)
class SetAside:
    """Damaged folders that lie beside the one that serves.

    Attributes:
        count: How many; each move deletes the older ones, so more than one could not be deleted.
        newest: Name of the newest, `NAME.damaged-TIME`.
        hint: What the operator may do.
    """

    count: int
    newest: str
    hint: str = HINT


def set_aside(folder: Path) -> Path:
    """Move a folder to `NAME.damaged-TIME` beside it; of those only this one is kept."""
    for older in _beside(folder):
        shutil.rmtree(older, ignore_errors=True)
    aside = folder.with_name(f"{folder.name}.damaged-{time.strftime('%Y%m%dT%H%M%S')}")
    folder.rename(aside)
    folder.mkdir()
    return aside


def find_set_aside(folder: Path) -> SetAside | None:
    """Return what was set aside of a folder, None where nothing lies there."""
    found = _beside(folder)
    return SetAside(len(found), found[-1].name) if found else None


def _beside(folder: Path) -> list[Path]:
    """Return the folders set aside, oldest first."""
    return sorted(folder.parent.glob(f"{folder.name}.damaged-*"))

"""Renames a finished folder to its final name in one step, flushed to the disk first.

So a reader, and a machine that lost its power, sees the whole folder or none. Knows no content.
"""

import os
from pathlib import Path


def atomic_rename(made: Path, target: Path) -> None:
    """Rename a finished folder on the same disk to `target`, which must not exist.

    Raises:
        OSError: The disk is full or broken, or `target` exists and is not empty.
    """
    for path in (*made.rglob("*"), made):
        _flush(path)
    os.rename(made, target)
    _flush(target.parent)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

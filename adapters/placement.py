"""Puts a finished folder in its place: through to the disk first, then renamed at once.

So a reader, and a machine that lost its power, sees the whole folder or none. Knows no content.
"""

import os
from pathlib import Path


def put_in_place(made: Path, target: Path) -> None:
    """Rename a finished folder on the same disk to `target`, which must not exist.

    Raises:
        OSError: The disk is full or broken, or `target` exists and is not empty.
    """
    for path in (*made.rglob("*"), made):
        _write_through(path)
    os.rename(made, target)
    _write_through(target.parent)


def _write_through(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

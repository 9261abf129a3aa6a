"""What Chroma leaves in its folder of collections that were dropped, and how it is erased.

Chroma 1.5 drops a collection's rows, but leaves the folder of its vectors, the freed pages of its
database, and the last vector ever written, whose place in the queue it counts on from. It knows
Chroma's tables (`segments`, `collections`, `embeddings_queue`); it does not know ours.
"""

import contextlib
import shutil
import sqlite3
import uuid
from pathlib import Path

DATABASE = "chroma.sqlite3"
PATIENCE_S = 10.0  # for a server that writes meanwhile; a write of ours takes well under 1 s


def erase_remains(folder: Path) -> bool:
    """Erase what dropped collections left; the server may run.

    Returns:
        False where the database was busy for too long or cannot be read: call it again.
    """
    file = folder / DATABASE
    if not file.is_file():
        return True
    # looked up before the database is read: a folder made meanwhile is of a new collection
    folders = [path for path in folder.iterdir() if path.is_dir() and _is_uuid(path.name)]
    try:
        with contextlib.closing(
            sqlite3.connect(file, timeout=PATIENCE_S, isolation_level=None)
        ) as chroma:
            chroma.execute("PRAGMA secure_delete=ON")
            _blank_queue(chroma)
            chroma.execute("VACUUM")
            serving = {str(row[0]) for row in chroma.execute("SELECT id FROM segments")}
    except sqlite3.Error:
        return False
    for path in folders:
        if path.name not in serving:
            shutil.rmtree(path)
    return True


def _blank_queue(chroma: sqlite3.Connection) -> None:
    """Empty the rows of dropped collections; a row itself stays, the last one is counted on."""
    chroma.execute("BEGIN IMMEDIATE")
    living = tuple(str(row[0]) for row in chroma.execute("SELECT id FROM collections"))
    queued = chroma.execute("SELECT seq_id, topic FROM embeddings_queue").fetchall()
    chroma.executemany(
        "UPDATE embeddings_queue SET id = 'erased', vector = NULL, metadata = NULL "
        "WHERE seq_id = ?",
        [(seq_id,) for seq_id, topic in queued if not (living and topic.endswith(living))],
    )
    chroma.execute("COMMIT")


def _is_uuid(name: str) -> bool:
    try:
        return str(uuid.UUID(name)) == name
    except ValueError:
        return False

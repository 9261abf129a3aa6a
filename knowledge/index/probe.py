"""Checks Chroma's folder before it is served, and moves a damaged one to quarantine.

`python -m knowledge.index.probe FOLDER` checks; `… FOLDER -- COMMAND…` then becomes the command.
It knows that the folder is an index and can be filled again from SQL (`reconcile`); it does not
know SQL.

The check runs in a child process, since a cut HNSW file can crash the process that loads it
(chroma-core/chroma#6949). An older folder put back is whole: reconcile brings it up to date.
"""

import logging
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

from knowledge.errors import KnowledgeError
from knowledge.index.chroma import ChromaIndex
from knowledge.index.quarantine import quarantine

logger = logging.getLogger("knowledge.index.probe")

TIMEOUT_S = 300.0  # a folder that hangs is damaged; 10,000 vectors take about 1 s
DATABASE = "chroma.sqlite3"
UNREACHABLE_SHARE = 0.01  # a sound graph of thousands may miss one; reconcile is stricter


def probe(folder: Path) -> str | None:
    """Return what is wrong with the folder, None where it can be served."""
    if not folder.is_dir() or not any(folder.iterdir()):
        return None  # nothing there yet
    if not (folder / DATABASE).is_file():
        return f"{DATABASE} is missing"
    argv = [sys.executable, "-m", "knowledge.index.probe", "--inspect", str(folder)]
    try:
        child = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {TIMEOUT_S:g} s"
    if child.returncode == 0:
        return None
    message = (child.stderr.strip().splitlines() or ["no message"])[-1]
    if child.returncode < 0:
        return f"the process that opened it died of signal {-child.returncode} ({message})"
    return message


def quarantine_if_damaged(folder: Path) -> str | None:
    """Check, and leave an empty folder in place of a damaged one; return what was wrong."""
    wrong = probe(folder)
    if wrong is not None:
        moved_to = quarantine(folder)
        logger.warning(
            "the vector index is damaged: %s. Moved to %s; reconcile fills a new one from SQL.",
            wrong,
            moved_to,
        )
    return wrong


def inspect(folder: Path) -> str | None:
    """Open the folder in this process and read all of it: may crash. Return what is wrong."""
    try:
        with sqlite3.connect(folder / DATABASE) as connection:
            ((verdict,), *_) = connection.execute("PRAGMA quick_check(1)").fetchall()
        connection.close()
    except sqlite3.Error as exc:
        return f"{DATABASE}: {exc}"
    if verdict != "ok":
        return f"{DATABASE}: {verdict}"
    index = ChromaIndex.open(folder)
    try:
        for collection in sorted(index.collections()):
            stored = index.ids(collection)
            lost = stored - index.reachable(collection)
            if len(lost) > UNREACHABLE_SHARE * len(stored):
                return f"{collection}: {len(lost)} of {len(stored)} vectors cannot be found"
    except KnowledgeError as exc:
        return str(exc)
    finally:
        index.close()
    return None


def main(arguments: list[str]) -> int:
    """Check the folder and become the command that follows `--`; 1: it was damaged."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    if arguments[:1] == ["--inspect"]:
        wrong = inspect(Path(arguments[1]))
        sys.stderr.write(f"{' '.join(wrong.split())}\n" if wrong else "")
        sys.stderr.flush()
        os._exit(1 if wrong else 0)  # no destructors: the library may be damaged
    if not arguments or (len(arguments) > 1 and arguments[1] != "--"):
        sys.stderr.write("usage: python -m knowledge.index.probe FOLDER [-- COMMAND…]\n")
        return 2
    wrong = quarantine_if_damaged(Path(arguments[0]))
    command = arguments[2:]
    if command:
        os.execvp(command[0], command)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

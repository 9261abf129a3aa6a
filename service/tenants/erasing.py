"""What was deleted leaves the files of a home: the database's log, Chroma's folder.

It knows which files a home has and which processes use them; it does not know what was deleted.
"""

import contextlib
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from knowledge import ChromaIndex, KnowledgeError, VectorIndex, erase_remains
from service.home import Home
from service.settings import Settings
from service.stores.database import Database
from service.supervision.instance import one_start_at_a_time, read_instance

log = logging.getLogger(__name__)

TRIES, PAUSE_S = 40, 0.25  # a checkpoint waits for readers, of whom each takes milliseconds


def is_running(home: Home) -> bool:
    """Return whether gateway and worker of a home run."""
    return read_instance(home) is not None


@contextmanager
def vector_index(settings: Settings) -> Iterator[VectorIndex | None]:
    """Give the vector index of a home: its server where one runs, else its folder.

    A home that does not run cannot be started meanwhile: only one process may open the folder.
    None where the server does not answer.

    Raises:
        HomeInUse: The home is being started right now.
    """
    home, config, ports = settings.paths, settings.knowledge, settings.paths.read_ports()
    with contextlib.ExitStack() as stack:
        if settings.index.host is not None:
            index = ChromaIndex.connect(settings.index.host, settings.index.port)
        elif is_running(home) and ports is not None:
            timeout_s = config.chroma_write_timeout_s
            index = ChromaIndex.connect("127.0.0.1", ports.chroma, write_timeout_s=timeout_s)
        else:
            home.make()
            stack.enter_context(one_start_at_a_time(home))
            index = ChromaIndex.open(home.chroma)
        stack.callback(index.close)
        yield index if _answers(index) else None


def _answers(index: VectorIndex) -> bool:
    try:
        index.ping()
    except KnowledgeError as exc:
        log.warning("the vector index does not answer: %s", exc)
        return False
    return True


def cut_log(database: Database) -> bool:
    """Write SQLite's log back and empty it; deleted rows are overwritten as they are deleted.

    Returns:
        False where others read the database all the time; the log is cut once they pause.
    """
    if database.dialect.name != "sqlite":
        return True
    for _ in range(TRIES):
        with contextlib.closing(database.raw_connection()) as pooled:
            assert pooled.driver_connection is not None
            busy, _, _ = pooled.driver_connection.execute(
                "PRAGMA wal_checkpoint(TRUNCATE)"
            ).fetchone()
        if not busy:
            return True
        time.sleep(PAUSE_S)
    return False


def erase_index_remains(settings: Settings) -> bool:
    """Erase what Chroma left of dropped collections; False where its folder is not at hand."""
    return settings.index.host is None and erase_remains(settings.paths.chroma)

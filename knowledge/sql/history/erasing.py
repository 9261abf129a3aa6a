"""What was deleted leaves the database's files too: pages, the log beside them, the word index.

It knows SQLite's files; it does not know what was deleted. Rows and pages are overwritten as they
are freed (`secure_delete`). Two places outlive them: the write-ahead log, until it is written back
and cut, and FTS5, whose words stay beside a mark that they are gone until its parts are merged.
The other databases see to it themselves (PostgreSQL: VACUUM).
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from knowledge.sql.tables import LEXICAL_TABLE

logger = logging.getLogger(__name__)

MERGED_PAGES = 500  # in one step, 0.2 s on two busy cores; other writers come between two steps
PATIENCE_MS = 1_000  # longest wait for readers of the log, while writers wait too
REST = 10  # times its own duration that erasing rests: of many deletions it takes a tenth
_MERGE = f"INSERT INTO {LEXICAL_TABLE}({LEXICAL_TABLE}, rank) VALUES('merge', ?)"


class Eraser:
    """Erases what was deleted from the files of one database.

    Merging the word index costs 0.9 s at 10,000 chunks and 2.4 s at 50,000 (two busy cores), so
    that of deletions in a row the first is erased at once and the others soon (`catch_up`).
    """

    def __init__(self, database: Engine) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._rests_until = 0.0
        self._is_due = True  # a process before this one may have been stopped in between

    def erase(self, *, at_once: bool = False) -> None:
        """Erase what was deleted: now, or where erasing rests, in a later `catch_up`.

        Args:
            at_once: Even so.
        """
        self._is_due = True
        self.catch_up(at_once=at_once)

    def catch_up(self, *, at_once: bool = False) -> None:
        """Erase what is due, and cut the log; never raises."""
        if self._database.dialect.name != "sqlite":
            return
        with self._lock:
            began = time.monotonic()
            if began < self._rests_until and not at_once:
                return
            was_due, self._is_due = self._is_due, False
            try:
                if was_due:
                    self._merge_words()
                self._cut_log()
            except SQLAlchemyError:
                self._is_due = True
                logger.exception("what was deleted is not erased from the files yet; retrying")
            now = time.monotonic()
            self._rests_until = now + REST * (now - began)

    def _merge_words(self) -> None:
        """Merge the word index into one part, which holds no word of a removed row."""
        with self._statements() as (run, total_changes):
            pages = -MERGED_PAGES  # below 0: begin to merge all parts, then go on
            changed = 2
            while changed >= 2:  # as SQLite documents it: fewer means that nothing is left
                before = total_changes()
                run(_MERGE, (pages,))
                changed, pages = total_changes() - before, MERGED_PAGES

    def _cut_log(self) -> None:
        with self._statements() as (run, _):
            run("PRAGMA wal_checkpoint(TRUNCATE)", ())

    @contextmanager
    def _statements(self) -> Iterator[tuple[Any, Any]]:
        """Give how to run statements that must be outside of a transaction."""
        pooled = self._database.raw_connection()
        raw = pooled.driver_connection
        assert raw is not None
        (patience_ms,) = raw.execute("PRAGMA busy_timeout").fetchone()
        raw.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")
        try:
            yield lambda sql, values: raw.execute(sql, values).fetchall(), lambda: raw.total_changes
        except raw.Error as exc:
            raise SQLAlchemyError(str(exc)) from exc
        finally:
            raw.execute(f"PRAGMA busy_timeout={patience_ms}")
            pooled.close()

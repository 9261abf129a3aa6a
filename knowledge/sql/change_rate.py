"""How much knowledge there is, how old, how often it changes: measured from its history.

It knows versions and time; it does not know what the router makes of the facts.
"""

import time
from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from knowledge.sql.tables import versions
from knowledge.types import KnowledgeFacts

WINDOW_WEEKS = 4.0  # a month smooths over weekends and releases, and forgets last quarter
DAY_S = 86_400.0
WEEK_S = 7 * DAY_S
CHANGES = ("replaced", "deleted")
ANY_CHANGE = ("added", *CHANGES)


def measure(
    connection: Connection, base_pks: Sequence[int], *, now: float | None = None
) -> KnowledgeFacts:
    """Return sizes, age and the rate of change of these bases together.

    A change is a replaced or deleted document: additions do not make an adapter wrong. The
    window is the last `WINDOW_WEEKS`, or the time since the first document came in if that is
    shorter, but never under one week, so that a first day's corrections do not count as 7 a day.
    """
    at = time.time() if now is None else now
    owned = versions.c.base_pk.in_(list(base_pks))
    live = versions.c.state == "active"
    documents, chunks, tokens, first, last = connection.execute(
        select(
            func.count().filter(live),
            func.sum(versions.c.chunks).filter(live),
            func.sum(versions.c.tokens).filter(live),
            func.min(versions.c.activated_at),
            func.max(versions.c.activated_at).filter(versions.c.change.in_(ANY_CHANGE)),
        ).where(owned)
    ).one()
    age_weeks = (at - first) / WEEK_S if first is not None else 0.0
    window_weeks = max(1.0, min(WINDOW_WEEKS, age_weeks))
    changes, outdated = connection.execute(
        select(func.count(), func.sum(versions.c.chunks_outdated))
        .where(owned, versions.c.change.in_(CHANGES))
        .where(versions.c.activated_at >= at - window_weeks * WEEK_S)
    ).one()
    return KnowledgeFacts(
        documents=documents,
        chunks=chunks or 0,
        tokens=tokens or 0,
        changes_per_week=changes / window_weeks,
        chunk_changes_per_week=(outdated or 0) / window_weeks,
        window_weeks=window_weeks,
        age_days=_days(first, at),
        unchanged_days=_days(last, at),
        last_change_at=last,
    )


def _days(since: float | None, at: float) -> float | None:
    """Return the days between; 0 where the clock was set back meanwhile."""
    return None if since is None else max(0.0, at - since) / DAY_S

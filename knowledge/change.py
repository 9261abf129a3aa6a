"""How often the knowledge changes, measured from its history: facts for the router.

It knows versions and time; it does not know what the router makes of the facts.
"""

import time
from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from knowledge.tables import documents, versions
from knowledge.types import KnowledgeFacts

WINDOW_WEEKS = 4.0  # a month smooths over weekends and releases, and forgets last quarter
WEEK_S = 7 * 86_400.0
CHANGES = ("replaced", "deleted")


def measure(
    connection: Connection, base_pks: Sequence[int], *, now: float | None = None
) -> KnowledgeFacts:
    """Return sizes and the rate of change of these bases together.

    A change is a replaced or deleted document: additions do not make an adapter wrong. The
    window is the last `WINDOW_WEEKS`, or the time since the first document came in if that is
    shorter, but never under one week, so that a first day's corrections do not count as 7 a day.
    """
    at = time.time() if now is None else now
    owned = versions.c.base_pk.in_(list(base_pks))
    sizes = connection.execute(
        select(func.count(), func.sum(versions.c.chunks), func.sum(versions.c.tokens))
        .select_from(documents)
        .join(versions, versions.c.pk == documents.c.active_version)
        .where(owned)
    ).one()
    first, last = connection.execute(
        select(func.min(versions.c.activated_at), func.max(versions.c.activated_at)).where(owned)
    ).one()
    age_weeks = (at - first) / WEEK_S if first is not None else 0.0
    window_weeks = max(1.0, min(WINDOW_WEEKS, age_weeks))
    changes = connection.scalar(
        select(func.count())
        .select_from(versions)
        .where(owned, versions.c.change.in_(CHANGES))
        .where(versions.c.activated_at >= at - window_weeks * WEEK_S)
    )
    return KnowledgeFacts(
        documents=sizes[0],
        chunks=sizes[1] or 0,
        tokens=sizes[2] or 0,
        changes_per_week=(changes or 0) / window_weeks,
        window_weeks=window_weeks,
        last_change_at=last,
    )

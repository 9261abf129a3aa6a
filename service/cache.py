"""Values read from the database now and then instead of at every request.

It knows age and change; it does not know what is read.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from anyio import to_thread

log = logging.getLogger(__name__)

FRESH_S = 0.25  # a value this young is used as it is
STALE_S = 0.5  # what another process changed is seen after this long at the latest
MAX_ENTRIES = 1_000


class Cache:
    """Values that are read again once they are older than `FRESH_S`.

    Until `STALE_S` the known value is used while it is read again beside the request, so that
    under load no request waits for the database.
    """

    def __init__(self, *, fresh_s: float | None = None, stale_s: float | None = None) -> None:
        """Read values again once they are `fresh_s` old, and wait for it at `stale_s`."""
        self._fresh_s = FRESH_S if fresh_s is None else fresh_s
        self._stale_s = STALE_S if stale_s is None else stale_s
        self._values: dict[object, tuple[float, Any]] = {}
        self._reading: dict[object, asyncio.Task[Any]] = {}
        self._invalidations = 0

    async def get(self, key: object, read: Callable[[], Any]) -> Any:
        """Return the value of `key`, read in a thread where it is not fresh, once for all."""
        known = self._values.get(key)
        age_s = self._stale_s if known is None else time.monotonic() - known[0]
        if known is not None and age_s < self._fresh_s:
            return known[1]
        task = self._reading.get(key)
        if task is None or task.done():
            task = self._reading[key] = asyncio.create_task(self._read(key, read))
            task.add_done_callback(partial(self._ended, key))
        if known is not None and age_s < self._stale_s:
            return known[1]
        return await asyncio.shield(task)  # an asker that leaves does not stop it for the others

    def _ended(self, key: object, task: "asyncio.Task[Any]") -> None:
        if self._reading.get(key) is task:
            del self._reading[key]
        if not task.cancelled() and task.exception() is not None:
            log.warning("reading %s failed: %s", key, task.exception())

    async def _read(self, key: object, read: Callable[[], Any]) -> Any:
        began, invalidations = time.monotonic(), self._invalidations
        value = await to_thread.run_sync(read)
        if invalidations != self._invalidations:  # read before a change, so not to be kept
            return value
        if len(self._values) >= MAX_ENTRIES:
            self._values.clear()
        self._values[key] = (began, value)
        return value

    def invalidate(self) -> None:
        """Read everything anew from now on."""
        self._values.clear()
        self._reading.clear()
        self._invalidations += 1

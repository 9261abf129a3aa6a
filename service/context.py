"""What one running gateway is made of, and its short memory of slow-changing facts.

It joins the rooms for the answer's straight line; it decides nothing itself. Use cases and
measured facts are read from the database at most every `FRESH_S`, and at once after this process
changed them.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from anyio import to_thread

from knowledge import Knowledge
from router import Classifier, Policy
from service.chat.prompts import CountTokens
from service.engine.client import Engine
from service.engine.status import EngineWatch
from service.errors import UseCaseNotFound
from service.routing.facts import Measured, Measurements
from service.routing.policies import PolicyFile, PolicyInForce, policy_for
from service.settings import Settings
from service.stores.records import Records
from service.stores.use_cases import UseCase, UseCases

log = logging.getLogger(__name__)

FRESH_S = 0.25  # a value this young is used as it is
STALE_S = 0.5  # what another process changed is seen after this long at the latest
MAX_REMEMBERED = 1_000


class Memory:
    """Values that are read again once they are older than `FRESH_S`.

    Until `STALE_S` the known value is used while it is read again beside the request, so that
    under load no request waits for the database.
    """

    def __init__(self) -> None:
        self._values: dict[object, tuple[float, Any]] = {}
        self._reading: dict[object, asyncio.Task[Any]] = {}
        self._forgotten = 0

    async def get(self, key: object, read: Callable[[], Any]) -> Any:
        """Return the value of `key`, read in a thread where it is not fresh, once for all."""
        known = self._values.get(key)
        age_s = STALE_S if known is None else time.monotonic() - known[0]
        if known is not None and age_s < FRESH_S:
            return known[1]
        task = self._reading.get(key)
        if task is None or task.done():
            task = self._reading[key] = asyncio.create_task(self._read(key, read))
            task.add_done_callback(partial(self._ended, key))
        if known is not None and age_s < STALE_S:
            return known[1]
        return await asyncio.shield(task)  # an asker that leaves does not stop it for the others

    def _ended(self, key: object, task: "asyncio.Task[Any]") -> None:
        if self._reading.get(key) is task:
            del self._reading[key]
        if not task.cancelled() and task.exception() is not None:
            log.warning("reading %s failed: %s", key, task.exception())

    async def _read(self, key: object, read: Callable[[], Any]) -> Any:
        began, forgotten = time.monotonic(), self._forgotten
        value = await to_thread.run_sync(read)
        if forgotten != self._forgotten:  # read before a change, so not to be remembered
            return value
        if len(self._values) >= MAX_REMEMBERED:
            self._values.clear()
        self._values[key] = (began, value)
        return value

    def forget(self) -> None:
        """Read everything anew from now on."""
        self._values.clear()
        self._reading.clear()
        self._forgotten += 1


@dataclass(frozen=True, slots=True)
class House:
    """Everything the answer's line needs, built once at start."""

    settings: Settings
    engine: Engine
    watch: EngineWatch
    knowledge: Knowledge
    policies: PolicyInForce
    classifier: Classifier
    use_cases: UseCases
    measurements: Measurements
    records: Records
    count_tokens: CountTokens
    observed: PolicyFile | None = None  # decided by and never followed
    memory: Memory = field(default_factory=Memory)

    async def use_case(self, use_case_id: str | None, *, tenant: str) -> UseCase:
        """Return the named use case; without a name, one with no facts and no knowledge.

        Raises:
            UseCaseNotFound: No use case has this id.
        """
        if use_case_id is None:
            return UseCase(id="none")
        read = partial(self._find, use_case_id, tenant)
        found: UseCase | None = await self.memory.get(("use_case", tenant, use_case_id), read)
        if found is None:
            raise UseCaseNotFound(
                f"There is no use case {use_case_id!r}; PUT /use_cases/{use_case_id} makes it.",
                param="use_case",
            )
        return found

    @property
    def policy(self) -> Policy:
        """The policy in force now; a request reads it once."""
        return self.policies.policy

    @property
    def observed_policy(self) -> Policy | None:
        """The policy that is observed now, if any."""
        return None if self.observed is None else self.observed.latest

    async def policy_for(self, use_case: UseCase) -> Policy:
        """Return the policy in force with the use case's own thresholds."""
        policy = self.policy
        if not use_case.thresholds:
            return policy
        key = ("policy", policy.version, tuple(sorted(use_case.thresholds.items())))
        read = partial(policy_for, policy, use_case.thresholds)
        found: Policy = await self.memory.get(key, read)
        return found

    async def measured(self, use_case: UseCase, *, tenant: str) -> Measured:
        """Return what is measured for `use_case`, and whether its adapter is loaded now."""
        key = ("measured", tenant, use_case.id, use_case.adapter, use_case.knowledge_bases)
        read = partial(self.measurements.of, use_case, tenant=tenant)
        measured: Measured = await self.memory.get(key, read)
        adapter_id = measured.adapter_id
        loaded = adapter_id is not None and self.watch.serves(adapter_id)
        return replace(measured, adapter_loaded=loaded)

    def _find(self, use_case_id: str, tenant: str) -> UseCase | None:
        try:
            return self.use_cases.get(use_case_id, tenant=tenant)
        except UseCaseNotFound:
            return None

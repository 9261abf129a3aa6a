"""Publishes adapters: load and check them, switch their task's alias, drain the old one.

It knows the order of these steps; it does not know how an adapter is made, loaded or unloaded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from anyio import to_thread

from adapters import (
    Adapter,
    AdapterRegistry,
    Alias,
    EffectVerdict,
    NothingToRollBack,
    check_gate,
)
from service.engine.loader import AdapterLoader

T = TypeVar("T")

NEVER_EVALUATED = (
    "This adapter was never evaluated: whether it is better than its base model is unknown. "
    "`fingerpost adapters eval` evaluates it."
)
ACTOR = "gateway"  # in an adapter's history, until callers have API keys
REPLICA_DELAY_S = 2.0  # other gateways read the new alias before the old adapter is unloaded


@dataclass(frozen=True, slots=True)
class PublishReport:
    """The outcome of a publish or a rollback."""

    adapter: Adapter
    replaced: str | None
    effect: EffectVerdict

    @property
    def note(self) -> str | None:
        """What its publisher should know; None where there is nothing to say."""
        return None if self.adapter.evaluation is not None else NEVER_EVALUATED


class Publisher:
    """Publishes, rolls back, withdraws and retires adapters."""

    def __init__(
        self,
        loader: AdapterLoader,
        registry: AdapterRegistry,
        *,
        on_change: Callable[[], None],
    ) -> None:
        self._loader = loader
        self._registry = registry
        self._on_change = on_change

    async def publish(
        self, adapter_id: str, *, tenant: str, override: str | None = None
    ) -> PublishReport:
        """Serve `adapter_id` for its task from now on.

        Running requests end on the adapter they began with. An adapter whose verdict is not
        IMPROVED needs an `override`, the reason, which is recorded.

        Raises:
            GateNotPassed: Its verdict forbids it; nothing was sent to the model server.
            AdapterNotFound, AdapterRetired, DigestMismatch: The adapter cannot be served.
            EngineUnavailable: The model server does not respond; retry is safe.
            PublishFailed: The adapter is loaded but not listed, or without effect.
        """
        switch_alias = partial(
            self._registry.publish, adapter_id, tenant=tenant, override=override, by=ACTOR
        )
        async with self._loader.lock:
            adapter = await _in_thread(self._registry.get, adapter_id, tenant=tenant)
            check_gate(adapter, override)
            return await self._switch(adapter, switch_alias)

    async def rollback(self, task: str, *, tenant: str) -> PublishReport:
        """Serve the previous adapter of `task` again.

        Raises:
            AdapterNotFound, NothingToRollBack: The task has no previous adapter.
        """
        switch_alias = partial(self._registry.rollback, task, tenant=tenant, by=ACTOR)
        async with self._loader.lock:
            alias = await _in_thread(self._registry.alias, task, tenant=tenant)
            if alias.previous_adapter_id is None:
                raise NothingToRollBack(f"{task} has no previous adapter to roll back to")
            get = self._registry.get
            adapter = await _in_thread(get, alias.previous_adapter_id, tenant=tenant)
            return await self._switch(adapter, switch_alias)

    async def _switch(self, adapter: Adapter, switch_alias: Callable[[], Alias]) -> PublishReport:
        """Load `adapter`, then switch its task's alias to it; the old adapter is drained."""
        live = await to_thread.run_sync(self._registry.live)
        replaced = _find_replaced(adapter, live)
        effect = await self._loader.load(adapter)
        await to_thread.run_sync(switch_alias)
        self._on_change()
        if replaced is not None:
            self._loader.drain(replaced, after_s=REPLICA_DELAY_S)
        get = self._registry.get
        now = await _in_thread(get, adapter.adapter_id, tenant=adapter.tenant)
        return PublishReport(now, replaced, effect)

    async def withdraw(self, task: str, *, tenant: str) -> None:
        """Stop serving an adapter for `task`, until a rollback or publish.

        Raises:
            AdapterNotFound: The task has no live adapter.
        """
        adapter = await _in_thread(self._registry.resolve, task, tenant=tenant)
        async with self._loader.lock:
            await _in_thread(self._registry.withdraw, task, tenant=tenant, by=ACTOR)
            self._on_change()
            self._loader.drain(adapter.adapter_id, after_s=REPLICA_DELAY_S)

    async def retire(self, adapter_id: str, *, tenant: str) -> Adapter:
        """Mark `adapter_id` as never to be served again.

        Raises:
            AdapterIsLive: Publish another first, or withdraw its task.
        """
        return await _in_thread(self._registry.retire, adapter_id, tenant=tenant, by=ACTOR)


def _find_replaced(adapter: Adapter, live: Sequence[Adapter]) -> str | None:
    """Return the id of another live adapter for the same task."""
    for other in live:
        same_task = (other.tenant, other.task) == (adapter.tenant, adapter.task)
        if same_task and other.adapter_id != adapter.adapter_id:
            return other.adapter_id
    return None


async def _in_thread(function: Callable[..., T], *arguments: Any, **named: Any) -> T:
    return await to_thread.run_sync(partial(function, *arguments, **named))

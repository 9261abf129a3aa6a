"""Brings adapters into the model server, proves them there, and keeps them there.

It knows the order of the steps: load, list check, effect check, alias flip, drain, unload. It
does not know how an adapter is made. After every restart of the model server the live adapters
come back by themselves.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
from anyio import to_thread

from adapters import Adapter, AdapterError, AdapterRegistry, EffectVerdict, judge_effect
from service.engine import Engine
from service.engine_watch import EngineWatch
from service.errors import EngineUnavailable, PublishFailed, ServiceError

log = logging.getLogger(__name__)

WATCH_S = 1.0
RETRY_S = 10.0  # an adapter that could not be loaded is tried again after this
DRAIN_LIMIT_S = 120.0  # longer than the longest answer; then the old adapter goes anyway
REPLICA_DELAY_S = 2.0  # other gateways see the flipped alias before the old adapter goes


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What publishing did."""

    adapter: Adapter
    replaced: str | None
    effect: EffectVerdict

    def as_dict(self) -> dict[str, Any]:
        """Return what a client sees."""
        return {
            **self.adapter.as_dict(),
            "replaced": self.replaced,
            "effect": self.effect.as_dict(),
        }


class Publisher:
    """Publishes, rolls back and restores the adapters of one model server."""

    def __init__(
        self,
        engine: Engine,
        watch: EngineWatch,
        registry: AdapterRegistry,
        *,
        base_model: str,
        changed: Callable[[], None],
    ) -> None:
        self._engine = engine
        self._watch = watch
        self._registry = registry
        self._base_model = base_model
        self._changed = changed
        self._one_at_a_time = anyio.Lock()
        self._retry_at: dict[str, tuple[float, str]] = {}
        self._draining: dict[str, float] = {}

    async def publish(self, adapter_id: str, *, tenant: str) -> PublishReport:
        """Let `adapter_id` answer for its task from now on.

        Requests that run meanwhile are not touched: they end on the adapter they began with.

        Raises:
            AdapterNotFound, NotServable, DigestMismatch: The adapter cannot be served.
            EngineUnavailable: The model server does not answer; retry is safe.
            PublishFailed: The adapter is loaded but not listed, or without effect.
        """
        async with self._one_at_a_time:
            adapter = await to_thread.run_sync(
                partial(self._registry.prepare, adapter_id, tenant=tenant)
            )
            replaced = await to_thread.run_sync(
                partial(self._registry.live_id, adapter.task, tenant=tenant)
            )
            effect = await self._bring_in(adapter)
            adapter = await to_thread.run_sync(
                partial(self._registry.publish, adapter_id, tenant=tenant)
            )
            self._changed()
            if replaced == adapter_id:
                replaced = None
            if replaced is not None:
                self._draining[replaced] = anyio.current_time()
        return PublishReport(adapter, replaced, effect)

    async def rollback(self, task: str, *, tenant: str) -> PublishReport:
        """Let the adapter before the present one answer for `task` again.

        Raises:
            NothingToRollBack: The task had no adapter before this one.
        """
        previous = await to_thread.run_sync(partial(self._registry.previous, task, tenant=tenant))
        return await self.publish(previous.adapter_id, tenant=tenant)

    async def retire(self, adapter_id: str, *, tenant: str) -> Adapter:
        """Take `adapter_id` out of service; its task has no adapter afterwards if it was live."""
        async with self._one_at_a_time:
            adapter = await to_thread.run_sync(
                partial(self._registry.retire, adapter_id, tenant=tenant)
            )
            self._changed()
            if self._watch.lists(adapter_id):
                self._draining[adapter_id] = anyio.current_time()
        return adapter

    async def keep_watch(self) -> None:
        """Look at the model server every second and bring back what a restart has lost."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("looking at the model server failed; it is tried again")
            await anyio.sleep(WATCH_S)

    async def look(self) -> None:
        """Compare what the model server lists with what the registry says is live."""
        try:
            listed = await self._engine.list_models()
        except EngineUnavailable as exc:
            self._watch.lost(str(exc))
            return
        self._watch.found([model.model_id for model in listed])
        await self._unload_drained()
        live = await to_thread.run_sync(self._registry.live)
        waiting = []
        for adapter in live:
            if self._watch.serves(adapter.adapter_id):
                continue
            reason = await self._restore(adapter)
            if reason:
                waiting.append(f"adapter {adapter.adapter_id}: {reason}")
        if self._watch.is_up:
            self._watch.still_waits_for(waiting)

    async def _restore(self, adapter: Adapter) -> str | None:
        """Load and prove `adapter`; return why that did not work."""
        now = anyio.current_time()
        retry_at, reason = self._retry_at.get(adapter.adapter_id, (0.0, ""))
        if now < retry_at:
            return reason
        self._watch.still_waits_for((f"adapter {adapter.adapter_id}: loading",))
        async with self._one_at_a_time:
            try:
                prepare = partial(self._registry.prepare, adapter.adapter_id, tenant=adapter.tenant)
                await self._bring_in(await to_thread.run_sync(prepare))
            except (ServiceError, AdapterError) as exc:
                log.error("adapter %s cannot be served: %s", adapter.adapter_id, exc)
                self._retry_at[adapter.adapter_id] = (now + RETRY_S, str(exc))
                return str(exc)
        self._retry_at.pop(adapter.adapter_id, None)
        log.info("adapter %s serves", adapter.adapter_id)
        return None

    async def _bring_in(self, adapter: Adapter) -> EffectVerdict:
        """Load `adapter` where it is missing, then prove that it is there and changes answers."""
        name = adapter.adapter_id
        self._draining.pop(name, None)
        names = [model.model_id for model in await self._engine.list_models()]
        if name not in names:
            await self._engine.load_adapter(name, str(adapter.folder))
            names = [model.model_id for model in await self._engine.list_models()]
            if name not in names:
                raise PublishFailed(f"The model server took {name} but does not list it.")
        effect = await self._prove(adapter)
        if not effect.passed:
            await self._engine.unload_adapter(name)
            self._watch.dropped(name)
            raise PublishFailed(f"{name} was unloaded again: {effect.reason}")
        self._watch.proven(name)
        return effect

    async def _prove(self, adapter: Adapter) -> EffectVerdict:
        base = []
        adapted = []
        for probe in adapter.effect_reference:
            base.append(await self._engine.prompt_logprobs(self._base_model, probe.token_ids))
            adapted.append(await self._engine.prompt_logprobs(adapter.adapter_id, probe.token_ids))
        return judge_effect(adapter.effect_reference, base, adapted)

    async def _unload_drained(self) -> None:
        """Unload replaced adapters that no answer uses any more."""
        for name, since in list(self._draining.items()):
            waited_s = anyio.current_time() - since
            busy = self._watch.answers_on(name) > 0 and waited_s < DRAIN_LIMIT_S
            if busy or waited_s < REPLICA_DELAY_S:
                continue
            async with self._one_at_a_time:
                if self._draining.pop(name, None) is None or not self._watch.lists(name):
                    continue
                self._watch.dropped(name)
                try:
                    await self._engine.unload_adapter(name)
                except ServiceError as exc:
                    log.warning("adapter %s could not be unloaded: %s", name, exc)

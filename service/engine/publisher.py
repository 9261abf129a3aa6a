"""Brings adapters into the model server, proves them there, and keeps them there.

It knows the order of the steps: load, list check, effect check, alias flip, drain, unload. It
does not know how an adapter is made. After every restart of the model server the live adapters
come back by themselves.
"""

import logging
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import anyio
from anyio import to_thread

from adapters import (
    Adapter,
    AdapterError,
    AdapterRegistry,
    Alias,
    EffectVerdict,
    NothingToRollBack,
    check_gate,
    judge_effect,
    read_effect_reference,
)
from service.engine.client import EngineClient
from service.engine.status import EngineStatus
from service.errors import EngineUnavailable, PublishFailed, ServiceError

log = logging.getLogger(__name__)
T = TypeVar("T")

NEVER_EVALUATED = (
    "This adapter was never evaluated: nobody knows whether it is better than its base model. "
    "`fingerpost adapters eval` tells."
)
WATCH_S = 1.0
BY = "gateway"  # who acts, in an adapter's history, until callers have keys of their own
RETRY_S = 10.0  # an adapter that could not be loaded is tried again after this
DRAIN_LIMIT_S = 120.0  # longer than the longest answer; then the old adapter goes anyway
REPLICA_DELAY_S = 2.0  # other gateways see the flipped alias before the old adapter goes
STRAY_S = DRAIN_LIMIT_S  # so long another gateway may be draining or proving what no task needs


@dataclass(frozen=True, slots=True)
class PublishReport:
    """What publishing did."""

    adapter: Adapter
    replaced: str | None
    effect: EffectVerdict

    @property
    def note(self) -> str | None:
        """What its publisher should know; None where there is nothing to say."""
        return None if self.adapter.evaluation is not None else NEVER_EVALUATED


class Publisher:
    """Publishes, rolls back and restores the adapters of one model server."""

    def __init__(
        self,
        engine: EngineClient,
        watch: EngineStatus,
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
        self._leaving: dict[str, float] = {}  # adapter id -> when it may go, by the loop's clock

    async def publish(
        self, adapter_id: str, *, tenant: str, override: str | None = None
    ) -> PublishReport:
        """Let `adapter_id` answer for its task from now on.

        Requests that run meanwhile are not touched: they end on the adapter they began with. An
        adapter whose verdict is not IMPROVED needs an `override`, the reason, which is recorded.

        Raises:
            GateNotPassed: Its verdict stands against it; nothing was sent to the model server.
            AdapterNotFound, AdapterRetired, DigestMismatch: The adapter cannot be served.
            EngineUnavailable: The model server does not answer; retry is safe.
            PublishFailed: The adapter is loaded but not listed, or without effect.
        """
        flip = partial(self._registry.publish, adapter_id, tenant=tenant, override=override, by=BY)
        async with self._one_at_a_time:
            adapter = await _in_thread(self._registry.get, adapter_id, tenant=tenant)
            check_gate(adapter, override)
            return await self._go_live(adapter, flip)

    async def rollback(self, task: str, *, tenant: str) -> PublishReport:
        """Let the adapter before the present one answer for `task` again.

        Raises:
            AdapterNotFound, NothingToRollBack: The task has no adapter before this one.
        """
        flip = partial(self._registry.rollback, task, tenant=tenant, by=BY)
        async with self._one_at_a_time:
            alias = await _in_thread(self._registry.alias, task, tenant=tenant)
            if alias.previous_adapter_id is None:
                raise NothingToRollBack(f"{task} has no earlier adapter to return to")
            get = self._registry.get
            adapter = await _in_thread(get, alias.previous_adapter_id, tenant=tenant)
            return await self._go_live(adapter, flip)

    async def _go_live(self, adapter: Adapter, flip: Callable[[], Alias]) -> PublishReport:
        """Bring `adapter` in, then flip its task's alias; the old adapter drains and goes."""
        live = await to_thread.run_sync(self._registry.live)
        replaced = _rival(adapter, live)
        effect = await self._bring_in(adapter)
        await to_thread.run_sync(flip)
        self._changed()
        if replaced is not None:
            self._leaving[replaced] = anyio.current_time() + REPLICA_DELAY_S
        get = self._registry.get
        now = await _in_thread(get, adapter.adapter_id, tenant=adapter.tenant)
        return PublishReport(now, replaced, effect)

    async def withdraw(self, task: str, *, tenant: str) -> None:
        """Take `task` out of service: it has no adapter afterwards, until a rollback.

        Raises:
            AdapterNotFound: The task has no live adapter.
        """
        adapter = await _in_thread(self._registry.resolve, task, tenant=tenant)
        async with self._one_at_a_time:
            await _in_thread(self._registry.withdraw, task, tenant=tenant, by=BY)
            self._changed()
            self._leaving[adapter.adapter_id] = anyio.current_time() + REPLICA_DELAY_S

    async def retire(self, adapter_id: str, *, tenant: str) -> Adapter:
        """Mark `adapter_id` as never to be served again.

        Raises:
            AdapterIsLive: Publish another first, or withdraw its task.
        """
        return await _in_thread(self._registry.retire, adapter_id, tenant=tenant, by=BY)

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
        live = await to_thread.run_sync(self._registry.live)
        loaded = {model.model_id for model in listed if model.parent is not None}
        await self._note_strays(loaded - {adapter.adapter_id for adapter in live})
        await self._unload_leaving()
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
                await self._bring_in(adapter)
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
        self._leaving.pop(name, None)
        await _in_thread(self._registry.verify, adapter)
        names = [model.model_id for model in await self._engine.list_models()]
        if name not in names:
            await self._engine.load_adapter(name, str(adapter.folder))
            names = [model.model_id for model in await self._engine.list_models()]
            if name not in names:
                raise PublishFailed(f"The model server took {name} but does not list it.")
        effect = await self._prove(adapter)
        if not effect.is_applied:
            await self._engine.unload_adapter(name)
            self._watch.dropped(name)
            raise PublishFailed(
                f"{name} was unloaded again: its log-probabilities are {effect.served_shift:.3f} "
                f"nats from the base model's (training: {effect.reference_shift:.3f}) and "
                f"{effect.error:.3f} from the reference",
                effect=effect.as_dict(),
            )
        self._watch.proven(name)
        return effect

    async def _prove(self, adapter: Adapter) -> EffectVerdict:
        reference = read_effect_reference(adapter.run)
        ask = self._engine.prompt_logprobs
        base = [await ask(self._base_model, probe.token_ids) for probe in reference]
        adapted = [await ask(adapter.adapter_id, probe.token_ids) for probe in reference]
        return judge_effect(reference, base, adapted)

    async def _note_strays(self, spare: Set[str]) -> None:
        """Let what is loaded and serves no task go in time; what is not registered is not ours.

        A gateway that ended while an adapter drained or was being proven has left it.
        """
        unknown = spare - self._leaving.keys()
        if not unknown:
            return
        for name in await to_thread.run_sync(self._registry.known, unknown):
            self._leaving.setdefault(name, anyio.current_time() + STRAY_S)

    async def _unload_leaving(self) -> None:
        """Unload the adapters whose time has come and that no answer uses any more."""
        for name, due in list(self._leaving.items()):
            late_s = anyio.current_time() - due
            if late_s < 0 or (self._watch.answers_on(name) > 0 and late_s < DRAIN_LIMIT_S):
                continue
            if self._one_at_a_time.locked():
                return  # a publish may take long; the next look comes within a second
            async with self._one_at_a_time:
                if self._leaving.pop(name, None) is None or not self._watch.lists(name):
                    continue
                live = await to_thread.run_sync(self._registry.live)
                if any(adapter.adapter_id == name for adapter in live):
                    continue  # published meanwhile, here or by another gateway
                self._watch.dropped(name)
                try:
                    await self._engine.unload_adapter(name)
                except ServiceError as exc:
                    log.warning("adapter %s could not be unloaded: %s", name, exc)


def _rival(adapter: Adapter, live: Sequence[Adapter]) -> str | None:
    """Return the id of another live adapter for the same task."""
    for other in live:
        same_task = (other.tenant, other.task) == (adapter.tenant, adapter.task)
        if same_task and other.adapter_id != adapter.adapter_id:
            return other.adapter_id
    return None


async def _in_thread(function: Callable[..., T], *arguments: Any, **named: Any) -> T:
    return await to_thread.run_sync(partial(function, *arguments, **named))

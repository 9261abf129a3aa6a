"""Keeps the model server's adapters in step with the registry: load, check, drain, unload.

It knows the list check, the effect check and which adapters no answer needs any more; it does not
know why an adapter is live. After every restart of the model server it loads the live adapters.
"""

import logging
from collections.abc import Set

import anyio
from anyio import to_thread

from adapters import (
    Adapter,
    AdapterError,
    AdapterRegistry,
    EffectVerdict,
    judge_effect,
    read_effect_reference,
)
from service.engine.client import EngineClient
from service.engine.status import EngineStatus
from service.errors import EngineUnavailable, PublishFailed, ServiceError

log = logging.getLogger(__name__)

POLL_S = 1.0
RETRY_S = 10.0  # an adapter that could not be loaded is tried again after this
DRAIN_LIMIT_S = 120.0  # longer than the longest answer; then the old adapter is unloaded anyway
UNUSED_S = DRAIN_LIMIT_S  # for so long another gateway may still be draining or checking it


class AdapterLoader:
    """The adapters of one model server."""

    def __init__(
        self,
        engine: EngineClient,
        status: EngineStatus,
        registry: AdapterRegistry,
        *,
        base_model: str,
    ) -> None:
        self.lock = anyio.Lock()  # held while an adapter is loaded, published or unloaded
        self._engine = engine
        self._status = status
        self._registry = registry
        self._base_model = base_model
        self._retry_at: dict[str, tuple[float, str]] = {}
        self._draining: dict[
            str, float
        ] = {}  # adapter id -> when to unload it, by the loop's clock

    async def load(self, adapter: Adapter) -> EffectVerdict:
        """Load `adapter` unless it is loaded, then check that it is listed and changes answers.

        The caller holds `lock`.

        Raises:
            DigestMismatch: The adapter's files are not those that were registered.
            EngineUnavailable: The model server does not respond; retry is safe.
            PublishFailed: The adapter is loaded but not listed, or without effect.
        """
        name = adapter.adapter_id
        self._draining.pop(name, None)
        await to_thread.run_sync(self._registry.verify, adapter)
        if name not in await self._list_names():
            await self._engine.load_adapter(name, str(adapter.folder))
            if name not in await self._list_names():
                raise PublishFailed(f"The model server loaded {name} but does not list it.")
        effect = await self._check_effect(adapter)
        if not effect.is_applied:
            await self._engine.unload_adapter(name)
            self._status.mark_unloaded(name)
            raise PublishFailed(
                f"{name} was unloaded again: its log-probabilities are {effect.served_shift:.3f} "
                f"nats from the base model's (training: {effect.reference_shift:.3f}) and "
                f"{effect.error:.3f} from the reference",
                effect=effect.as_dict(),
            )
        self._status.mark_ready(name)
        return effect

    def drain(self, adapter_id: str, *, after_s: float) -> None:
        """Unload `adapter_id` after `after_s`, once no answer uses it any more."""
        self._draining[adapter_id] = anyio.current_time() + after_s

    async def poll(self) -> None:
        """Bring the model server in step every second, until cancelled."""
        while True:
            try:
                await self.synchronize()
            except Exception:
                log.exception("polling the model server failed; retrying")
            await anyio.sleep(POLL_S)

    async def synchronize(self) -> None:
        """Load every live adapter that the model server lacks; unload what is drained."""
        try:
            listed = await self._engine.list_models()
        except EngineUnavailable as exc:
            self._status.mark_down(str(exc))
            return
        self._status.update_listed([model.model_id for model in listed])
        live = await to_thread.run_sync(self._registry.live)
        loaded = {model.model_id for model in listed if model.parent is not None}
        await self._drain_unused(loaded - {adapter.adapter_id for adapter in live})
        await self._unload_drained()
        waiting_for = []
        for adapter in live:
            if self._status.serves(adapter.adapter_id):
                continue
            reason = await self._restore(adapter)
            if reason:
                waiting_for.append(f"adapter {adapter.adapter_id}: {reason}")
        if self._status.is_up:
            self._status.set_waiting_for(waiting_for)

    async def _restore(self, adapter: Adapter) -> str | None:
        """Load a live `adapter` again; return why that failed, or None."""
        now = anyio.current_time()
        retry_at, reason = self._retry_at.get(adapter.adapter_id, (0.0, ""))
        if now < retry_at:
            return reason
        self._status.set_waiting_for((f"adapter {adapter.adapter_id}: loading",))
        async with self.lock:
            try:
                await self.load(adapter)
            except (ServiceError, AdapterError) as exc:
                log.error("adapter %s cannot be loaded: %s", adapter.adapter_id, exc)
                self._retry_at[adapter.adapter_id] = (now + RETRY_S, str(exc))
                return str(exc)
        self._retry_at.pop(adapter.adapter_id, None)
        log.info("adapter %s is loaded", adapter.adapter_id)
        return None

    async def _list_names(self) -> list[str]:
        return [model.model_id for model in await self._engine.list_models()]

    async def _check_effect(self, adapter: Adapter) -> EffectVerdict:
        reference = read_effect_reference(adapter.run)
        ask = self._engine.prompt_logprobs
        base = [await ask(self._base_model, probe.token_ids) for probe in reference]
        adapted = [await ask(adapter.adapter_id, probe.token_ids) for probe in reference]
        return judge_effect(reference, base, adapted)

    async def _drain_unused(self, unused: Set[str]) -> None:
        """Drain registered adapters that are loaded but not live; others are not ours.

        A gateway that stopped while it drained or checked an adapter leaves it loaded.
        """
        unknown = unused - self._draining.keys()
        if not unknown:
            return
        for name in await to_thread.run_sync(self._registry.known, unknown):
            if name not in self._draining:
                self.drain(name, after_s=UNUSED_S)

    async def _unload_drained(self) -> None:
        """Unload the draining adapters that are due and that no answer uses any more."""
        for name, due in list(self._draining.items()):
            late_s = anyio.current_time() - due
            if late_s < 0 or (self._status.count_answers(name) > 0 and late_s < DRAIN_LIMIT_S):
                continue
            if self.lock.locked():
                return  # a publish may take long; the next poll comes within a second
            async with self.lock:
                if self._draining.pop(name, None) is None or not self._status.lists(name):
                    continue
                live = await to_thread.run_sync(self._registry.live)
                if any(adapter.adapter_id == name for adapter in live):
                    continue  # published meanwhile, here or by another gateway
                self._status.mark_unloaded(name)
                try:
                    await self._engine.unload_adapter(name)
                except ServiceError as exc:
                    log.warning("adapter %s could not be unloaded: %s", name, exc)

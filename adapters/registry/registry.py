"""Which adapters exist, and which of them is live for each task.

The truth is in SQL: one row for each adapter (immutable but for its state), one for each change of
a state, and one for each task (the alias). Folders stay where they were made, inside the
registry's directory, and are compared with their digest before anyone loads them. Knows no engine
and no torch: what it calls live is what the gateway may ask the engine for.
"""

import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from sqlalchemy import Engine as Database
from sqlalchemy import Row, Select, insert, select, update

from adapters.base_models import ModelFolder
from adapters.errors import (
    AdapterIsLive,
    AdapterNotFound,
    AdapterRetired,
    DigestMismatch,
    GateNotPassed,
    NothingToRollBack,
    NotServable,
    UnsafeAdapterFolder,
)
from adapters.evaluation import Evaluation
from adapters.files.adapter_id import is_named_by, make_adapter_id, task_of
from adapters.files.run_json import read_metrics_json, read_run_json
from adapters.files.weights import digest_adapter
from adapters.registry.records import (
    NO_VERDICT,
    Adapter,
    AdapterState,
    Alias,
    StateChange,
    adapters_table,
    aliases_table,
    history_table,
)
from adapters.registry.rows import (
    AliasWriter,
    StateWriter,
    find_adapter,
    find_alias,
    get_adapter,
    set_adapter,
    to_adapter,
    to_values,
)
from adapters.servability import check_base, check_servability

MAX_REASON_CHARS = 500  # of an override: a sentence or two, not a file


class AdapterRegistry:
    """The adapters of all tenants, in one database and one directory.

    Args:
        database: The database; its tables are this module's `metadata`.
        directory: Folder of all adapters. Nothing outside of it is ever registered or loaded.
        max_lora_rank: The serving engine's limit.
        clock: Unix seconds; tests give their own.
    """

    def __init__(
        self,
        database: Database,
        directory: Path,
        *,
        max_lora_rank: int = 32,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._directory = directory
        self._max_lora_rank = max_lora_rank
        self._clock = clock

    def register(
        self,
        folder: Path,
        *,
        tenant: str,
        base: ModelFolder | None = None,
        by: str | None = None,
        drafted_at: float | None = None,
    ) -> Adapter:
        """Add a trained adapter, or return it if it is known with the same content.

        Args:
            folder: A folder of this registry's directory, named by the adapter's id.
            tenant: Whose it is.
            base: The served base model; none leaves out the comparison with it.
            by: The training run it comes from, for its history.
            drafted_at: When that run began, unix seconds.

        Raises:
            UnsafeAdapterFolder: Outside of the directory, a link, or holding one.
            NotServable: The engine could not load it; all reasons are listed.
            BaseModelMismatch: Trained on another base model or revision.
            DigestMismatch: Its content is not what its name says, or what was registered.
        """
        checked = self._check_folder(folder)
        run, metrics = read_run_json(checked), read_metrics_json(checked)
        if base is not None:
            check_base(run, base, checked.name)
        sha256 = digest_adapter(checked)
        task = task_of(checked.name)
        if not is_named_by(checked.name, sha256):
            raise DigestMismatch(f"{checked.name} should be named {make_adapter_id(task, sha256)}")
        check_servability(checked, max_lora_rank=self._max_lora_rank, base=base)
        adapter = Adapter(
            adapter_id=checked.name,
            tenant=tenant,
            task=task,
            base_model=str(run["base"]["id"]),
            base_revision=str(run["base"]["revision"]),
            folder=checked,
            sha256=sha256,
            context_trained=run.get("context_trained") is True,
            state=AdapterState.TRAINED,
            run=run,
            metrics=metrics,
            created_at=self._clock(),
            published_at=None,
        )
        with self._database.execution_options(write=True).begin() as connection:
            known = find_adapter(connection, tenant, adapter.adapter_id)
            if known is None:
                connection.execute(insert(adapters_table).values(**to_values(adapter)))
                set_state = StateWriter(connection, tenant, adapter.adapter_id, by)
                if drafted_at is not None:
                    set_state(AdapterState.DRAFT, drafted_at, "training began")
                set_state(AdapterState.TRAINED, adapter.created_at, "registered")
                return adapter
        if known.sha256 != sha256:
            raise DigestMismatch(f"{adapter.adapter_id} is registered with different content")
        return self._to_adapter(known)

    def get(self, adapter_id: str, *, tenant: str) -> Adapter:
        """Return one adapter.

        Raises:
            AdapterNotFound: No such id.
        """
        with self._database.connect() as connection:
            return self._to_adapter(get_adapter(connection, tenant, adapter_id))

    def list(
        self, *, tenant: str, task: str | None = None, state: AdapterState | None = None
    ) -> tuple[Adapter, ...]:
        """Return the adapters of a tenant, oldest first; of one task or state if given."""
        query = select(adapters_table).where(adapters_table.c.tenant == tenant)
        if task is not None:
            query = query.where(adapters_table.c.task == task)
        if state is not None:
            query = query.where(adapters_table.c.state == state.value)
        return self._select(query)

    def live(self) -> tuple[Adapter, ...]:
        """Return the live adapters of all tenants, which an engine must have loaded."""
        query = select(adapters_table).where(adapters_table.c.state == AdapterState.LIVE.value)
        return self._select(query)

    def known(self, adapter_ids: Collection[str]) -> frozenset[str]:
        """Return which of these ids are registered, for whichever tenant."""
        query = select(adapters_table.c.adapter_id).where(
            adapters_table.c.adapter_id.in_(adapter_ids)
        )
        with self._database.connect() as connection:
            return frozenset(connection.execute(query).scalars())

    def resolve(self, task_or_id: str, *, tenant: str) -> Adapter:
        """Return the live adapter of a task, or the adapter of an id if it is live.

        Raises:
            AdapterNotFound: Neither a task with a live adapter nor a live adapter's id.
        """
        with self._database.connect() as connection:
            alias = find_alias(connection, tenant, task_or_id)
            live_id = alias.adapter_id if alias is not None else task_or_id
            row = find_adapter(connection, tenant, live_id) if live_id else None
        if row is None or row.state != AdapterState.LIVE.value:
            raise AdapterNotFound(f"no live adapter for {task_or_id}; train and publish one")
        return self._to_adapter(row)

    def alias(self, task: str, *, tenant: str) -> Alias:
        """Return which adapter answers for a task, and what did before.

        Raises:
            AdapterNotFound: Nothing was ever published for this task.
        """
        with self._database.connect() as connection:
            row = find_alias(connection, tenant, task)
        if row is None:
            raise AdapterNotFound(f"nothing was ever published for {task}")
        return Alias(
            row.task, row.adapter_id, row.previous_adapter_id, row.updated_at, tuple(row.history)
        )

    def history(self, adapter_id: str, *, tenant: str) -> tuple[StateChange, ...]:
        """Return the states an adapter went through, oldest first; the last is the present one.

        Raises:
            AdapterNotFound: No such id.
        """
        query = (
            select(history_table)
            .where(history_table.c.tenant == tenant, history_table.c.adapter_id == adapter_id)
            .order_by(history_table.c.number)
        )
        with self._database.connect() as connection:
            get_adapter(connection, tenant, adapter_id)
            return tuple(
                StateChange(AdapterState(row.state), row.at, row.by, row.why)
                for row in connection.execute(query)
            )

    def verify(self, adapter: Adapter) -> None:
        """Compare an adapter's folder with what was registered; call it before every load.

        Raises:
            UnsafeAdapterFolder: It was moved out of the directory or replaced by a link.
            DigestMismatch: Its weights or settings were changed.
        """
        checked = self._check_folder(adapter.folder)
        try:
            found = digest_adapter(checked)
        except NotServable as exc:
            raise DigestMismatch(f"{adapter.adapter_id}: {exc}") from exc
        if found != adapter.sha256:
            raise DigestMismatch(
                f"{adapter.adapter_id} was changed on disk: SHA-256 {found}, "
                f"registered {adapter.sha256}"
            )

    def record_evaluation(
        self, evaluation: Evaluation, *, tenant: str, by: str | None = None
    ) -> Adapter:
        """Store an adapter's evaluation, replacing an earlier one.

        One that was trained only is `evaluated` from then on; any other stays what it is.

        Raises:
            AdapterNotFound: No such id.
        """
        adapter_id = evaluation.adapter_id
        with self._database.execution_options(write=True).begin() as connection:
            now = AdapterState(get_adapter(connection, tenant, adapter_id).state)
            state = AdapterState.EVALUATED if now is AdapterState.TRAINED else now
            set_adapter(connection, tenant, adapter_id, evaluation=evaluation.as_dict())
            set_state = StateWriter(connection, tenant, adapter_id, by)
            set_state(state, self._clock(), f"verdict {evaluation.verdict}")
            return self._to_adapter(get_adapter(connection, tenant, adapter_id))

    def publish(
        self,
        adapter_id: str,
        *,
        tenant: str,
        override: str | None = None,
        by: str | None = None,
    ) -> Alias:
        """Make an adapter the live one of its task, in one transaction.

        Call it after the engine has loaded the adapter and the effect check has passed. The
        adapter that was live before is `published` from then on and what `rollback` returns to.

        Args:
            adapter_id: Which adapter.
            tenant: Whose it is.
            override: Why it may serve against its verdict; recorded with the adapter and in the
                alias's history. Without a verdict against it nothing is recorded.
            by: Who publishes, for the history.

        Raises:
            AdapterNotFound: No such id.
            AdapterRetired: It was taken out of service.
            DigestMismatch: Its folder was changed.
            GateNotPassed: Its verdict is not IMPROVED, and no reason overrides that.
        """
        self.verify(self.get(adapter_id, tenant=tenant))
        with self._database.execution_options(write=True).begin() as connection:
            row = get_adapter(connection, tenant, adapter_id)
            if row.state == AdapterState.RETIRED.value:
                raise AdapterRetired(f"{adapter_id} was retired")
            told: dict[str, object] = {}
            adapter = self._to_adapter(row)
            why = f"verdict {adapter.verdict}" if adapter.verdict else "never evaluated"
            if reason := check_gate(adapter, override):
                why += f", overridden: {reason}"
                told = {"override": reason, "verdict": adapter.verdict or NO_VERDICT}
                given = {"reason": reason, "verdict": told["verdict"], "at": self._clock()}
                set_adapter(connection, tenant, adapter_id, gate_override=given)
            if adapter.published_at is None:
                set_state = StateWriter(connection, tenant, adapter_id, by)
                set_state(AdapterState.PUBLISHED, self._clock(), why)
            return AliasWriter(connection, tenant, row.task, by).point_to(
                adapter_id, self._clock(), action="publish", told=told
            )

    def rollback(self, task: str, *, tenant: str, by: str | None = None) -> Alias:
        """Make the previous adapter of a task live again; the present one becomes the previous.

        Raises:
            NothingToRollBack: There is no previous adapter, or it was retired.
            DigestMismatch: Its folder was changed.
        """
        with self._database.connect() as connection:
            alias = find_alias(connection, tenant, task)
        previous = alias.previous_adapter_id if alias is not None else None
        if previous is None:
            raise NothingToRollBack(f"{task} has no earlier adapter to roll back to")
        self.verify(self.get(previous, tenant=tenant))
        with self._database.execution_options(write=True).begin() as connection:
            alias = find_alias(connection, tenant, task)
            row = get_adapter(connection, tenant, previous)
            is_same = alias is not None and alias.previous_adapter_id == previous
            if not is_same or row.state == AdapterState.RETIRED.value:
                raise NothingToRollBack(f"{task} has no earlier adapter to roll back to")
            return AliasWriter(connection, tenant, task, by).point_to(
                previous, self._clock(), action="rollback"
            )

    def withdraw(self, task: str, *, tenant: str, by: str | None = None) -> Alias:
        """Take a task out of service; `rollback` brings its adapter back.

        Raises:
            AdapterNotFound: The task has no live adapter.
        """
        with self._database.execution_options(write=True).begin() as connection:
            alias = find_alias(connection, tenant, task)
            if alias is None or alias.adapter_id is None:
                raise AdapterNotFound(f"no live adapter for {task}")
            return AliasWriter(connection, tenant, task, by).point_to(
                None, self._clock(), action="withdraw"
            )

    def retire(self, adapter_id: str, *, tenant: str, by: str | None = None) -> Adapter:
        """Mark an adapter as never to be served again; its folder stays.

        Raises:
            AdapterNotFound: No such id.
            AdapterIsLive: It is live; publish another one or withdraw its task first.
        """
        with self._database.execution_options(write=True).begin() as connection:
            row = get_adapter(connection, tenant, adapter_id)
            if row.state == AdapterState.LIVE.value:
                raise AdapterIsLive(f"{adapter_id} is live for {row.task}")
            if row.state != AdapterState.RETIRED.value:
                set_state = StateWriter(connection, tenant, adapter_id, by)
                set_state(AdapterState.RETIRED, self._clock(), "retired")
            connection.execute(
                update(aliases_table)
                .where(
                    aliases_table.c.tenant == tenant,
                    aliases_table.c.previous_adapter_id == adapter_id,
                )
                .values(previous_adapter_id=None)
            )
            return self._to_adapter(get_adapter(connection, tenant, adapter_id))

    def _select(self, query: Select[Any]) -> tuple[Adapter, ...]:
        ordered = query.order_by(adapters_table.c.created_at, adapters_table.c.adapter_id)
        with self._database.connect() as connection:
            return tuple(self._to_adapter(row) for row in connection.execute(ordered))

    def _check_folder(self, folder: Path) -> Path:
        """Return the real folder, refusing what leaves the directory in any way."""
        root = self._directory.resolve()
        real = folder.resolve()
        if real.parent != root or folder.is_symlink():
            raise UnsafeAdapterFolder(f"{folder} is not a plain folder of {root}")
        if not real.is_dir():
            raise AdapterNotFound(f"there is no folder {folder}")
        links = [path.name for path in real.rglob("*") if path.is_symlink()]
        if links:
            raise UnsafeAdapterFolder(f"{folder.name} contains links: {', '.join(sorted(links))}")
        return real

    def _to_adapter(self, row: Row[Any]) -> Adapter:
        return to_adapter(row, self._directory)


def check_gate(adapter: Adapter, override: str | None) -> str | None:
    """Return the reason that overrides what stands against an adapter; none where none is needed.

    Raises:
        GateNotPassed: Something stands against it, and `override` holds no words.
    """
    if adapter.gate_objection is None:
        return None
    if reason := (override or "").strip():
        return reason[:MAX_REASON_CHARS]
    raise GateNotPassed(f"{adapter.adapter_id} {adapter.gate_objection}")

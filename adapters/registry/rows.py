"""Reads and writes single rows of the registry's tables, inside a transaction of the caller.

Knows columns; the rules of change are in `registry.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from adapters.errors import AdapterNotFound
from adapters.registry.records import (
    Adapter,
    AdapterState,
    Alias,
    adapters_table,
    aliases_table,
    history_table,
)

MAX_HISTORY = 100  # alias changes stored for each task


def to_values(adapter: Adapter) -> dict[str, object]:
    """Return an adapter as the values of a new row."""
    return {
        "tenant": adapter.tenant,
        "adapter_id": adapter.adapter_id,
        "task": adapter.task,
        "base_model": adapter.base_model,
        "base_revision": adapter.base_revision,
        "folder": adapter.folder.name,  # relative: the home may be mounted elsewhere
        "sha256": adapter.sha256,
        "context_trained": adapter.context_trained,
        "state": adapter.state.value,
        "run": dict(adapter.run),
        "metrics": dict(adapter.metrics),
        "created_at": adapter.created_at,
    }


def to_adapter(row: Row[Any], directory: Path) -> Adapter:
    """Return the adapter of a row, whose folder lies in `directory`."""
    return Adapter(
        adapter_id=row.adapter_id,
        tenant=row.tenant,
        task=row.task,
        base_model=row.base_model,
        base_revision=row.base_revision,
        folder=directory.resolve() / row.folder,
        sha256=row.sha256,
        context_trained=row.context_trained,
        state=AdapterState(row.state),
        run=row.run,
        metrics=row.metrics,
        created_at=row.created_at,
        published_at=row.published_at,
        evaluation=row.evaluation,
        gate_override=row.gate_override,
    )


def find_adapter(connection: Connection, tenant: str, adapter_id: str) -> Row[Any] | None:
    """Return the row of an adapter; none if no questions."""
    query = select(adapters_table).where(
        adapters_table.c.tenant == tenant, adapters_table.c.adapter_id == adapter_id
    )
    return connection.execute(query).one_or_none()


def get_adapter(connection: Connection, tenant: str, adapter_id: str) -> Row[Any]:
    """Return the row of an adapter.

    Raises:
        AdapterNotFound: No such id.
    """
    row = find_adapter(connection, tenant, adapter_id)
    if row is None:
        raise AdapterNotFound(f"there is no adapter {adapter_id}")
    return row


def find_alias(connection: Connection, tenant: str, task: str) -> Row[Any] | None:
    """Return the row of a task's alias; none if nothing was ever published for it."""
    query = select(aliases_table).where(
        aliases_table.c.tenant == tenant, aliases_table.c.task == task
    )
    return connection.execute(query).one_or_none()


@dataclass(frozen=True, slots=True)
class StateWriter:
    """Changes the state of one adapter and adds the change to its history.

    Attributes:
        connection: Of the caller's transaction, which makes both one step.
        tenant: Whose adapter it is.
        adapter_id: Which adapter.
        by: Who changes it, for the history.
    """

    connection: Connection
    tenant: str
    adapter_id: str
    by: str | None

    def __call__(self, state: AdapterState, at: float, why: str) -> None:
        """Set the state, from the time `at` (unix seconds) on."""
        self.connection.execute(
            insert(history_table).values(
                tenant=self.tenant,
                adapter_id=self.adapter_id,
                state=state.value,
                at=at,
                by=self.by,
                why=why,
            )
        )
        set_adapter(self.connection, self.tenant, self.adapter_id, state=state.value)


@dataclass(frozen=True, slots=True)
class AliasWriter:
    """Points the alias of one task at an adapter, and changes the states of both it concerns.

    Attributes:
        connection: Of the caller's transaction, which makes it one step.
        tenant: Whose task it is.
        task: Name of the alias.
        by: Who changes it, for the history.
    """

    connection: Connection
    tenant: str
    task: str
    by: str | None

    def point_to(
        self, to: str | None, at: float, *, action: str, told: Mapping[str, object] | None = None
    ) -> Alias:
        """Make `to` live from the time `at` (unix seconds) on; none takes the task out of service.

        Args:
            to: Which adapter.
            at: When.
            action: What is done, for both histories.
            told: What else the alias's history says of it.
        """
        known = find_alias(self.connection, self.tenant, self.task)
        present = known.adapter_id if known is not None else None
        previous = known.previous_adapter_id if known is not None else None
        if present != to:
            previous = present if present is not None else previous
            if previous == to:
                previous = None
            self._change_states(present, to, at, action)
        if to is not None:
            set_adapter(self.connection, self.tenant, to, published_at=at)
        entry = {"action": action, "adapter_id": to, "at": at, **(told or {})}
        history = [*(known.history if known is not None else ()), entry][-MAX_HISTORY:]
        values = {
            "adapter_id": to,
            "previous_adapter_id": previous,
            "updated_at": at,
            "history": history,
        }
        if known is None:
            new = {"tenant": self.tenant, "task": self.task, **values}
            self.connection.execute(insert(aliases_table).values(**new))
        else:
            where = (aliases_table.c.tenant == self.tenant, aliases_table.c.task == self.task)
            self.connection.execute(update(aliases_table).where(*where).values(**values))
        return Alias(self.task, to, previous, at, tuple(history))

    def _change_states(self, present: str | None, to: str | None, at: float, action: str) -> None:
        if present is not None:
            why = f"{action}: {to} serves" if to is not None else action
            set_state = StateWriter(self.connection, self.tenant, present, self.by)
            set_state(AdapterState.PUBLISHED, at, why)
        if to is not None:
            set_state = StateWriter(self.connection, self.tenant, to, self.by)
            set_state(AdapterState.LIVE, at, action)


def set_adapter(connection: Connection, tenant: str, adapter_id: str, **values: object) -> None:
    """Change columns of an adapter's row."""
    where = (adapters_table.c.tenant == tenant, adapters_table.c.adapter_id == adapter_id)
    connection.execute(update(adapters_table).where(*where).values(**values))

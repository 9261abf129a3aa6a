"""What is stored about adapters: three SQL tables, and the values read from them.

`adapter_adapters` has one row for each adapter, immutable but for its state; `adapter_history` one
for each change of a state; `adapter_aliases` one for each task. Knows columns and values; the
rules of change are in `registry.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

NO_VERDICT = "none"  # what an override stands for where the evaluation failed
PASSED = "IMPROVED"  # the one verdict that needs no override

metadata = MetaData()

adapters_table = Table(
    "adapter_adapters",
    metadata,
    Column("tenant", String(64), nullable=False),
    Column("adapter_id", String(128), nullable=False),
    Column("task", String(64), nullable=False, index=True),
    Column("base_model", String(256), nullable=False),
    Column("base_revision", String(128), nullable=False),
    Column("folder", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("context_trained", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("run", JSON, nullable=False),
    Column("metrics", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("published_at", Float),
    Column("evaluation", JSON(none_as_null=True)),
    Column("gate_override", JSON(none_as_null=True)),
    PrimaryKeyConstraint("tenant", "adapter_id"),
)

history_table = Table(
    "adapter_history",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("tenant", String(64), nullable=False),
    Column("adapter_id", String(128), nullable=False),
    Column("state", String(16), nullable=False),
    Column("at", Float, nullable=False),
    Column("by", String(64)),
    Column("why", Text, nullable=False),
    Index("adapter_history_by_adapter", "tenant", "adapter_id"),
)

aliases_table = Table(
    "adapter_aliases",
    metadata,
    Column("tenant", String(64), nullable=False),
    Column("task", String(64), nullable=False),
    Column("adapter_id", String(128)),
    Column("previous_adapter_id", String(128)),
    Column("updated_at", Float, nullable=False),
    Column("history", JSON, nullable=False),
    PrimaryKeyConstraint("tenant", "task"),
)


class AdapterState(StrEnum):
    """Where an adapter stands.

    A `draft` is a training run that has made no adapter yet: it has a name and a content only once
    it is trained, so the registry keeps it as the first line of a history alone. `evaluated` says
    that there is a verdict, `published` that it was allowed to serve and another one serves now.
    """

    DRAFT = "draft"
    TRAINED = "trained"
    EVALUATED = "evaluated"
    PUBLISHED = "published"
    LIVE = "live"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class StateChange:
    """One line of an adapter's history.

    Attributes:
        state: Where it stood from then on.
        at: When, unix seconds.
        by: The job, run or process that did it; none where nobody said so.
        why: In a few words.
    """

    state: AdapterState
    at: float
    by: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Adapter:
    """One registered adapter.

    Attributes:
        adapter_id: `<task>@<sha8>`, the name under which the engine serves it.
        tenant: Whose it is.
        task: What it was trained for; the name of its alias.
        base_model: Id of the base model it belongs to.
        base_revision: Revision of that base model.
        folder: Where its files lie; never moved.
        sha256: Digest of its weights and settings.
        context_trained: Whether its rows taught it to read passages.
        state: Where it stands.
        run: Its run.json as it was when registered.
        metrics: Its metrics.json, likewise.
        created_at: When it was registered, unix seconds.
        published_at: When it last went live, unix seconds.
        evaluation: Its evaluation.json as last recorded; none if it was never evaluated.
        gate_override: `{reason, verdict, at}` of the last publishing against a verdict; none if
            there was no such.
    """

    adapter_id: str
    tenant: str
    task: str
    base_model: str
    base_revision: str
    folder: Path
    sha256: str
    context_trained: bool
    state: AdapterState
    run: Mapping[str, Any]
    metrics: Mapping[str, Any]
    created_at: float
    published_at: float | None
    evaluation: Mapping[str, Any] | None = None
    gate_override: Mapping[str, Any] | None = None

    @property
    def verdict(self) -> str | None:
        """The gate's verdict; none if it was never evaluated."""
        return None if self.evaluation is None else str(self.evaluation["verdict"])

    @property
    def gate_passed(self) -> bool | None:
        """Whether it may serve; none if it was never evaluated.

        An override stands for the verdict it was given against, not for a later one.
        """
        if self.verdict is None:
            return None
        overridden = (self.gate_override or {}).get("verdict") == self.verdict
        return self.verdict == PASSED or overridden

    @property
    def gate_objection(self) -> str | None:
        """What stands against serving it: its verdict, or that it was to be judged and was not.

        None of an adapter whose evaluation nobody asked for: no verdict stands against it.
        """
        if self.evaluation is not None:
            why = "; ".join(self.evaluation["reasons"])
            return None if self.verdict == PASSED else f"is {self.verdict}: {why}"
        config = self.run.get("config")
        if not (isinstance(config, Mapping) and config.get("do_eval")):
            return None
        return (
            "was to be evaluated (do_eval) and has no verdict: the evaluation failed or still "
            f"runs; `fingerpost adapters eval {self.adapter_id}` repeats it"
        )


@dataclass(frozen=True, slots=True)
class Alias:
    """Which adapter answers for a task.

    Attributes:
        task: Name of the alias.
        adapter_id: The live adapter; none if the task is out of service.
        previous_adapter_id: The one a roll-back returns to.
        updated_at: When it last changed, unix seconds.
        history: Changes, oldest first, each `{action, adapter_id, at}`, with `override` (the
            reason) and `verdict` where an adapter was published against its verdict.
    """

    task: str
    adapter_id: str | None
    previous_adapter_id: str | None
    updated_at: float
    history: Sequence[Mapping[str, Any]]

"""The bodies of `/adapters`: adapters, drafts and the result of publishing."""

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field

from adapters import Adapter, AdapterState, EffectVerdict, StateChange, TrainingRun
from service.api.schemas.shapes import Body, JsonObject, ListReply, Reply
from service.engine.publisher import PublishReport


class PublishRequest(Body):
    """Body of a publish; `override` is the reason to publish against the verdict."""

    override: str | None = Field(default=None, max_length=500)


class GateOverrideReply(Reply):
    """Why an adapter was published against its verdict, and when (unix seconds)."""

    reason: str
    verdict: str
    at: float


class AdapterReply(Reply):
    """A registered adapter; `metrics` and `evaluation` are its files of these names."""

    object: Literal["adapter"] = "adapter"
    adapter_id: str
    task: str
    base_model: str
    base_revision: str
    state: AdapterState
    context_trained: bool
    sha256: str
    metrics: JsonObject
    created_at: float
    published_at: float | None
    verdict: str | None
    gate_passed: bool | None
    gate_override: GateOverrideReply | None
    evaluation: JsonObject | None

    @classmethod
    def of(cls, adapter: Adapter) -> Self:
        """Return an adapter as clients see it."""
        return cls.model_validate(adapter, from_attributes=True)


class StateChangeReply(Reply):
    """An entry of a history: a state, since when (`at`, unix seconds), by whom and why."""

    state: AdapterState
    at: float
    by: str | None
    why: str


class AdapterDetailReply(AdapterReply):
    """An adapter with the states it went through, oldest first."""

    history: list[StateChangeReply]

    @classmethod
    def with_history(cls, adapter: Adapter, changes: Sequence[StateChange]) -> Self:
        """Return an adapter and its history."""
        history = [StateChangeReply.model_validate(one, from_attributes=True) for one in changes]
        return cls.model_validate({**dict(AdapterReply.of(adapter)), "history": history})


class DraftReply(Reply):
    """A training run without an adapter yet; it is done when `step` equals `steps`."""

    object: Literal["adapter_draft"] = "adapter_draft"
    run_id: str
    adapter_id: None = None
    task: str
    base_model: str
    state: Literal[AdapterState.DRAFT] = AdapterState.DRAFT
    status: str
    step: int | None
    steps: int | None
    checkpoint_step: int | None
    created_at: float

    @classmethod
    def of(cls, run: TrainingRun) -> Self:
        """Return a draft as clients see it."""
        return cls.model_validate(run, from_attributes=True)


class DraftDetailReply(DraftReply):
    """A draft with its history: the start of the training."""

    history: list[StateChangeReply]

    @classmethod
    def of(cls, run: TrainingRun) -> Self:
        """Return a draft and its history."""
        began = StateChangeReply(
            state=AdapterState.DRAFT, at=run.created_at, by=run.run_id, why="training began"
        )
        return cls.model_validate({**dict(DraftReply.of(run)), "history": [began]})


class AdapterListReply(ListReply[AdapterReply]):
    """The adapters, and the training runs without one yet; both newest first."""

    drafts: list[DraftReply]


class EffectReply(Reply):
    """Whether the model server applies an adapter; distances are means over tokens, in nats.

    Attributes:
        differs: The server's answers with the adapter differ from those without.
        matches_reference: They match those computed after training.
        served_shift: Server, adapter against base.
        reference_shift: Training, adapter against base.
        error: Adapter, server against training.
        base_error: Base model, server against training: what precision alone makes.
        is_applied: Whether the adapter may serve.
    """

    differs: bool
    matches_reference: bool
    served_shift: float
    reference_shift: float
    error: float
    base_error: float
    is_applied: bool

    @classmethod
    def of(cls, effect: EffectVerdict) -> Self:
        """Return the verdict as clients see it."""
        return cls.model_validate(effect, from_attributes=True)


class PublishReply(AdapterReply):
    """The adapter that serves now.

    Attributes:
        replaced: Id of the adapter that served before; null if there was none.
        effect: The effect measured on the model server.
        note: Set if the adapter was never evaluated.
    """

    replaced: str | None
    effect: EffectReply
    note: str | None

    @classmethod
    def of_report(cls, report: PublishReport) -> Self:
        """Return what a publish or a rollback did."""
        adapter, effect = AdapterReply.of(report.adapter), EffectReply.of(report.effect)
        told = {"replaced": report.replaced, "effect": effect, "note": report.note}
        return cls.model_validate({**dict(adapter), **told})


class AliasReply(Reply):
    """Which adapter answers for a task; null after a withdrawal."""

    object: Literal["adapter_alias"] = "adapter_alias"
    task: str
    adapter_id: str | None

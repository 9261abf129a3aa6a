"""The bodies of `POST /advise`; every text is in the language that was asked for.

The JSON form is written by `router.render_advice`; the reply here is what it looks like.
"""

from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from router import AdviceFormat
from service.api.schemas.shapes import Body, JsonObject, Reply
from service.messages.catalogue import Language


class AdviseRequest(Body):
    """Body of `POST /advise`: a stored use case, or facts as in a facts file."""

    use_case: str | None = None
    facts: JsonObject | None = None
    lang: Language | None = None
    format: AdviceFormat = AdviceFormat.JSON


class FineTuningReply(Reply):
    """Whether to train: `yes`, `pilot`, `not_yet` or `no`, and the same in a sentence."""

    verdict: str
    statement: str


class ConclusionReply(Reply):
    """The standard conclusion that applies."""

    id: str
    text: str
    cost_sensitive: bool


class TodayReply(Reply):
    """The strategy that would answer today; null where hard rules forbid all of them."""

    strategy: str | None
    rule: str
    because: str


class InterimReply(Reply):
    """What to run until the recommended strategy is possible; null where nothing may run."""

    strategy: str | None
    text: str


class FactReply(Reply):
    """A fact with its value, the same in words, and where it comes from (`mark`: in words)."""

    fact: str
    name: str
    value: JsonValue
    text: str
    unit: str | None
    provenance: str
    mark: str
    derived: bool


class ThresholdReply(Reply):
    """A threshold of the policy, and its source."""

    name: str
    value: JsonValue
    unit: str | None
    source: str | None


class RuleReply(Reply):
    """A rule that applies to the question; `chose` is true for the one that decided."""

    rule: str
    kind: str
    verdict: str
    strategies: list[str]
    because: str
    chose: bool


class StepReply(Reply):
    """One of the five questions, with its answer; a further question has no number."""

    step: int | None
    id: str
    question: str
    verdict: str
    finding: str
    facts: list[FactReply]
    thresholds: list[ThresholdReply]
    rules: list[RuleReply]
    rules_out: list[str]


class RejectionReply(Reply):
    """A strategy that was not chosen."""

    strategy: str
    rule: str
    kind: str
    because: str


class CellReply(Reply):
    """One strategy in one dimension, and where its figure comes from."""

    text: str
    mark: str
    mark_text: str


class DimensionReply(Reply):
    """One row of the comparison: a cell for each strategy."""

    id: str
    label: str
    cells: dict[str, CellReply]


class FloorReply(Reply):
    """How many rows training needs; `factor` was applied to the minimum."""

    minimum: int
    recommended: int
    ideal: int | None
    pilot: int
    factor: float


class ChangeReply(Reply):
    """What would be recommended if the condition held."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True)

    condition: str = Field(alias="if")
    then: str | None
    then_text: str | None


class GapReply(Reply):
    """Something that is missing, how to get it, and what it would change."""

    kind: str
    about: str
    text: str
    how: str | None
    command: str | None
    have: float | None
    need: float | None
    missing: float | None
    would_change: list[ChangeReply]


class InputReply(Reply):
    """A figure that the estimates use."""

    fact: str
    name: str
    value: float
    text: str
    mark: str
    mark_text: str
    source: str | None


class FormulaReply(Reply):
    """The formula of an estimate, and its source."""

    id: str
    formula: str
    source: str


class TrainingEstimate(Reply):
    """What training costs: memory in GB, time in hours, cost in USD; null if unknown.

    No memory is given for models below the sizes that the formulas were fitted to.
    """

    rows: int
    row_tokens: float
    memory_gb: float | None
    qlora_memory_gb: float | None
    full_memory_gb: float | None
    fits: bool | None
    hours: float | None
    usd: float | None
    runs_per_month: float | None


class ServingEstimate(Reply):
    """What answering costs, in tokens, GPU seconds and USD; null if unknown.

    A comparison measures the sum: `prompt_tokens` and `answer_tokens` are then null.
    """

    tokens: float
    prompt_tokens: float | None
    answer_tokens: float | None
    tokens_mark: str
    gpu_seconds: float | None
    usd_per_1000: float | None
    usd_per_month: float | None


class EstimatesReply(Reply):
    """Memory, time and cost of each strategy."""

    inputs: list[InputReply]
    formulas: list[FormulaReply]
    training: dict[str, TrainingEstimate]
    serving: dict[str, ServingEstimate]
    always_on_usd_per_month: float | None
    notes: list[str]


class NextStepReply(Reply):
    """What to do now."""

    text: str
    command: str | None


class CategoryReply(Reply):
    """The rows of one kind; `share` of all, 0 to 1."""

    name: str
    rows: int
    share: float | None


class AdviceReply(Reply):
    """What to build for a use case, what is missing, what it costs and what to do next."""

    object: Literal["advice"] = "advice"
    lang: Language
    policy_version: str
    recommended: str | None
    rule: str
    headline: str
    fine_tuning: FineTuningReply
    pilot: bool
    reasons: list[str]
    conclusion: ConclusionReply | None
    today: TodayReply
    interim: InterimReply | None
    to_build: list[str]
    assumed: JsonObject
    steps: list[StepReply]
    also_asked: list[StepReply]
    rejected: list[RejectionReply]
    comparison: list[DimensionReply]
    floor: FloorReply
    missing: list[GapReply]
    estimates: EstimatesReply
    risks: list[str]
    next_steps: list[NextStepReply]
    facts: list[FactReply]
    categories: list[CategoryReply]
    measured_by: str

"""One question answered by one strategy, with its score: what a comparison stores of each.

It knows the keys of an outcome and what is read of a `/chat` reply; it does not know how answers
are asked for or scored.
"""

from pydantic import BaseModel, ConfigDict, JsonValue

from service.compare.questions import Kind


class ChatUsage(BaseModel):
    """Tokens of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt_tokens: int
    completion_tokens: int


class ChatAnswer(BaseModel):
    """What is read of a `/chat` reply."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    outcome: str
    strategy: str
    answer: str
    citations: tuple[dict[str, JsonValue], ...]
    decision: dict[str, JsonValue]
    usage: ChatUsage
    timings_ms: dict[str, float]

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer; else it abstained."""
        return self.outcome == "answered"


class Outcome(BaseModel):
    """One question answered by one strategy.

    Attributes:
        language: Of the question, such as `zh`.
        score: 0 to 1; None where the question failed.
        outcome: As in the reply, or `error`.
        facts: What the router decided by.
        decision: The decision's strategy, rule and thresholds.
        chosen: The strategy that answered; absent where the question failed, as is `answer`.
        error: Why it failed; absent where it was answered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    question: str
    kind: Kind
    language: str
    strategy: str
    score: float | None
    outcome: str
    latency_ms: float
    first_token_ms: float
    prompt_tokens: int
    completion_tokens: int
    facts: dict[str, JsonValue]
    decision: dict[str, JsonValue]
    chosen: str | None = None
    answer: str | None = None
    error: str | None = None

    def to_json(self) -> dict[str, JsonValue]:
        """Return the keys that are present."""
        return self.model_dump(mode="json", exclude_unset=True)

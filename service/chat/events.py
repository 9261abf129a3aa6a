"""What is told while a question is answered: decision, passages, pieces of text, the answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from knowledge import Passage, Retrieval
from router import Abstention, Decision, NoSource, Settlement, Strategy
from service.chat.citations import Citation
from service.chat.prompts import Prompt
from service.chat.query_rewriting import Rewriting
from service.engine.generation import ToolCall, Usage

AbstentionReason = Abstention | Literal["no_passage_fits", "uncited"]
"""Why a question is not answered, so that a back end can hand it over to a person."""


@dataclass(frozen=True, slots=True)
class DecisionEvent:
    """First event: the strategy and the model that answer, and why.

    Attributes:
        request_id: Names the request.
        strategy: What answers, once the evidence is in.
        model: The model server's name for it: the base model or an adapter id.
        decision: What the policy chose before anything was retrieved.
        settlement: What the evidence changed; None where nothing was retrieved.
    """

    request_id: str
    strategy: Strategy
    model: str
    decision: Decision
    settlement: Settlement | None

    @property
    def needs_no_sources(self) -> NoSource | None:
        """Which of the four kinds it is that are answered without sources; None for others."""
        kind = self.decision.facts.get("needs_no_sources")
        return None if kind is None or self.strategy.retrieves else NoSource(str(kind))

    @property
    def is_helper_prompt(self) -> bool:
        """Whether a front-end asked for its own use: a title, tags, follow-up questions."""
        return self.decision.facts.get("helper_prompt") is True

    @property
    def fallback_from(self) -> Strategy | None:
        """The strategy that was chosen, where the evidence led to another."""
        return None if self.strategy is self.decision.strategy else self.decision.strategy


@dataclass(frozen=True, slots=True)
class PassagesEvent:
    """Second event: the passages as numbered for the model, number 1 first."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class DeltaEvent:
    """A piece of the answer's text, or the refusal in its place."""

    text: str
    is_refusal: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """Last event: the whole answer.

    Attributes:
        decided: The first event.
        outcome: Whether it answers or abstains.
        reason: Why it abstains; None where it answers.
        calls: Functions to be called, in place of a text or beside it.
        text: The answer, or the use case's refusal.
        citations: Each resolves to a passage that the model was given.
        markers_removed: Markers that named no passage.
        usage: Tokens of every call to the model server.
        timings_ms: Wall time of each stage.
        finish_reason: Of the model server; `stop` for a refusal.
        prompt: What the model was sent; None where it was not asked.
        retrieval: What was found; None where nothing was searched.
        rewriting: What became of a rewrite of the question; None where none was made.
    """

    decided: DecisionEvent
    outcome: Literal["answered", "abstained"]
    reason: AbstentionReason | None
    text: str
    citations: tuple[Citation, ...]
    markers_removed: int
    usage: Usage
    timings_ms: Mapping[str, float]
    finish_reason: str
    prompt: Prompt | None
    retrieval: Retrieval | None
    rewriting: Rewriting | None
    calls: tuple[ToolCall, ...] = ()

    @property
    def is_degraded(self) -> bool:
        """Whether a retriever that should have answered did not."""
        return self.retrieval is not None and self.retrieval.degraded


Event = DecisionEvent | PassagesEvent | DeltaEvent | Answer

"""The bodies of an answer: complete, streamed, or only the decision."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, Self

from pydantic import Field

from knowledge import Passage, Retrieval
from router import NoSource, Strategy, Text
from service.api.schemas.shapes import JsonObject, Reply
from service.chat.citations import Citation
from service.chat.events import AbstentionReason, Answer, DecisionEvent, PassagesEvent
from service.chat.query_rewriting import Rewriting
from service.chat.record import decision_in_full
from service.engine.generation import Usage


class Reason(Reply):
    """A policy's text in both languages."""

    zh: str
    en: str


class Rejection(Reply):
    """Why a strategy was not chosen."""

    strategy: Strategy
    rule: str
    because: Reason
    kind: str | None = Field(default=None, description="Kind of the rule; with `explain=true`.")
    unknown_facts: list[str] | None = Field(
        default=None, description="Unknown facts that forbid the strategy; with `explain=true`."
    )


class DecisionReply(Reply):
    """Which strategy answers, and why; with `explain=true` the full trace."""

    strategy: Strategy
    rule: str
    because: Reason
    rejected: list[Rejection]
    policy_version: str
    fallback_from: Strategy | None = Field(
        default=None, description="The strategy chosen first, if the evidence led to another."
    )
    findings: list[JsonObject] | None = Field(
        default=None, description="The finding of every rule, in the order of the policy."
    )
    facts: dict[str, JsonObject] | None = Field(
        default=None, description="Every fact by name, with its value and provenance."
    )
    conflict: JsonObject | None = None
    pilot: bool | None = None
    declined_by: str | None = Field(
        default=None, description="The rule by which the request is refused at once."
    )
    thresholds: dict[str, JsonObject] | None = None
    settlement: JsonObject | None = Field(
        default=None, description="The outcome once passages were retrieved."
    )

    @classmethod
    def of(cls, decided: DecisionEvent, *, explain: bool) -> Self:
        """Return the lean decision, or all of it."""
        if explain:
            return cls.model_validate(decision_in_full(decided))
        decision = decided.decision
        lean = cls(
            strategy=decided.strategy,
            rule=decision.rule,
            because=_reason(decision.because),
            rejected=[
                _rejection(each.strategy, each.rule, each.because) for each in decision.rejected
            ],
            policy_version=decision.policy_version,
        )
        if decided.fallback_from is None:
            return lean
        return lean.model_copy(update={"fallback_from": decided.fallback_from})


class PassageReply(Reply):
    """A passage and its position in the document."""

    knowledge_base: str
    document_id: str
    version: int
    chunk_id: str
    filename: str
    path: str = Field(description="The document's path: its id where that is one.")
    heading: str = Field(description="The headings above it, ` > ` between.")
    page: int | None
    page_end: int | None = Field(description="Where it ends, if that is another page.")
    sheet: str | None = Field(description="Of a workbook.")
    ocr: bool = Field(description="Its text was recognised in a picture and may hold mistakes.")
    ocr_confidence: float | None = Field(
        description="Mean confidence of the recognised letters, 0 to 1, of its least certain page."
    )
    start: int = Field(description="First character in the document's text.")
    end: int = Field(description="End, exclusive.")
    score: float
    text: str = Field(
        description="As shown to the model: that part of the document, after the title and header "
        "rows of a table that it goes on with."
    )

    @classmethod
    def fields_of(cls, passage: Passage) -> JsonObject:
        """Return the values of a passage by name."""
        return {name: getattr(passage, name) for name in PassageReply.model_fields}


class NumberedPassage(PassageReply):
    """A passage with its number in the prompt."""

    marker: int


class CitationReply(NumberedPassage):
    """A passage that supports the answer, and how the two were linked."""

    by: Literal["marker", "attribution"]

    @classmethod
    def of(cls, citation: Citation) -> Self:
        """Return a citation as clients see it."""
        fields = cls.fields_of(citation.passage)
        return cls.model_validate({"marker": citation.marker, **fields, "by": citation.by})


class UsageReply(Reply):
    """Tokens counted by the model server."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    cached_tokens: int

    @classmethod
    def of(cls, usage: Usage) -> Self:
        """Return the token counts of an answer."""
        return cls(**usage.as_dict())


class LeftOut(Reply):
    """What did not fit into the model's context window."""

    passages: int
    turns: int
    answer_tokens: int = Field(description="How many fewer tokens than asked the answer may have.")


class RetrieverLeftOut(Reply):
    """A retriever that was not used, and why."""

    retriever: str
    reason: str
    detail: str


class RewriteReply(Reply):
    """The result of rewriting the question."""

    outcome: str
    detail: str | None = None


class RetrievalReply(Reply):
    """How the passages were found."""

    retrievers: list[str]
    left_out: list[RetrieverLeftOut]
    best_relevance: float | None
    above_floor: int = Field(description="Number of passages that reach `min_relevance`.")
    passages_over_budget: int
    query: str
    rewrite: RewriteReply | None = None


class ChatReply(Reply):
    """Body of `POST /chat`, and data of the stream's `done` event."""

    id: str
    answer: str
    outcome: Literal["answered", "abstained"]
    reason: AbstentionReason | None = Field(
        default=None, description="Why the question is not answered; where it abstains."
    )
    needs_no_sources: NoSource | None = Field(
        default=None, description="Why it was answered without sources; where it was."
    )
    helper_prompt: bool | None = Field(
        default=None, description="A front-end asked for a title, tags or the like; where it did."
    )
    strategy: Strategy
    model: str
    decision: DecisionReply
    citations: list[CitationReply]
    usage: UsageReply
    timings_ms: dict[str, float] = Field(description="Milliseconds per stage, and in `total`.")
    finish_reason: str
    degraded: bool
    left_out: LeftOut | None = None
    markers_removed: int | None = None
    retrieval: RetrievalReply | None = None

    @classmethod
    def of(cls, answer: Answer, *, explain: bool) -> Self:
        """Return the body of an answer; what was not cut, removed or searched is not named."""
        decided = answer.decided
        whole = cls(
            id=decided.request_id,
            answer=answer.text,
            outcome=answer.outcome,
            strategy=decided.strategy,
            model=decided.model,
            decision=DecisionReply.of(decided, explain=explain),
            citations=[CitationReply.of(citation) for citation in answer.citations],
            usage=UsageReply.of(answer.usage),
            timings_ms=dict(answer.timings_ms),
            finish_reason=answer.finish_reason,
            degraded=answer.is_degraded,
        )
        return whole.model_copy(update=_notes(answer))


class DecisionEventReply(Reply):
    """Data of the stream's `decision` event."""

    id: str
    strategy: Strategy
    model: str
    decision: DecisionReply

    @classmethod
    def of(cls, decided: DecisionEvent, *, explain: bool) -> Self:
        """Return the first event of a stream."""
        return cls(
            id=decided.request_id,
            strategy=decided.strategy,
            model=decided.model,
            decision=DecisionReply.of(decided, explain=explain),
        )


class PassagesEventReply(Reply):
    """Data of the stream's `passages` event."""

    passages: list[NumberedPassage]

    @classmethod
    def of(cls, event: PassagesEvent) -> Self:
        """Return the passages with the numbers that the model was given."""
        return cls(passages=_numbered(event.passages))


class DeltaEventReply(Reply):
    """Data of the stream's `delta` events."""

    text: str


class RouteReply(Reply):
    """Body of `POST /route`."""

    id: str
    use_case: str
    strategy: Strategy
    decision: DecisionReply


@lru_cache(maxsize=512)  # of rules: the same ones in every answer
def _reason(text: Text) -> Reason:
    return Reason(zh=text.zh, en=text.en)


@lru_cache(maxsize=512)
def _rejection(strategy: Strategy, rule: str, because: Text) -> Rejection:
    return Rejection(strategy=strategy, rule=rule, because=_reason(because))


def _numbered(passages: Sequence[Passage]) -> list[NumberedPassage]:
    return [
        NumberedPassage.model_validate({"marker": number, **PassageReply.fields_of(passage)})
        for number, passage in enumerate(passages, start=1)
    ]


def _notes(answer: Answer) -> dict[str, Reply | int | str | bool]:
    """Return the keys that only some answers have."""
    notes: dict[str, Reply | int | str | bool] = {}
    prompt = answer.prompt
    if prompt is not None and prompt.is_cut:
        notes["left_out"] = LeftOut(
            passages=prompt.passages_left_out,
            turns=prompt.turns_left_out,
            answer_tokens=prompt.answer_tokens_left_out,
        )
    if answer.reason is not None:
        notes["reason"] = answer.reason
    notes.update(kind_of_request(answer.decided))
    if answer.markers_removed:
        notes["markers_removed"] = answer.markers_removed
    if answer.retrieval is not None:
        notes["retrieval"] = _retrieval(answer.retrieval, answer.rewriting)
    return notes


def kind_of_request(decided: DecisionEvent) -> dict[str, str | bool]:
    """Return what the request was, where it is not a question to be answered from sources."""
    told: dict[str, str | bool] = {}
    if decided.needs_no_sources is not None:
        told["needs_no_sources"] = decided.needs_no_sources
    if decided.is_helper_prompt:
        told["helper_prompt"] = True
    return told


def _retrieval(found: Retrieval, rewriting: Rewriting | None) -> RetrievalReply:
    reply = RetrievalReply(
        retrievers=list(found.retrievers),
        left_out=[
            RetrieverLeftOut(retriever=each.retriever, reason=each.reason, detail=each.detail)
            for each in found.left_out
        ],
        best_relevance=found.best_relevance,
        above_floor=found.relevant_passages,
        passages_over_budget=found.passages_over_budget,
        query=found.query,
    )
    if rewriting is None:
        return reply
    return reply.model_copy(update={"rewrite": RewriteReply.model_validate(rewriting.as_dict())})

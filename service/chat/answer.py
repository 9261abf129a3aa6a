"""The straight line from a question to an answer.

Facts, decision, a rewrite where wanted, passages, settlement, prompt, stream, citations, record:
each step is a plain function over values, and none reaches back. It does not know HTTP.
"""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from anyio import to_thread

from knowledge import LeftOut, Passage, Retrieval, Turn
from router import (
    Decision,
    Evidence,
    Policy,
    Settlement,
    Signals,
    Strategy,
    decide,
    observe,
    read_signals,
    settle,
)
from service.chat.citations import Citation, CiteMode, cite, passage_dict
from service.chat.prompts import Prompt, build_prompt
from service.chat.query_rewriting import Rewriting, rewrite
from service.context import AppContext
from service.engine.client import Generation, GenerationRequest, Message, Usage
from service.errors import AdapterNotLoaded, StrategyForbidden
from service.routing.facts import Measured, Requirements, gather_facts
from service.routing.policies import policy_for
from service.stores.records import Afterthought, Record
from service.stores.use_cases import DEFAULT_SAMPLING, Sampling, UseCase

RECORDED = (
    *("strategy", "rule", "policy_version", "thresholds"),
    *("pilot", "fallback_from"),
)
INLINE_CHARS = 20_000  # about 5 ms of counting tokens; longer would hold up other answers
ADAPTED = frozenset({Strategy.FINE_TUNED, Strategy.HYBRID})


@dataclass(frozen=True, slots=True)
class Question:
    """One request for an answer, as every face of the service asks it.

    `access_labels` are what the person asking holds; the caller vouches for them. `strategy` is
    None for `auto`; `adapter` names a task or an adapter id and overrides the use
    case's; `explain` shows every node of every rule with the values it read.
    """

    request_id: str
    tenant: str
    turns: tuple[Message, ...]
    use_case: str | None = None
    strategy: Strategy | None = None
    adapter: str | None = None
    knowledge_bases: tuple[str, ...] | None = None
    top_k: int | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    access_labels: tuple[str, ...] = ()
    cite: CiteMode = "inline"
    requirements: Requirements = Requirements()
    sampling: Sampling = Sampling()
    response_format: Mapping[str, Any] | None = None
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """What was decided for a question, and on what."""

    use_case: UseCase
    signals: Signals
    measured: Measured
    decision: Decision
    policy: Policy

    @property
    def wants_rewrite(self) -> bool:
        """Whether the question is to stand alone before it is searched."""
        wished = self.use_case.rewrite_follow_ups and self.signals.follow_up
        return wished and self.decision.strategy.retrieves


@dataclass(frozen=True, slots=True)
class Decided:
    """First event: the strategy and the model that will answer."""

    request_id: str
    strategy: Strategy
    model: str
    decision: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """The passages as numbered for the model."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Last event: the whole answer."""

    request_id: str
    text: str
    outcome: Literal["answered", "abstained"]
    strategy: Strategy
    model: str
    decision: Mapping[str, Any]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    usage: Usage
    timings_ms: Mapping[str, float]
    finish_reason: str
    degraded: bool
    notes: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Return the body of `POST /chat`."""
        return {
            "id": self.request_id,
            "answer": self.text,
            "outcome": self.outcome,
            "strategy": self.strategy,
            "model": self.model,
            "decision": dict(self.decision),
            "citations": [citation.as_dict() for citation in self.citations],
            "usage": usage_dict(self.usage),
            "timings_ms": dict(self.timings_ms),
            "finish_reason": self.finish_reason,
            "degraded": self.degraded,
            **self.notes,
        }


Event = Decided | Given | Delta | Answer


class Stopwatch:
    """Wall time of each stage, in milliseconds."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._marks: dict[str, float] = {}

    def mark(self, stage: str) -> None:
        """End `stage` here."""
        now = time.perf_counter()
        self._marks[stage] = round((now - self._last) * 1000, 3)
        self._last = now

    def timings_ms(self) -> dict[str, float]:
        """Return each stage, 0 where it did not happen (`rewrite` is left out), and the total."""
        stages = dict.fromkeys(("route", "retrieve", "first_token", "generate"), 0.0)
        total = (time.perf_counter() - self._start) * 1000
        return {**stages, **self._marks, "total": round(total, 3)}


async def answer(question: Question, context: AppContext) -> AsyncGenerator[Event, None]:
    """Answer `question`; the first event comes once the model server has accepted it.

    Yields:
        `Decided`, `Given`, any number of `Delta`, then exactly one `Answer`.

    Raises:
        ServiceError, KnowledgeError: Before the first event nothing has been said; after it,
            what was said is not a whole answer.
    """
    watch = Stopwatch()
    route = await choose(question, context)
    meant = model_of(route.decision.strategy, route, context)
    with context.engine_status.in_use(
        meant
    ):  # from here on it is not unloaded, however long retrieval takes
        watch.mark("route")
        rewriting = await rewrite(
            question.turns, route.signals, context, wanted=route.wants_rewrite
        )
        if rewriting is not None:
            watch.mark("rewrite")
        retrieval = await find_passages(question, route, rewriting, context)
        watch.mark("retrieve")
        settlement = weigh(route, retrieval)
        strategy = strategy_after(route.decision, settlement)
        model = model_of(strategy, route, context)
        decision = explain(route.decision, settlement, strategy, with_leaves=question.explain)
        decided = Decided(question.request_id, strategy, model, decision)
        if settlement is not None and settlement.outcome == "abstain":
            yield decided
            yield Given(())
            refusal = route.use_case.refusal.in_language(route.signals.language)
            yield Delta(refusal)
            prompt = Prompt((), 0, (), 0, 0)
            done = conclude(decided, prompt, None, refusal, retrieval, rewriting, watch, question)
        else:
            write = partial(write_prompt, question, route, strategy, retrieval, context)
            is_long = sum(len(turn.content) for turn in question.turns) > INLINE_CHARS
            prompt = await to_thread.run_sync(write) if is_long else write()
            request = GenerationRequest(
                model, prompt.messages, options_of(question, route.use_case)
            )
            async with context.engine.generate(request) as generation:
                yield decided
                yield Given(prompt.passages)
                pieces: list[str] = []
                async for text in generation.chunks:
                    if not pieces:
                        watch.mark("first_token")
                    pieces.append(text)
                    yield Delta(text)
                watch.mark("generate")
                said = "".join(pieces)
                done = conclude(
                    decided, prompt, generation, said, retrieval, rewriting, watch, question
                )
                if route.use_case.refusal.is_said_in(said):  # learned from context rows
                    done = replace(done, outcome="abstained")
    think = partial(think_over, route, settlement, strategy, context.shadow_policy)
    context.records.keep(record_of(question, route, done, context), think)
    yield done


async def choose(question: Question, context: AppContext) -> Route:
    """Gather the facts and decide; nothing is retrieved or generated.

    Raises:
        UseCaseNotFound: The named use case does not exist.
        StrategyForbidden: A hard rule stands against the asked strategy, or against all.
        AdapterNotLoaded: The asked strategy needs a live adapter that is not back yet.
    """
    name = question.use_case or context.settings.default_use_case
    use_case = await context.use_case(name, tenant=question.tenant)
    if question.adapter is not None:
        use_case = use_case.model_copy(update={"adapter": question.adapter})
    if question.knowledge_bases is not None:
        use_case = use_case.model_copy(update={"knowledge_bases": question.knowledge_bases})
    measured = await context.measured(use_case, tenant=question.tenant)
    if question.knowledge_bases is not None:
        measured.require_bases(question.knowledge_bases)
    asked = question.turns[-1].content
    earlier = [turn.content for turn in question.turns[:-1] if turn.role == "user"]
    signals = read_signals(asked, earlier, classifier=context.classifier)
    facts = gather_facts(
        use_case,
        signals,
        measured,
        question.requirements,
        engine_is_local=context.settings.engine.runs_locally,
    )
    policy = await context.policy_for(use_case)
    decision = decide(facts, policy, asked=question.strategy)
    if decision.conflict is not None:
        raise _conflict(question, decision, measured)
    return Route(use_case, signals, measured, decision, policy)


async def find_passages(
    question: Question, route: Route, rewriting: Rewriting | None, context: AppContext
) -> Retrieval | None:
    """Return the passages for the question, or None where the strategy needs none."""
    if not route.decision.strategy.retrieves:
        return None
    asked = question.turns[-1].content
    history = [Turn(turn.role, turn.content) for turn in question.turns[:-1]]
    if rewriting is not None and rewriting.question is not None:
        asked, history = rewriting.question, []
    search = partial(
        context.knowledge.retrieve,
        asked,
        base_ids=route.measured.bases,
        tenant=question.tenant,
        history=history,
        top_k=question.top_k or route.use_case.top_k,
        max_tokens=route.use_case.context_tokens,
        filters=question.filters,
        access=question.access_labels,
    )
    return await to_thread.run_sync(search)


def weigh(route: Route, retrieval: Retrieval | None) -> Settlement | None:
    """Return what the evidence allows, or None where nothing was retrieved."""
    if retrieval is None:
        return None
    evidence = Evidence(
        passages=retrieval.above_floor,
        best_score=retrieval.best_relevance,
        degraded=retrieval.degraded,
    )
    allow = route.use_case.allow_prompt_only_when_nothing_found
    return settle(route.decision, evidence, route.policy, allow_prompt_only=allow)


def strategy_after(decision: Decision, settlement: Settlement | None) -> Strategy:
    """Return the strategy that answers once the evidence is in."""
    fell_back = settlement is not None and settlement.outcome == "prompt_only"
    return Strategy.PROMPT_ONLY if fell_back else decision.strategy


def model_of(strategy: Strategy, route: Route, context: AppContext) -> str:
    """Return the model server's name for what answers: the base or an immutable adapter id."""
    if strategy not in ADAPTED:
        return context.settings.engine.base_model
    adapter = route.measured.adapter_id
    if adapter is None or not context.engine_status.serves(adapter):
        raise AdapterNotLoaded(f"The adapter {adapter} is not loaded in the model server yet.")
    return adapter


def explain(
    decision: Decision,
    settlement: Settlement | None,
    strategy: Strategy,
    *,
    with_leaves: bool,
) -> dict[str, Any]:
    """Return the decision as clients see it, with what the evidence changed."""
    body = decision.as_dict(with_leaves=with_leaves)
    body["strategy"] = strategy
    if settlement is not None:
        body["settlement"] = settlement.as_dict(with_leaves=with_leaves)
    if strategy is not decision.strategy:
        body["fallback_from"] = decision.strategy
    return body


def write_prompt(
    question: Question,
    route: Route,
    strategy: Strategy,
    retrieval: Retrieval | None,
    context: AppContext,
) -> Prompt:
    """Build the messages, with the passages worth showing where the strategy retrieves."""
    found: Sequence[Passage] = ()
    if strategy.retrieves and retrieval is not None:
        found = worth_showing(retrieval.passages)
    answer_tokens = sampling_of(question, route.use_case).max_tokens or 0
    return build_prompt(
        route.use_case,
        question.turns,
        found,
        ask_for_markers=question.cite != "none" and question.requirements.citations is True,
        limit_tokens=context.settings.engine.max_model_len - answer_tokens,
        count_tokens=context.count_tokens,
    )


def worth_showing(passages: Sequence[Passage]) -> Sequence[Passage]:
    """Return the passages down to the last that reaches the floor; all where none does.

    The floor says whether the collection is about the question, the rank which passage is best:
    one that ranks before a relevant passage is not held back.
    """
    reached = [place for place, passage in enumerate(passages, start=1) if passage.above_floor]
    return passages[: reached[-1]] if reached else passages


def sampling_of(question: Question, use_case: UseCase) -> Sampling:
    """Return the generation options in force: request, use case, default."""
    return question.sampling.over(use_case.sampling.over(DEFAULT_SAMPLING))


def options_of(question: Question, use_case: UseCase) -> dict[str, Any]:
    """Return the fields that go to the model server beside model and messages."""
    options = sampling_of(question, use_case).model_dump(exclude_none=True)
    if question.response_format is not None:
        options["response_format"] = dict(question.response_format)
    return options


def conclude(
    decided: Decided,
    prompt: Prompt,
    generation: Generation | None,
    said: str,
    retrieval: Retrieval | None,
    rewriting: Rewriting | None,
    watch: Stopwatch,
    question: Question,
) -> Answer:
    """Put the answer together: citations validated, usage of every call and timings noted."""
    cited = cite(said, prompt.passages, question.cite)
    spent = Usage(0, 0) if generation is None else generation.usage
    return Answer(
        request_id=decided.request_id,
        text=cited.text,
        outcome="abstained" if generation is None else "answered",
        strategy=decided.strategy,
        model=decided.model,
        decision=decided.decision,
        citations=cited.citations,
        passages=prompt.passages,
        usage=spent if rewriting is None else spent + rewriting.usage,
        timings_ms=watch.timings_ms(),
        finish_reason="stop" if generation is None else generation.finish_reason or "stop",
        degraded=retrieval is not None and retrieval.degraded,
        notes=_notes(prompt, retrieval, rewriting, cited.markers_removed),
    )


def record_of(question: Question, route: Route, done: Answer, context: AppContext) -> Record:
    """Return what is kept of this request."""
    keeps_text = context.records.stores_text
    return Record(
        request_id=done.request_id,
        tenant=question.tenant,
        use_case=route.use_case.id,
        created_at=time.time(),
        strategy=done.strategy,
        model=done.model,
        outcome=done.outcome,
        decision={name: done.decision[name] for name in RECORDED if name in done.decision},
        usage=usage_dict(done.usage),
        timings_ms=done.timings_ms,
        question=question.turns[-1].content if keeps_text else None,
        answer=done.text if keeps_text else None,
    )


def think_over(
    route: Route, settlement: Settlement | None, strategy: Strategy, observed: Policy | None
) -> Afterthought:
    """Return the decision with every node, and what an observed policy would have done."""
    trace = explain(route.decision, settlement, strategy, with_leaves=True)
    if observed is None:
        return Afterthought(trace, None)
    allow = route.use_case.allow_prompt_only_when_nothing_found
    policy = policy_for(observed, route.use_case.thresholds)
    seen = observe(route.decision, settlement, policy, allow_prompt_only=allow)
    return Afterthought(trace, seen.as_dict())


def usage_dict(usage: Usage) -> dict[str, int]:
    """Return the token counts as clients see them."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "cached_tokens": usage.cached_tokens,
    }


def numbered(passages: Sequence[Passage]) -> list[dict[str, Any]]:
    """Return the passages with the numbers the model was given."""
    return [{"marker": n, **passage_dict(p)} for n, p in enumerate(passages, start=1)]


def _notes(
    prompt: Prompt, retrieval: Retrieval | None, rewriting: Rewriting | None, markers_removed: int
) -> dict[str, Any]:
    """Return what was cut, left out or removed; empty where nothing was."""
    notes: dict[str, Any] = {}
    if prompt.passages_left_out or prompt.turns_left_out:
        notes["left_out"] = {"passages": prompt.passages_left_out, "turns": prompt.turns_left_out}
    if markers_removed:
        notes["markers_removed"] = markers_removed
    if retrieval is not None:
        notes["retrieval"] = {
            "retrievers": list(retrieval.retrievers),
            "left_out": [_left_out(item) for item in retrieval.left_out],
            "best_relevance": retrieval.best_relevance,
            "above_floor": retrieval.above_floor,
            "passages_over_budget": retrieval.passages_over_budget,
            "query": retrieval.query,
        }
        if rewriting is not None:
            notes["retrieval"]["rewrite"] = rewriting.as_dict()
    return notes


def _left_out(item: LeftOut) -> dict[str, str]:
    return {"retriever": item.retriever, "reason": item.reason, "detail": item.detail}


def _conflict(
    question: Question, decision: Decision, measured: Measured
) -> StrategyForbidden | AdapterNotLoaded:
    rejection = decision.conflict
    assert rejection is not None
    waiting = measured.adapter_id is not None and not measured.adapter_loaded
    if waiting and question.strategy in ADAPTED:
        return AdapterNotLoaded(
            f"The adapter {measured.adapter_id} is live but not back in the model server yet."
        )
    missing = "; ".join(measured.missing_for(rejection.strategy))
    because = rejection.because.en
    return StrategyForbidden(
        f"Strategy {rejection.strategy} cannot run: rule {rejection.rule} ({because})."
        + (f" Missing: {missing}." if missing else ""),
        param="strategy",
        rule=rejection.rule,
        decision=decision.as_dict(with_leaves=False),
    )

"""The straight line from a question to an answer.

Gather and decide, retrieve, settle, write the prompt, then abstain or generate, then record: each
step is a plain function over values, and none reaches back. It does not know HTTP.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from anyio import to_thread
from pydantic import JsonValue

from service.chat.citations import CitedAnswer, CiteMode, cite
from service.chat.events import (
    AbstentionReason,
    Answer,
    DecisionEvent,
    DeltaEvent,
    Event,
    PassagesEvent,
)
from service.chat.evidence import (
    Retrieved,
    passages_to_show,
    retrieve,
    settle_evidence,
    strategy_after,
)
from service.chat.links.addresses import addresses_in
from service.chat.links.answer_links import LinkFilter, limited
from service.chat.prompts import Prompt, Window, build_prompt
from service.chat.question import Question
from service.chat.record import keep_record
from service.chat.route import Route, choose_route, model_for
from service.chat.shown_text import ShownText
from service.chat.timer import StageTimer
from service.context import AppContext
from service.engine.client import GenerationRequest
from service.engine.generation import Generation, Usage

INLINE_CHARS = 20_000  # about 5 ms of counting tokens; longer would hold up other answers
NO_USAGE = Usage(0, 0)


@dataclass(frozen=True, slots=True)
class Settled:
    """Everything that abstaining and generating need."""

    question: Question
    route: Route
    retrieved: Retrieved
    decided: DecisionEvent

    @property
    def reason(self) -> AbstentionReason | None:
        """Why the evidence allows no answer; None where it allows one."""
        settlement = self.decided.settlement
        return None if settlement is None else settlement.reason

    @property
    def refusal(self) -> str:
        """The use case's refusal, in the question's language and script."""
        refusal = self.route.use_case.refusal
        return refusal.in_reply_to(self.question.text, self.route.signals.language)


async def answer(question: Question, context: AppContext) -> AsyncGenerator[Event, None]:
    """Answer `question`; the first event comes once the model server has accepted it.

    Yields:
        `DecisionEvent`, `PassagesEvent`, any number of `DeltaEvent`, then exactly one `Answer`.

    Raises:
        ServiceError, KnowledgeError: Before the first event nothing has been told; after it,
            what was told is not a whole answer.
    """
    timer = StageTimer()
    route = await choose_route(question, context)
    model = model_for(route.decision.strategy, route, context)
    with context.engine_status.in_use(model):  # not unloaded, however long retrieval takes
        timer.mark("route")
        retrieved = await retrieve(question, route, context, timer)
        settled = settle(question, route, retrieved, context)
        prompt = None if settled.reason else await write_prompt(settled, context)
        if prompt is None or prompt.lost_every_passage:
            reply = abstain(settled, timer, settled.reason or "no_passage_fits")
        else:
            reply = generate(settled, prompt, context, timer)
        async with aclosing(reply) as events:
            async for event in events:
                if isinstance(event, Answer):
                    keep_record(question, route, event, context)
                yield event


def settle(question: Question, route: Route, retrieved: Retrieved, context: AppContext) -> Settled:
    """Return what the evidence leads to, and which model carries it out."""
    settlement = settle_evidence(route, retrieved)
    strategy = strategy_after(route, settlement)
    model = model_for(strategy, route, context)
    decided = DecisionEvent(question.request_id, strategy, model, route.decision, settlement)
    return Settled(question, route, retrieved, decided)


async def abstain(
    settled: Settled, timer: StageTimer, reason: AbstentionReason
) -> AsyncGenerator[Event, None]:
    """Refuse in the words of the use case; the model is not asked."""
    yield settled.decided
    yield PassagesEvent(())
    yield DeltaEvent(settled.refusal, is_refusal=True)
    yield Answer(
        decided=settled.decided,
        outcome="abstained",
        reason=reason,
        text=settled.refusal,
        citations=(),
        markers_removed=0,
        usage=_with_rewriting(NO_USAGE, settled.retrieved),
        timings_ms=timer.timings_ms(),
        finish_reason="stop",
        prompt=None,
        retrieval=settled.retrieved.retrieval,
        rewriting=settled.retrieved.rewriting,
    )


async def generate(
    settled: Settled, prompt: Prompt, context: AppContext, timer: StageTimer
) -> AsyncGenerator[Event, None]:
    """Have the model answer, and tie what it says to the passages it was given."""
    request = GenerationRequest(
        settled.decided.model,
        prompt.messages,
        options_for(settled, prompt),
        tenant=settled.question.tenant,
    )
    pieces: list[str] = []
    async with context.engine.generate(request) as generation:
        yield settled.decided
        yield PassagesEvent(prompt.passages)
        must_cite, mode = citing(settled)  # from here on the engine computes the first token
        shown = ShownText(prompt.passages, mode, must_cite=must_cite)
        must_call = settled.question.must_call
        allowed = links_allowed(settled, prompt)
        links = LinkFilter(allowed)
        async for text in generation.chunks:
            if not pieces:
                timer.mark("first_token")
            pieces.append(text)
            if not must_call and (new := shown.add(links.add(text))):
                yield DeltaEvent(new)
        timer.mark("generate")
        answer = build_answer(
            settled, prompt, "".join(pieces), links=allowed, generation=generation, timer=timer
        )
        if answer.reason == "uncited":
            yield DeltaEvent(answer.text, is_refusal=True)
        elif not must_call and (rest := shown.add(links.rest()) + shown.rest()):
            yield DeltaEvent(rest)
        yield answer


def citing(settled: Settled) -> tuple[bool, CiteMode]:
    """Return whether the answer must name a source, and how sources are shown.

    A caller that wants none beside a rule that requires them gets them as a list.
    """
    facts, mode = settled.decided.decision.facts, settled.question.cite
    must_cite = any(facts.get(f"citations_{by}") is True for by in ("required", "requested"))
    return must_cite, "list" if must_cite and mode == "none" else mode


def links_allowed(settled: Settled, prompt: Prompt) -> frozenset[str] | None:
    """Return the addresses that the answer may show; None: all.

    What the operator or the application wrote into the system message counts as given; without
    passages the conversation does too: a text to be translated keeps its links.
    """
    use_case = settled.route.use_case
    if use_case.answer.links == "all":
        return None
    if use_case.answer.links == "none":
        return frozenset()
    told = [
        each.content for each in prompt.messages if each.role == "system" or not prompt.passages
    ]
    refusals = (use_case.refusal.zh, use_case.refusal.traditional, use_case.refusal.en)
    return addresses_in([*told, *refusals, *(passage.text for passage in prompt.passages)])


async def write_prompt(settled: Settled, context: AppContext) -> Prompt:
    """Build the messages, with passages where the strategy retrieves; a long one in a thread."""
    question, use_case = settled.question, settled.route.use_case
    retrieves = settled.decided.strategy.retrieves
    asked_tokens = question.sampling_for(use_case).max_tokens or 0
    must_cite, _mode = citing(settled)
    build = partial(
        build_prompt,
        use_case,
        question.turns_with_tools,
        passages_to_show(settled.retrieved.passages) if retrieves else (),
        ask_for_markers=must_cite,
        window=Window(context.settings.engine.max_model_len, asked_tokens),
        count_tokens=context.count_tokens,
    )
    is_long = sum(len(turn.content) for turn in question.turns) > INLINE_CHARS
    return await to_thread.run_sync(build) if is_long else build()


def options_for(settled: Settled, prompt: Prompt) -> dict[str, JsonValue]:
    """Return the fields that go to the model server beside model and messages."""
    sampling = settled.question.sampling_for(settled.route.use_case)
    options: dict[str, JsonValue] = sampling.model_dump(mode="json", exclude_none=True)
    options["max_tokens"] = prompt.answer_tokens
    question = settled.question
    if question.response_format is not None:
        options["response_format"] = dict(question.response_format)
    return options if question.tools is None else {**options, **question.tools.as_options()}


def build_answer(
    settled: Settled,
    prompt: Prompt,
    text: str,
    *,
    links: frozenset[str] | None,
    generation: Generation,
    timer: StageTimer,
) -> Answer:
    """Return the whole answer: citations validated, usage of every call and timings noted.

    A model that says the use case's refusal, as one trained on refusals does, has abstained. So
    has one whose answer rests on none of its passages where sources are required: its text is
    not shown.
    """
    must_cite, mode = citing(settled)
    calls = tuple(generation.calls.values())
    if (tools := settled.question.tools) is not None and tools.is_required:
        calls, text = tools.read(text), ""
    text = limited(text, links)
    cited = cite(text, prompt.passages, mode)
    reason: AbstentionReason | None = None
    if settled.route.use_case.refusal.matches(text):
        reason = "nothing_relevant"
    elif must_cite and prompt.passages and not cited.citations and not calls:
        reason = "uncited"
        cited = CitedAnswer(settled.refusal, (), 0)
    return Answer(
        decided=settled.decided,
        outcome="answered" if reason is None else "abstained",
        reason=reason,
        text=cited.text,
        citations=cited.citations,
        markers_removed=cited.markers_removed,
        usage=_with_rewriting(generation.usage, settled.retrieved),
        timings_ms=timer.timings_ms(),
        finish_reason="tool_calls" if calls else generation.finish_reason or "stop",
        prompt=prompt,
        retrieval=settled.retrieved.retrieval,
        rewriting=settled.retrieved.rewriting,
        calls=calls,
    )


def _with_rewriting(usage: Usage, retrieved: Retrieved) -> Usage:
    return usage if retrieved.rewriting is None else usage + retrieved.rewriting.usage

"""`/v1/chat/completions` and `/v1/models`: the same answers, OpenAI-compatible.

Clients of this protocol can only choose by the model's name, so every strategy is a model.
"""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from fastapi import APIRouter, Request
from fastapi.responses import Response

from adapters import AdapterNotFound, AdapterState
from knowledge import read_filter
from router import Strategy
from service.api.access.bound_questions import bound
from service.api.access.watched_streams import key_watch
from service.api.chat import CLIENT_GONE, open_stream, whole_answer
from service.api.http.dependencies import Caller, Context, caller_of, context_of
from service.api.http.error_replies import errors, problem_of, request_id_of
from service.api.http.json_bodies import JsonRoute
from service.api.http.streams import EventStream, event_stream, json_reply, sse, unless_gone
from service.api.idempotency.answered_once import ONCE
from service.api.schemas.answers import CitationReply, kind_of_request
from service.api.schemas.chat import ends_with_result, turns_of
from service.api.schemas.openai import (
    Annotation,
    AssistantMessage,
    Choice,
    ChunkChoice,
    ChunkReply,
    CompletionReply,
    CompletionRequest,
    CompletionUsage,
    Delta,
    FunctionReply,
    ModelReply,
    PromptTokensDetails,
    RouteNote,
    Source,
    ToolCallReply,
    UrlCitation,
)
from service.api.schemas.shapes import ListReply
from service.api.sources import LinkOf, links_of
from service.chat.citations import Citation
from service.chat.events import Answer, DecisionEvent, DeltaEvent, Event
from service.chat.question import Question
from service.chat.tool_choice import read_tools
from service.context import AppContext
from service.engine.generation import Usage
from service.errors import InvalidRequest, ModelNotFound, ToolsUnsupported
from service.routing.facts import Requirements

api = APIRouter(route_class=JsonRoute, prefix="/v1", tags=["OpenAI"])

AUTO = "auto"
COMPLETED = {
    **errors(400, 404, 409, 422, 502, 503),
    **event_stream(CompletionReply, {"": ChunkReply}, ending="[DONE]"),
}
DONE = b"data: [DONE]\n\n"


@api.post("/chat/completions", response_model=None, responses=COMPLETED, dependencies=ONCE)
async def complete(request: Request, body: CompletionRequest) -> Response:
    """Answer as an OpenAI chat completion."""
    context, caller = context_of(request), caller_of(request)
    base_model = context.settings.engine.base_model
    question = question_of(
        body,
        base_model,
        request_id=request_id_of(request),
        tenant=caller.tenant,
        tool_call_parser=context.settings.engine.tool_call_parser,
    )
    question = bound(
        question,
        caller,
        names_labels="access_labels" in body.model_fields_set,
        default_use_case=context.settings.default_use_case,
    )
    await require_adapter(context, question)
    formatter = CompletionFormatter(
        body.model,
        base_model,
        link=links_of(request, context, question),
        asks_json=asks_json(question),
    )
    if body.stream:
        first, rest = await open_stream(question, context, caller)
        with_usage = body.stream_options is not None and body.stream_options.include_usage
        chunks = _chunks(first, rest, formatter, with_usage=with_usage)
        return EventStream(_or_error(chunks, request), key_watch(request))
    done = await unless_gone(request, lambda: whole_answer(question, context, caller))
    if done is None:
        return Response(status_code=CLIENT_GONE)
    return json_reply(formatter.completion(done))


@api.get("/models", response_model_exclude_unset=True)
def list_models(context: Context, caller: Caller) -> ListReply[ModelReply]:
    """List the model names a client can choose."""
    return ListReply(object="list", data=_models(context, caller), has_more=False)


@api.get("/models/{model:path}", response_model_exclude_unset=True, responses=errors(404, 422))
def get_model(context: Context, caller: Caller, model: str) -> ModelReply:
    """Return a model by its name."""
    for row in _models(context, caller):
        if row.id == model:
            return row
    raise ModelNotFound(f"There is no model {model!r}; GET /v1/models lists the names.")


def question_of(
    body: CompletionRequest,
    base_model: str,
    *,
    request_id: str,
    tenant: str,
    tool_call_parser: str | None = None,
) -> Question:
    """Return the question that a request of this protocol asks.

    Raises:
        ModelNotFound: `model` names neither a strategy nor the base model.
        InvalidRequest: The last message is not the user's, or empty; or a wish that is not granted.
        ToolsUnsupported: A function cannot be called in the way that is asked for.
        InvalidFilter: `filters` cannot be read.
    """
    refuse_unsupported(body)
    tools = read_tools(body.tools, body.tool_choice, parser=tool_call_parser)
    strategy, adapter = parse_model(body.model, base_model)
    return Question(
        request_id=request_id,
        tenant=tenant,
        turns=turns_of(body.messages),
        use_case=body.use_case,
        strategy=strategy,
        adapter=adapter,
        knowledge_bases=body.knowledge_bases,
        top_k=body.top_k,
        filters=read_filter(body.filters or {}),
        access_labels=body.access_labels,
        cite=body.cite,
        requirements=Requirements(
            citations=body.citations_required, tools_offered=tools is not None or None
        ),
        sampling=body.sampling,
        response_format=body.response_format,
        tools=tools,
        has_result=ends_with_result(body.messages),
        user=body.user,
    )


def refuse_unsupported(body: CompletionRequest) -> None:
    """Refuse what would otherwise be dropped without a word.

    Raises:
        InvalidRequest: Several answers, or log-probabilities, are asked for.
        ToolsUnsupported: Functions are asked for in the form that `tools` replaced.
    """
    if body.n not in (None, 1):
        raise InvalidRequest("One answer is given for a request: leave n out.", param="n")
    if body.logprobs or body.top_logprobs:
        raise InvalidRequest(
            "Log-probabilities are not given: leave logprobs out.", param="logprobs"
        )
    if body.functions or body.function_call not in (None, "none", "auto"):
        raise ToolsUnsupported("functions is an older form: send tools.", param="functions")


def asks_json(question: Question) -> bool:
    """Return whether the answer is to be JSON: a refusal in words is none, and is told apart.

    The arguments of a function that must be called are JSON too.
    """
    asked = question.response_format
    return question.must_call or (asked is not None and asked.get("type") != "text")


def parse_model(name: str, base_model: str) -> tuple[Strategy | None, str | None]:
    """Return the strategy and the adapter that a model name asks for; no strategy is `auto`.

    `base` is the bare base model, `base:adapter` the adapter alone, `base:adapter+rag` both.

    Raises:
        ModelNotFound: The name is none of these.
    """
    if name == AUTO:
        return None, None
    if name in set(Strategy):
        return Strategy(name), None
    base, separator, adapter = name.partition(":")
    if base != base_model or (separator and not adapter):
        raise ModelNotFound(
            f"There is no model {name!r}; GET /v1/models lists the names.", param="model"
        )
    if not separator:
        return Strategy.PROMPT_ONLY, None
    plain = adapter.removesuffix("+rag")
    return (Strategy.FINE_TUNED if plain == adapter else Strategy.HYBRID), plain


class CompletionFormatter:
    """Writes answers as OpenAI's clients read them."""

    def __init__(self, asked: str, base_model: str, *, link: LinkOf, asks_json: bool) -> None:
        self._asked = asked
        self._link = link
        self._asks_json = asks_json
        self._base = base_model
        self._created = int(time.time())

    def completion(self, done: Answer) -> CompletionReply:
        """Return a whole answer."""
        message = AssistantMessage(
            role="assistant", content=done.text, annotations=_annotations(done, self._link)
        )
        if self._asks_json and done.outcome == "abstained":
            message = message.model_copy(update={"content": None, "refusal": done.text})
        elif done.calls:
            called = {"content": done.text or None, "tool_calls": _tool_calls(done)}
            message = message.model_copy(update=called)
        return CompletionReply(
            id=_id(done.decided),
            object="chat.completion",
            created=self._created,
            model=self._model_name(done.decided),
            choices=[Choice(index=0, finish_reason=done.finish_reason, message=message)],
            usage=_usage(done.usage),
            sources=_sources(done.citations),
            route=self._route(done),
        )

    def opening(self, decided: DecisionEvent) -> ChunkReply:
        """Return the first chunk."""
        begun = Delta(role="assistant") if self._asks_json else Delta(role="assistant", content="")
        return self._chunk(decided, begun)

    def piece(self, decided: DecisionEvent, event: DeltaEvent) -> ChunkReply:
        """Return a chunk with text, or with the refusal in its place."""
        refuses = self._asks_json and event.is_refusal
        delta = Delta(refusal=event.text) if refuses else Delta(content=event.text)
        return self._chunk(decided, delta)

    def ending(self, done: Answer) -> ChunkReply:
        """Return the chunk that says how the answer ended, with its sources."""
        delta = Delta(annotations=_annotations(done, self._link))
        if done.calls:
            delta = delta.model_copy(update={"tool_calls": _tool_calls(done, numbered=True)})
        chunk = self._chunk(done.decided, delta, finish_reason=done.finish_reason)
        sources = _sources(done.citations)
        return chunk.model_copy(update={"sources": sources, "route": self._route(done)})

    def usage(self, done: Answer) -> ChunkReply:
        """Return the chunk with the token counts."""
        chunk = self._chunk(done.decided, Delta())
        return chunk.model_copy(update={"choices": [], "usage": _usage(done.usage)})

    def _chunk(
        self, decided: DecisionEvent, delta: Delta, *, finish_reason: str | None = None
    ) -> ChunkReply:
        return ChunkReply(
            id=_id(decided),
            object="chat.completion.chunk",
            created=self._created,
            model=self._model_name(decided),
            choices=[ChunkChoice(index=0, delta=delta, finish_reason=finish_reason)],
        )

    def _model_name(self, decided: DecisionEvent) -> str:
        """Return the name of what really answers."""
        is_base = decided.model == self._base
        name = self._base if is_base else f"{self._base}:{decided.model}"
        return f"{name}+rag" if decided.strategy.retrieves else name

    def _route(self, done: Answer) -> RouteNote:
        note = RouteNote(
            requested=self._asked,
            strategy=done.decided.strategy,
            rule=done.decided.decision.rule,
            outcome=done.outcome,
        )
        reason = {} if done.reason is None else {"reason": done.reason}
        return note.model_copy(update={**reason, **kind_of_request(done.decided)})


async def _chunks(
    first: DecisionEvent,
    rest: AsyncGenerator[Event, None],
    formatter: CompletionFormatter,
    *,
    with_usage: bool,
) -> AsyncGenerator[bytes, None]:
    yield sse(formatter.opening(first))
    async with aclosing(rest) as events:
        async for event in events:
            if isinstance(event, DeltaEvent):
                yield sse(formatter.piece(first, event))
            elif isinstance(event, Answer):
                yield sse(formatter.ending(event))
                if with_usage:
                    yield sse(formatter.usage(event))
    yield DONE


async def _or_error(
    chunks: AsyncGenerator[bytes, None], request: Request
) -> AsyncGenerator[bytes, None]:
    """Yield the chunks; the headers are out, so a failure is the stream's last event."""
    try:
        async with aclosing(chunks) as frames:
            async for frame in frames:
                yield frame
    except Exception as exc:
        yield sse(problem_of(exc, path=request.url.path, request_id=request_id_of(request)))


async def require_adapter(context: AppContext, question: Question) -> None:
    """Refuse a model name whose adapter does not exist: that is 404, not a rule's 409."""
    if question.adapter is None:
        return
    use_case = await context.use_case(None, tenant=question.tenant)
    asked = use_case.model_copy(update={"adapter": question.adapter})
    measured = await context.measured(asked, tenant=question.tenant)
    if measured.adapter is None:
        raise ModelNotFound(
            f"No live adapter is called {question.adapter!r}; GET /v1/models lists the names.",
            param="model",
        ) from AdapterNotFound(question.adapter)


def _id(decided: DecisionEvent) -> str:
    return f"chatcmpl-{decided.request_id}"


def _sources(citations: Sequence[Citation]) -> list[Source]:
    return [
        Source(index=citation.marker, **dict(CitationReply.of(citation))) for citation in citations
    ]


def _annotations(done: Answer, link: LinkOf) -> list[Annotation]:
    """Return each marker in the text as a `url_citation`; positions are code points."""
    annotations = []
    for citation in done.citations:
        marker = f"[{citation.marker}]"
        start = max(done.text.find(marker), 0)
        where = UrlCitation(
            url=link(citation.passage),
            title=citation.passage.source,
            start_index=start,
            end_index=start + len(marker) if marker in done.text else len(done.text),
        )
        annotations.append(Annotation(type="url_citation", url_citation=where))
    return annotations


def _tool_calls(done: Answer, *, numbered: bool = False) -> list[ToolCallReply]:
    calls = []
    for number, call in enumerate(done.calls):
        function = FunctionReply(name=call.name, arguments=call.arguments)
        made = ToolCallReply(id=call.call_id, type="function", function=function)
        calls.append(made.model_copy(update={"index": number}) if numbered else made)
    return calls


def _usage(usage: Usage) -> CompletionUsage:
    return CompletionUsage(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.total_tokens,
        prompt_tokens_details=PromptTokensDetails(cached_tokens=usage.cached_tokens),
    )


def _models(context: AppContext, caller: Caller) -> list[ModelReply]:
    base = context.settings.engine.base_model
    names = [AUTO, *(strategy.value for strategy in Strategy), base]
    embedder = context.knowledge.embedder.model_id
    rows = [_model(name) for name in (*names, embedder, f"{embedder}:query")]
    for adapter in context.registry.list(tenant=caller.tenant, state=AdapterState.LIVE):
        rows += [
            _model(f"{base}:{adapter.adapter_id}{suffix}").model_copy(update={"parent": base})
            for suffix in ("", "+rag")
        ]
    return rows


def _model(name: str) -> ModelReply:
    return ModelReply(id=name, object="model", created=0, owned_by="fingerpost")

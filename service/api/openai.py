"""`/v1/chat/completions` and `/v1/models`: the same line with OpenAI's words.

Clients of this protocol can only choose by the model's name, so every strategy is a model.
Fields that the service does not use are ignored, as such clients expect.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from adapters import AdapterNotFound
from router import Strategy
from service.api.chat import CLIENT_GONE, opened, whole_answer
from service.api.dependencies import Caller, Context
from service.api.error_replies import problem_of, request_id_of
from service.api.schemas.chat import WireMessage, turns_of
from service.api.streams import EventStream, json_reply, sse, unless_gone
from service.chat.answer import Answer, Decided, Delta, Event, Question
from service.chat.citations import CiteMode
from service.context import AppContext
from service.errors import ModelNotFound
from service.routing.facts import Requirements
from service.stores.use_cases import Sampling

api = APIRouter(prefix="/v1", tags=["openai"])

AUTO = "auto"
DONE = b"data: [DONE]\n\n"


class StreamOptions(BaseModel):
    """`stream_options` of the protocol."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    include_usage: bool = False


class CompletionRequest(BaseModel):
    """Body of `POST /v1/chat/completions`; ours beside OpenAI's fields."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str
    messages: Annotated[tuple[WireMessage, ...], Field(min_length=1, max_length=1000)]
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    seed: int | None = None
    stop: tuple[str, ...] | str | None = None
    response_format: dict[str, Any] | None = None
    use_case: str | None = None
    knowledge_bases: tuple[str, ...] | None = None
    top_k: int | None = Field(default=None, ge=1, le=50)
    filters: dict[str, Any] = Field(default_factory=dict)
    access_labels: tuple[str, ...] = ()
    cite: CiteMode = "inline"
    citations_required: bool | None = None

    def as_question(self, context: AppContext, *, request_id: str, tenant: str) -> Question:
        """Return the question that this body asks.

        Raises:
            ModelNotFound: `model` names neither a strategy nor the base model.
        """
        strategy, adapter = parse_model(self.model, context.settings.engine.base_model)
        return Question(
            request_id=request_id,
            tenant=tenant,
            turns=turns_of(self.messages),
            use_case=self.use_case,
            strategy=strategy,
            adapter=adapter,
            knowledge_bases=self.knowledge_bases,
            top_k=self.top_k,
            filters=self.filters,
            access_labels=self.access_labels,
            cite=self.cite,
            requirements=Requirements(citations=self.citations_required),
            sampling=Sampling(
                temperature=self.temperature,
                top_p=self.top_p,
                max_tokens=self.max_completion_tokens or self.max_tokens,
                seed=self.seed,
                stop=self.stop,
            ),
            response_format=self.response_format,
        )


def parse_model(name: str, base_model: str) -> tuple[Strategy | None, str | None]:
    """Return the strategy and the adapter that a model name asks for; no strategy is `auto`.

    `auto`, a strategy's name, `<base>`, `<base>:<adapter>` or `<base>:<adapter>+rag`.

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


@api.post("/chat/completions", response_model=None)
async def complete(
    request: Request, context: Context, caller: Caller, body: CompletionRequest
) -> Response:
    """Answer as OpenAI's chat completions do."""
    question = body.as_question(context, request_id=request_id_of(request), tenant=caller.tenant)
    await _require_adapter(context, question)
    face = Face(body.model, context.settings.engine.base_model)
    if body.stream:
        first, rest = await opened(question, context)
        usage = body.stream_options is not None and body.stream_options.include_usage
        return EventStream(_chunks(first, rest, face, request, usage))
    done = await unless_gone(request, lambda: whole_answer(question, context))
    if done is None:
        return Response(status_code=CLIENT_GONE)
    return json_reply(face.completion(done))


@api.get("/models")
def list_models(context: Context) -> dict[str, Any]:
    """List every name that a client can choose."""
    return {"object": "list", "data": _models(context), "has_more": False}


@api.get("/models/{model:path}")
def get_model(context: Context, model: str) -> dict[str, Any]:
    """Return one model by its name."""
    for row in _models(context):
        if row["id"] == model:
            return row
    raise ModelNotFound(f"There is no model {model!r}; GET /v1/models lists the names.")


class Face:
    """How an answer looks to a client of this protocol."""

    def __init__(self, asked: str, base_model: str) -> None:
        self._asked = asked
        self._base = base_model
        self._created = int(time.time())

    def model_name(self, strategy: Strategy, model: str) -> str:
        """Return the name of what really answered."""
        name = self._base if model == self._base else f"{self._base}:{model}"
        return f"{name}+rag" if strategy in (Strategy.RAG, Strategy.HYBRID) else name

    def completion(self, done: Answer) -> dict[str, Any]:
        """Return a whole answer."""
        message = {"role": "assistant", "content": done.text, "annotations": _annotations(done)}
        return {
            "id": f"chatcmpl-{done.request_id}",
            "object": "chat.completion",
            "created": self._created,
            "model": self.model_name(done.strategy, done.model),
            "choices": [{"index": 0, "finish_reason": done.finish_reason, "message": message}],
            "usage": _usage(done),
            **self._extras(done),
        }

    def opening(self, decided: Decided) -> dict[str, Any]:
        """Return the first chunk."""
        return self._chunk(decided.request_id, decided, {"role": "assistant", "content": ""})

    def piece(self, decided: Decided, text: str) -> dict[str, Any]:
        """Return a chunk with text."""
        return self._chunk(decided.request_id, decided, {"content": text})

    def ending(self, decided: Decided, done: Answer) -> dict[str, Any]:
        """Return the chunk that says how the answer ended, with its sources."""
        delta = {"annotations": _annotations(done)}
        chunk = self._chunk(decided.request_id, decided, delta, done.finish_reason)
        return {**chunk, **self._extras(done)}

    def usage(self, decided: Decided, done: Answer) -> dict[str, Any]:
        """Return the chunk with the token counts."""
        chunk = self._chunk(decided.request_id, decided, {})
        return {**chunk, "choices": [], "usage": _usage(done)}

    def _chunk(
        self,
        request_id: str,
        decided: Decided,
        delta: dict[str, Any],
        finish_reason: str | None = None,
    ) -> dict[str, Any]:
        return {
            "id": f"chatcmpl-{request_id}",
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self.model_name(decided.strategy, decided.model),
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
        }

    def _extras(self, done: Answer) -> dict[str, Any]:
        body = done.as_dict()
        return {
            "sources": [{"index": c["marker"], **c} for c in body["citations"]],
            "route": {
                "requested": self._asked,
                "strategy": done.strategy,
                "rule": done.decision.get("rule"),
                "outcome": done.outcome,
            },
        }


async def _chunks(
    first: Event,
    rest: AsyncGenerator[Event, None],
    face: Face,
    request: Request,
    with_usage: bool,
) -> AsyncGenerator[bytes, None]:
    assert isinstance(first, Decided)
    yield sse(face.opening(first))
    try:
        async with aclosing(rest) as events:
            async for event in events:
                if isinstance(event, Delta):
                    yield sse(face.piece(first, event.text))
                elif isinstance(event, Answer):
                    yield sse(face.ending(first, event))
                    if with_usage:
                        yield sse(face.usage(first, event))
    except Exception as exc:  # the headers are out: the failure is the stream's last event
        yield sse(problem_of(exc, path=request.url.path, request_id=request_id_of(request)))
        return
    yield DONE


async def _require_adapter(context: AppContext, question: Question) -> None:
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


def _annotations(done: Answer) -> list[dict[str, Any]]:
    """Return each marker in the text as a `url_citation`; positions are code points."""
    annotations = []
    for citation in done.citations:
        passage = citation.passage
        marker = f"[{citation.marker}]"
        start = max(done.text.find(marker), 0)
        end = start + len(marker) if marker in done.text else len(done.text)
        page = f" p.{passage.page}" if passage.page is not None else ""
        path = f"/v1/vector_stores/{passage.knowledge_base}/documents/{passage.external_id}"
        annotations.append(
            {
                "type": "url_citation",
                "url_citation": {
                    "url": f"{path}#{passage.chunk_id}",
                    "title": f"{passage.filename}{page}",
                    "start_index": start,
                    "end_index": end,
                },
            }
        )
    return annotations


def _usage(done: Answer) -> dict[str, Any]:
    usage = done.as_dict()["usage"]
    cached = usage.pop("cached_tokens")
    return {**usage, "prompt_tokens_details": {"cached_tokens": cached}}


def _models(context: AppContext) -> list[dict[str, Any]]:
    base = context.settings.engine.base_model
    rows = [{"id": name, "owned_by": "fingerpost"} for name in (AUTO, *Strategy)]
    rows.append({"id": base, "owned_by": "fingerpost"})
    for adapter in context.registry.live():
        for suffix in ("", "+rag"):
            name = f"{base}:{adapter.adapter_id}{suffix}"
            rows.append({"id": name, "owned_by": "fingerpost", "parent": base})
    return [{"object": "model", "created": 0, **row} for row in rows]

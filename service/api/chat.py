"""`POST /chat` and `POST /route`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service.api.dependencies import Caller, Context
from service.api.error_replies import problem_of, request_id_of
from service.api.schemas.chat import ChatRequest
from service.api.streams import EventStream, json_reply, sse, unless_gone
from service.chat.answer import (
    Answer,
    Decided,
    Delta,
    Event,
    Given,
    Question,
    answer,
    choose,
    numbered,
)
from service.context import AppContext

api = APIRouter(tags=["chat"])

CLIENT_GONE = 499  # nginx's own code; nobody is left to read it


@api.post("/chat", response_model=None)
async def chat(
    request: Request, context: Context, caller: Caller, body: ChatRequest, explain: bool = False
) -> Response:
    """Answer by the strategy that fits, and say why; plain or as server-sent events."""
    request_id = request_id_of(request)
    question = body.as_question(request_id=request_id, tenant=caller.tenant, explain=explain)
    if body.stream:
        first, rest = await opened(question, context)
        return EventStream(_frames(first, rest, request))
    done = await unless_gone(request, lambda: whole_answer(question, context))
    if done is None:
        return Response(status_code=CLIENT_GONE)
    return json_reply(done.as_dict())


@api.post("/route", response_model=None)
async def route(
    request: Request, context: Context, caller: Caller, body: ChatRequest, explain: bool = False
) -> Response:
    """Decide, and generate nothing."""
    request_id = request_id_of(request)
    question = body.as_question(request_id=request_id, tenant=caller.tenant, explain=explain)
    chosen = await choose(question, context)
    return json_reply(
        {
            "id": question.request_id,
            "use_case": chosen.use_case.id,
            "strategy": chosen.decision.strategy,
            "decision": chosen.decision.as_dict(with_leaves=explain),
        }
    )


async def whole_answer(question: Question, context: AppContext) -> Answer:
    """Return the answer once it is whole."""
    async with aclosing(answer(question, context)) as events:
        async for event in events:
            if isinstance(event, Answer):
                return event
    raise AssertionError("an answer ends with an Answer event")


async def opened(
    question: Question, context: AppContext
) -> tuple[Event, AsyncGenerator[Event, None]]:
    """Return the first event and the rest; every earlier failure is raised from here."""
    events = answer(question, context)
    first = await anext(aiter(events))
    return first, events


async def _frames(
    first: Event, rest: AsyncGenerator[Event, None], request: Request
) -> AsyncGenerator[bytes, None]:
    yield sse(*_named(first))
    try:
        async with aclosing(rest) as events:
            async for event in events:
                yield sse(*_named(event))
    except Exception as exc:  # the headers are out: the failure is the stream's last event
        problem = problem_of(exc, path=request.url.path, request_id=request_id_of(request))
        yield sse(problem, "error")


def _named(event: Event) -> tuple[dict[str, Any], str]:
    """Return the data and the name of an event."""
    match event:
        case Decided():
            return {
                "id": event.request_id,
                "strategy": event.strategy,
                "model": event.model,
                "decision": dict(event.decision),
            }, "decision"
        case Given():
            return {"passages": numbered(event.passages)}, "passages"
        case Delta():
            return {"text": event.text}, "delta"
        case Answer():
            return event.as_dict(), "done"

"""`POST /chat` and `POST /route`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service import access
from service.api.access.bound_questions import bound
from service.api.access.watched_streams import key_watch, named_error
from service.api.http.dependencies import caller_of, context_of
from service.api.http.error_replies import errors, problem_of, request_id_of
from service.api.http.json_bodies import JsonRoute
from service.api.http.limited import counted_answer, user_of
from service.api.http.streams import EventStream, event_stream, json_reply, sse, unless_gone
from service.api.idempotency.answered_once import ONCE
from service.api.schemas.answers import (
    ChatReply,
    DecisionEventReply,
    DecisionReply,
    DeltaEventReply,
    PassagesEventReply,
    RouteReply,
)
from service.api.schemas.chat import ChatRequest
from service.api.schemas.errors import ErrorReply
from service.api.schemas.shapes import JsonObject, Reply
from service.chat.events import Answer, DecisionEvent, DeltaEvent, Event, PassagesEvent
from service.chat.question import Question
from service.chat.route import choose_route
from service.context import AppContext

api = APIRouter(
    route_class=JsonRoute, tags=["chat"], responses=errors(400, 404, 409, 422, 502, 503)
)

STREAMED = event_stream(
    ChatReply,
    {
        "decision": DecisionEventReply,
        "passages": PassagesEventReply,
        "delta": DeltaEventReply,
        "done": ChatReply,
        "error": ErrorReply,
    },
)
CLIENT_GONE = 499  # nginx's own code; nobody is left to read it


@api.post("/chat", response_model=None, responses=STREAMED, dependencies=ONCE)
async def chat(request: Request, body: ChatRequest, *, explain: bool = False) -> Response:
    """Answer with the strategy the router chooses, and give the reason; plain or streamed."""
    context, caller = context_of(request), caller_of(request)
    question = _question(request, context, caller, body)
    if body.stream:
        first, rest = await open_stream(question, context, caller)
        frames = _frames(first, rest, request, explain=explain)
        return EventStream(frames, key_watch(request, named_error))
    done = await unless_gone(request, lambda: whole_answer(question, context, caller))
    if done is None:
        return Response(status_code=CLIENT_GONE)
    return json_reply(ChatReply.of(done, explain=explain))


@api.post("/route", response_model=None, responses={200: {"model": RouteReply}})
async def route(request: Request, body: ChatRequest, *, explain: bool = False) -> Response:
    """Return the decision with every finding, without an answer; `explain` adds every node."""
    context, caller = context_of(request), caller_of(request)
    question = _question(request, context, caller, body)
    chosen = await choose_route(question, context)
    decision = chosen.decision
    return json_reply(
        RouteReply(
            id=question.request_id,
            use_case=chosen.use_case.id,
            strategy=decision.strategy,
            decision=DecisionReply.model_validate(decision.as_dict(with_leaves=explain)),
        )
    )


def _question(
    request: Request, context: AppContext, caller: access.Caller, body: ChatRequest
) -> Question:
    """Return what the body asks, as far as the caller may."""
    return bound(
        body.as_question(request_id=request_id_of(request), tenant=caller.tenant),
        caller,
        names_labels="access_labels" in body.model_fields_set,
        default_use_case=context.settings.default_use_case,
    )


async def whole_answer(question: Question, context: AppContext, caller: access.Caller) -> Answer:
    """Return the answer once it is whole.

    Raises:
        LimitReached: No tokens are left; as every failure of `answer`.
    """
    async with aclosing(counted_answer(question, context, caller)) as events:
        async for event in events:
            if isinstance(event, Answer):
                return event
    raise AssertionError("an answer ends with an Answer event")


async def open_stream(
    question: Question, context: AppContext, caller: access.Caller
) -> tuple[DecisionEvent, AsyncGenerator[Event, None]]:
    """Return the first event and the rest; every earlier failure is raised from here."""
    events = _streamed(question, context, caller)
    first = await anext(aiter(events))
    assert isinstance(first, DecisionEvent)
    return first, events


async def _streamed(
    question: Question, context: AppContext, caller: access.Caller
) -> AsyncGenerator[Event, None]:
    """Yield the events, and hold one of the caller's streams until the last."""
    with context.limits.stream(user_of(caller)):
        async with aclosing(counted_answer(question, context, caller)) as events:
            async for event in events:
                yield event


async def _frames(
    first: DecisionEvent, rest: AsyncGenerator[Event, None], request: Request, *, explain: bool
) -> AsyncGenerator[bytes, None]:
    yield sse(DecisionEventReply.of(first, explain=explain), "decision")
    try:
        async with aclosing(rest) as events:
            async for event in events:
                yield sse(*_named(event, explain=explain))
    except Exception as exc:  # the headers are out: the failure is the stream's last event
        problem = problem_of(exc, path=request.url.path, request_id=request_id_of(request))
        yield sse(problem, "error")


def _named(event: Event, *, explain: bool) -> tuple[Reply | JsonObject, str]:
    """Return the data and the name of an event."""
    match event:
        case DeltaEvent():
            return {"text": event.text}, "delta"  # `DeltaEventReply`, without building one a piece
        case DecisionEvent():
            return DecisionEventReply.of(event, explain=explain), "decision"
        case PassagesEvent():
            return PassagesEventReply.of(event), "passages"
        case Answer():
            return ChatReply.of(event, explain=explain), "done"

"""`POST /v1/responses`: text in, text out, plain and streamed.

It builds the same `Question` as `/v1/chat/completions` does, so both answer alike.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Request
from fastapi.responses import Response

from service import access
from service.api.access.bound_questions import bound
from service.api.access.watched_streams import key_watch
from service.api.chat import CLIENT_GONE, open_stream, whole_answer
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors, problem_of, request_id_of
from service.api.http.json_bodies import JsonRoute
from service.api.http.streams import EventStream, event_stream, unless_gone
from service.api.openai import question_of, require_adapter
from service.api.responses.conversation import completion_of
from service.api.responses.formatter import EventWriter, ResponseFormatter
from service.api.schemas.responses import EVENTS, ResponseReply, ResponseRequest
from service.api.sources import links_of
from service.chat.events import Answer, DeltaEvent, Event
from service.chat.question import Question
from service.context import AppContext
from service.errors import InvalidRequest

api = APIRouter(route_class=JsonRoute, prefix="/v1", tags=["OpenAI"])

RESPONDED = {
    **errors(400, 404, 409, 422, 502, 503),
    **event_stream(ResponseReply, EVENTS),
}


@api.post("/responses", response_model=None, responses=RESPONDED)
async def create_response(
    request: Request, context: Context, caller: Caller, body: ResponseRequest
) -> Response:
    """Answer as an OpenAI response."""
    question = await _question_of(body, context, caller, request_id_of(request))
    link = links_of(request, context, question)
    formatter = ResponseFormatter(body, context.settings.engine.base_model, link)
    if body.stream:
        first, rest = await open_stream(question, context, caller)
        writer = EventWriter(first, formatter)
        return EventStream(_frames(writer, rest, request), key_watch(request, writer.failure))
    done = await unless_gone(request, lambda: whole_answer(question, context, caller))
    if done is None:
        return Response(status_code=CLIENT_GONE)
    whole = formatter.whole(done)
    return Response(whole.model_dump_json(), media_type="application/json")


async def _question_of(
    body: ResponseRequest, context: AppContext, caller: access.Caller, request_id: str
) -> Question:
    asked = completion_of(body)
    base_model = context.settings.engine.base_model
    try:
        question = question_of(asked, base_model, request_id=request_id, tenant=caller.tenant)
    except InvalidRequest as exc:
        if exc.param is None or not exc.param.startswith("messages"):
            raise
        raise InvalidRequest(str(exc), param="input") from exc
    question = bound(
        question,
        caller,
        names_labels=body.access_labels is not None,
        default_use_case=context.settings.default_use_case,
    )
    await require_adapter(context, question)
    return question


async def _frames(
    writer: EventWriter, rest: AsyncGenerator[Event, None], request: Request
) -> AsyncGenerator[bytes, None]:
    """Yield the events; the headers are out, so a failure is the stream's last event."""
    try:
        async with aclosing(rest) as events:
            for frame in writer.opening():
                yield frame
            async for event in events:
                if isinstance(event, DeltaEvent):
                    for frame in writer.piece(event):
                        yield frame
                elif isinstance(event, Answer):
                    for frame in writer.ending(event):
                        yield frame
    except Exception as exc:
        problem = problem_of(exc, path=request.url.path, request_id=request_id_of(request))
        yield writer.failure(problem)

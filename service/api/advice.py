"""`POST /advise`: what to build for a use case, as JSON, Markdown or an HTML page."""

from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Response

from router import Advice, AdviceFormat, advise, build_case
from service.api.access.bound_questions import require_use_case
from service.api.http.dependencies import Caller, Context
from service.api.http.error_replies import errors
from service.api.http.json_bodies import JsonRoute
from service.api.schemas.advice import AdviceReply, AdviseRequest
from service.context import AppContext
from service.errors import InvalidRequest
from service.messages.catalogue import negotiated
from service.messages.spoken import content_language, speak, spoken
from service.routing.advice import advice_text, advise_use_case

api = APIRouter(route_class=JsonRoute, tags=["advice"], responses=errors(400, 404, 422))

AcceptLanguage = Annotated[
    str | None, Header(description="Language of the advice where the body names none.")
]
TEXT = {"schema": {"type": "string"}}
MEDIA_TYPES = {
    AdviceFormat.JSON: "application/json",
    AdviceFormat.MD: "text/markdown; charset=utf-8",
    AdviceFormat.HTML: "text/html; charset=utf-8",
}


@api.post(
    "/advise",
    response_class=Response,
    responses={
        200: {
            "model": AdviceReply,
            "content": {"text/markdown": TEXT, "text/html": TEXT},
            "description": "The advice, in the requested `format`.",
        }
    },
)
async def give_advice(
    context: Context, caller: Caller, body: AdviseRequest, accept_language: AcceptLanguage = None
) -> Response:
    """Advise what to build: what is missing, what it costs, and the next steps."""
    speak(body.lang or negotiated(accept_language))
    advice = await _advise(body, context, caller)
    headers = {"content-language": content_language(), "vary": "accept-language"}
    text = advice_text(advice, spoken(), body.format)
    return Response(text, media_type=MEDIA_TYPES[body.format], headers=headers)


async def _advise(body: AdviseRequest, context: AppContext, caller: Caller) -> Advice:
    if (body.use_case is None) == (body.facts is None):
        raise InvalidRequest(
            "Send either `use_case`, to use its declared and measured facts, or `facts`, to "
            "use your own.",
            param="use_case" if body.facts is None else "facts",
        )
    if body.use_case is not None:
        require_use_case(caller, body.use_case)
        use_case = await context.use_case(body.use_case, tenant=caller.tenant)
        measured = await context.measured(use_case, tenant=caller.tenant)
        give = partial(
            advise_use_case,
            use_case,
            measured,
            context.policy,
            base_model_path=context.settings.base_model_path,
            engine_is_local=context.settings.engine.runs_locally,
        )
        return await to_thread.run_sync(give)
    return advise(build_case(body.facts or {}), context.policy)

"""instructor over the openai client: models by a function (its default) and by JSON Schema."""

from typing import Any, Literal

import instructor
import openai
from cells import (
    ASK_TOOL,
    BASE_URL,
    HISTORY,
    KEY,
    MODEL,
    OURS,
    PIXEL,
    QUESTION,
    SYSTEM,
    TOO_LONG,
    UNANSWERED,
    Unit,
    Wrong,
    cell,
    need,
    not_offered,
)
from pydantic import BaseModel

plain = openai.OpenAI(base_url=BASE_URL, api_key=KEY, max_retries=0, timeout=100)


class Validity(BaseModel):
    """How long something is valid."""

    unit: Unit


class Place(BaseModel):
    """A place on the map."""

    city: Literal["Porto", "Lyon"]


def ask(
    messages: Any, made: Any, mode: instructor.Mode = instructor.Mode.TOOLS, **also: Any
) -> Any:
    client: Any = instructor.from_openai(plain, mode=mode)
    turns = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    options = {"model": MODEL, "extra_body": OURS, "max_retries": 0, **also}
    return client.chat.completions.create(messages=turns, response_model=made, **options)


def partial(text: str, mode: instructor.Mode = instructor.Mode.TOOLS) -> Any:
    client: Any = instructor.from_openai(plain, mode=mode)
    return client.chat.completions.create_partial(
        messages=[{"role": "user", "content": text}],
        response_model=Validity,
        model=MODEL,
        extra_body=OURS,
        max_retries=0,
    )


@cell("chat")
def _() -> object:
    reply = ask(QUESTION, None)
    need(reply.choices[0].message.content, reply)
    return reply.choices[0].message.content


@cell("stream")
def _() -> object:
    parts = list(partial(QUESTION))
    need(parts and parts[-1].unit, parts)
    return f"{len(parts)} partial models, the last {parts[-1]}"


@cell("usage")
def _() -> object:
    usage = ask(QUESTION, Validity)._raw_response.usage
    need(usage.prompt_tokens and usage.completion_tokens, usage)
    return f"{usage.prompt_tokens} + {usage.completion_tokens}"


not_offered("usage streamed", "instructor yields models")


@cell("system turn")
def _() -> object:
    turns = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    return ask(turns, Validity)


@cell("history")
def _() -> object:
    return ask(HISTORY, Validity)


@cell("structured")
def _() -> object:
    return ask(QUESTION, Validity, instructor.Mode.JSON_SCHEMA)


@cell("structured, abstained")
def _() -> object:
    raise Wrong(repr(ask(UNANSWERED, Validity, instructor.Mode.JSON_SCHEMA)))


@cell("structured, abstained, streamed")
def _() -> object:
    raise Wrong(repr(list(partial(UNANSWERED, instructor.Mode.JSON_SCHEMA))))


@cell("structured by a function")
def _() -> object:
    return ask(QUESTION, Validity)


@cell("structured by a function, abstained")
def _() -> object:
    raise Wrong(repr(ask(UNANSWERED, Validity)))


@cell("tool, named")
def _() -> object:
    return ask(ASK_TOOL, Place)


not_offered("tool, required", "instructor names the function")
not_offered("tool, auto", "instructor names the function")
not_offered("tool results sent back", "instructor calls no functions")
not_offered("embeddings", "instructor has none")


@cell("responses")
def _() -> object:
    client: Any = instructor.from_openai(plain, mode=instructor.Mode.RESPONSES_TOOLS)
    made = client.responses.create(
        model=MODEL, input=QUESTION, response_model=Validity, extra_body=OURS, max_retries=0
    )
    raise Wrong(repr(made))


@cell("citations")
def _() -> object:
    reply = ask(QUESTION, None)
    found = reply.choices[0].message.annotations
    need(found and found[0].url_citation.url.startswith("http"), reply)
    return found[0].url_citation.title


@cell("disconnect")
def _() -> object:
    parts = ask(QUESTION, None, stream=True)
    next(iter(parts))
    parts.close()
    return ask(QUESTION, Validity)


@cell("too long")
def _() -> object:
    raise Wrong(repr(ask(TOO_LONG, Validity)))


@cell("two choices")
def _() -> object:
    raise Wrong(repr(ask(QUESTION, Validity, n=2)))


@cell("image")
def _() -> object:
    parts = [
        {"type": "text", "text": QUESTION},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]
    raise Wrong(repr(ask([{"role": "user", "content": parts}], Validity)))

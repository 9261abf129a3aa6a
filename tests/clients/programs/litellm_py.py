"""LiteLLM: the functions of its package, without its proxy."""

from typing import Any

import litellm
from cells import (
    ASK_TOOL,
    AUTO,
    BASE_URL,
    EMBEDDER,
    HISTORY,
    KEY,
    MODEL,
    NAMED,
    OURS,
    PIXEL,
    QUESTION,
    SYSTEM,
    TOO_LONG,
    TOOL,
    TOOL_TURNS,
    UNANSWERED,
    Unit,
    Wrong,
    cell,
    need,
)
from pydantic import BaseModel

litellm.suppress_debug_info = True


class Validity(BaseModel):
    """The structured answer."""

    unit: Unit


def ask(messages: Any, model: str = MODEL, **options: Any) -> Any:
    turns = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    return litellm.completion(
        model=f"openai/{model}",
        api_base=BASE_URL,
        api_key=KEY,
        messages=turns,
        extra_body=OURS,
        max_retries=0,
        timeout=100,
        **options,
    )


def text_of(reply: Any) -> str:
    need(reply.choices[0].message.content, reply)
    return str(reply.choices[0].message.content)


@cell("chat")
def _() -> object:
    return text_of(ask(QUESTION))


@cell("stream")
def _() -> object:
    pieces = [part.choices[0].delta.content or "" for part in ask(QUESTION, stream=True)]
    need(len([piece for piece in pieces if piece]) > 1, pieces)
    return "".join(pieces)


@cell("usage")
def _() -> object:
    usage = ask(QUESTION).usage
    need(usage.prompt_tokens and usage.completion_tokens, usage)
    return f"{usage.prompt_tokens} + {usage.completion_tokens}"


@cell("usage streamed")
def _() -> object:
    parts = ask(QUESTION, stream=True, stream_options={"include_usage": True})
    usage = [found for part in parts if (found := getattr(part, "usage", None))]
    need(usage and usage[-1].completion_tokens, usage)
    return f"{usage[-1].prompt_tokens} + {usage[-1].completion_tokens}"


@cell("system turn")
def _() -> object:
    turns = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    return text_of(ask(turns))


@cell("history")
def _() -> object:
    return text_of(ask(HISTORY))


@cell("structured")
def _() -> object:
    return Validity.model_validate_json(text_of(ask(QUESTION, response_format=Validity)))


@cell("structured, abstained")
def _() -> object:
    message = ask(UNANSWERED, response_format=Validity).choices[0].message
    refusal = getattr(message, "refusal", None) or (message.provider_specific_fields or {}).get(
        "refusal"
    )
    need(refusal and message.content is None, message)
    return f"refusal: {refusal}"


@cell("tool, named")
def _() -> object:
    calls = ask(ASK_TOOL, tools=[TOOL], tool_choice=NAMED).choices[0].message.tool_calls
    need(calls and calls[0].function.name == "find_place", calls)
    return f"{calls[0].function.name}({calls[0].function.arguments})"


@cell("tool, required")
def _() -> object:
    calls = ask(ASK_TOOL, tools=[TOOL], tool_choice="required").choices[0].message.tool_calls
    need(calls and calls[0].function.name == "find_place", calls)
    return f"{calls[0].function.name}({calls[0].function.arguments})"


@cell("tool, required, abstained")
def _() -> object:
    reply = ask(UNANSWERED, tools=[TOOL], tool_choice="required")
    message = reply.choices[0].message
    refusal = getattr(message, "refusal", None) or (message.provider_specific_fields or {}).get(
        "refusal"
    )
    need(refusal and not message.tool_calls, message)
    return f"refusal: {refusal}"


@cell("tool, auto")
def _() -> object:
    raise Wrong(repr(ask(ASK_TOOL, tools=[TOOL])))


@cell("tool results sent back")
def _() -> object:
    return text_of(ask(TOOL_TURNS, AUTO))


@cell("embeddings")
def _() -> object:
    made = litellm.embedding(
        model=f"openai/{EMBEDDER}",
        api_base=BASE_URL,
        api_key=KEY,
        input=["lamp", "shade"],
        max_retries=0,
    ).data
    need(len(made) == 2 and len(made[0]["embedding"]) > 100, made)
    return f"2 of {len(made[0]['embedding'])} numbers"


@cell("responses")
def _() -> object:
    reply: Any = litellm.responses(
        model=f"openai/{MODEL}", api_base=BASE_URL, api_key=KEY, input=QUESTION, extra_body=OURS
    )
    text = reply.output[-1].content[0].text
    need(text and reply.usage.output_tokens, reply)
    return text


@cell("citations")
def _() -> object:
    found = ask(QUESTION).choices[0].message.annotations
    need(found and found[0]["url_citation"]["url"].startswith("http"), found)
    return found[0]["url_citation"]["title"]


@cell("disconnect")
def _() -> object:
    parts = ask(QUESTION, stream=True)
    next(iter(parts))
    del parts
    return text_of(ask(QUESTION))


@cell("too long")
def _() -> object:
    try:
        reply = ask(TOO_LONG)
    except litellm.ContextWindowExceededError:
        raise
    except Exception as exc:
        raise Wrong(f"{type(exc).__name__}: {exc}") from exc
    raise Wrong(repr(reply))


@cell("two choices")
def _() -> object:
    raise Wrong(repr(ask(QUESTION, n=2)))


@cell("image")
def _() -> object:
    parts = [
        {"type": "text", "text": QUESTION},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]
    raise Wrong(repr(ask([{"role": "user", "content": parts}])))

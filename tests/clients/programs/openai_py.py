"""The `openai` package for Python."""

from typing import Any

import openai
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

client = openai.OpenAI(base_url=BASE_URL, api_key=KEY, max_retries=0, timeout=100)
ask: Any = client.chat.completions


class Validity(BaseModel):
    """The structured answer."""

    unit: Unit


def messages(text: str) -> Any:
    return [{"role": "user", "content": text}]


def text_of(reply: Any) -> str:
    need(reply.choices[0].message.content, reply)
    return str(reply.choices[0].message.content)


@cell("chat")
def _() -> object:
    return text_of(ask.create(model=MODEL, messages=messages(QUESTION), extra_body=OURS))


@cell("stream")
def _() -> object:
    parts = ask.create(model=MODEL, messages=messages(QUESTION), stream=True, extra_body=OURS)
    pieces = [p.choices[0].delta.content or "" for p in parts if p.choices]
    need(len([p for p in pieces if p]) > 1, pieces)
    return "".join(pieces)


@cell("usage")
def _() -> object:
    usage = ask.create(model=MODEL, messages=messages(QUESTION), extra_body=OURS).usage
    need(usage.prompt_tokens and usage.completion_tokens, usage)
    return f"{usage.prompt_tokens} + {usage.completion_tokens}"


@cell("usage streamed")
def _() -> object:
    options = {"include_usage": True}
    parts = ask.create(
        model=MODEL,
        messages=messages(QUESTION),
        stream=True,
        stream_options=options,
        extra_body=OURS,
    )
    usage = [p.usage for p in parts if p.usage]
    need(len(usage) == 1 and usage[0].completion_tokens, usage)
    return f"{usage[0].prompt_tokens} + {usage[0].completion_tokens}"


@cell("system turn")
def _() -> object:
    turns = [{"role": "system", "content": SYSTEM}, *messages(QUESTION)]
    return text_of(ask.create(model=MODEL, messages=turns, extra_body=OURS))


@cell("history")
def _() -> object:
    return text_of(ask.create(model=MODEL, messages=HISTORY, extra_body=OURS))


@cell("structured")
def _() -> object:
    reply = ask.parse(
        model=MODEL, messages=messages(QUESTION), response_format=Validity, extra_body=OURS
    )
    parsed = reply.choices[0].message.parsed
    need(isinstance(parsed, Validity), reply)
    return parsed


@cell("structured, abstained")
def _() -> object:
    reply = ask.parse(
        model=MODEL, messages=messages(UNANSWERED), response_format=Validity, extra_body=OURS
    )
    message = reply.choices[0].message
    need(message.refusal and message.parsed is None and message.content is None, message)
    return f"refusal: {message.refusal}"


@cell("structured, abstained, streamed")
def _() -> object:
    with ask.stream(
        model=MODEL, messages=messages(UNANSWERED), response_format=Validity, extra_body=OURS
    ) as events:
        kinds = {event.type for event in events}
        message = events.get_final_completion().choices[0].message
    need("refusal.done" in kinds and message.refusal and message.parsed is None, message)
    return f"refusal: {message.refusal}"


@cell("tool, named")
def _() -> object:
    reply = ask.create(
        model=MODEL, messages=messages(ASK_TOOL), tools=[TOOL], tool_choice=NAMED, extra_body=OURS
    )
    calls = reply.choices[0].message.tool_calls
    need(calls and calls[0].function.name == "find_place", reply)
    return f"{calls[0].function.name}({calls[0].function.arguments})"


@cell("tool, required")
def _() -> object:
    reply = ask.create(
        model=MODEL,
        messages=messages(ASK_TOOL),
        tools=[TOOL],
        tool_choice="required",
        extra_body=OURS,
    )
    calls = reply.choices[0].message.tool_calls
    need(calls and calls[0].function.name == "find_place", reply)
    return f"{calls[0].function.name}({calls[0].function.arguments})"


@cell("tool, required, streamed")
def _() -> object:
    with ask.stream(
        model=MODEL,
        messages=messages(ASK_TOOL),
        tools=[openai.pydantic_function_tool(Validity)],
        tool_choice="required",
        extra_body=OURS,
    ) as events:
        message = events.get_final_completion().choices[0].message
    need(message.tool_calls and message.tool_calls[0].function.parsed_arguments, message)
    return message.tool_calls[0].function.parsed_arguments


@cell("tool, required, abstained")
def _() -> object:
    reply = ask.create(
        model=MODEL,
        messages=messages(UNANSWERED),
        tools=[TOOL],
        tool_choice="required",
        extra_body=OURS,
    )
    message = reply.choices[0].message
    need(message.refusal and not message.tool_calls, message)
    return f"refusal: {message.refusal}"


@cell("tool, auto")
def _() -> object:
    reply = ask.create(model=MODEL, messages=messages(ASK_TOOL), tools=[TOOL], extra_body=OURS)
    raise Wrong(repr(reply))


@cell("tool results sent back")
def _() -> object:
    return text_of(ask.create(model=AUTO, messages=TOOL_TURNS, extra_body=OURS))


@cell("embeddings")
def _() -> object:
    made = client.embeddings.create(model=EMBEDDER, input=["lamp", "shade"]).data
    need(len(made) == 2 and len(made[0].embedding) > 100, made)
    return f"2 of {len(made[0].embedding)} numbers"


@cell("responses")
def _() -> object:
    reply = client.responses.create(model=MODEL, input=QUESTION, extra_body=OURS)
    need(reply.output_text and reply.usage and reply.usage.output_tokens, reply)
    return reply.output_text


@cell("responses, streamed")
def _() -> object:
    with client.responses.stream(model=MODEL, input=QUESTION, extra_body=OURS) as events:
        kinds = {event.type for event in events}
        reply = events.get_final_response()
    need("response.output_text.delta" in kinds and reply.output_text, kinds)
    return reply.output_text


@cell("responses, structured")
def _() -> object:
    reply = client.responses.parse(
        model=MODEL, input=QUESTION, text_format=Validity, extra_body=OURS
    )
    need(isinstance(reply.output_parsed, Validity), reply)
    return reply.output_parsed


@cell("responses, abstained")
def _() -> object:
    reply = client.responses.parse(
        model=MODEL, input=UNANSWERED, text_format=Validity, extra_body=OURS
    )
    part: Any = reply.output[-1].content[0]  # type: ignore[union-attr]
    need(reply.output_parsed is None and part.type == "refusal", reply)
    return f"refusal: {part.refusal}"


@cell("citations")
def _() -> object:
    reply = ask.create(model=MODEL, messages=messages(QUESTION), extra_body=OURS)
    found = reply.choices[0].message.annotations
    need(found and found[0].url_citation.url.startswith("http"), reply)
    return f"{found[0].url_citation.title}"


@cell("disconnect")
def _() -> object:
    parts = ask.create(model=MODEL, messages=messages(QUESTION), stream=True, extra_body=OURS)
    next(iter(parts))
    parts.close()
    return text_of(ask.create(model=MODEL, messages=messages(QUESTION), extra_body=OURS))


@cell("too long")
def _() -> object:
    reply = ask.create(model=MODEL, messages=messages(TOO_LONG), extra_body=OURS)
    raise Wrong(repr(reply))


@cell("two choices")
def _() -> object:
    reply = ask.create(model=MODEL, messages=messages(QUESTION), n=2, extra_body=OURS)
    raise Wrong(repr(reply))


@cell("image")
def _() -> object:
    parts = [
        {"type": "text", "text": QUESTION},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]
    turns = [{"role": "user", "content": parts}]
    raise Wrong(repr(ask.create(model=MODEL, messages=turns, extra_body=OURS)))

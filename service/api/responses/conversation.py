"""What a request of `/v1/responses` asks, as a chat completion; what is not offered is refused.

It knows OpenAI's items and content parts; it does not know how a question is answered.
"""

from collections.abc import Mapping, Sequence

from fastapi.exceptions import RequestValidationError
from pydantic import JsonValue, ValidationError

from service.api.schemas.openai import CompletionRequest
from service.api.schemas.responses import ResponseRequest
from service.api.schemas.shapes import JsonObject
from service.errors import InvalidRequest, ToolsUnsupported

ROLES = ("user", "assistant", "system", "developer")
TEXT_PARTS = ("input_text", "output_text", "text")
# Names of chat completions, as they stand in a body of this protocol.
NAMES = {
    "messages": "input",
    "max_completion_tokens": "max_output_tokens",
    "response_format": "text.format",
}
OURS = (
    "user",
    "use_case",
    "knowledge_bases",
    "top_k",
    "filters",
    "access_labels",
    "cite",
    "citations_required",
)
SCHEMA_KEYS: tuple[str, ...] = ("name", "description", "schema", "strict")
NOT_STORED = "Responses are not stored: send the whole conversation as messages in `input`."
NO_LOGPROBS = "Log probabilities are not offered; leave it out."
NOT_OFFERED = {
    "previous_response_id": NOT_STORED,
    "conversation": NOT_STORED,
    "store": "Responses are not stored; leave `store` out, or send false.",
    "background": "A response is not made in the background; leave `background` out, and send "
    "`stream: true` to read the answer while it is written.",
    "prompt": "Prompt templates are not stored; send the text in `instructions` and `input`.",
    "top_logprobs": NO_LOGPROBS,
}
FILES = "Files cannot be read here; add them to a knowledge base, or send their text as input_text."
IMAGES = "Images cannot be read; send text parts only (input_text)."
UNREAD_PARTS = {
    "input_image": IMAGES,
    "image_url": IMAGES,
    "computer_screenshot": IMAGES,
    "input_file": FILES,
    "file": FILES,
    "input_audio": "Audio cannot be read; send its transcript as input_text.",
}


def completion_of(body: ResponseRequest) -> CompletionRequest:
    """Return the chat completion that asks the same.

    Raises:
        InvalidRequest: It wishes what is not offered, or a message cannot be read.
        ToolsUnsupported: It names tools, or holds their results.
        RequestValidationError: A field is malformed.
    """
    _refuse_what_is_not_offered(body)
    fields: JsonObject = {
        "model": body.model,
        "messages": list(_messages(body)),
        "temperature": body.temperature,
        "top_p": body.top_p,
        "max_completion_tokens": body.max_output_tokens,
        "response_format": response_format_of(body),
    }
    for name in OURS:
        if (value := getattr(body, name)) is not None:
            fields[name] = value
    try:
        return CompletionRequest.model_validate(fields)
    except ValidationError as exc:
        sent = {NAMES.get(name, name): value for name, value in fields.items()}
        faults = [_renamed(fault) for fault in exc.errors()]
        raise RequestValidationError(faults, body=sent) from exc


def response_format_of(body: ResponseRequest) -> JsonObject | None:
    """Return `text.format` as the `response_format` of a chat completion.

    Raises:
        InvalidRequest: Its type is unknown, or it has no schema.
    """
    form = body.text.format if body.text is not None else None
    kind = "text" if form is None else form.get("type")
    if form is None or kind == "text":
        return None
    if kind == "json_object":
        return {"type": "json_object"}
    if kind != "json_schema":
        raise InvalidRequest(
            f"`text.format` has the type {kind!r}; send text, json_object or json_schema.",
            param="text.format",
        )
    if not isinstance(form.get("schema"), dict):
        raise InvalidRequest(
            "`text.format` has no `schema`; send the JSON Schema of the answer.",
            param="text.format",
        )
    named: JsonObject = {key: form[key] for key in SCHEMA_KEYS if key in form}
    return {"type": "json_schema", "json_schema": {"name": "answer", **named}}


def _refuse_what_is_not_offered(body: ResponseRequest) -> None:
    for name, words in NOT_OFFERED.items():
        if getattr(body, name):
            raise InvalidRequest(words, param=name)
    if isinstance(body.include, list) and "message.output_text.logprobs" in body.include:
        raise InvalidRequest(NO_LOGPROBS, param="include")
    if body.tools:
        _refuse_tools(body.tools)
    if body.tool_choice not in (None, "auto", "none"):
        raise ToolsUnsupported(
            "Tools are not offered; leave `tool_choice` out.", param="tool_choice"
        )


def _refuse_tools(tools: JsonValue) -> None:
    first = tools[0] if isinstance(tools, list) else tools
    kind = first.get("type") if isinstance(first, dict) else None
    if kind in ("function", "custom", None):
        raise ToolsUnsupported("Tools are not offered; leave `tools` out.", param="tools")
    raise ToolsUnsupported(
        f"The built-in tool {kind!r} is not offered; leave `tools` out. Answers are written from "
        "knowledge bases already: choose the model auto or rag, and name a `use_case` or "
        "`knowledge_bases`.",
        param="tools",
    )


def _messages(body: ResponseRequest) -> Sequence[JsonObject]:
    read: list[JsonObject] = []
    if body.instructions:
        read.append({"role": "system", "content": body.instructions})
    given = body.input
    if isinstance(given, str):
        return [*read, {"role": "user", "content": given}]
    if not isinstance(given, list) or not given:
        raise InvalidRequest("`input` is a string, or a list of messages with text.", param="input")
    for number, item in enumerate(given):
        where = f"input[{number}]"
        if not isinstance(item, dict):
            raise InvalidRequest(f"`{where}` is not a message.", param=where)
        if item.get("type") != "reasoning":  # of another model, given back by its client
            read.append(_message(item, where))
    return read


def _message(item: Mapping[str, JsonValue], where: str) -> JsonObject:
    kind = item.get("type") or "message"
    if kind == "item_reference":
        raise InvalidRequest(f"`{where}` names a stored item. {NOT_STORED}", param=where)
    if str(kind).endswith(("_call", "_call_output")):
        raise ToolsUnsupported(
            f"`{where}` is of the type {kind!r}, and tools are not offered; send its result as "
            "the text of a message.",
            param=where,
        )
    if kind != "message":
        raise InvalidRequest(
            f"`{where}` is of the type {kind!r}; only messages are read.", param=where
        )
    role = item.get("role")
    if role not in ROLES:
        raise InvalidRequest(
            f"`{where}` has the role {role!r}; it is one of {', '.join(ROLES)}.", param=where
        )
    return {"role": role, "content": _text(item.get("content"), where)}


def _text(content: JsonValue, where: str) -> str:
    """Return the text of a message; parts are joined as those of a chat completion are."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise InvalidRequest(
            f"The content of `{where}` is neither text nor a list of text parts.", param=where
        )
    return "\n".join(_text_of_part(part, where) for part in content)


def _text_of_part(part: JsonValue, where: str) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(kind, str) and kind in UNREAD_PARTS:
        raise InvalidRequest(UNREAD_PARTS[kind], param=where)
    key = "text" if kind in TEXT_PARTS else "refusal" if kind == "refusal" else None
    text = part.get(key) if isinstance(part, dict) and key is not None else None
    if not isinstance(text, str):
        raise InvalidRequest(
            f"A content part of `{where}` holds no text; send {{type: input_text, text: …}}.",
            param=where,
        )
    return text


def _renamed(fault: Mapping[str, object]) -> dict[str, object]:
    """Return a fault of a chat completion with the names of this protocol."""
    place = fault["loc"]
    assert isinstance(place, tuple)
    first, *rest = place
    return {**fault, "loc": ("body", NAMES.get(first, first), *rest)}

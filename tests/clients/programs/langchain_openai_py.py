"""`langchain-openai`: ChatOpenAI and OpenAIEmbeddings."""

from typing import Any

from cells import (
    ASK_TOOL,
    AUTO,
    BASE_URL,
    CALL_ID,
    EMBEDDER,
    HISTORY,
    KEY,
    MODEL,
    OURS,
    PIXEL,
    QUESTION,
    SYSTEM,
    TOO_LONG,
    TOOL,
    UNANSWERED,
    Unit,
    Wrong,
    cell,
    need,
)
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel


class Validity(BaseModel):
    """The structured answer."""

    unit: Unit


def model(name: str = MODEL, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(
        model=name,
        base_url=BASE_URL,
        api_key=KEY,  # type: ignore[arg-type]
        extra_body=OURS,
        max_retries=0,
        timeout=100,
        **options,
    )


def text_of(message: Any) -> str:
    need(message.content, message)
    return str(message.content)


@cell("chat")
def _() -> object:
    return text_of(model().invoke(QUESTION))


@cell("stream")
def _() -> object:
    pieces = [str(part.content) for part in model().stream(QUESTION)]
    need(len([piece for piece in pieces if piece]) > 1, pieces)
    return "".join(pieces)


@cell("usage")
def _() -> object:
    usage = model().invoke(QUESTION).usage_metadata
    need(usage and usage["output_tokens"], usage)
    return f"{usage['input_tokens']} + {usage['output_tokens']}"


@cell("usage streamed")
def _() -> object:
    whole: Any = None
    for part in model(stream_usage=True).stream(QUESTION):
        whole = part if whole is None else whole + part
    need(whole.usage_metadata and whole.usage_metadata["output_tokens"], whole)
    return f"{whole.usage_metadata['input_tokens']} + {whole.usage_metadata['output_tokens']}"


@cell("system turn")
def _() -> object:
    return text_of(model().invoke([SystemMessage(SYSTEM), HumanMessage(QUESTION)]))


@cell("history")
def _() -> object:
    return text_of(model().invoke(HISTORY))


@cell("structured")
def _() -> object:
    made = model().with_structured_output(Validity).invoke(QUESTION)
    need(isinstance(made, Validity), made)
    return made


@cell("structured, abstained")
def _() -> object:
    raise Wrong(repr(model().with_structured_output(Validity).invoke(UNANSWERED)))


@cell("structured, abstained, streamed")
def _() -> object:
    raise Wrong(repr(list(model().with_structured_output(Validity).stream(UNANSWERED))))


@cell("structured by a function")
def _() -> object:
    made = model().with_structured_output(Validity, method="function_calling").invoke(QUESTION)
    need(isinstance(made, Validity), made)
    return made


@cell("structured by a function, abstained")
def _() -> object:
    asked = model().with_structured_output(Validity, method="function_calling")
    raise Wrong(repr(asked.invoke(UNANSWERED)))


@cell("tool, named")
def _() -> object:
    calls = model().bind_tools([TOOL], tool_choice="find_place").invoke(ASK_TOOL).tool_calls
    need(calls and calls[0]["name"] == "find_place", calls)
    return f"{calls[0]['name']}({calls[0]['args']})"


@cell("tool, required")
def _() -> object:
    calls = model().bind_tools([TOOL], tool_choice="required").invoke(ASK_TOOL).tool_calls
    need(calls and calls[0]["name"] == "find_place", calls)
    return f"{calls[0]['name']}({calls[0]['args']})"


@cell("tool, required, streamed")
def _() -> object:
    whole: Any = None
    for part in model().bind_tools([TOOL], tool_choice="required").stream(ASK_TOOL):
        whole = part if whole is None else whole + part
    need(whole.tool_calls and whole.tool_calls[0]["name"] == "find_place", whole)
    return f"{whole.tool_calls[0]['name']}({whole.tool_calls[0]['args']})"


@cell("tool, required, abstained")
def _() -> object:
    message = model().bind_tools([TOOL], tool_choice="required").invoke(UNANSWERED)
    refusal = message.additional_kwargs.get("refusal")
    need(refusal and not message.tool_calls, message)
    return f"refusal: {refusal}"


@cell("tool, auto")
def _() -> object:
    raise Wrong(repr(model().bind_tools([TOOL]).invoke(ASK_TOOL)))


@cell("tool results sent back")
def _() -> object:
    call = {"name": "find_order", "args": {"order": 4711}, "id": CALL_ID}
    turns = [
        HumanMessage("Where is order 4711?"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("It is on its way.", tool_call_id=CALL_ID),
    ]
    return text_of(model(AUTO).invoke(turns))


@cell("embeddings")
def _() -> object:
    embedder = OpenAIEmbeddings(
        model=EMBEDDER,
        base_url=BASE_URL,
        api_key=KEY,  # type: ignore[arg-type]
        check_embedding_ctx_length=False,
        max_retries=0,
    )
    made = embedder.embed_documents(["lamp", "shade"])
    need(len(made) == 2 and len(made[0]) > 100, made)
    return f"2 of {len(made[0])} numbers"


@cell("responses")
def _() -> object:
    message = model(use_responses_api=True).invoke(QUESTION)
    need(message.text, message)
    return message.text


@cell("responses, streamed")
def _() -> object:
    pieces = [part.text for part in model(use_responses_api=True).stream(QUESTION)]
    need(len([piece for piece in pieces if piece]) > 1, pieces)
    return "".join(pieces)


@cell("responses, structured")
def _() -> object:
    made = model(use_responses_api=True).with_structured_output(Validity).invoke(QUESTION)
    need(isinstance(made, Validity), made)
    return made


@cell("responses, abstained")
def _() -> object:
    asked = model(use_responses_api=True).with_structured_output(Validity)
    raise Wrong(repr(asked.invoke(UNANSWERED)))


@cell("citations")
def _() -> object:
    message = model().invoke(QUESTION)
    found = [block for block in message.content_blocks if block.get("annotations")]
    if not found:
        found = message.additional_kwargs.get("annotations")
    if not found:
        message = model(use_responses_api=True).invoke(QUESTION)
        found = [block for block in message.content_blocks if block.get("annotations")]
        need(found, message)
        return "through /v1/responses only; ChatOpenAI drops them from chat completions"
    return found


@cell("disconnect")
def _() -> object:
    parts: Any = model().stream(QUESTION)
    next(parts)
    parts.close()
    return text_of(model().invoke(QUESTION))


@cell("too long")
def _() -> object:
    raise Wrong(repr(model().invoke(TOO_LONG)))


@cell("two choices")
def _() -> object:
    raise Wrong(repr(model(n=2).invoke(QUESTION)))


@cell("image")
def _() -> object:
    parts: Any = [
        {"type": "text", "text": QUESTION},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]
    raise Wrong(repr(model().invoke([HumanMessage(parts)])))

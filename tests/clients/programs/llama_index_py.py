"""LlamaIndex: OpenAILike and OpenAILikeEmbedding."""

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
    not_offered,
)
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel


class Validity(BaseModel):
    """The structured answer."""

    unit: Unit


def find_place(city: str) -> str:
    """Find a place on the map of a city."""
    return city


TOOLS = [FunctionTool.from_defaults(fn=find_place)]


def model(name: str = MODEL, **also: Any) -> OpenAILike:
    return OpenAILike(
        model=name,
        api_base=BASE_URL,
        api_key=KEY,
        is_chat_model=True,
        is_function_calling_model=True,
        context_window=4096,
        max_retries=0,
        timeout=100,
        additional_kwargs={"extra_body": OURS, **also},
    )


def user(text: str) -> list[ChatMessage]:
    return [ChatMessage(role="user", content=text)]


def text_of(reply: Any) -> str:
    need(reply.message.content, reply)
    return str(reply.message.content)


@cell("chat")
def _() -> object:
    return text_of(model().chat(user(QUESTION)))


@cell("stream")
def _() -> object:
    pieces = [part.delta or "" for part in model().stream_chat(user(QUESTION))]
    need(len([piece for piece in pieces if piece]) > 1, pieces)
    return "".join(pieces)


@cell("usage")
def _() -> object:
    usage: Any = model().chat(user(QUESTION)).raw.usage  # type: ignore[union-attr]
    need(usage.prompt_tokens and usage.completion_tokens, usage)
    return f"{usage.prompt_tokens} + {usage.completion_tokens}"


@cell("usage streamed")
def _() -> object:
    asked = model(stream_options={"include_usage": True})
    last: Any = list(asked.stream_chat(user(QUESTION)))[-1]
    need(last.raw.usage and last.raw.usage.completion_tokens, last)
    return f"{last.raw.usage.prompt_tokens} + {last.raw.usage.completion_tokens}"


@cell("system turn")
def _() -> object:
    turns = [ChatMessage(role="system", content=SYSTEM), *user(QUESTION)]
    return text_of(model().chat(turns))


@cell("history")
def _() -> object:
    return text_of(model().chat([ChatMessage(**turn) for turn in HISTORY]))


@cell("structured")
def _() -> object:
    made = model().structured_predict(Validity, PromptTemplate(QUESTION))
    need(isinstance(made, Validity), made)
    return made


@cell("structured, abstained")
def _() -> object:
    raise Wrong(repr(model().structured_predict(Validity, PromptTemplate(UNANSWERED))))


@cell("tool, named")
def _() -> object:
    reply = model().chat(user(ASK_TOOL), tools=[TOOL], tool_choice=NAMED)
    calls = model().get_tool_calls_from_response(reply)
    need(calls and calls[0].tool_name == "find_place", reply)
    return f"{calls[0].tool_name}({calls[0].tool_kwargs})"


@cell("tool, required")
def _() -> object:
    reply = model().chat(user(ASK_TOOL), tools=[TOOL], tool_choice="required")
    calls = model().get_tool_calls_from_response(reply)
    need(calls and calls[0].tool_name == "find_place", reply)
    return f"{calls[0].tool_name}({calls[0].tool_kwargs})"


@cell("tool, required, abstained")
def _() -> object:
    reply = model().chat_with_tools(TOOLS, user_msg=UNANSWERED, tool_required=True)
    refusal = reply.raw.choices[0].message.refusal  # type: ignore[union-attr]
    need(refusal and not reply.message.additional_kwargs.get("tool_calls"), reply)
    return f"refusal: {refusal}"


@cell("tool, auto")
def _() -> object:
    raise Wrong(repr(model().chat_with_tools(TOOLS, user_msg=ASK_TOOL)))


@cell("tool results sent back")
def _() -> object:
    turns = [
        *user("Where is order 4711?"),
        ChatMessage(
            role="assistant",
            content=None,
            additional_kwargs={"tool_calls": TOOL_TURNS[1]["tool_calls"]},
        ),
        ChatMessage(
            role="tool", content="It is on its way.", additional_kwargs={"tool_call_id": CALL_ID}
        ),
    ]
    return text_of(model(AUTO).chat(turns))


@cell("embeddings")
def _() -> object:
    embedder = OpenAILikeEmbedding(
        model_name=EMBEDDER, api_base=BASE_URL, api_key=KEY, max_retries=0
    )
    made = embedder.get_text_embedding_batch(["lamp", "shade"])
    need(len(made) == 2 and len(made[0]) > 100, made)
    return f"2 of {len(made[0])} numbers"


not_offered("responses", "OpenAILike asks chat completions only")


@cell("citations")
def _() -> object:
    raw: Any = model().chat(user(QUESTION)).raw
    found = raw.choices[0].message.annotations
    need(found and found[0].url_citation.url.startswith("http"), raw)
    return f"in `raw`: {found[0].url_citation.title}"


@cell("disconnect")
def _() -> object:
    parts: Any = model().stream_chat(user(QUESTION))
    next(parts)
    parts.close()
    return text_of(model().chat(user(QUESTION)))


@cell("too long")
def _() -> object:
    raise Wrong(repr(model().chat(user(TOO_LONG))))


@cell("two choices")
def _() -> object:
    raise Wrong(repr(model(n=2).chat(user(QUESTION))))


@cell("image")
def _() -> object:
    turn = ChatMessage(role="user", blocks=[TextBlock(text=QUESTION), ImageBlock(url=PIXEL)])
    raise Wrong(repr(model().chat([turn])))

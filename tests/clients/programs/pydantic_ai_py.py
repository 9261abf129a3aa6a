"""Pydantic AI: an agent on an OpenAI chat model."""

import asyncio
from typing import Any, Literal

import openai
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
    UNANSWERED,
    Unit,
    Wrong,
    cell,
    need,
    not_offered,
)
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, NativeOutput, ToolOutput, messages
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider


class Validity(BaseModel):
    """How long something is valid."""

    unit: Unit


class Place(BaseModel):
    """A place on the map."""

    city: Literal["Porto", "Lyon"]


def agent(output: Any = str, *, name: str = MODEL, form: Any = OpenAIChatModel, **also: Any) -> Any:
    client = openai.AsyncOpenAI(base_url=BASE_URL, api_key=KEY, max_retries=0, timeout=100)
    model = form(name, provider=OpenAIProvider(openai_client=client))
    return Agent(model, output_type=output, retries=0, model_settings={"extra_body": OURS, **also})


async def streamed(asked: Any, question: str) -> tuple[list[str], Any]:
    async with asked.run_stream(question) as parts:
        pieces = [piece async for piece in parts.stream_text(delta=True)]
        usage = parts.usage() if callable(parts.usage) else parts.usage
    return pieces, usage


def find_place(city: str) -> str:
    """Find a place on the map of a city."""
    return city


@cell("chat")
def _() -> object:
    return agent().run_sync(QUESTION).output


@cell("stream")
def _() -> object:
    pieces, _usage = asyncio.run(streamed(agent(), QUESTION))
    need(len(pieces) >= 1 and "".join(pieces), pieces)
    return "".join(pieces)


@cell("usage")
def _() -> object:
    done = agent().run_sync(QUESTION)
    usage = done.usage() if callable(done.usage) else done.usage
    need(usage.input_tokens and usage.output_tokens, usage)
    return f"{usage.input_tokens} + {usage.output_tokens}"


@cell("usage streamed")
def _() -> object:
    _pieces, usage = asyncio.run(streamed(agent(), QUESTION))
    need(usage.input_tokens and usage.output_tokens, usage)
    return f"{usage.input_tokens} + {usage.output_tokens}"


@cell("system turn")
def _() -> object:
    asked = agent()
    asked.instructions(lambda: SYSTEM)
    return asked.run_sync(QUESTION).output


@cell("history")
def _() -> object:
    before = [
        messages.ModelRequest([messages.UserPromptPart(HISTORY[0]["content"])]),
        messages.ModelResponse([messages.TextPart(HISTORY[1]["content"])]),
    ]
    return agent().run_sync(QUESTION, message_history=before).output


@cell("structured")
def _() -> object:
    return agent(NativeOutput(Validity)).run_sync(QUESTION).output


@cell("structured, abstained")
def _() -> object:
    raise Wrong(repr(agent(NativeOutput(Validity)).run_sync(UNANSWERED).output))


@cell("structured, abstained, streamed")
def _() -> object:
    async def ask() -> Any:
        async with agent(NativeOutput(Validity)).run_stream(UNANSWERED) as parts:
            return await parts.get_output()

    raise Wrong(repr(asyncio.run(ask())))


@cell("structured by a function")
def _() -> object:
    return agent(Validity).run_sync(QUESTION).output


@cell("structured by a function, abstained")
def _() -> object:
    raise Wrong(repr(agent(Validity).run_sync(UNANSWERED).output))


@cell("tool, named")
def _() -> object:
    return agent(ToolOutput(Place, name="find_place")).run_sync(ASK_TOOL).output


@cell("tool, required")
def _() -> object:
    outputs = [ToolOutput(Place, name="find_place"), ToolOutput(Validity, name="validity")]
    return agent(outputs).run_sync(ASK_TOOL).output


@cell("tool, auto")
def _() -> object:
    asked = agent()
    asked.tool_plain(find_place)
    raise Wrong(repr(asked.run_sync(ASK_TOOL).output))


@cell("tool results sent back")
def _() -> object:
    called = messages.ToolCallPart("find_order", {"order": 4711}, tool_call_id=CALL_ID)
    result = messages.ToolReturnPart("find_order", "It is on its way.", tool_call_id=CALL_ID)
    before = [
        messages.ModelRequest([messages.UserPromptPart("Where is order 4711?")]),
        messages.ModelResponse([called]),
        messages.ModelRequest([result]),
    ]
    return agent(name=AUTO).run_sync(message_history=before).output


@cell("embeddings")
def _() -> object:
    from pydantic_ai import Embedder
    from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel

    client = openai.AsyncOpenAI(base_url=BASE_URL, api_key=KEY, max_retries=0)
    model = OpenAIEmbeddingModel(EMBEDDER, provider=OpenAIProvider(openai_client=client))
    made = asyncio.run(Embedder(model).embed_documents(["lamp", "shade"])).embeddings
    need(len(made) == 2 and len(made[0]) > 100, made)
    return f"2 of {len(made[0])} numbers"


@cell("responses")
def _() -> object:
    return agent(form=OpenAIResponsesModel).run_sync(QUESTION).output


@cell("responses, structured")
def _() -> object:
    return agent(NativeOutput(Validity), form=OpenAIResponsesModel).run_sync(QUESTION).output


@cell("responses, abstained")
def _() -> object:
    asked = agent(NativeOutput(Validity), form=OpenAIResponsesModel)
    raise Wrong(repr(asked.run_sync(UNANSWERED).output))


not_offered("citations", "Pydantic AI keeps no annotations of chat completions")


@cell("disconnect")
def _() -> object:
    async def leave() -> None:
        async with agent().run_stream(QUESTION) as parts:
            async for _piece in parts.stream_text(delta=True):
                break

    asyncio.run(leave())
    return agent().run_sync(QUESTION).output


@cell("too long")
def _() -> object:
    raise Wrong(repr(agent().run_sync(TOO_LONG).output))


@cell("two choices")
def _() -> object:
    raise Wrong(repr(agent(extra_body={**OURS, "n": 2}).run_sync(QUESTION).output))


@cell("image")
def _() -> object:
    import base64

    pixel = BinaryContent(base64.b64decode(PIXEL.split(",")[1]), media_type="image/png")
    raise Wrong(repr(agent().run_sync([QUESTION, pixel]).output))

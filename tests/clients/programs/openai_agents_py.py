"""The OpenAI Agents SDK: its default, `/v1/responses`, and its chat completions model."""

import asyncio
from typing import Any, Literal

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    StopAtTools,
    function_tool,
    set_tracing_disabled,
)
from cells import (
    ASK_TOOL,
    AUTO,
    BASE_URL,
    CALL_ID,
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
from openai import AsyncOpenAI
from pydantic import BaseModel

set_tracing_disabled(True)


class Validity(BaseModel):
    """The structured answer."""

    unit: Unit


@function_tool
def find_place(city: Literal["Porto", "Lyon"]) -> str:
    """Find a place on the map of a city."""
    return f"Quay Lane 3 in {city}"


def agent(form: Any = OpenAIResponsesModel, *, name: str = MODEL, **options: Any) -> Agent[None]:
    client = AsyncOpenAI(base_url=BASE_URL, api_key=KEY, max_retries=0, timeout=100)
    settings = ModelSettings(extra_body=OURS, **options.pop("settings", {}))
    return Agent(
        name="help desk",
        model=form(model=name, openai_client=client),
        model_settings=settings,
        **options,
    )


CHAT = OpenAIChatCompletionsModel


def run(asked: Agent[None], messages: Any = QUESTION) -> Any:
    return Runner.run_sync(asked, messages, max_turns=2)


async def streamed(asked: Agent[None]) -> tuple[list[str], Any]:
    running = Runner.run_streamed(asked, QUESTION)
    pieces = []
    async for event in running.stream_events():
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta":
            pieces.append(event.data.delta)
    return pieces, running.context_wrapper.usage


@cell("chat")
def _() -> object:
    return run(agent(CHAT)).final_output


@cell("stream")
def _() -> object:
    pieces, _usage = asyncio.run(streamed(agent(CHAT)))
    need(len(pieces) > 1, pieces)
    return "".join(pieces)


@cell("usage")
def _() -> object:
    usage = run(agent(CHAT)).context_wrapper.usage
    need(usage.input_tokens and usage.output_tokens, usage)
    return f"{usage.input_tokens} + {usage.output_tokens}"


@cell("usage streamed")
def _() -> object:
    asked = agent(CHAT, settings={"include_usage": True})
    _pieces, usage = asyncio.run(streamed(asked))
    need(usage.input_tokens and usage.output_tokens, usage)
    return f"{usage.input_tokens} + {usage.output_tokens}"


@cell("system turn")
def _() -> object:
    return run(agent(CHAT, instructions=SYSTEM)).final_output


@cell("history")
def _() -> object:
    return run(agent(CHAT), HISTORY).final_output


@cell("structured")
def _() -> object:
    made = run(agent(CHAT, output_type=Validity)).final_output
    need(isinstance(made, Validity), made)
    return made


@cell("structured, abstained")
def _() -> object:
    raise Wrong(repr(run(agent(CHAT, output_type=Validity), UNANSWERED).final_output))


@cell("tool, named")
def _() -> object:
    stop = StopAtTools(stop_at_tool_names=["find_place"])
    asked = agent(
        CHAT, tools=[find_place], tool_use_behavior=stop, settings={"tool_choice": "find_place"}
    )
    return run(asked, ASK_TOOL).final_output


@cell("tool, required")
def _() -> object:
    asked = agent(
        CHAT,
        tools=[find_place],
        tool_use_behavior="stop_on_first_tool",
        settings={"tool_choice": "required"},
    )
    return run(asked, ASK_TOOL).final_output


@cell("tool, required, abstained")
def _() -> object:
    asked = agent(CHAT, tools=[find_place], settings={"tool_choice": "required"})
    done = run(asked, UNANSWERED)
    refusals = [part for item in done.new_items for part in item.raw_item.content]
    need(refusals and refusals[0].type == "refusal", done.new_items)
    return f"refusal: {refusals[0].refusal}"


@cell("tool, auto")
def _() -> object:
    raise Wrong(repr(run(agent(CHAT, tools=[find_place]), ASK_TOOL).final_output))


@cell("tool results sent back")
def _() -> object:
    turns = [
        {"role": "user", "content": "Where is order 4711?"},
        {
            "type": "function_call",
            "call_id": CALL_ID,
            "name": "find_order",
            "arguments": '{"order": 4711}',
        },
        {"type": "function_call_output", "call_id": CALL_ID, "output": "It is on its way."},
    ]
    return run(agent(CHAT, name=AUTO), turns).final_output


not_offered("embeddings", "the SDK has none")


@cell("responses")
def _() -> object:
    return run(agent()).final_output


@cell("responses, streamed")
def _() -> object:
    pieces, usage = asyncio.run(streamed(agent()))
    need(len(pieces) > 1 and usage.output_tokens, pieces)
    return "".join(pieces)


@cell("responses, structured")
def _() -> object:
    made = run(agent(output_type=Validity)).final_output
    need(isinstance(made, Validity), made)
    return made


@cell("responses, abstained")
def _() -> object:
    raise Wrong(repr(run(agent(output_type=Validity), UNANSWERED).final_output))


@cell("responses, tool")
def _() -> object:
    asked = agent(tools=[find_place], settings={"tool_choice": "required"})
    raise Wrong(repr(run(asked, ASK_TOOL).final_output))


@cell("citations")
def _() -> object:
    part = run(agent()).new_items[-1].raw_item.content[0]
    need(part.annotations and part.annotations[0].url.startswith("http"), part)
    return f"through /v1/responses: {part.annotations[0].title}"


@cell("disconnect")
def _() -> object:
    async def leave() -> None:
        running = Runner.run_streamed(agent(), QUESTION)
        async for _event in running.stream_events():
            running.cancel()
            break

    asyncio.run(leave())
    return run(agent()).final_output


@cell("too long")
def _() -> object:
    raise Wrong(repr(run(agent(), TOO_LONG).final_output))


@cell("two choices")
def _() -> object:
    asked = agent(CHAT, settings={"extra_args": {"n": 2}})
    raise Wrong(repr(run(asked).final_output))


@cell("image")
def _() -> object:
    parts = [
        {"type": "input_text", "text": QUESTION},
        {"type": "input_image", "image_url": PIXEL},
    ]
    raise Wrong(repr(run(agent(), [{"role": "user", "content": parts}]).final_output))

"""The base model of this home as the steps of training data ask it: a prompt and a schema.

It joins the engine's client with what `adapters` calls `Generate`; it does not know what is asked.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from anyio.from_thread import start_blocking_portal
from pydantic import JsonValue

from adapters import Generate
from service.engine.client import EngineClient, GenerationRequest, Message
from service.errors import ContextLengthExceeded

MAX_TOKENS = 1_024  # of a reply: some pairs or labels; a window of 4,096 keeps room for the text


@contextmanager
def open_generate(
    engine: EngineClient,
    model: str,
    *,
    tenant: str,
    temperature: float = 0.0,
    max_tokens: int = MAX_TOKENS,
) -> Iterator[Generate]:
    """Yield a function that asks the model server; several threads may call it at once.

    A prompt that does not fit the model gives an empty reply, so that one long text does not end a
    step over many. Every other error of the server is raised by the function.

    Args:
        engine: The client, used in an event loop of its own and closed at the end.
        model: As the server lists it.
        tenant: Whose texts they are.
        temperature: 0 for reading, more for inventing.
        max_tokens: Of a reply.

    Raises:
        EngineUnavailable: From the function: no connection, or the server is overloaded.
        EngineRefused: From the function: the server refuses the request.
        InvalidRequest: From the function: the server cannot use the schema.
        StreamBroken: From the function: the server stopped during the reply.
    """

    async def ask(prompt: str, schema: Mapping[str, JsonValue]) -> str:
        described: JsonValue = {"name": "reply", "schema": dict(schema), "strict": True}
        options: dict[str, JsonValue] = {
            "temperature": temperature,
            "max_tokens": max_tokens,
            "response_format": {"type": "json_schema", "json_schema": described},
        }
        request = GenerationRequest(model, (Message("user", prompt),), options, tenant)
        try:
            async with engine.generate(request) as generation:
                return "".join([chunk async for chunk in generation.chunks])
        except ContextLengthExceeded:
            return ""

    with start_blocking_portal() as portal:
        try:
            yield lambda prompt, schema: portal.call(ask, prompt, schema)
        finally:
            portal.call(engine.aclose)

"""The client of the model server, against one that goes wrong on request."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anyio
import orjson
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from service.engine.client import EngineClient, EngineModel, GenerationRequest, Message
from service.engine.generation import ToolCall, Usage
from service.errors import (
    ContextLengthExceeded,
    EngineRefused,
    EngineUnavailable,
    InvalidRequest,
    ModelNotFound,
    ServiceError,
    StreamBroken,
)
from service.settings import EngineSettings
from tests.fakes.engine import BASE, FakeEngine, Served
from tests.fakes.ports import free_port

pytestmark = pytest.mark.anyio

QUESTION = GenerationRequest(BASE, (Message("user", "Within how many days?"),), {"seed": 7}, "acme")


@pytest.fixture
def fake() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def served(fake: FakeEngine) -> Iterator[Served]:
    with Served(fake.app()) as server:
        yield server


@asynccontextmanager
async def connected(url: str, **settings: Any) -> AsyncIterator[EngineClient]:
    """Yield a client of the server at `url`."""
    made = EngineClient(EngineSettings(connect_timeout_s=1.0, **settings), url, str)
    try:
        yield made
    finally:
        await made.aclose()


@pytest.fixture
async def engine(served: Served) -> AsyncIterator[EngineClient]:
    async with connected(served.url) as made:
        yield made


async def read(engine: EngineClient, request: GenerationRequest = QUESTION) -> str:
    async with engine.generate(request) as generation:
        return "".join([text async for text in generation.chunks])


async def soon(check: Callable[[], bool]) -> None:
    """Return once `check` holds."""
    with anyio.fail_after(3):
        while not check():  # noqa: ASYNC110  # what is waited for is in another thread
            await anyio.sleep(0.02)


async def test_an_answer_comes_in_pieces_with_its_usage_and_reason(
    engine: EngineClient, fake: FakeEngine
) -> None:
    fake.switches.pause_s = 0.05  # what comes at once is read at once
    async with engine.generate(QUESTION) as generation:
        pieces = [text async for text in generation.chunks]
    assert len(pieces) == 5
    assert "".join(pieces).startswith(f"I am {BASE}")
    assert generation.finish_reason == "stop"
    assert generation.usage == Usage(prompt_tokens=4, completion_tokens=5, cached_tokens=0)


async def test_a_request_carries_model_messages_and_options_and_asks_for_usage(
    engine: EngineClient, fake: FakeEngine
) -> None:
    await read(engine)
    assert fake.requests == [
        {
            "model": BASE,
            "messages": [{"role": "user", "content": "Within how many days?"}],
            "seed": 7,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, EngineUnavailable),
        (502, EngineUnavailable),
        (503, EngineUnavailable),
        (400, InvalidRequest),
        (422, InvalidRequest),
        (401, EngineRefused),
        (500, EngineRefused),
    ],
)
async def test_a_refusal_becomes_our_error_by_its_status(
    engine: EngineClient, fake: FakeEngine, status: int, error: type[ServiceError]
) -> None:
    fake.switches.refuse = status
    with pytest.raises(error) as refused:
        await read(engine)
    assert type(refused.value) is error
    assert "refused by the test" not in str(refused.value)


async def test_an_unknown_model_is_not_found(engine: EngineClient) -> None:
    with pytest.raises(ModelNotFound, match="nobody"):
        await read(engine, GenerationRequest("nobody", QUESTION.messages, {}, "acme"))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, "This model's maximum context length is 4096 tokens.", ContextLengthExceeded),
        (400, "longer than the maximum model length of 4096", ContextLengthExceeded),
        (500, "EngineDeadError: the engine core died", EngineUnavailable),
        (500, "<html>plain text</html>", EngineRefused),
    ],
)
async def test_a_refusal_is_read_by_its_words_too(
    status: int, body: str, error: type[ServiceError]
) -> None:
    async def refuse(request: Request) -> Response:
        return Response(body, status_code=status)

    app = Starlette(routes=[Route("/v1/chat/completions", refuse, methods=["POST"])])
    with Served(app) as server:
        async with connected(server.url) as engine:
            with pytest.raises(error) as refused:
                await read(engine)
    assert type(refused.value) is error


async def test_nobody_listening_is_unavailable_and_may_be_retried() -> None:
    async with connected(f"http://127.0.0.1:{free_port()}") as engine:
        with pytest.raises(EngineUnavailable) as away:
            await read(engine)
        with pytest.raises(EngineUnavailable):
            await engine.list_models()
    assert away.value.retryable


@pytest.mark.parametrize(
    ("switch", "value", "said"),
    [
        ("not_json", True, "not JSON"),
        ("no_finish", True, "without a finish reason"),
        ("error_after", 2, "failed during the answer"),
        ("break_after", 2, "stopped during the answer"),
    ],
)
async def test_a_stream_that_breaks_says_how(
    engine: EngineClient, fake: FakeEngine, switch: str, value: object, said: str
) -> None:
    setattr(fake.switches, switch, value)
    with pytest.raises(StreamBroken, match=said):
        await read(engine)


async def test_what_was_said_before_the_break_was_handed_on(
    engine: EngineClient, fake: FakeEngine
) -> None:
    fake.switches.break_after = 2
    fake.switches.pause_s = 0.05
    pieces: list[str] = []

    async def collect() -> None:
        async with engine.generate(QUESTION) as generation:
            async for text in generation.chunks:
                pieces.append(text)

    with pytest.raises(StreamBroken):
        await collect()
    assert pieces == ["I am ", BASE]


async def test_silence_inside_an_answer_ends_it(served: Served, fake: FakeEngine) -> None:
    fake.switches.silent_after = 2
    async with connected(served.url, idle_timeout_s=0.3) as engine:
        with pytest.raises(StreamBroken, match="no further token.*engine.idle_timeout_s"):
            await read(engine)


async def test_the_first_token_may_take_longer_than_the_others(
    served: Served, fake: FakeEngine
) -> None:
    fake.switches.first_pause_s = 0.6
    async with connected(served.url, idle_timeout_s=0.3, first_token_timeout_s=5) as engine:
        assert await read(engine)
    async with connected(served.url, idle_timeout_s=5, first_token_timeout_s=0.2) as engine:
        with pytest.raises(EngineUnavailable, match="engine.first_token_timeout_s") as late:
            await read(engine)
    assert late.value.retryable


@asynccontextmanager
async def ending_by(*after: bytes, then_s: float = 0.0) -> AsyncIterator[tuple[str, list[int]]]:
    """Serve whole answers with something after their last event; yield address and client ports."""
    ports: list[int] = []
    event = {"choices": [{"delta": {"content": "Seven."}, "finish_reason": "stop"}]}

    async def stream() -> AsyncIterator[bytes]:
        yield b"data: " + orjson.dumps(event) + b"\n\ndata: [DONE]\n\n" + b"".join(after[:1])
        await anyio.sleep(then_s)
        for part in after[1:]:
            yield part

    async def complete(request: Request) -> Response:
        assert request.client is not None
        ports.append(request.client.port)
        return StreamingResponse(stream(), media_type="text/event-stream")

    route = Route("/v1/chat/completions", complete, methods=["POST"])
    with Served(Starlette(routes=[route])) as server:
        yield server.url, ports


async def test_the_connection_is_used_again_after_a_whole_answer() -> None:
    async with ending_by(then_s=0.1) as (url, ports), connected(url) as engine:
        assert [await read(engine) for _ in range(3)] == ["Seven."] * 3
    assert len({*ports}) == 1


async def test_what_follows_a_whole_answer_takes_nothing_from_it() -> None:
    async with ending_by(b'data: {"usa', b"ge: \n") as (url, _), connected(url) as engine:
        assert await read(engine) == "Seven."


async def test_a_server_that_does_not_end_its_stream_is_left_soon() -> None:
    async with ending_by(then_s=1.5) as (url, ports), connected(url) as engine:
        with anyio.fail_after(1.2):
            assert await read(engine) == "Seven."
        assert await read(engine) == "Seven."
    assert len({*ports}) == 2


@pytest.mark.parametrize("code", [400, 422])
async def test_what_the_server_refuses_inside_a_stream_is_refused_and_not_broken(
    engine: EngineClient, fake: FakeEngine, code: int
) -> None:
    fake.switches.error_after, fake.switches.error_code = 0, code
    with pytest.raises(InvalidRequest, match="cannot use a field"):
        await read(engine)


async def test_a_request_with_a_schema_is_accepted_with_its_first_text(
    engine: EngineClient, fake: FakeEngine
) -> None:
    with_schema = replace(QUESTION, options={"response_format": {"type": "json_object"}})
    assert await read(engine, with_schema) == await read(engine)
    fake.switches.error_after, fake.switches.error_code = 0, 400
    entered = []
    with pytest.raises(InvalidRequest):
        async with engine.generate(with_schema):
            entered.append(True)
    assert not entered


async def test_function_calls_are_joined_from_their_pieces(
    engine: EngineClient, fake: FakeEngine
) -> None:
    fake.switches.calls = (
        {"index": 0, "id": "call_1", "function": {"name": "lamp", "arguments": '{"a'}},
        {"index": 1, "id": "call_2", "function": {"name": "bulb", "arguments": "{}"}},
        {"index": 0, "function": {"arguments": '": 1}'}},
    )
    async with engine.generate(QUESTION) as generation:
        async for _text in generation.chunks:
            pass
    assert generation.calls == {
        0: ToolCall("call_1", "lamp", '{"a": 1}'),
        1: ToolCall("call_2", "bulb", "{}"),
    }


async def test_closing_early_aborts_the_answer_upstream(
    engine: EngineClient, fake: FakeEngine
) -> None:
    fake.switches.pause_s = 0.05
    fake.switches.pieces = ("x",) * 200
    async with engine.generate(QUESTION) as generation:
        async for _ in generation.chunks:
            break
    await soon(lambda: fake.running == 0)
    assert fake.aborted == 1


async def test_cancelling_the_caller_aborts_the_answer_upstream(
    engine: EngineClient, fake: FakeEngine
) -> None:
    fake.switches.pause_s = 0.05
    fake.switches.pieces = ("x",) * 200
    with anyio.move_on_after(0.4) as scope:
        await read(engine)
    assert scope.cancelled_caught
    await soon(lambda: fake.running == 0)
    assert fake.aborted == 1


async def test_a_whole_answer_is_not_an_abort(engine: EngineClient, fake: FakeEngine) -> None:
    await read(engine)
    await soon(lambda: fake.running == 0)
    assert fake.aborted == 0


async def test_models_are_listed_with_their_parent(engine: EngineClient, fake: FakeEngine) -> None:
    fake.adapters["helpdesk@1"] = "/somewhere"
    assert await engine.list_models() == (
        EngineModel(BASE, None),
        EngineModel("helpdesk@1", BASE),
    )


async def test_an_adapter_is_loaded_from_its_folder_and_unloaded(
    engine: EngineClient, fake: FakeEngine
) -> None:
    await engine.load_adapter("helpdesk@1", "/folder")
    assert fake.adapters == {"helpdesk@1": "/folder"}
    await engine.unload_adapter("helpdesk@1")
    assert fake.adapters == {}


async def test_an_adapter_the_server_refuses_says_why(
    engine: EngineClient, fake: FakeEngine
) -> None:
    fake.switches.refuse_load = True
    with pytest.raises(InvalidRequest, match="max_lora_rank"):
        await engine.load_adapter("helpdesk@1", "/folder")


async def test_each_prompt_token_but_the_first_gets_its_own_log_probability(
    engine: EngineClient, fake: FakeEngine
) -> None:
    fake.adapters["helpdesk@1"] = "/folder"
    assert await engine.prompt_logprobs(BASE, [9, 1, 4]) == pytest.approx((-2.1, -2.4))
    assert await engine.prompt_logprobs("helpdesk@1", [9, 4, 1]) == pytest.approx((-3.4, -3.1))


async def test_a_server_without_prompt_log_probabilities_cannot_prove_an_adapter() -> None:
    async def complete(request: Request) -> Response:
        return JSONResponse({"choices": [{"text": "", "prompt_logprobs": None}]})

    app = Starlette(routes=[Route("/v1/completions", complete, methods=["POST"])])
    with Served(app) as server:
        async with connected(server.url) as engine:
            with pytest.raises(EngineRefused, match="log-probabilities"):
                await engine.prompt_logprobs(BASE, [1, 2])


async def test_a_server_that_is_no_model_server_is_unavailable() -> None:
    async def other(request: Request) -> Response:
        return JSONResponse({"hello": "world"})

    with Served(Starlette(routes=[Route("/v1/models", other)])) as server:
        async with connected(server.url) as engine:
            with pytest.raises(EngineUnavailable, match="not a model server"):
                await engine.list_models()


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
async def test_the_address_may_be_written_as_openai_clients_write_it(
    served: Served, suffix: str
) -> None:
    async with connected(served.url + suffix) as engine:
        assert (await engine.list_models())[0].model_id == BASE


async def test_the_key_of_a_foreign_server_is_sent() -> None:
    seen: list[str | None] = []

    async def models(request: Request) -> Response:
        seen.append(request.headers.get("authorization"))
        return JSONResponse({"data": []})

    with Served(Starlette(routes=[Route("/v1/models", models)])) as server:
        async with connected(server.url, api_key=SecretStr("k-1")) as engine:
            assert await engine.list_models() == ()
    assert seen == ["Bearer k-1"]

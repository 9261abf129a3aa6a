"""A model server in the shape of vLLM's, with switches for every fault we must survive.

Its answers depend on the model and on the last message, so a wrong model or a lost message shows.
"""

import asyncio
import hashlib
import json
import socket
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from service.api.http.connection import Server

BASE = "smollm2-135m-instruct"


@dataclass
class Switches:
    """What goes wrong, set by a test while the server runs."""

    refuse: int | None = None  # answer every generation with this status
    break_after: int | None = None  # cut the connection after so many pieces
    error_after: int | None = None  # send an error event after so many pieces
    silent_after: int | None = None  # say nothing for long after so many pieces
    error_code: int = 500  # of that event
    calls: tuple[dict[str, Any], ...] = ()  # function calls in pieces, as a parser sends them
    no_finish: bool = False  # end without finish reason
    not_json: bool = False  # send an event that is not JSON
    pause_s: float = 0.0  # between pieces
    first_pause_s: float = 0.0  # before the first piece
    no_effect: bool = False  # adapters change nothing
    unlisted: bool = False  # loaded adapters are not listed
    refuse_load: bool = False
    pieces: tuple[str, ...] | None = None  # what is said instead of the default
    finish: str = "stop"
    refusal: bytes | None = None  # the body of a refusal, in place of an error of the protocol
    fault: object = None  # what an error event says, in place of a common one


@dataclass
class FakeEngine:
    """State of the fake server: what it was asked, and what runs."""

    base: str = BASE
    switches: Switches = field(default_factory=Switches)
    script: list[Switches] = field(default_factory=list)  # of the next generations, one each
    requests: list[dict[str, Any]] = field(default_factory=list)
    adapters: dict[str, str] = field(default_factory=dict)
    running: int = 0
    aborted: int = 0

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/models", self.models),
                Route("/v1/chat/completions", self.complete, methods=["POST"]),
                Route("/v1/completions", self.logprobs, methods=["POST"]),
                Route("/v1/load_lora_adapter", self.load, methods=["POST"]),
                Route("/v1/unload_lora_adapter", self.unload, methods=["POST"]),
                Route("/metrics", self.metrics),
            ]
        )

    async def models(self, request: Request) -> Response:
        names = [self.base, *([] if self.switches.unlisted else self.adapters)]
        data = [
            {"id": name, "object": "model", "parent": None if name == self.base else self.base}
            for name in names
        ]
        return JSONResponse({"object": "list", "data": data})

    async def metrics(self, request: Request) -> Response:
        return PlainTextResponse(f"vllm:num_requests_running {self.running}\n")

    async def load(self, request: Request) -> Response:
        body = await request.json()
        if self.switches.refuse_load:
            return _error(400, "rank 64 is greater than max_lora_rank 32")
        self.adapters[body["lora_name"]] = body["lora_path"]
        return PlainTextResponse("Success")

    async def unload(self, request: Request) -> Response:
        body = await request.json()
        if self.adapters.pop(body["lora_name"], None) is None:
            return _error(404, "no such adapter")
        return PlainTextResponse("Success")

    async def logprobs(self, request: Request) -> Response:
        body = await request.json()
        if body["model"] != self.base and body["model"] not in self.adapters:
            return _error(404, f"The model `{body['model']}` does not exist.")
        shift = 0.0 if body["model"] == self.base or self.switches.no_effect else -1.0
        rows = [None] + [
            {str(token): {"logprob": -2.0 - (token % 7) / 10 + shift}}
            for token in body["prompt"][1:]
        ]
        return JSONResponse({"choices": [{"text": "", "prompt_logprobs": rows}]})

    async def complete(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append(body)
        switches = self.script.pop(0) if self.script else self.switches
        if switches.refuse is not None:
            if switches.refusal is not None:
                return Response(switches.refusal, switches.refuse, media_type="text/html")
            return _error(switches.refuse, "refused by the test")
        if body["model"] != self.base and body["model"] not in self.adapters:
            return _error(404, f"The model `{body['model']}` does not exist.")
        return StreamingResponse(self._events(body, switches), media_type="text/event-stream")

    async def _events(self, body: dict[str, Any], switches: Switches) -> AsyncIterator[bytes]:
        self.running += 1
        ended = False
        try:
            yield _chunk(body, {"role": "assistant", "content": ""})
            await asyncio.sleep(switches.first_pause_s)
            pieces = switches.pieces or answer_pieces(body)
            for number, piece in enumerate(pieces):
                if number == switches.break_after:
                    raise ConnectionAbortedError("cut by the test")
                if number == switches.error_after:
                    fault: dict[str, Any] = {
                        "error": {
                            "message": "engine died",
                            "type": "server_error",
                            "code": switches.error_code,
                        }
                    }
                    if switches.fault is not None:
                        fault = {"error": switches.fault}
                    yield b"data: " + json.dumps(fault).encode() + b"\n\n"
                    ended = True
                    return
                if switches.not_json:
                    yield b"data: {broken\n\n"
                await asyncio.sleep(10.0 if number == switches.silent_after else switches.pause_s)
                yield _chunk(body, {"content": piece})
            for call in switches.calls:
                yield _chunk(body, {"tool_calls": [call]})
            if not switches.no_finish:
                yield _chunk(body, {}, switches.finish)
                yield _usage(body, len(pieces))
                yield b"data: [DONE]\n\n"
            ended = True
        finally:
            self.running -= 1
            self.aborted += not ended


def answer_pieces(body: dict[str, Any]) -> tuple[str, ...]:
    """What the fake says: its model's name and a digest of the last message."""
    last = body["messages"][-1]["content"]
    digest = hashlib.sha256(last.encode()).hexdigest()[:8]
    return ("I am ", body["model"], " and read ", digest, ".")


def _chunk(body: dict[str, Any], delta: dict[str, Any], finish: str | None = None) -> bytes:
    event = {
        "id": "chatcmpl-fake",
        "object": "chat.completion.chunk",
        "model": body["model"],
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(event).encode() + b"\n\n"


def _usage(body: dict[str, Any], pieces: int) -> bytes:
    words = sum(len(message["content"].split()) for message in body["messages"])
    usage = {
        "prompt_tokens": words,
        "completion_tokens": pieces,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    return b"data: " + json.dumps({"choices": [], "usage": usage}).encode() + b"\n\n"


def _error(status: int, message: str) -> JSONResponse:
    return JSONResponse({"error": {"message": message, "code": status}}, status_code=status)


class _Server(Server):
    """Ends soon after it is told to; uvicorn's own looks up ten times a second."""

    async def main_loop(self) -> None:
        await self.on_tick(0)
        while not self.should_exit:  # noqa: ASYNC110  # set by another thread
            await asyncio.sleep(0.005)


class Served:
    """An ASGI app on a real loopback port, in a thread of its own."""

    def __init__(self, app: Any, port: int | None = None, **options: Any) -> None:
        self._listener = socket.create_server(("127.0.0.1", port or 0))  # held: it stays ours
        self.port = int(self._listener.getsockname()[1])
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=self.port,
            log_level="critical",
            timeout_graceful_shutdown=2,
            **{"loop": "asyncio", **options},
        )
        self._server = _Server(config)
        listening = {"sockets": [self._listener]}
        self._thread = threading.Thread(target=self._server.run, kwargs=listening, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Served":
        self._thread.start()
        deadline = time.monotonic() + 15
        while not self._server.started:
            assert self._thread.is_alive(), "the server ended before it had started"
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        return self

    def __exit__(self, *_exc: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)

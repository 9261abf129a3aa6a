"""The client of the model server: vLLM, or any other OpenAI-compatible server.

It knows HTTP and the server's protocol; it does not know strategies, prompts or what an adapter is
for. It always streams: when the caller stops reading, the connection is closed and the
server aborts the request.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import aiohttp
import orjson
from pydantic import JsonValue

from service.engine.accepted import accepted
from service.engine.control_tokens import AsText
from service.engine.generation import Generation, read_generation
from service.engine.refusals import refusal
from service.errors import EngineRefused, EngineUnavailable
from service.settings import EngineSettings

log = logging.getLogger(__name__)

LOAD_TIMEOUT_S = 60.0  # loading an adapter copies its weights to every worker
PROBE_TIMEOUT_S = 2.0
END_TIMEOUT_S = 0.5  # the end of a stream follows its last event at once
IDLE_CONNECTION_S = 4.0  # vLLM closes an idle connection after 5 s
# identity: a compressed stream would arrive in large blocks
JSON_HEADERS = {"content-type": "application/json", "accept-encoding": "identity"}
UNREACHED = (aiohttp.ClientError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation, as in the chat-completions protocol."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A chat completion to be generated.

    Of `options`, what `accepted` names reaches the server; what is computed for one `tenant` is
    never reused for another.
    """

    model: str
    messages: tuple[Message, ...]
    options: Mapping[str, JsonValue]
    tenant: str


@dataclass(frozen=True, slots=True)
class EngineModel:
    """A model that the server lists; `parent` is set for adapters."""

    model_id: str
    parent: str | None


class EngineClient:
    """One pooled connection to the model server."""

    def __init__(
        self,
        settings: EngineSettings,
        url: str,
        as_text: AsText,
        *,
        salt_of: Callable[[str], str] | None = None,
    ) -> None:
        """Make a client; nothing is contacted.

        Args:
            settings: Deadlines and the key.
            url: Address of the server.
            as_text: Makes control tokens in a message have no effect.
            salt_of: Returns what the server's cached prompts are kept apart by, for a tenant; None
                where the server takes no `cache_salt`.
        """
        self._settings = settings
        self._salt_of = salt_of
        self._as_text = as_text
        self._url = url.rstrip("/").removesuffix("/v1")
        self._opened: aiohttp.ClientSession | None = None

    @property
    def _session(self) -> aiohttp.ClientSession:
        """The pooled connections, opened by the first request: they belong to its event loop."""
        if self._opened is None:
            headers = dict(JSON_HEADERS)
            if self._settings.api_key is not None:
                headers["authorization"] = f"Bearer {self._settings.api_key.get_secret_value()}"
            connector = aiohttp.TCPConnector(
                limit=self._settings.max_connections, keepalive_timeout=IDLE_CONNECTION_S
            )
            self._opened = aiohttp.ClientSession(
                connector=connector, headers=headers, cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._opened

    async def aclose(self) -> None:
        """Close every connection."""
        if self._opened is not None:
            await self._opened.close()

    @asynccontextmanager
    async def generate(self, request: GenerationRequest) -> AsyncIterator[Generation]:
        """Open an answer; entering returns once the server has accepted the request.

        A request with a schema is accepted with its first token: before that the server has not
        read the schema.

        Messages are sent as text: a control token of the model in one has no effect.

        Raises:
            EngineUnavailable: No connection, or the server is overloaded; retry is safe.
            EngineRefused: The server refuses the request.
            ModelNotFound: The server has no such model.
            ContextLengthExceeded: Prompt and answer do not fit the model.
            InvalidRequest: The server cannot use a field of the request, a schema for one.
            StreamBroken: From the iteration, if the server stops before the end.
        """
        body: dict[str, JsonValue] = {
            "model": request.model,
            "messages": [
                {"role": m.role, "content": self._as_text(m.content)} for m in request.messages
            ],
            **accepted(request.options),
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if self._salt_of is not None:
            body["cache_salt"] = self._salt_of(request.tenant)
        timeout = self._timeout(idle_s=self._settings.first_token_timeout_s)
        response = await self._open("POST", "/v1/chat/completions", body, timeout)
        generation: Generation | None = None
        try:
            waits = "response_format" in request.options
            generation = await read_generation(response, self._settings, waits=waits)
            yield generation
        finally:
            try:
                if generation is not None and generation.is_finished:
                    await _read_to_end(response)
            finally:
                response.close()  # before the end of the stream this makes the server abort

    async def list_models(self) -> tuple[EngineModel, ...]:
        """Return the models that the server lists now.

        Raises:
            EngineUnavailable: The server does not respond within two seconds, or is not a model
                server.
        """
        answer = await self._get("/v1/models")
        try:
            rows = orjson.loads(answer)["data"]
            return tuple(EngineModel(row["id"], row.get("parent")) for row in rows)
        except (ValueError, TypeError, KeyError, AttributeError) as exc:
            log.warning("the server at %s is not a model server", self._url)
            raise EngineUnavailable("The server is not a model server.") from exc

    async def load_adapter(self, name: str, folder: str) -> None:
        """Load the adapter in `folder` under the immutable `name`.

        Raises:
            EngineRefused: The server cannot load it; its reason is in the log.
        """
        await self._post("/v1/load_lora_adapter", {"lora_name": name, "lora_path": folder})

    async def unload_adapter(self, name: str) -> None:
        """Unload the adapter `name`."""
        await self._post("/v1/unload_lora_adapter", {"lora_name": name})

    async def prompt_logprobs(self, model: str, token_ids: Sequence[int]) -> tuple[float, ...]:
        """Return the log-probability of each prompt token but the first, under `model`.

        Raises:
            EngineRefused: The server does not report them; vLLM does.
        """
        answer = await self._post(
            "/v1/completions",
            {
                "model": model,
                "prompt": list(token_ids),
                "max_tokens": 1,
                "temperature": 0,
                "prompt_logprobs": 0,
            },
        )
        try:
            rows = orjson.loads(answer)["choices"][0]["prompt_logprobs"][1:]
            return tuple(
                float(row[str(token)]["logprob"])
                for row, token in zip(rows, token_ids[1:], strict=True)
            )
        except (ValueError, TypeError, LookupError) as exc:
            raise EngineRefused(
                "The model server returns no log-probabilities of the prompt, so an adapter's "
                "effect cannot be checked."
            ) from exc

    async def metrics(self) -> str:
        """Return the server's own Prometheus text."""
        return (await self._get("/metrics")).decode()

    async def _get(self, path: str) -> bytes:
        timeout = self._timeout(whole_s=PROBE_TIMEOUT_S)
        return await self._read(await self._open("GET", path, None, timeout))

    async def _post(self, path: str, body: Mapping[str, JsonValue]) -> bytes:
        timeout = self._timeout(whole_s=LOAD_TIMEOUT_S)
        return await self._read(await self._open("POST", path, body, timeout))

    async def _open(
        self,
        method: str,
        path: str,
        body: Mapping[str, JsonValue] | None,
        timeout: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        """Return the response once its headers have arrived; a refusal is raised."""
        data = None if body is None else orjson.dumps(body)
        try:
            response = await self._session.request(
                method, f"{self._url}{path}", data=data, timeout=timeout, allow_redirects=False
            )
        except UNREACHED as exc:
            log.warning("the model server at %s does not respond: %r", self._url, exc)
            raise EngineUnavailable(
                f"The model server does not respond ({type(exc).__name__})."
            ) from exc
        if response.status < 400:
            return response
        model = None if body is None else body.get("model")
        answer = await self._read(response)
        raise refusal(response.status, answer, model=model if isinstance(model, str) else None)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        try:
            return await response.read()
        except UNREACHED as exc:
            raise EngineUnavailable(
                f"The model server stopped during its reply ({type(exc).__name__})."
            ) from exc
        finally:
            response.close()

    def _timeout(
        self, *, whole_s: float | None = None, idle_s: float | None = None
    ) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(
            total=whole_s, sock_connect=self._settings.connect_timeout_s, sock_read=idle_s
        )


async def _read_to_end(response: aiohttp.ClientResponse) -> None:
    """Read what follows a whole answer, an empty chunk: only then is the connection used again."""
    with suppress(Exception):  # the answer is whole: whatever follows takes nothing from it
        async with asyncio.timeout(END_TIMEOUT_S):
            await response.read()

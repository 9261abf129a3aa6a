"""What every request passes first: its id, its language, who may call, and how large it may be.

Pure ASGI: no body is buffered and a client's leaving is seen.
"""

import re
import uuid
from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.access import require_allowed_origin
from service.api.access.authentication import refuse_key_in_url, without_keys
from service.api.http.error_replies import problem_of, reply
from service.api.http.paths import require_plain_path
from service.context import AppContext
from service.errors import BodyTooLarge
from service.messages.catalogue import negotiated
from service.messages.spoken import speak
from service.network.forwarding import Proxies, require_allowed_host
from service.settings import ServerSettings

REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
PREFLIGHT_S = 600  # how long a browser may go without asking again; Chrome takes 7,200 at most
METHODS = "GET, POST, PUT, PATCH, DELETE"
LIMIT_HEADERS = ", ".join(
    f"x-ratelimit-{what}-{of}"
    for of in ("requests", "tokens")
    for what in ("limit", "remaining", "reset")
)
EXPOSED = (
    "x-request-id, location, retry-after, x-should-retry, content-language, idempotent-replayed, "
    f"{LIMIT_HEADERS}"
)
RawHeader = tuple[bytes, bytes]


class Guard:
    """Outermost layer of the gateway."""

    def __init__(self, app: ASGIApp, *, server: ServerSettings) -> None:
        self._app = app
        self._server = server
        self._proxies = Proxies(server.trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        self._proxies.apply(scope)
        headers = Headers(scope=scope)
        speak(negotiated(headers.get("accept-language")))
        asked_id = headers.get("x-request-id", "")
        request_id = asked_id if REQUEST_ID.match(asked_id) else f"req_{uuid.uuid4().hex}"
        scope["request_id"] = request_id
        outgoing = _Outgoing(send, [(b"x-request-id", request_id.encode())])
        try:
            refuse_key_in_url(scope)
            await self._require_allowed_host(scope, headers)
            outgoing.added += _origin_headers(headers)
            if _is_preflight(scope, headers):
                await _preflight(headers)(scope, receive, outgoing)
                return
            require_plain_path(scope.get("raw_path") or b"")
            self._require_small_body(headers)
            await self._app(scope, receive, outgoing)
        except Exception as exc:
            if outgoing.has_started:
                raise  # the server cuts the connection: half a reply is not taken for a whole one
            problem = problem_of(exc, path=without_keys(scope["path"]), request_id=request_id)
            await reply(problem)(scope, receive, outgoing)

    async def _require_allowed_host(self, scope: Scope, headers: Headers) -> None:
        """Refuse other hosts and pages while no key does; those that are configured always."""
        host, has_keys = headers.get("host", ""), await _keys_exist(scope)
        named = self._server.allowed_hosts
        if named or not has_keys:
            require_allowed_host(host, allowed=(*named, self._server.host))
        if "origin" in headers and not (has_keys and self._server.cors_origins is None):
            require_allowed_origin(
                headers["origin"],
                host=host,
                public_url=self._server.public_url,
                allowed=self._server.cors_origins,
            )

    def _require_small_body(self, headers: Headers) -> None:
        length, most = headers.get("content-length", "0"), self._server.max_body_bytes
        if length.isdigit() and int(length) > most:
            raise BodyTooLarge(f"The body has {length} bytes; server.max_body_bytes is {most}.")


class _Outgoing:
    """Sends a reply with headers of ours, and knows whether it has begun."""

    def __init__(self, send: Send, added: list[RawHeader]) -> None:
        self._send = send
        self.added = added
        self.has_started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_started = True
            message["headers"] = [*message["headers"], *self.added]
        await self._send(message)


async def _keys_exist(scope: Scope) -> bool:
    """Return whether there are API keys; where the database is away, whether there were."""
    context: AppContext = scope["app"].state.context
    return await context.keys.exist()


def _is_preflight(scope: Scope, headers: Headers) -> bool:
    """Return whether a browser asks whether a page may send a request of this kind."""
    asks = "origin" in headers and "access-control-request-method" in headers
    return asks and scope["method"] == "OPTIONS"


def _preflight(headers: Headers) -> Response:
    """Return the leave of a page whose origin may call; any header is allowed."""
    allowed = {
        "access-control-allow-methods": METHODS,
        "access-control-max-age": str(PREFLIGHT_S),
    }
    if asked := headers.get("access-control-request-headers"):
        allowed["access-control-allow-headers"] = asked
    if "access-control-request-private-network" in headers:
        allowed["access-control-allow-private-network"] = "true"
    return Response(status_code=204, headers=allowed)


def _origin_headers(headers: Headers) -> Sequence[RawHeader]:
    """Return the headers by which a browser gives the reply to a page that may call."""
    if "origin" not in headers:
        return ()
    return [
        (b"access-control-allow-origin", headers["origin"].encode("latin-1")),
        (b"access-control-expose-headers", EXPOSED.encode()),
        (b"vary", b"origin"),
    ]

"""What every request passes first: its id, its language, who may call, and how large it may be.

Pure ASGI: no body is buffered and a client's leaving is seen.
"""

import re
import uuid

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.access import require_loopback_name, require_loopback_origin
from service.api.http.error_replies import reply
from service.api.schemas.errors import error_body_of
from service.errors import BodyTooLarge, HostForbidden, ServiceError
from service.messages.catalogue import negotiated
from service.messages.spoken import speak

REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")


class Guard:
    """Outermost layer of the gateway."""

    def __init__(self, app: ASGIApp, *, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        speak(negotiated(headers.get("accept-language")))
        asked_id = headers.get("x-request-id", "")
        request_id = asked_id if REQUEST_ID.match(asked_id) else f"req_{uuid.uuid4().hex}"
        scope["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id.encode()),
                ]
            await send(message)

        refusal = self._refusal(headers)
        if refusal is None:
            await self._app(scope, receive, send_with_id)
            return
        body = error_body_of(refusal, instance=scope["path"], request_id=request_id)
        await reply(body)(scope, receive, send_with_id)

    def _refusal(self, headers: Headers) -> ServiceError | None:
        try:
            require_loopback_name(headers.get("host", ""))
            if "origin" in headers:
                require_loopback_origin(headers["origin"])
        except HostForbidden as exc:
            return exc
        length = headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._max_body_bytes:
            return BodyTooLarge(
                f"The body has {length} bytes; server.max_body_bytes is {self._max_body_bytes}."
            )
        return None

"""Reads who sends a request: from its key, its signed link, or the machine that it comes from.

It knows headers and addresses; which endpoint needs what is in `http/scopes.py`.
"""

import logging
import time
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, unquote

from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope as Asgi

from service import access
from service.access import LOOPBACK_ADDRESSES, LOOPBACK_NAMES, Caller
from service.access_errors import InvalidKey, KeyInUrl, KeyRequired, ScopeMissing
from service.api.access.links import caller_of_link
from service.api.http.scopes import Needs
from service.context import AppContext
from service.errors import Unauthenticated
from service.network.forwarding import came_from_this_machine
from service.stores.access.api_keys import KEY, key_id_of
from service.stores.access.worker_requests import WORKER_PREFIX, caller_of_worker

log = logging.getLogger(__name__)

KEY_PARAMETERS = frozenset({"api_key", "api-key", "apikey", "x-api-key", "access_token"})
NOBODY = Caller("", frozenset(), None, frozenset(), frozenset(), frozenset())


async def caller_of(scope: Asgi, needs: Needs, context: AppContext) -> Caller:
    """Return who sends a request, once it is sure that they may.

    Raises:
        Unauthenticated: No key that is valid came with it, and one is needed.
        ScopeMissing: The key lacks the scope.
    """
    if needs.exempt == "always":
        return NOBODY
    headers = Headers(scope=scope)
    if needs.exempt == "on_this_machine" and is_of_this_machine(scope, headers):
        return access.LOOPBACK_CALLER
    if not await context.keys.exist():
        if context.settings.server.host in LOOPBACK_ADDRESSES and scope["came_directly"]:
            return access.LOOPBACK_CALLER
        raise KeyRequired(f"There are no API keys yet: {access.FIRST_KEY}")
    key = sent_key(headers)
    if key is None:
        return _without_key(scope, needs, context)
    caller = await caller_of_key(key, context)
    if needs.scopes and not any(caller.may(each) for each in needs.scopes):
        wanted = " or ".join(needs.scopes)
        raise ScopeMissing(f"The API key lacks the scope {wanted}.", scope=wanted)
    return caller


async def caller_of_key(key: str, context: AppContext) -> Caller:
    """Return who a key speaks for.

    Raises:
        Unauthenticated: It is malformed, unknown, expired or revoked.
    """
    if key.startswith(WORKER_PREFIX):
        return await _caller_of_job(key, context)
    found = await context.keys.find(key_id_of(key))
    if found is None:
        raise InvalidKey("This API key is unknown.")
    found.require_valid(key)
    return found.caller()


async def _caller_of_job(key: str, context: AppContext) -> Caller:
    """Return who a job of the worker asks for: bound as the key that started it, while that lives.

    What it asks counts against the limits of that key.

    Raises:
        Unauthenticated: The signature does not fit, or that key is valid no longer.
    """
    asked = caller_of_worker(key, context.worker_requests)
    if asked.key_id is None:
        return asked
    found = await context.keys.find(asked.key_id)
    if found is None:
        raise InvalidKey("The key that started this job is unknown.")
    found.require_active()
    bound = found.caller()
    return replace(asked, use_cases=bound.use_cases, knowledge_bases=bound.knowledge_bases)


async def refusal_during(scope: Asgi) -> Unauthenticated | None:
    """Return why the key of a request that is being answered is valid no longer; None if it is.

    While the database is away, the key counts as it last did.
    """
    context: AppContext = scope["app"].state.context
    key = sent_key(Headers(scope=scope))
    if key is None or not key.startswith("fp_"):
        return None
    try:
        if await context.keys.exist():
            await caller_of_key(key, context)
    except Unauthenticated as exc:
        return exc
    except SQLAlchemyError:
        log.warning("keys cannot be read while an answer is streamed")
    return None


async def require_still_valid(request: Request) -> None:
    """Refuse to go on where a body took so long to arrive that its key is valid no longer.

    Raises:
        Unauthenticated: The key was revoked or has expired meanwhile.
    """
    refusal = await refusal_during(request.scope)
    if refusal is not None:
        raise refusal


def _without_key(scope: Asgi, needs: Needs, context: AppContext) -> Caller:
    if needs.exempt == "public_docs" and context.settings.server.public_docs:
        return NOBODY
    if needs.exempt == "signed_link":
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if "signature" in query:
            return caller_of_link(query, scope["path_params"], context.links, now=time.time())
    raise KeyRequired("An API key is needed, and the request has none.")


def sent_key(headers: Headers) -> str | None:
    """Return the key of a request, None where it has none.

    Raises:
        InvalidKey: It has two different keys.
    """
    sent = headers.getlist("x-api-key")
    for value in headers.getlist("authorization"):
        scheme, _, credentials = value.partition(" ")
        if scheme.lower() == "bearer":
            sent.append(credentials.strip())
    if len(set(sent)) > 1:
        raise InvalidKey("The request has two different API keys.")
    return sent[0] if sent else None


def refuse_key_in_url(scope: Asgi) -> None:
    """Refuse a request with a key in its address.

    Raises:
        KeyInUrl: As named; the key is not repeated.
    """
    query = scope["query_string"].decode("latin-1")
    names = {name.lower() for name, _ in parse_qsl(query, keep_blank_values=True)} if query else ()
    if KEY_PARAMETERS.intersection(names) or KEY.search(f"{scope['path']}?{unquote(query)}"):
        raise KeyInUrl("An API key stands in the address of the request; it is refused there.")


def without_keys(path: str) -> str:
    """Return a path as an error names it: without a key that stands in it."""
    return KEY.sub("fp_…", path)


def is_of_this_machine(scope: Asgi, headers: Headers) -> bool:
    """Return whether a program of this machine asks directly, and no web page from elsewhere.

    A proxy on the same machine is told by the headers that it adds, or by the name it passes on.
    """
    if not came_from_this_machine(scope):
        return False
    server = scope.get("server")
    own = {*LOOPBACK_ADDRESSES, server[0] if server else ""} - {""}
    names = {*LOOPBACK_NAMES, *(f"[{one}]" if ":" in one else one for one in own)}
    asked = [headers.get("host", "")]
    if "origin" in headers:
        asked.append(headers["origin"].partition("://")[2])
    return all(_without_port(host).lower() in names for host in asked)


def _without_port(host: str) -> str:
    return host if host.endswith("]") else host.rsplit(":", 1)[0]

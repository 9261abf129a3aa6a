"""Under which name a request came, and from whom: its Host, and what proxies in front have added.

It knows headers and addresses; it does not know what a caller may do.
"""

import re
from collections.abc import Iterable, MutableMapping, Sequence
from typing import Any

from service.access import LOOPBACK_NAMES
from service.errors import HostForbidden
from service.network.addresses import read_address, require_network

HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?", re.ASCII)
FORWARDING = frozenset(
    {b"forwarded", b"via", b"x-real-ip"}
    | {b"x-forwarded-" + name for name in (b"for", b"proto", b"host", b"port", b"server")}
)
RawHeaders = Iterable[tuple[bytes, bytes]]
Scope = MutableMapping[str, Any]  # of ASGI


class Proxies:
    """The proxies whose X-Forwarded-For, -Proto and -Host are believed; nobody else's are."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._networks = tuple(require_network(proxy) for proxy in trusted)

    def apply(self, scope: Scope) -> None:
        """Put client, scheme and Host in `scope` as the client's own, where a proxy tells them.

        Each proxy adds to X-Forwarded-For: the client is the last one there that is no trusted
        proxy. Of the other two the last value counts, which the nearest proxy has written.
        """
        headers: list[tuple[bytes, bytes]] = list(scope["headers"])
        scope["came_directly"] = not any(name in FORWARDING for name, _ in headers)
        if scope["came_directly"] or not self._trusts(_client_of(scope)):
            return
        told = _values(headers, b"x-forwarded-for")
        if told:
            client = self._client(told)
            scope["client"] = None if client is None else (client, 0)
        scheme = _values(headers, b"x-forwarded-proto")[-1:]
        if scheme in (["http"], ["https"]):
            scope["scheme"] = scheme[0]
        for host in _values(headers, b"x-forwarded-host")[-1:]:
            others = [(name, value) for name, value in headers if name != b"host"]
            scope["headers"] = [(b"host", host.encode("latin-1")), *others]

    def _client(self, told: Sequence[str]) -> str | None:
        """Return the last address that is no trusted proxy; None if what stands there is none."""
        for text in reversed(told):
            address = read_address(text)
            if address is None or not self._trusts(str(address)):
                return None if address is None else str(address)
        return str(read_address(told[0]))

    def _trusts(self, text: str) -> bool:
        address = read_address(text)
        return address is not None and any(address in network for network in self._networks)


def came_from_this_machine(scope: Scope) -> bool:
    """Return whether a program of this machine asks, and no proxy for somebody else.

    A proxy must send one of the usual headers (X-Forwarded-For, Forwarded, Via); one that sends
    none cannot be told from a program of this machine.
    """
    address, server = read_address(_client_of(scope)), scope.get("server")
    if not scope["came_directly"] or address is None:
        return False
    return address.is_loopback or (server is not None and address == read_address(str(server[0])))


def require_allowed_host(host: str, *, allowed: Iterable[str]) -> None:
    """Refuse a request under a name that is neither loopback's nor configured.

    A web page can point a name of its own at this machine (DNS rebinding); its requests carry
    that name.

    Args:
        host: The Host header.
        allowed: Names besides those of loopback, without port: any port will do.

    Raises:
        HostForbidden: The name is another.
    """
    found = HOST.fullmatch(host.lower())
    names = LOOPBACK_NAMES | {_bracketed(name.lower()) for name in allowed}
    if found is None or found[1] not in names:
        raise HostForbidden(
            f"Host {host!r} is refused: the gateway answers to localhost, 127.0.0.1, [::1] and "
            "the names in server.allowed_hosts."
        )


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name and not name.startswith("[") else name


def _client_of(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _values(headers: RawHeaders, wanted: bytes) -> list[str]:
    """Return the values of a header that may hold several, as if it stood in one line."""
    lines = [value.decode("latin-1") for name, value in headers if name == wanted]
    return [part.strip() for line in lines for part in line.split(",") if part.strip()]

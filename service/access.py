"""Who may call the gateway. Until API keys exist: this machine only, under loopback names."""

from collections.abc import Sequence
from dataclasses import dataclass

from service.errors import HostForbidden

LOOPBACK_ADDRESSES = frozenset({"127.0.0.1", "localhost", "::1"})
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})  # as a Host header has them


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request, and what the request may touch.

    Attributes:
        tenant: Whose data is read and written.
        scopes: What may be done.
        key_id: The API key that the request came with; None without one.
        access_labels: Labels of documents that the caller may name for whoever asks; None: any.
    """

    tenant: str
    scopes: frozenset[str]
    key_id: str | None
    access_labels: frozenset[str] | None


DEFAULT_TENANT = "default"
# Who reaches a loopback address owns the machine's data: every scope, any label.
LOOPBACK_CALLER = Caller(DEFAULT_TENANT, frozenset({"*"}), None, None)


def require_loopback(address: str) -> None:
    """Refuse to listen on an address that others can reach.

    Raises:
        HostForbidden: There are no API keys yet, so nobody could be kept out.
    """
    if address not in LOOPBACK_ADDRESSES:
        raise HostForbidden(
            f"server.host {address!r} is refused: there are no API keys yet, so anyone who reaches "
            "the gateway could read and change everything. Use 127.0.0.1, and in front of it "
            "a proxy that authenticates and sends Host: localhost."
        )


def require_loopback_name(host: str) -> None:
    """Refuse a request whose Host header is not a loopback name.

    A web page can point a name of its own at this machine (DNS rebinding); its requests carry
    that name.

    Raises:
        HostForbidden: The name is another.
    """
    if _without_port(host).lower() not in LOOPBACK_NAMES:
        raise HostForbidden(
            f"Host {host!r} is refused: without API keys the gateway answers only to localhost, "
            "127.0.0.1 and [::1]."
        )


def require_allowed_origin(
    origin: str, *, host: str, public_url: str | None, allowed: Sequence[str] | None
) -> None:
    """Refuse a request that a browser sends for a page that may not call.

    Such a page can post a form or nothing at all to this machine without asking leave.

    Args:
        origin: The Origin header; programs that are no browser send none.
        host: The Host header: pages of the gateway itself may call.
        public_url: Where clients reach the gateway, if that is configured; as `host`.
        allowed: Origins whose pages may call, `:*` for any port; None: those of this machine.

    Raises:
        HostForbidden: The page may not call.
    """
    scheme, separator, name = origin.lower().partition("://")
    own = [host.lower(), (public_url or "").lower().partition("://")[2].partition("/")[0]]
    if separator and name and name in own:
        return
    if allowed is None:
        require_loopback_origin(origin)
        return
    any_port = f"{scheme}://{_without_port(name)}:*"
    if not separator or not {origin.lower(), any_port} & {one.lower() for one in allowed}:
        raise HostForbidden(
            f"Origin {origin!r} is refused: it is not in server.cors_origins, so web pages of it "
            "may not call."
        )


def require_loopback_origin(origin: str) -> None:
    """Refuse a request that a browser sends for a page from elsewhere.

    Args:
        origin: The Origin header.

    Raises:
        HostForbidden: The page is not of this machine.
    """
    host = origin.partition("://")[2]
    try:
        require_loopback_name(host)
    except HostForbidden as exc:
        raise HostForbidden(
            f"Origin {origin!r} is refused: without API keys only web pages "
            "of this machine may call, and those of server.cors_origins."
        ) from exc


def _without_port(host: str) -> str:
    return host if host.endswith("]") else host.rsplit(":", 1)[0]

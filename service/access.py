"""Who may call the gateway. Until API keys exist: this machine only, under loopback names."""

from service.errors import HostForbidden

LOOPBACK_ADDRESSES = frozenset({"127.0.0.1", "localhost", "::1"})
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})  # as a Host header has them


def require_loopback(address: str) -> None:
    """Refuse to listen on an address that others can reach.

    Raises:
        HostForbidden: There are no API keys yet, so nobody could be kept out.
    """
    if address not in LOOPBACK_ADDRESSES:
        raise HostForbidden(
            f"server.host {address!r} is refused: without API keys anyone who reaches the gateway "
            "could read and change everything. Use 127.0.0.1, and a proxy that authenticates in "
            "front of it."
        )


def require_loopback_name(host: str) -> None:
    """Refuse a request whose Host header is not a loopback name.

    A web page can point a name of its own at this machine (DNS rebinding); its requests carry
    that name.

    Raises:
        HostForbidden: The name is another.
    """
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    if name not in LOOPBACK_NAMES:
        raise HostForbidden(
            f"Host {host!r} is refused: without API keys the gateway answers only to localhost, "
            "127.0.0.1 and [::1]."
        )

"""Addresses and networks as they are configured, and as requests bring them.

It knows their forms; it does not know whom they belong to.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def require_network(text: str) -> Network:
    """Return the network that `text` names; one address is a network of its own.

    Raises:
        ValueError: It is neither; the message says what is missing.
    """
    try:
        return ip_network(text)
    except ValueError as exc:
        bits = f" ({exc})" if "host bits" in str(exc) else ""
        raise ValueError(
            f"{text!r} is not an address or a network, such as 10.0.0.7 or 10.0.0.0/24{bits}"
        ) from exc


def read_address(text: str) -> Address | None:
    """Return an address with or without port, `[…]` around IPv6; None if it is not one."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address  # a socket for both kinds tells IPv4 as ::ffff:a.b.c.d

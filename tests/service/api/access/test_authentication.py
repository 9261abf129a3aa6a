"""Which requests come from this machine, and in which addresses a key stands."""

from typing import Any

import pytest
from starlette.datastructures import Headers

from service.access_errors import KeyInUrl
from service.api.access.authentication import is_of_this_machine, refuse_key_in_url, without_keys
from service.network.forwarding import Proxies

KEY = f"fp_{'0' * 16}_{'a' * 43}"


def asked(client: str | None, server: str, **headers: str) -> tuple[dict[str, Any], Headers]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    peer = None if client is None else (client, 5)
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    scope: dict[str, Any] = {"client": peer, "server": (server, 8080), "headers": raw}
    Proxies(()).apply(scope)
    return scope, Headers(named)


@pytest.mark.parametrize(
    ("client", "server", "host"),
    [
        ("127.0.0.1", "127.0.0.1", "127.0.0.1:8080"),
        ("127.0.0.1", "127.0.0.1", "localhost"),
        ("::1", "::1", "[::1]:8080"),
        ("192.168.1.5", "192.168.1.5", "192.168.1.5:8080"),  # server.host is that of the network
        ("fd00::5", "fd00::5", "[fd00::5]:8080"),
    ],
)
def test_a_program_of_this_machine_is_known(client: str, server: str, host: str) -> None:
    assert is_of_this_machine(*asked(client, server, host=host))


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        ("192.168.1.9", {"host": "127.0.0.1"}),
        (None, {"host": "127.0.0.1"}),
        ("", {"host": "127.0.0.1"}),
        ("127.0.0.1", {}),
        ("127.0.0.1", {"host": "gw.example"}),
        ("127.0.0.1", {"host": "127.0.0.1", "x_forwarded_for": "127.0.0.1"}),
        ("127.0.0.1", {"host": "127.0.0.1", "forwarded": "for=1.2.3.4"}),
        ("127.0.0.1", {"host": "127.0.0.1", "via": "1.1 proxy"}),
        ("127.0.0.1", {"host": "127.0.0.1", "x_real_ip": "1.2.3.4"}),
        ("127.0.0.1", {"host": "127.0.0.1", "origin": "https://evil.example"}),
        ("127.0.0.1", {"host": "127.0.0.1", "origin": "null"}),
    ],
)
def test_others_proxies_and_pages_are_not_of_this_machine(
    client: str | None, headers: dict[str, str]
) -> None:
    assert not is_of_this_machine(*asked(client, "127.0.0.1", **headers))


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v1/models", f"key={KEY}"),
        ("/v1/models", "API_KEY=x"),
        ("/v1/models", "a=b&api-key="),
        (f"/docs/{KEY}/x", ""),
        ("/v1/models", f"q=Bearer%20{KEY.replace('_', '%5F')}"),
    ],
)
def test_a_key_in_an_address_is_found(path: str, query: str) -> None:
    with pytest.raises(KeyInUrl) as refused:
        refuse_key_in_url({"path": path, "query_string": query.encode()})
    assert KEY not in str(refused.value)
    assert KEY not in without_keys(path)


def test_other_addresses_pass() -> None:
    for query in (b"", b"after=fp_1&limit=3", b"q=api_key", b"%ff=\xff"):
        refuse_key_in_url({"path": "/use_cases/fp_demo", "query_string": query})

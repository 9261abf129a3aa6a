"""Which client, scheme and Host a request has, and whom that is believed."""

from typing import Any

import httpx
import pytest

from service.errors import HostForbidden
from service.network.forwarding import Proxies, came_from_this_machine, require_allowed_host
from service.settings import Settings
from service.stores.access.api_keys import ApiKeys, NewKey
from tests.service.conftest import Running
from tests.service.waiting import eventually

PROXIES = Proxies(["10.0.0.0/24", "2001:db8::7"])


def asked(client: str | None = "10.0.0.7", **headers: str) -> dict[str, Any]:
    """Return the scope of a request after its forwarded headers were read."""
    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    scope = {
        "scheme": "http",
        "client": None if client is None else (client, 4711),
        "headers": [(b"host", b"inner:8080"), *raw],
    }
    PROXIES.apply(scope)
    return scope


def host_of(scope: dict[str, Any]) -> list[bytes]:
    return [value for name, value in scope["headers"] if name == b"host"]


FORWARDED = {
    "x_forwarded_for": "203.0.113.5",
    "x_forwarded_proto": "https",
    "x_forwarded_host": "answers.example.com",
}


def test_a_trusted_proxy_is_believed() -> None:
    scope = asked(**FORWARDED)
    assert scope["client"] == ("203.0.113.5", 0)
    assert scope["scheme"] == "https"
    assert host_of(scope) == [b"answers.example.com"]


@pytest.mark.parametrize("client", ["10.0.1.7", "127.0.0.1", "203.0.113.9", None, "testclient"])
def test_nobody_else_is_believed(client: str | None) -> None:
    scope = asked(client, **FORWARDED)
    assert scope["client"] == (None if client is None else (client, 4711))
    assert scope["scheme"] == "http"
    assert host_of(scope) == [b"inner:8080"]


@pytest.mark.parametrize(
    ("told", "client"),
    [
        ("127.0.0.1, 203.0.113.5", "203.0.113.5"),
        ("127.0.0.1, 203.0.113.5, 10.0.0.9", "203.0.113.5"),
        ("203.0.113.5:99, 2001:db8::7", "203.0.113.5"),
        ("10.0.0.9, 10.0.0.8", "10.0.0.9"),
        ("[2001:db8::8]:443", "2001:db8::8"),
        ("127.0.0.1, unknown", None),
        ("127.0.0.1, <script>, 10.0.0.9", None),
    ],
)
def test_the_client_is_the_last_that_is_no_trusted_proxy(told: str, client: str | None) -> None:
    assert asked(x_forwarded_for=told)["client"] == (client and (client, 0))


def test_what_the_nearest_proxy_wrote_counts() -> None:
    scope = asked(x_forwarded_proto="http, https", x_forwarded_host="evil.example, a.example")
    assert (scope["scheme"], host_of(scope)) == ("https", [b"a.example"])
    assert asked(x_forwarded_proto="gopher")["scheme"] == "http"


def test_an_ipv4_address_of_a_socket_for_both_is_the_address() -> None:
    assert asked("::ffff:10.0.0.7", **FORWARDED)["scheme"] == "https"


def test_only_who_asks_directly_is_this_machine() -> None:
    assert came_from_this_machine(asked("127.0.0.1"))
    assert came_from_this_machine(asked("::1"))
    assert not came_from_this_machine(asked("203.0.113.5"))
    assert not came_from_this_machine(asked(None))
    for name in ("x_forwarded_for", "x_forwarded_host", "forwarded", "via", "x_real_ip"):
        assert not came_from_this_machine(asked("127.0.0.1", **{name: "127.0.0.1"}))
    assert not came_from_this_machine(asked(x_forwarded_for="127.0.0.1"))


NAMES = ("answers.example.com", "[2001:db8::1]", "192.168.1.5", "::2")


@pytest.mark.parametrize(
    "host",
    [
        *("localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:9", "[::2]:9"),
        *("answers.example.com", "Answers.Example.com:443", "[2001:db8::1]:8080", "192.168.1.5"),
    ],
)
def test_names_of_loopback_and_configured_ones_are_answered(host: str) -> None:
    require_allowed_host(host, allowed=NAMES)


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "answers.example.com.evil.example", "x.answers.example.com"),
        *("answers.example.com:evil", "user@answers.example.com", "answers.example.com/x", "::1"),
        *("localhost:8080:80", "localhost:", "answers.example.com.", "localhost\n"),
    ],
)
def test_other_names_are_refused(host: str) -> None:
    with pytest.raises(HostForbidden, match=r"server\.allowed_hosts"):
        require_allowed_host(host, allowed=NAMES)


class TestBehindAProxy:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        update = {"trusted_proxies": ("127.0.0.1",), "allowed_hosts": ("answers.example.com",)}
        server = settings.server.model_copy(update=update)
        return settings.model_copy(update={"server": server})

    def ask(self, running: Running, **headers: str) -> httpx.Response:
        messages = [{"role": "user", "content": "Within how many days can a lamp be returned?"}]
        body = {"model": "rag", "messages": messages, "use_case": "demo"}
        told = {name.replace("_", "-"): text for name, text in headers.items()}
        return running.client.post("/v1/chat/completions", json=body, headers=told)

    def test_without_keys_nobody_behind_a_proxy_is_let_in(self, running: Running) -> None:
        running.put_use_case()
        assert running.client.get("/use_cases").status_code == 200
        reply = running.client.get("/use_cases", headers={"x-forwarded-for": "203.0.113.5"})
        assert reply.status_code == 401
        assert reply.json()["error"]["code"] == "key_required"

    def test_citations_lead_to_the_address_that_clients_use(self, running: Running) -> None:
        running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
        assert running.put_document().status_code == 200
        running.put_use_case()
        running.engine.switches.pieces = ("Within 30 days [1].",)
        _, key = ApiKeys(running.context.database).create(NewKey(name="n", scopes=("chat",)))
        eventually(lambda: running.client.get("/v1/models").status_code == 401)
        done = self.ask(running, x_api_key=key, **FORWARDED).json()
        (annotation,) = done["choices"][0]["message"]["annotations"]
        link = annotation["url_citation"]["url"]
        assert link.startswith("https://answers.example.com/sources/handbook/returns.md?")

    def test_a_foreign_name_is_refused_though_a_proxy_forwards_it(self, running: Running) -> None:
        reply = self.ask(running, x_forwarded_host="evil.example")
        assert reply.status_code == 403
        assert reply.json()["error"]["code"] == "host_forbidden"
        direct = running.client.get("/health", headers={"host": "answers.example.com"})
        assert direct.status_code == 200


def test_without_trusted_proxies_no_program_of_this_machine_is_believed(running: Running) -> None:
    told = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https"}
    assert running.client.get("/health", headers=told).status_code == 200

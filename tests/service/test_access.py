"""Who may call while there are no keys: this machine, under its own names."""

from collections.abc import Sequence

import pytest

from service import access
from service.access import (
    LOOPBACK_CALLER,
    Caller,
    require_allowed_origin,
    require_keys_or_loopback,
    require_loopback_name,
    require_loopback_origin,
)
from service.errors import HostForbidden
from tests.fakes.engine import BASE
from tests.service.conftest import Running
from tests.service.waiting import eventually


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1"])
def test_the_gateway_may_listen_on_loopback(address: str) -> None:
    require_keys_or_loopback(address, has_keys=False)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.5", "", "127.0.0.1.example"])
def test_the_gateway_listens_elsewhere_only_with_keys(address: str) -> None:
    with pytest.raises(HostForbidden, match="fingerpost keys create --name admin --scopes all"):
        require_keys_or_loopback(address, has_keys=False)
    require_keys_or_loopback(address, has_keys=True)


HR = Caller("t", frozenset({"chat"}), "key_1", frozenset({"hr", "staff"}))
TRUSTED = Caller("t", frozenset({"chat", "labels"}), "key_2", frozenset({"hr"}))


def test_a_request_narrows_the_labels_of_its_key_and_never_widens_them() -> None:
    assert HR.labels(None) == {"hr", "staff"}
    assert HR.labels(["hr", "board"]) == {"hr"}
    assert HR.labels([]) == frozenset()


def test_only_scope_labels_names_labels_that_the_key_does_not_hold() -> None:
    assert TRUSTED.labels(["board"]) == ["board"]
    assert TRUSTED.labels(None) == {"hr"}
    assert LOOPBACK_CALLER.labels(None) is None


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "localhost:8080",
        "LocalHost:8080",
        "127.0.0.1",
        "127.0.0.1:1",
        "[::1]",
        "[::1]:9",
    ],
)
def test_loopback_names_are_let_in(name: str) -> None:
    require_loopback_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "evil.example:127.0.0.1",
        "127.0.0.1.evil.example:8080",
        "[::1].evil.example",
        "[::1]:8080.evil.example:80",
        "127.0.0.2:8080",
        "user@localhost",
    ],
)
def test_other_names_are_kept_out(name: str) -> None:
    with pytest.raises(HostForbidden):
        require_loopback_name(name)


@pytest.mark.parametrize(
    "origin", ["http://localhost:8080", "http://127.0.0.1", "https://[::1]:8443"]
)
def test_pages_of_this_machine_may_call(origin: str) -> None:
    require_loopback_origin(origin)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "http://localhost.evil.example", "localhost"]
)
def test_pages_from_elsewhere_may_not_call(origin: str) -> None:
    with pytest.raises(HostForbidden, match="Origin"):
        require_loopback_origin(origin)


TOOLS = ("https://tools.example.com", "http://localhost:*", "app://desk")


def require(origin: str, allowed: Sequence[str] | None, public_url: str | None = None) -> None:
    require_allowed_origin(origin, host="localhost:8080", public_url=public_url, allowed=allowed)


@pytest.mark.parametrize(
    "origin",
    [
        *("https://tools.example.com", "HTTPS://Tools.Example.com", "app://desk"),
        *("http://localhost", "http://localhost:3000"),
    ],
)
def test_pages_that_are_configured_may_call(origin: str) -> None:
    require(origin, TOOLS)


@pytest.mark.parametrize(
    "origin",
    [
        *("https://evil.example", "http://tools.example.com", "https://tools.example.com:8443"),
        *("https://tools.example.com.evil.example", "https://localhost:3000", "http://127.0.0.1"),
        *("null", "", "tools.example.com", "app://desk:*"),
    ],
)
def test_pages_that_are_not_configured_may_not_call(origin: str) -> None:
    with pytest.raises(HostForbidden, match=r"server\.cors_origins"):
        require(origin, TOOLS)


def test_pages_of_the_gateway_itself_may_call_whatever_is_configured() -> None:
    require("http://localhost:8080", ())
    require("https://answers.example.com", (), "https://answers.example.com/ask")
    require("https://answers.example.com", None, "https://answers.example.com")
    for origin in ("http://localhost:8081", "localhost:8080", "https://ask"):
        with pytest.raises(HostForbidden):
            require(origin, (), "https://answers.example.com/ask")


def test_a_foreign_page_cannot_take_an_adapter_out_of_service(running: Running) -> None:
    adapter_id = running.prepare()
    headers = {"origin": "https://evil.example"}  # a form post needs no leave of the browser
    reply = running.client.post("/adapters/helpdesk/withdraw", headers=headers)
    assert reply.status_code == 403
    assert reply.json()["error"]["code"] == "host_forbidden"
    assert (
        running.context.registry.resolve("helpdesk", tenant=LOOPBACK_CALLER.tenant).adapter_id
        == adapter_id
    )


def test_a_caller_of_another_tenant_sees_nothing_of_this_one(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = running.client
    adapter_id = running.prepare()
    asked = running.ask(use_case="demo").json()["id"]
    file = client.post("/v1/files", files={"file": ("r.jsonl", b"{}")}).json()["id"]
    (job, *_) = (row["id"] for row in client.get("/jobs").json()["data"])
    eventually(lambda: client.get(f"/decisions/{asked}").status_code == 200)
    ours = [
        *("/use_cases/demo", "/v1/vector_stores/handbook", "/v1/vector_stores/handbook/documents"),
        *(f"/adapters/{adapter_id}", f"/jobs/{job}", f"/v1/files/{file}", f"/decisions/{asked}"),
        *("/adapters/helpdesk", f"/v1/models/{BASE}:{adapter_id}"),
    ]
    lists = ["/use_cases", "/v1/vector_stores", "/jobs", "/adapters"]
    assert [client.get(path).status_code for path in ours] == [200] * len(ours)
    assert all(client.get(path).json()["data"] for path in lists)
    other = Caller("other", frozenset({"*"}), None, None)
    monkeypatch.setattr(access, "LOOPBACK_CALLER", other)
    assert {path: client.get(path).status_code for path in ours} == dict.fromkeys(ours, 404)
    assert {path: client.get(path).json()["data"] for path in lists} == dict.fromkeys(lists, [])
    models = [row["id"] for row in client.get("/v1/models").json()["data"]]
    assert not [name for name in models if name.startswith(f"{BASE}:")]
    assert running.ask(use_case="demo").status_code == 404
    assert client.delete("/v1/vector_stores/handbook").status_code == 404

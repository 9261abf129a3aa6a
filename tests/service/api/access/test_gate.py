"""Every route with no key, with a key without scopes, and with a key of another tenant."""

import re
import time

import httpx
import pytest

from service.access import Scope
from service.api.http.scopes import NEEDS
from service.settings import ServerSettings, Settings
from service.stores.access.api_keys import ApiKeys, NewKey
from tests.service.api.access.conftest import MakeKey, bearer
from tests.service.conftest import Running
from tests.service.waiting import eventually

ELSEWHERE = {"x-forwarded-for": "203.0.113.9"}  # a proxy of this machine passes it on
OURS = {"base_id": "handbook", "use_case_id": "demo", "task": "helpdesk", "name": "helpdesk"}


def address(route: str) -> tuple[str, str]:
    """Return method and path of a row; its parameters name what there is, or something."""
    method, _, path = route.partition(" ")
    return method, re.sub(r"\{(\w+)(?::path)?\}", lambda n: OURS.get(n[1], "returns.md"), path)


def ask(client: httpx.Client, route: str, **options: object) -> httpx.Response:
    method, path = address(route)
    return client.request(method, path, **options)  # type: ignore[arg-type]  # as httpx reads them


def test_no_route_but_health_answers_without_a_key(keyed: Running) -> None:
    with httpx.Client(base_url=keyed.client.base_url, headers=ELSEWHERE, timeout=15) as nobody:
        for route in NEEDS:
            reply = ask(nobody, route, content=b"{broken")
            if route in ("GET /health", "GET /sources.css"):
                assert reply.status_code == 200, route
                continue
            assert reply.status_code == 401, route
            assert reply.json()["error"]["code"] == "key_required", route
            assert reply.headers["www-authenticate"] == 'Bearer realm="fingerpost"'


def test_a_key_without_scopes_opens_only_the_reference(
    keyed: Running, client_with: MakeKey
) -> None:
    with client_with() as client:
        client.headers.update(ELSEWHERE)
        for route, needs in NEEDS.items():
            reply = ask(client, route, content=b"{broken")
            if not needs.scopes:
                assert reply.status_code < 500, route
                assert reply.status_code not in (401, 403), route
                continue
            assert reply.status_code == 403, route
            body = reply.json()
            assert body["error"]["code"] == "scope_missing"
            assert body["scope"] == " or ".join(needs.scopes)
            assert body["scope"] in body["detail"]


def test_each_scope_opens_its_own_routes_and_no_others(
    keyed: Running, client_with: MakeKey
) -> None:
    for scope in Scope:
        with client_with(scope) as client:
            client.headers.update(ELSEWHERE)
            for route, needs in NEEDS.items():
                if not route.startswith("GET") or not needs.scopes:
                    continue
                is_refused = ask(client, route).status_code == 403
                assert is_refused != (scope in needs.scopes), (scope, route)


def test_a_key_of_another_tenant_finds_nothing_of_this_one(
    keyed: Running, client_with: MakeKey
) -> None:
    before = keyed.client.get("/v1/vector_stores/handbook/documents").json()
    with client_with(*Scope, tenant="other") as other:
        named = [route for route in NEEDS if "{" in route and not route.startswith("PUT")]
        assert len(named) > 40
        for route in named:
            if route == "GET /v1/models/{model:path}":
                continue
            reply = ask(other, route, json={})
            assert reply.status_code in (404, 422), (route, reply.text)
            assert "An unused lamp" not in reply.text
        for path in ("/use_cases", "/v1/vector_stores", "/jobs", "/adapters", "/compare"):
            assert other.get(path).json()["data"] == []
        body = {"messages": [{"role": "user", "content": "Return?"}], "use_case": "demo"}
        assert other.post("/chat", json=body).status_code == 404
        read = {"query": "lamp"}
        assert other.post("/v1/vector_stores/handbook/search", json=read).status_code == 404
    assert keyed.client.get("/v1/vector_stores/handbook/documents").json() == before


def test_both_headers_are_read_and_two_keys_refused(keyed: Running, keys: ApiKeys) -> None:
    _, key = keys.create(NewKey(name="n"))
    url = f"{keyed.client.base_url}/v1/models"
    assert httpx.get(url, headers={"x-api-key": key}).status_code == 200
    assert httpx.get(url, headers=bearer(key)).status_code == 200
    assert httpx.get(url, headers={**bearer(key), "x-api-key": key}).status_code == 200
    _, other = keys.create(NewKey(name="n"))
    assert httpx.get(url, headers={**bearer(key), "x-api-key": other}).status_code == 401


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"authorization": "Bearer"}, "invalid_api_key"),
        ({"authorization": "Bearer sk-123"}, "invalid_api_key"),
        ({"authorization": f"Bearer fp_{'0' * 16}_{'a' * 43}"}, "invalid_api_key"),
        ({"x-api-key": ""}, "invalid_api_key"),
        ({"authorization": "Basic dTpw"}, "key_required"),
        ({"authorization": "Bearer worker:default:9999999999:00"}, "invalid_api_key"),
        ({"authorization": "bearer\tfp_x"}, "key_required"),
        ({"authorization": ""}, "key_required"),
        ({"x-api-key": "k" * 60_000}, "invalid_api_key"),
        ({"x-api-key": f"fp_{'0' * 16}_{'a' * 43} x"}, "invalid_api_key"),
        ({"x-api-key": "worker:" + ":" * 50_000}, "invalid_api_key"),
    ],
)
def test_a_key_that_is_none_is_401_in_plain_words(
    keyed: Running, headers: dict[str, str], code: str
) -> None:
    reply = httpx.get(f"{keyed.client.base_url}/v1/models", headers=headers)
    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == code
    assert reply.json()["hint"]


@pytest.mark.parametrize("name", ["authorization", "x-api-key"])
@pytest.mark.parametrize("key", ["钥匙".encode(), b"fp_\xff\xfe", b"k" * 100_000])
def test_a_key_that_no_header_can_hold_is_refused_before_it_is_read(
    keyed: Running, name: str, key: bytes
) -> None:
    value = b"Bearer " + key if name == "authorization" else key
    reply = httpx.get(f"{keyed.client.base_url}/v1/models", headers=[(name.encode(), value)])
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid_http")


def test_two_headers_of_one_name_are_two_keys(keyed: Running, keys: ApiKeys) -> None:
    url = f"{keyed.client.base_url}/v1/models"
    (_, one), (_, other) = keys.create(NewKey(name="n")), keys.create(NewKey(name="m"))
    for name, form in (("authorization", "Bearer {}"), ("x-api-key", "{}")):
        sent = [(name, form.format(one)), (name, form.format(other))]
        reply = httpx.get(url, headers=sent)
        assert (reply.status_code, "two different" in reply.json()["detail"]) == (401, True)
        assert httpx.get(url, headers=[sent[0], sent[0]]).status_code == 200
    mixed = [("authorization", f"Bearer {one}"), ("authorization", "Basic dTpw")]
    assert httpx.get(url, headers=mixed).status_code == 200


def test_expired_and_revoked_keys_are_told(
    keyed: Running, keys: ApiKeys, client_with: MakeKey
) -> None:
    with client_with(expires_at=time.time() + 0.05) as client:
        eventually(lambda: client.get("/v1/models").status_code == 401)
        assert client.get("/v1/models").json()["error"]["code"] == "key_expired"
    made, key = keys.create(NewKey(name="n"))
    url = f"{keyed.client.base_url}/v1/models"
    assert httpx.get(url, headers=bearer(key)).status_code == 200
    keys.revoke(made.key_id)
    began = time.monotonic()
    while httpx.get(url, headers=bearer(key)).status_code == 200:
        assert time.monotonic() - began < 0.5 + 0.5  # a busy machine; the promise is half a second
    assert httpx.get(url, headers=bearer(key)).json()["error"]["code"] == "key_revoked"


def test_a_key_in_the_address_is_refused_and_not_repeated(keyed: Running, keys: ApiKeys) -> None:
    _, key = keys.create(NewKey(name="n"))
    base = keyed.client.base_url
    for path in (
        f"/v1/models?api_key={key}",
        "/v1/models?access_token=x",
        f"/v1/models?x={key.replace('_', '%5f')}",
        f"/use_cases/{key}",
    ):
        reply = httpx.get(f"{base}{path}", headers=bearer(key))
        assert reply.status_code == 400, path
        assert reply.json()["error"]["code"] == "key_in_url"
        assert key not in reply.text


def test_ready_needs_admin_unless_asked_from_this_machine(
    keyed: Running, client_with: MakeKey
) -> None:
    url = f"{keyed.client.base_url}/ready"
    assert httpx.get(url).json()["access"] == "api_keys"
    for sent in (ELSEWHERE, {"host": "gw.example"}, {"origin": "https://evil.example"}):
        assert httpx.get(url, headers=sent).status_code == 401
    with client_with("chat") as chat, client_with("admin") as admin:
        assert chat.get("/ready", headers=ELSEWHERE).status_code == 403
        assert admin.get("/ready", headers=ELSEWHERE).status_code == 200


def test_with_keys_any_host_and_page_may_call_and_the_key_decides(keyed: Running) -> None:
    sent = {"host": "gw.example", "origin": "https://shop.example"}
    assert keyed.client.get("/v1/models", headers=sent).status_code == 200
    bare = httpx.get(f"{keyed.client.base_url}/v1/models", headers=sent)
    assert bare.status_code == 401


def test_without_keys_this_machine_may_do_everything_and_ready_says_so(running: Running) -> None:
    assert running.client.get("/ready").json()["access"] == "open_on_loopback"
    sent = {"authorization": "Bearer whatever"}  # OpenAI's clients always send one
    assert running.client.get("/v1/models", headers=sent).status_code == 200
    assert running.client.get("/v1/models", headers={"host": "gw.example"}).status_code == 403


class TestOnANetworkAddressWithoutKeys:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        server = settings.server.model_copy(update={"host": "0.0.0.0"})
        return settings.model_copy(update={"server": server})

    def test_nothing_is_open_even_to_loopback_names(self, running: Running) -> None:
        reply = running.client.get("/v1/models", headers={"host": "localhost"})
        assert reply.status_code == 401
        assert "fingerpost keys create" in reply.json()["detail"]


class TestWithPublicDocs:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        server = settings.server.model_copy(update={"public_docs": True})
        return settings.model_copy(update={"server": server})

    def test_the_reference_needs_no_key_and_the_rest_does(self, keyed: Running) -> None:
        base = keyed.client.base_url
        for path in ("/", "/docs", "/openapi.json"):
            assert httpx.get(f"{base}{path}").status_code == 200
        assert httpx.get(f"{base}/use_cases").status_code == 401


def test_docs_are_not_public_by_default() -> None:
    assert not ServerSettings().public_docs

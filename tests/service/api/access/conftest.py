"""A gateway with keys of two tenants."""

from collections.abc import Callable

import httpx
import pytest

from service.access import Scope
from service.stores.access.api_keys import ApiKeys, NewKey
from tests.service.conftest import Running
from tests.service.waiting import eventually

MakeKey = Callable[..., httpx.Client]
EVERY = tuple(Scope)


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.fixture
def keys(running: Running) -> ApiKeys:
    return ApiKeys(running.context.database)


@pytest.fixture
def keyed(running: Running, keys: ApiKeys) -> Running:
    """Prepare one of everything for the tenant `default`, then let the gateway see a key."""
    running.prepare()
    _, key = keys.create(NewKey(name="admin", scopes=EVERY))
    eventually(lambda: running.client.get("/v1/models").status_code == 401)
    running.client.headers.update(bearer(key))
    return running


@pytest.fixture
def client_with(keyed: Running, keys: ApiKeys) -> MakeKey:
    """Return what makes a key and gives a client that sends it."""

    def make(*scopes: str, **allowed: object) -> httpx.Client:
        _, key = keys.create(NewKey(name="n", scopes=scopes, **allowed))  # type: ignore[arg-type]  # as a test names them
        return httpx.Client(base_url=keyed.client.base_url, headers=bearer(key), timeout=15)

    return make

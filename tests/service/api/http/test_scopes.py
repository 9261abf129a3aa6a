"""Every route has its row, and no row is left over."""

import pytest
from fastapi import APIRouter
from starlette.routing import Route

from service.api.access.gate import Gate, protect
from service.api.http.scopes import NEEDS, needs_of
from service.app import create_app
from service.home import Ports
from service.settings import Settings


@pytest.fixture
def routes(settings: Settings) -> list[Route]:
    app = create_app(settings, Ports(gateway=1, engine=1, chroma=1))
    return [route for route in app.router.routes if isinstance(route, Route)]


def test_every_route_of_the_app_stands_in_the_table_and_behind_a_gate(routes: list[Route]) -> None:
    named = {
        f"{method} {route.path}"
        for route in routes
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert named == set(NEEDS)
    assert [route.path for route in routes if not isinstance(route.app, Gate)] == []


def test_a_route_without_a_row_cannot_be_mounted() -> None:
    api = APIRouter()
    api.add_api_route("/forgotten", lambda: None)
    with pytest.raises(LookupError, match="/forgotten"):
        protect(api.routes)


def test_methods_of_one_route_need_the_same() -> None:
    with pytest.raises(LookupError):
        needs_of("/use_cases/{use_case_id}", {"GET", "PUT"})


def test_without_a_key_only_these_are_open() -> None:
    exempt = {name: needs.exempt for name, needs in NEEDS.items() if needs.exempt is not None}
    assert exempt == {
        "GET /health": "always",
        "GET /sources.css": "always",
        "GET /ready": "on_this_machine",
        "GET /": "public_docs",
        "GET /docs": "public_docs",
        "GET /docs/docs.js": "public_docs",
        "GET /docs/docs.css": "public_docs",
        "GET /openapi.json": "public_docs",
        "GET /sources/{base_id}/{external_id:path}": "signed_link",
    }

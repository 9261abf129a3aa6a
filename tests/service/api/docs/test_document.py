"""The OpenAPI document says everything: each reply has a schema, each error its body."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from service.api.docs.document import FIRST_ERROR, DescribedApp, operations
from service.app import create_app
from service.home import Ports
from service.settings import Settings

# They write their own bytes, for speed or as lines, and declare what these are by hand.
HAND_SERIALISED = {
    "/chat",
    "/route",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/advise",
    "/compare/{comparison_id}/outcomes",
    "/v1/files/{file_id}/content",
}


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _app(tmp_path_factory.mktemp("home")).openapi()


def _app(home: Path) -> DescribedApp:
    return create_app(Settings(home=home), Ports(1, 1, 1))


def _replies(document: dict[str, Any]) -> Iterator[tuple[str, int, str, dict[str, Any]]]:
    for path, method, operation in operations(document):
        for status, reply in operation["responses"].items():
            for kind, media in reply.get("content", {"nothing": {}}).items():
                yield (
                    f"{method} {path} {status}",
                    int(status),
                    kind,
                    media.get("schema") or media.get("itemSchema", {}),
                )


def test_every_endpoint_has_a_response_model(tmp_path: Path) -> None:
    routes = [
        route
        for route in _app(tmp_path).routes
        if isinstance(route, APIRoute) and route.include_in_schema
    ]
    untyped = [r.path for r in routes if r.response_model is None and r.path not in HAND_SERIALISED]
    assert untyped == []
    assert {r.path for r in routes} >= HAND_SERIALISED


def test_every_reply_has_a_schema_that_says_something(document: dict[str, Any]) -> None:
    empty = [where for where, _, _, schema in _replies(document) if not _says(document, schema)]
    assert empty == []


def _says(document: dict[str, Any], schema: dict[str, Any]) -> bool:
    """Whether a schema refuses anything: not every value, not every object."""
    if "$ref" in schema:
        return _says(document, document["components"]["schemas"][schema["$ref"].split("/")[-1]])
    if "anyOf" in schema:
        return all(_says(document, each) for each in schema["anyOf"])
    if schema.get("type") == "object" or "properties" in schema:
        return "properties" in schema or "additionalProperties" in schema
    return bool({"type", "enum", "const"} & schema.keys())


def test_every_error_has_our_one_body(document: dict[str, Any]) -> None:
    assert not {"HTTPValidationError", "ValidationError"} & document["components"]["schemas"].keys()
    for where, status, kind, schema in _replies(document):
        if status < FIRST_ERROR or where == "get /ready 503":
            continue
        is_openai = where.split(" ")[1].startswith("/v1/")
        assert kind == ("application/json" if is_openai else "application/problem+json"), where
        assert schema["$ref"].endswith("/ErrorReply"), where


def test_every_endpoint_says_in_one_line_what_it_does(document: dict[str, Any]) -> None:
    for path, method, operation in operations(document):
        assert " " in operation["summary"], f"{method} {path}"
        assert operation["tags"], f"{method} {path}"
        named = {tag["name"] for tag in document["tags"]}
        assert set(operation["tags"]) <= named, f"{method} {path}"


def test_every_reference_leads_to_a_schema(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    missing = {
        ref for ref in _refs(document) if ref.removeprefix("#/components/schemas/") not in schemas
    }
    assert missing == set()


def _refs(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _refs(value)
    elif isinstance(part, list):
        for value in part:
            yield from _refs(value)

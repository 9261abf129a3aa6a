"""Filters over HTTP: the openai client's shapes, our own form, and what is refused."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types.shared import ComparisonFilter, CompoundFilter

from tests.service.conftest import Running

STORE = "/v1/vector_stores/handbook"
SEARCH = f"{STORE}/search"
PLANS: dict[str, dict[str, str | int | bool]] = {
    "basic": {"plan": "basic", "year": 9, "is_draft": False},
    "gold": {"plan": "gold", "year": 2026, "is_draft": True},
    "old": {"plan": "gold", "year": 2024},
    "plain": {},
}


@pytest.fixture
def store(running: Running) -> Running:
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    for name, attributes in PLANS.items():
        text = f"# Fees\n\nThe yearly fee of the {name} contract is paid in May."
        body = {"filename": f"{name}.md", "content": text, "attributes": attributes}
        assert running.client.put(f"{STORE}/documents/{name}", json=body).status_code == 200
    running.put_use_case()
    return running


@pytest.fixture
def client(store: Running) -> Iterator[openai.OpenAI]:
    base_url = f"{store.client.base_url}/v1"
    with openai.OpenAI(base_url=base_url, api_key="none", max_retries=0) as made:
        yield made


def search(client: openai.OpenAI, filters: Any) -> set[str]:
    found = client.vector_stores.search(
        "handbook", query="When is the yearly fee paid?", filters=filters, max_num_results=10
    )
    return {result.filename.removesuffix(".md") for result in found}


def compare(operator: Any, key: str, value: Any) -> ComparisonFilter:
    return ComparisonFilter(type=operator, key=key, value=value)


OPERATORS: list[tuple[str, str, Any, set[str]]] = [
    ("eq", "plan", "gold", {"gold", "old"}),
    ("eq", "is_draft", True, {"gold"}),
    ("ne", "plan", "gold", {"basic", "plain"}),
    ("gt", "year", 9, {"gold", "old"}),
    ("gte", "year", 2026, {"gold"}),
    ("lt", "year", 100, {"basic"}),
    ("lte", "year", 2024, {"basic", "old"}),
    ("in", "plan", ["basic", "silver"], {"basic"}),
    ("nin", "year", [9, 2024], {"gold", "plain"}),
]


def test_the_client_searches_with_each_operator(client: openai.OpenAI) -> None:
    for operator, key, value, names in OPERATORS:
        found = search(client, compare(operator, key, value).model_dump())
        assert (operator, key, found) == (operator, key, names)


def test_the_client_joins_filters(client: openai.OpenAI) -> None:
    gold, new = compare("eq", "plan", "gold"), compare("gte", "year", 2025)
    both = CompoundFilter(type="and", filters=[gold, new])
    assert search(client, both.model_dump()) == {"gold"}
    either = CompoundFilter(type="or", filters=[compare("eq", "plan", "basic"), both])
    assert search(client, either.model_dump()) == {"basic", "gold"}


def test_attributes_by_name_and_no_filter_are_as_before(store: Running) -> None:
    for filters, count in (({"plan": "gold"}, 2), ({"plan": "gold", "year": 2024}, 1), (None, 4)):
        body = {"query": "yearly fee", "filters": filters, "max_num_results": 10}
        assert len(store.client.post(SEARCH, json=body).json()["data"]) == count


def test_answers_hold_to_filters(store: Running, client: openai.OpenAI) -> None:
    gold = {"type": "eq", "key": "plan", "value": "gold"}
    old = {"type": "and", "filters": [gold, {"type": "lt", "key": "year", "value": 2025}]}
    messages: Any = [{"role": "user", "content": "When is the yearly fee paid?"}]
    asked = {"use_case": "demo", "filters": old}
    store.ask(messages[0]["content"], strategy="rag", use_case="demo", filters=old)
    client.chat.completions.create(model="rag", messages=messages, extra_body=asked)
    for request in store.engine.requests[-2:]:
        prompt = request["messages"][-1]["content"]
        assert "the old contract" in prompt
        assert not any(f"the {name} contract" in prompt for name in ("gold", "basic", "plain"))


REFUSED: list[tuple[Any, str]] = [
    ({"type": "like", "key": "plan", "value": "g"}, "choose one of eq, ne, gt"),
    ({"type": "gt", "key": "is_draft", "value": True}, "takes a number or a text"),
    ({"type": "or", "filters": []}, "at least one filter"),
    ({"plan": None}, "filters.plan: text, number or boolean"),
]


def test_a_filter_that_cannot_be_read_is_400_everywhere(store: Running) -> None:
    messages = [{"role": "user", "content": "When is the fee paid?"}]
    for filters, told in REFUSED:
        chat = {"messages": messages, "use_case": "demo", "filters": filters}
        for path, body in (
            (SEARCH, {"query": "fee", "filters": filters}),
            ("/chat", {**chat, "strategy": "prompt_only", "stream": True}),
            ("/route", chat),
            ("/v1/chat/completions", {**chat, "model": "rag"}),
        ):
            reply = store.client.post(path, json=body)
            assert reply.status_code == 400, (path, reply.text)
            assert told in reply.json()["error"]["message"]
            assert reply.json()["error"]["code"] == "invalid_filter"

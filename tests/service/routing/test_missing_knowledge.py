"""What a use case lacks of the knowledge it names."""

from typing import Any

import pytest

from service.messages.spoken import speak
from service.routing.missing_knowledge import missing_knowledge
from service.stores.use_cases import UseCase
from tests.service.conftest import Running

THERE = {"handbook": 12, "drafts": 0}


def warnings(**fields: Any) -> list[str]:
    return missing_knowledge(UseCase(id="demo", **fields), THERE)


def test_a_misspelt_base_is_named_beside_those_there_are() -> None:
    (told,) = warnings(knowledge_bases=("handbok",))
    assert "'handbok'" in told
    assert "drafts, handbook" in told


def test_an_empty_base_is_named() -> None:
    (told,) = warnings(knowledge_bases=("handbook", "drafts"))
    assert "'drafts' is empty" in told


@pytest.mark.parametrize("need", ["knowledge", "both"])
def test_a_need_for_knowledge_without_any_base_is_named(need: str) -> None:
    (told,) = warnings(facts={"need": need})
    assert f"need: {need}" in told


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"facts": {"need": "style"}},
        {"facts": {"need": "both"}, "knowledge_bases": ("handbook",)},
    ],
)
def test_a_use_case_that_lacks_nothing_is_not_warned_of(fields: dict[str, Any]) -> None:
    assert warnings(**fields) == []


def test_warnings_are_in_the_language_in_force() -> None:
    speak("zh")
    try:
        (told,) = warnings(knowledge_bases=("handbok",))
    finally:
        speak("en")
    assert "不存在" in told


def test_saving_and_ready_tell_it_until_there_is_knowledge(running: Running) -> None:
    body = {"id": "misspelt", "knowledge_bases": ["handbook"], "facts": {"need": "knowledge"}}
    saved = running.client.put("/use_cases/misspelt", json=body).json()
    assert "'handbook'" in saved["warnings"][0]
    assert saved["knowledge_bases"] == ["handbook"]
    ready = running.client.get("/ready")
    assert ready.status_code == 200
    assert ready.json()["use_cases"] == [{"id": "misspelt", "warnings": saved["warnings"]}]
    running.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
    assert "is empty" in running.client.get("/ready").json()["use_cases"][0]["warnings"][0]
    assert running.put_document().status_code == 200
    assert running.client.get("/ready").json()["use_cases"] == []
    assert running.client.put("/use_cases/misspelt", json=body).json()["warnings"] == []

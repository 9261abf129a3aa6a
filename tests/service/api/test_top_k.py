"""How many passages an answer and a search are given, and who says so."""

import re

import pytest

from knowledge import KnowledgeConfig
from service.settings import Settings
from tests.service.conftest import Running

STORE = "/v1/vector_stores/handbook"
NAMES = ("toys", "rugs", "beds", "cups")


@pytest.fixture(params=[1, 4])
def top_k(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def settings(settings: Settings, top_k: int) -> Settings:
    return settings.model_copy(update={"knowledge": KnowledgeConfig(top_k=top_k)})


@pytest.fixture
def filled(running: Running) -> Running:
    running.prepare()
    for name in NAMES:
        text = f"A lamp can be returned within 30 days of delivery, and so can {name}."
        running.put_document(text, f"{name}.md")
    return running


def passages_given(running: Running, top_k: int | None = None) -> int:
    assert running.ask(use_case="demo", strategy="rag", top_k=top_k).status_code == 200
    prompt = running.engine.requests[-1]["messages"][-1]["content"]
    return len(re.findall(r"^\[\d\] \S+\.md", prompt, flags=re.MULTILINE))


def test_the_setting_is_the_default_of_an_answer_and_of_a_search(
    filled: Running, top_k: int
) -> None:
    assert passages_given(filled) == top_k
    found = filled.client.post(f"{STORE}/search", json={"query": "lamp returned days"}).json()
    assert len(found["data"]) == top_k


def test_the_use_cases_number_comes_before_the_setting_and_the_callers_before_both(
    filled: Running,
) -> None:
    filled.put_use_case(top_k=2)
    assert passages_given(filled) == 2
    assert passages_given(filled, 3) == 3

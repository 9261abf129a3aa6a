"""A new home on the real engine: the models that read Chinese and English, one answer each way.

Where no source had these models the small ones serve, here as for users. The whole road on them:
`test_whole_road.py` with `--long`.
"""

from collections.abc import Iterator

import pytest

from service.home_models import NEW
from tests.road import (
    DEMO,
    Road,
    fingerpost,
    put,
    start_training,
    started,
    training,
    two_languages,
)
from tests.service.waiting import eventually

pytestmark = pytest.mark.engine

ENGLISH = ("Where is the collection counter?", "Quay Lane 3")
CHINESE = ("自提柜台在哪里？", "码头巷3号")
PAGES = ("en/collection.md", "en/returns.md", "zh/collection.md", "zh/returns.md")


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    with started(tmp_path_factory.mktemp("home"), two_languages()) as made:
        fingerpost(made.settings.home, "use-case", "apply", str(DEMO / "use_case.yaml"))
        made.client.post("/v1/vector_stores", json={"name": "handbook", "id": "handbook"})
        for page in PAGES:
            put(made, page, (DEMO / "handbook" / page).read_text())
        yield made


def test_both_models_are_named_and_whether_others_serve_for_them(road: Road) -> None:
    told = road.client.get("/ready").json()["models"]
    assert (told["base_model"], told["embedder"]) == (road.base, road.models.embedder)
    assert told["note"] == road.models.note


@pytest.mark.parametrize(("question", "answer"), [ENGLISH, CHINESE])
def test_rag_answers_in_the_language_of_the_question(
    question: str, answer: str, road: Road
) -> None:
    told = road.ask("rag", question)
    assert told["model"] == road.base
    if road.models == NEW:
        assert answer in told["answer"].replace(" ", "").replace("QuayLane", "Quay Lane ")
        assert "dense" in road.ask("rag", question, explain=True)["retrieval"]["retrievers"]


def test_an_adapter_of_the_base_is_trained_published_and_answers(road: Road) -> None:
    job = start_training(road, steps=2, file_name="training_zh.jsonl")
    eventually(lambda: training(road, job)["status"] == "succeeded", within_s=280)
    adapter = training(road, job)["adapter_id"]
    reply = road.client.post(f"/adapters/{adapter}/publish")
    assert reply.status_code == 200, reply.text
    assert reply.json()["effect"]["is_applied"] is True
    for strategy, model in (
        ("prompt_only", road.base),
        ("rag", road.base),
        ("fine_tuned", adapter),
        ("hybrid", adapter),
    ):
        told = road.ask(strategy, CHINESE[0], sampling={"max_tokens": 16})
        assert (told["strategy"], told["model"]) == (strategy, model)
        assert told["answer"]

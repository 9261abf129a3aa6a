"""The engine as the steps of training data ask it, against a fake model server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters import Annotate, AnnotationSettings, Generate, document_row
from service.engine.client import EngineClient
from service.errors import EngineUnavailable
from service.fine_tuning.generation import open_generate
from service.settings import EngineSettings
from tests.fakes.engine import BASE, FakeEngine, Served, Switches

SCHEMA = {"type": "object", "properties": {"intent": {"type": "string"}}, "required": ["intent"]}
LABELS = AnnotationSettings.model_validate({"instruction": "判断意图", "reply": SCHEMA})


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine(switches=Switches(pieces=('{"intent": ', '"退货"}')))


@pytest.fixture
def generate(engine: FakeEngine) -> Iterator[Generate]:
    with Served(engine.app()) as server:
        client = EngineClient(EngineSettings(), server.url, lambda text: text.replace("<|", "< |"))
        with open_generate(client, BASE, tenant="acme", temperature=0.5) as ask:
            yield ask


def test_rows_are_annotated_by_the_engine_with_the_schema(
    generate: Generate, engine: FakeEngine
) -> None:
    rows = [document_row(f"灯坏了{n}，想退。<|im_end|>", Path("a.txt"), line=n) for n in range(20)]
    results = list(Annotate(LABELS, generate).run(rows))
    assert [one.row.line for one in results] == list(range(20))
    assert {one.rows[0].messages[-1].content for one in results} == {'{"intent": "退货"}'}
    asked = engine.requests[0]
    assert asked["response_format"]["json_schema"]["schema"] == SCHEMA
    assert (asked["model"], asked["temperature"]) == (BASE, 0.5)
    assert "<|im_end|>" not in json.dumps(asked["messages"])  # a text cannot end its turn


def test_a_text_that_is_too_long_for_the_model_ends_nothing(
    generate: Generate, engine: FakeEngine
) -> None:
    told = "This model's maximum context length is 4096 tokens"
    refusal = json.dumps({"error": {"message": told, "type": "BadRequestError", "code": 400}})
    engine.script = [Switches(refuse=400, refusal=refusal.encode())]
    rows = [document_row(f"文本{n}", Path("a.txt")) for n in range(3)]
    one_by_one = LABELS.model_copy(update={"parallel": 1})
    results = list(Annotate(one_by_one, generate).run(rows))
    assert [one.reason for one in results] == ["no_reply", "annotated", "annotated"]


def test_a_cut_reply_is_a_reason_and_a_dead_engine_an_error(
    generate: Generate, engine: FakeEngine
) -> None:
    engine.script = [Switches(pieces=('{"inte',), finish="length")]
    [result] = Annotate(LABELS, generate).run([document_row("文本", Path("a.txt"))])
    assert result.reason == "not_json"
    engine.switches = Switches(refuse=503)
    with pytest.raises(EngineUnavailable):
        list(Annotate(LABELS, generate).run([document_row("文本", Path("a.txt"))]))

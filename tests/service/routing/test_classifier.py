"""The question classifier as the gateway uses it."""

import json
from pathlib import Path

import pytest

from router import InvalidClassifier, MessageKind, QuestionClass, default_classifier
from router.questions.kinds.classifier import shipped_kind_classifiers
from service.errors import InvalidEvaluationFile
from service.home import Home
from service.routing.classifier import (
    classifier_in_force,
    kind_classifier_in_force,
    read_messages,
)
from service.settings import Settings
from tests.fakes.embedder import FakeEmbedder
from tests.fakes.kinds import always
from tests.service.conftest import Running

ALWAYS_TASK = {
    "format": "fingerpost question classifier 1",
    "made_by": "a test",
    "notice": [],
    "figures": {},
    "labels": ["chitchat", "task"],
    "certain_from": {"chitchat": 0.9, "task": 0.9},
    "bias": [0, 9000],
    "rows": {},
    "features": {},
}


def facts_of(running: Running, question: str) -> dict[str, dict[str, object]]:
    body = {"messages": [{"role": "user", "content": question}]}
    decision = running.client.post("/route", json=body).json()["decision"]
    facts: dict[str, dict[str, object]] = decision["facts"]
    return facts


def test_the_class_of_a_question_is_a_fact_of_the_decision(running: Running) -> None:
    facts = facts_of(running, "book a table for five people tonight")
    assert facts["question_class"] == {"value": "task", "provenance": "request"}
    assert float(str(facts["question_class_confidence"]["value"])) > 0.8
    assert "question_class" not in facts_of(running, "fizz of the quux")


def test_a_classifier_fitted_for_the_home_is_in_force_at_the_next_start(
    settings: Settings, request: pytest.FixtureRequest
) -> None:
    settings.paths.classifier_file.parent.mkdir(parents=True, exist_ok=True)
    settings.paths.classifier_file.write_text(json.dumps(ALWAYS_TASK), encoding="utf-8")
    running: Running = request.getfixturevalue("running")
    assert facts_of(running, "How tall is it?")["question_class"]["value"] == "task"


def test_without_a_file_of_its_own_a_home_uses_the_classifier_that_ships(tmp_path: Path) -> None:
    assert classifier_in_force(Home(tmp_path)) is default_classifier()
    (tmp_path / "classifier.json").write_text(json.dumps(ALWAYS_TASK), encoding="utf-8")
    assert classifier_in_force(Home(tmp_path)).guess("hm").label is QuestionClass.TASK


def test_a_damaged_file_of_the_home_is_refused(tmp_path: Path) -> None:
    (tmp_path / "classifier.json").write_text("{}", encoding="utf-8")
    with pytest.raises(InvalidClassifier, match=r"classifier\.json is damaged"):
        classifier_in_force(Home(tmp_path))


def test_kinds_are_read_only_for_the_embedder_they_were_fitted_on(tmp_path: Path) -> None:
    home, embedder = Home(tmp_path), FakeEmbedder()
    assert kind_classifier_in_force(home, embedder) is None
    fitted = always(MessageKind.SMALL_TALK, embedder)
    home.kind_classifier_file.write_text(fitted.model_dump_json(), encoding="utf-8")
    assert kind_classifier_in_force(home, embedder) == fitted
    assert kind_classifier_in_force(home, FakeEmbedder(revision="2")) is None
    shipped = shipped_kind_classifiers()[0]
    default = FakeEmbedder(model_id=shipped.embedder, revision=shipped.revision)
    assert kind_classifier_in_force(home, default) is shipped


def test_a_damaged_file_of_kinds_is_refused(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.kind_classifier_file.write_text("{}", encoding="utf-8")
    with pytest.raises(InvalidClassifier, match=r"kind_classifier\.json is damaged"):
        kind_classifier_in_force(home, FakeEmbedder())


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2: not JSON"),
        ("[]", "line 2: not a JSON object"),
        ('{"kind": "remark", "lang": "en"}', "line 2: `message`"),
        ('{"message": "a", "kind": "remark"}', "line 2: `lang`"),
        ('{"message": "a", "kind": "poem", "lang": "en"}', "line 2: kind 'poem' is not one of"),
    ],
)
def test_a_row_of_messages_that_cannot_be_used_is_named(
    line: str, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "own.jsonl"
    file.write_text('{"message": "lovely", "kind": "remark", "lang": "en"}\n' + line)
    with pytest.raises(InvalidEvaluationFile, match=told):
        read_messages(file)


def test_a_file_of_messages_without_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text("\n")
    with pytest.raises(InvalidEvaluationFile, match="no rows"):
        read_messages(tmp_path / "own.jsonl")

"""A fitted classifier of kinds: what it says of a vector, and which files it refuses."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from router import (
    InvalidClassifier,
    KindClassifier,
    MessageKind,
    kind_classifier_for,
    load_kind_classifier,
    write_kind_classifier,
)
from router.questions.kinds.classifier import FORMAT, shipped_kind_classifiers

# Two dimensions: the first speaks for the last answer, the second for a question.
DOCUMENT: dict[str, Any] = {
    "format": FORMAT,
    "made_by": "a test",
    "embedder": "tiny",
    "revision": "1",
    "figures": {},
    "kinds": ["knowledge", "last_answer", "small_talk"],
    "certain_from": 0.9,
    "bias": [0, 0, -1000],
    "weights": [[0, 9000], [9000, 0], [0, 0]],
}
SMALL = KindClassifier.model_validate(DOCUMENT)


def test_the_likeliest_kind_is_certain_where_no_source_is_needed_for_sure() -> None:
    about = SMALL.guess([1.0, 0.0], answered=True)
    powers = [math.exp(0), math.exp(9), math.exp(-1)]
    assert (about.kind, about.is_certain) == (MessageKind.LAST_ANSWER, True)
    assert about.confidence == pytest.approx((powers[1] + powers[2]) / sum(powers))


def test_a_question_is_never_certain() -> None:
    question = SMALL.guess([0.0, 1.0], answered=True)
    assert (question.kind, question.is_certain) == (MessageKind.KNOWLEDGE, False)
    assert question.confidence < 0.01
    assert question.is_question
    between = SMALL.guess([0.25, 0.3], answered=True)
    assert 0.1 < between.confidence < 0.5
    assert not between.is_question
    assert not between.is_certain


def test_without_an_answer_before_it_nothing_is_about_the_last_one() -> None:
    first = SMALL.guess([1.0, 0.0], answered=False)
    assert first.kind is not MessageKind.LAST_ANSWER
    assert not first.is_certain


def test_what_needs_no_source_is_of_a_kind_without_sources() -> None:
    early = SMALL.model_copy(update={"certain_from": 0.5, "bias": (300, 0, 0)})
    guess = early.guess([0.0, 0.0], answered=True)
    assert (guess.is_certain, guess.kind) == (True, MessageKind.LAST_ANSWER)


def test_a_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "kinds.json"
    file.write_text(write_kind_classifier(SMALL))
    assert load_kind_classifier(file) == SMALL


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "something else"}, "this version reads"),
        ({"kinds": ["knowledge"]}, "two or more"),
        ({"kinds": ["knowledge", "knowledge", "small_talk"]}, "each once"),
        ({"kinds": ["knowledge", "poetry", "small_talk"]}, "kinds.1"),
        ({"bias": [0, 0]}, "one entry for each"),
        ({"weights": [[0, 1], [0], [0, 0]]}, "equally long"),
        ({"weights": [[], [], []]}, "equally long"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_damaged_file_says_what_is_wrong(
    change: dict[str, Any], told: str, tmp_path: Path
) -> None:
    file = tmp_path / "kinds.json"
    file.write_text(json.dumps(DOCUMENT | change))
    with pytest.raises(InvalidClassifier, match=told):
        load_kind_classifier(file)


@pytest.mark.parametrize("text", [None, "{", "[1]"])
def test_a_missing_or_cut_file_is_refused_by_name(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "kinds.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InvalidClassifier, match=r"kinds\.json"):
        load_kind_classifier(file)


def test_a_classifier_serves_only_the_embedder_it_was_fitted_on() -> None:
    assert kind_classifier_for("tiny", "1") is None
    assert kind_classifier_for("tiny", "1", [SMALL]) is SMALL
    assert kind_classifier_for("tiny", "2", [SMALL]) is None
    shipped = shipped_kind_classifiers()[0]
    assert kind_classifier_for(shipped.embedder, shipped.revision) is shipped


def test_one_ships_for_the_default_embedder() -> None:
    (shipped,) = shipped_kind_classifiers()
    assert shipped.embedder == "multilingual-e5-small"
    assert set(shipped.kinds) == set(MessageKind)
    assert shipped.dimension == 384
    assert shipped.figures["taken_though_sources_are_needed"] <= 0.021

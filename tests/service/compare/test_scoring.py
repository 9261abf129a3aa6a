"""Scores of answers, both ways for each kind of question."""

import pytest

from service.compare import ChatAnswer, SetQuestion, score_answer

HOUSE = ["answer", "steps"]


def question(kind: str, *answers: str) -> SetQuestion:
    fields = {"id": "q", "question": "?", "kind": kind, "answers": answers, "schema": HOUSE}
    return SetQuestion.model_validate(fields)


def body(answer: str, *, outcome: str = "answered", citations: int = 0) -> ChatAnswer:
    usage = {"prompt_tokens": 0, "completion_tokens": 0}
    given = {"answer": answer, "outcome": outcome, "citations": [{}] * citations}
    other = {"strategy": "rag", "decision": {}, "usage": usage, "timings_ms": {}}
    return ChatAnswer.model_validate({**given, **other})


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("Within 30 days.", 1.0),
        ("WITHIN THIRTY DAYS", 1.0),
        ("Ｗithin ３０ days", 1.0),  # full width: NFKC
        ("within  thirty\ndays", 1.0),  # white space does not matter
        ("Within 14 days.", 0.0),
        ("", 0.0),
    ],
)
def test_a_fact_is_contained_or_not(answer: str, score: float) -> None:
    assert score_answer(question("fact", "30 days", "thirty days"), body(answer)) == score


def test_letters_are_folded_not_only_lowered() -> None:
    assert score_answer(question("fact", "STRASSE"), body("In der Straße")) == 1.0
    assert score_answer(question("fact", "三十天"), body("收货后三十天内")) == 1.0


def test_a_space_beside_a_chinese_character_does_not_count() -> None:
    assert score_answer(question("fact", "30天"), body("收货后 30 天内")) == 1.0
    assert score_answer(question("fact", "退 30 欧元"), body("可退30欧元。")) == 1.0
    assert score_answer(question("fact", "30 days"), body("within 30days")) == 0.0


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ('{"answer": "x", "steps": []}', 1.0),
        ('{"answer": "x", "steps": [], "more": 1}', 1.0),
        ('{"answer": "x"}', 0.0),
        ('Sure: {"answer": "x", "steps": []}', 0.0),
        ('[{"answer": "x", "steps": []}]', 0.0),
        ('{"answer": "x", "steps": [', 0.0),
        ("null", 0.0),
    ],
)
def test_style_is_one_json_object_with_the_required_keys(answer: str, score: float) -> None:
    assert score_answer(question("style"), body(answer)) == score


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ('{"answer": "30 days", "steps": []}', 1.0),
        ('{"answer": "14 days", "steps": []}', 0.5),
        ("30 days", 0.5),
        ("14 days", 0.0),
    ],
)
def test_both_is_the_mean_of_fact_and_style(answer: str, score: float) -> None:
    assert score_answer(question("both", "30 days"), body(answer)) == score


@pytest.mark.parametrize(("outcome", "score"), [("abstained", 1.0), ("answered", 0.0)])
def test_an_unanswerable_question_is_best_not_answered(outcome: str, score: float) -> None:
    assert score_answer(question("unanswerable"), body("Sorry.", outcome=outcome)) == score


@pytest.mark.parametrize(
    ("given", "score"),
    [
        (body("Hello!"), 1.0),
        (body("Hello!", citations=1), 0.0),
        (body("  "), 0.0),
        (body("Sorry.", outcome="abstained"), 0.0),
    ],
)
def test_small_talk_says_something_and_cites_nothing(given: ChatAnswer, score: float) -> None:
    assert score_answer(question("chitchat"), given) == score


@pytest.mark.parametrize("kind", ["fact", "style", "both"])
def test_a_refusal_of_what_could_be_answered_scores_nothing(kind: str) -> None:
    refusal = body('{"answer": "30 days", "steps": []}', outcome="abstained")
    assert score_answer(question(kind, "30 days"), refusal) == 0.0

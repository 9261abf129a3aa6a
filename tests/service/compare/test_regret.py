"""A policy judged on outcomes: the document, its baseline and its notes."""

from typing import Any

import pytest

from router import Strategy, default_policy
from service.compare import parse_outcomes, regret_of
from service.compare.baseline import choose_by_words
from service.compare.intervals import mean_interval

CAN_RUN: dict[str, Any] = {
    "need": "both",
    "knowledge_present": True,
    "adapter_present": True,
    "adapter_servable": True,
    "adapter_context_trained": True,
}
FACTS: dict[str, dict[str, Any]] = {
    "price": {"asks_fact": True},
    "rewrite": {"needs_no_sources": "given_text", "asks_fact": False},
}
GOOD = {"price": "rag", "rewrite": "fine_tuned"}


def rows(questions: int = 20, **fields: Any) -> list[dict[str, Any]]:
    """Questions of two kinds in turn; one strategy is right for each kind."""
    made = []
    for number in range(questions):
        kind = ("price", "rewrite")[number % 2]
        for strategy in ("prompt_only", "rag", "fine_tuned", "hybrid", "auto"):
            right = strategy in (GOOD[kind], "auto")
            row: dict[str, Any] = {
                "id": f"q{number}",
                "question": f"{kind} of the lamp number {number}",
                "strategy": strategy,
                "score": float(right),
                "facts": CAN_RUN | FACTS[kind],
            }
            made.append({**row, **fields})
    return made


def regret(made: list[dict[str, Any]]) -> dict[str, Any]:
    return regret_of(parse_outcomes((f"row {n}", r) for n, r in enumerate(made)), default_policy())


def test_every_way_of_choosing_stands_in_the_document() -> None:
    done = regret(rows())
    assert done["questions"] == 20
    assert done["policy_version"] == default_policy().version
    assert done["router"]["score"] == 0.5  # hybrid for the prices, fine_tuned for the rewriting
    assert done["router"]["regret"] == 50.0
    assert done["router"]["regret_low"] < 50.0 < done["router"]["regret_high"]
    assert done["auto"]["regret"] == 0.0
    assert done["best_fixed"]["strategy"] == "rag"
    assert done["always_rag"] == done["fixed"]["rag"]
    assert done["always_hybrid"]["score"] == 0.0
    assert done["oracle"]["score"] == 1.0
    assert {rule["rule"]: rule["fired"] for rule in done["rules"]} == {
        "need_both": 10,
        "task_on_given_text": 10,
    }
    assert done["notes"] == []


def test_the_same_outcomes_give_the_same_document_in_any_order() -> None:
    made = rows()
    assert regret(made) == regret(made)
    assert regret(made[::-1])["router"]["score"] == regret(made)["router"]["score"]


def test_the_baseline_learns_from_words_alone() -> None:
    done = regret(rows(40))
    assert done["tfidf_baseline"]["score"] == 1.0
    assert done["tfidf_baseline"]["strategies"] == {"rag": 20, "fine_tuned": 20}


def test_the_baseline_never_sees_the_question_that_it_chooses_for() -> None:
    questions = [f"{letter * 9}" for letter in "abcdefgh"]
    scores = [{Strategy.RAG: n % 2.0, Strategy.HYBRID: 1 - n % 2.0} for n in range(8)]
    chosen = choose_by_words(questions, scores)  # nothing of one question is in another
    assert chosen is not None
    got = sum(row[pick] for row, pick in zip(scores, chosen, strict=True))
    assert got < 8
    repeated = choose_by_words(questions * 2, scores * 2)  # the same words are one question
    assert repeated is not None
    assert sum(row[pick] for row, pick in zip(scores * 2, repeated, strict=True)) < 16


def test_a_missing_score_does_not_stop_the_baseline() -> None:
    made = rows(40)
    for row in made[:40]:
        if row["strategy"] == "hybrid":
            row["score"] = None
    done = regret(made)
    assert done["tfidf_baseline"]["score"] == 1.0
    assert "hybrid has no score for 8 of 40 questions" in done["notes"][0]


def test_without_texts_there_is_no_baseline_and_the_notes_say_why() -> None:
    done = regret(rows(question=None))
    assert done["tfidf_baseline"] is None
    assert "have its text" in done["notes"][-1]
    alone = regret(rows(4, question="the same words"))
    assert alone["tfidf_baseline"] is None
    assert "two different questions" in alone["notes"][-1]


def test_what_flatters_or_weakens_the_figures_is_said() -> None:
    made = rows(facts={})
    for row in made:
        if row["strategy"] in ("rag", "prompt_only") and row["id"] == "q0":
            row["score"] = None
        if row["id"] == "q1":
            row["score"] = None
    notes = " | ".join(regret(made)["notes"])
    assert "1 questions without any score are left out: q1" in notes
    assert "19 of 19 questions have no facts" in notes
    assert "the policy chose a strategy without a score for 1 of 19 questions" in notes


def test_more_questions_make_a_narrower_interval() -> None:
    few, many = mean_interval([0.0, 1.0] * 5), mean_interval([0.0, 1.0] * 100)
    assert few[0] < many[0] < 0.5 < many[1] < few[1]
    assert mean_interval([0.25]) == (0.25, 0.25)


@pytest.mark.parametrize("strategy", ["rag", "hybrid"])
def test_a_strategy_that_was_not_asked_is_null(strategy: str) -> None:
    done = regret([row for row in rows() if row["strategy"] != strategy])
    assert done[f"always_{strategy}"] is None

"""What outcomes add up to: means, intervals, errors, and a winner or none."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest

from service.compare import Outcome
from service.compare import summarise as summarise_outcomes

REST = {"question": "?", "language": "en", "outcome": "answered", "facts": {}, "decision": {}}


def summarise(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return a summary as it is stored."""
    return asdict(summarise_outcomes(outcomes))


def rows(
    strategy: str, scores: Sequence[float | None], *, kind: str = "fact", **fields: Any
) -> list[Outcome]:
    return [
        Outcome.model_validate(
            {
                "id": f"{kind}{number}",
                "kind": kind,
                "strategy": strategy,
                "score": score,
                "latency_ms": 100.0 * (number + 1),
                "first_token_ms": 10.0,
                "prompt_tokens": 50,
                "completion_tokens": 5,
                **REST,
                **fields,
            }
        )
        for number, score in enumerate(scores)
    ]


def test_the_score_is_the_mean_with_an_interval_around_it() -> None:
    row = summarise(rows("rag", [1.0, 0.0] * 20))["strategies"]["rag"]
    assert (row["n"], row["errors"], row["score"]) == (40, 0, 0.5)
    assert 0.3 < row["score_low"] < 0.45 < 0.55 < row["score_high"] < 0.7


def test_more_questions_make_a_narrower_interval() -> None:
    widths = []
    for repeats in (5, 50):
        row = summarise(rows("rag", [1.0, 0.0] * repeats))["strategies"]["rag"]
        widths.append(row["score_high"] - row["score_low"])
    assert widths[1] < widths[0] / 2


def test_the_same_outcomes_give_the_same_summary() -> None:
    outcomes = rows("rag", [1.0, 0.0, 0.5]) + rows("hybrid", [0.5, 1.0, 0.0])
    assert summarise(outcomes) == summarise(outcomes)


def test_an_error_is_counted_as_an_error_and_never_as_a_score() -> None:
    outcomes = rows("rag", [1.0, None, 1.0])
    outcomes[1] = outcomes[1].model_copy(update={"latency_ms": 0.0, "prompt_tokens": 0})
    row = summarise(outcomes)["strategies"]["rag"]
    assert (row["n"], row["errors"], row["score"]) == (2, 1, 1.0)
    assert row["latency_ms"]["p50"] == 200.0  # of 100 and 300
    assert row["prompt_tokens"] == 50


def test_a_strategy_that_only_failed_cannot_win_and_is_not_known_to_be_bad() -> None:
    summary = summarise(rows("rag", [0.1, 0.1]) + rows("hybrid", [None, None]))
    failed = summary["strategies"]["hybrid"]
    assert (failed["n"], failed["errors"]) == (0, 2)
    assert (failed["score_low"], failed["score_high"]) == (0.0, 1.0)
    assert summary["winner"]["strategy"] == "rag"


def test_nothing_answered_has_no_winner() -> None:
    winner = summarise(rows("rag", [None]))["winner"]
    assert (winner["strategy"], winner["clear"]) == (None, False)


def test_a_winner_is_clear_when_it_is_better_on_the_same_questions() -> None:
    outcomes = rows("rag", [1.0] * 30 + [0.0] * 10) + rows("prompt_only", [0.0] * 40)
    winner = summarise(outcomes)["winner"]
    assert (winner["strategy"], winner["clear"]) == ("rag", True)
    assert "rag scores 0.75, prompt_only 0.00; difference +0.75" in winner["because"]


def test_a_winner_is_not_clear_when_chance_could_have_done_it() -> None:
    outcomes = rows("rag", [1.0, 0.0] * 6) + rows("prompt_only", [0.0, 1.0] * 5 + [0.0, 0.0])
    winner = summarise(outcomes)["winner"]
    assert (winner["strategy"], winner["clear"]) == ("rag", False)
    assert "includes zero" in winner["because"]


def test_pairing_sees_a_small_but_steady_difference() -> None:
    base = [0.0, 0.2, 0.4, 0.6, 0.8] * 6
    better = [score + 0.1 for score in base]
    winner = summarise(rows("rag", better) + rows("hybrid", base))["winner"]
    assert (winner["strategy"], winner["clear"]) == ("rag", True)


def test_two_equal_strategies_have_no_clear_winner() -> None:
    outcomes = rows("rag", [1.0] * 10) + rows("hybrid", [1.0] * 10)
    assert summarise(outcomes)["winner"]["clear"] is False


@pytest.mark.parametrize("asked", [["rag"], ["rag", "auto"]])
def test_one_strategy_alone_beats_nobody(asked: list[str]) -> None:
    outcomes = [row for name in asked for row in rows(name, [1.0] * 9)]
    winner = summarise(outcomes)["winner"]
    assert (winner["strategy"], winner["clear"]) == ("rag", False)


def test_auto_is_shown_but_is_no_strategy_that_can_win() -> None:
    outcomes = rows("auto", [1.0] * 20) + rows("rag", [0.5] * 20) + rows("hybrid", [0.0] * 20)
    summary = summarise(outcomes)
    assert summary["strategies"]["auto"]["score"] == 1.0
    assert summary["winner"]["strategy"] == "rag"


def test_each_kind_has_its_own_scores_and_winners() -> None:
    outcomes = rows("rag", [1.0, 0.5]) + rows("fine_tuned", [0.0, 0.0])
    outcomes += rows("rag", [0.0], kind="style") + rows("fine_tuned", [1.0], kind="style")
    outcomes += rows("rag", [1.0], kind="chitchat") + rows("fine_tuned", [1.0], kind="chitchat")
    summary = summarise(outcomes)
    assert summary["questions"] == 4
    assert summary["strategies"]["rag"]["by_kind"]["fact"] == {"n": 2, "score": 0.75}
    assert summary["by_kind_winner"] == {
        "fact": ["rag"],
        "style": ["fine_tuned"],
        "chitchat": ["rag", "fine_tuned"],
    }


def test_each_language_has_its_own_scores_of_every_strategy() -> None:
    outcomes = rows("rag", [1.0, 0.5]) + rows("hybrid", [0.0, 0.0])
    outcomes += rows("rag", [0.0], kind="style", language="zh")
    outcomes += rows("hybrid", [1.0], kind="style", language="zh")
    by_language = summarise(outcomes)["by_language"]
    scores = {
        language: {name: (row["n"], row["score"]) for name, row in strategies.items()}
        for language, strategies in by_language.items()
    }
    assert scores == {
        "en": {"rag": (2, 0.75), "hybrid": (2, 0.0)},
        "zh": {"rag": (1, 0.0), "hybrid": (1, 1.0)},
    }

"""Why a strategy is the best one, said in each language, for stored comparisons too."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import pytest

from service.api.schemas.compare import SummaryReply
from service.compare import Winner, WinnerReason, because_of, summarise
from service.messages.catalogue import Language
from service.messages.spoken import speak
from tests.service.compare.test_summary import rows


def winner_of(**scores: Sequence[float | None]) -> Winner:
    return summarise([row for name, row in _rows(scores)]).winner


def _rows(scores: dict[str, Sequence[float | None]]) -> list[tuple[str, Any]]:
    return [(name, row) for name, each in scores.items() for row in rows(name, each)]


@pytest.mark.parametrize(
    ("scores", "reason", "en", "zh"),
    [
        (
            {"rag": [1.0] * 12, "prompt_only": [0.0] * 12},
            WinnerReason.CLEAR,
            "rag scores 1.00, prompt_only 0.00; difference +1.00, 95 % interval +1.00 to +1.00",
            "rag 得分 1.00，prompt_only 得分 0.00；在同样的问题上相差 +1.00",
        ),
        (
            {"rag": [1.0, 0.0], "hybrid": [1.0, 0.0]},
            WinnerReason.UNCLEAR,
            "includes zero, so more questions are needed",
            "包含 0，需要更多问题才能判断",
        ),
        (
            {"rag": [1.0, None], "hybrid": [None, 0.5]},
            WinnerReason.NONE_SHARED,
            "no question was answered by both",
            "没有一个问题两者都作了回答",
        ),
        ({"rag": [1.0]}, WinnerReason.ONE_ASKED, "only one strategy was asked", "只问了一种策略"),
        (
            {"rag": [1.0], "hybrid": [None]},
            WinnerReason.ONE_ANSWERED,
            "only rag answered; no other strategy could run",
            "只有 rag 作了回答，其他策略都无法运行",
        ),
        ({"rag": [None]}, WinnerReason.NONE_ANSWERED, "no question was answered", "没有任何问题"),
        ({"auto": [1.0]}, WinnerReason.ONLY_AUTO, "only auto was asked", "只问了 auto"),
    ],
)
def test_the_reason_is_said_in_both_languages(
    scores: dict[str, Sequence[float | None]], reason: WinnerReason, en: str, zh: str
) -> None:
    winner = winner_of(**scores)
    assert winner.reason is reason
    assert en in winner.because
    means = {n: s.score for n, s in summarise([r for _, r in _rows(scores)]).strategies.items()}
    assert because_of(winner, means, "en") == winner.because
    said = because_of(winner, means, "zh")
    assert zh in said
    assert not any(word in said for word in ("scores", "difference", "interval", "asked"))


def test_a_reply_says_it_in_the_language_in_force() -> None:
    outcomes = [row for _, row in _rows({"rag": [1.0] * 12, "prompt_only": [0.0] * 12})]
    stored = asdict(summarise(outcomes))
    try:
        said: dict[Language, str] = {"zh": "得分", "zh-Hant": "區間", "en": "interval"}
        for language, words in said.items():
            speak(language)
            assert words in SummaryReply.of(stored).winner.because
    finally:
        speak("en")


def test_a_comparison_of_an_earlier_version_is_chinese_too() -> None:
    stored = asdict(summarise([row for _, row in _rows({"rag": [1.0], "hybrid": [0.5]})]))
    stored["winner"] = {"strategy": "rag", "clear": False, "because": "rag scores 1.00"}
    try:
        assert SummaryReply.of(stored).winner.because == "rag scores 1.00"
        speak("zh")
        assert SummaryReply.of(stored).winner.because == "得分：rag 1.00，hybrid 0.50"
    finally:
        speak("en")


def test_what_answered_nothing_has_no_figures_in_a_reply() -> None:
    outcomes = [row for _, row in _rows({"rag": [1.0, 0.0], "hybrid": [None, None]})]
    reply = SummaryReply.of(asdict(summarise(outcomes))).strategies
    none = reply["hybrid"]
    assert (none.n, none.errors, none.score, none.score_low, none.score_high) == (
        0, 2, None, None, None,
    )  # fmt: skip
    assert (none.latency_ms, none.first_token_ms, none.prompt_tokens) == (None, None, None)
    assert (reply["rag"].score, reply["rag"].prompt_tokens) == (0.5, 50)

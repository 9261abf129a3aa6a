"""The best strategy of a comparison, and the sentence that says why, in the language in force.

It knows figures and sentences; how the figures are computed is known to `summary.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from service.messages.catalogue import Language, translated


class WinnerReason(StrEnum):
    """Why a strategy is the best one, or why none is."""

    CLEAR = "clear"
    UNCLEAR = "unclear"
    NONE_SHARED = "none_shared"
    ONE_ASKED = "one_asked"
    ONE_ANSWERED = "one_answered"
    NONE_ANSWERED = "none_answered"
    ONLY_AUTO = "only_auto"


@dataclass(frozen=True, slots=True)
class Winner:
    """The fixed strategy with the best mean; `clear` if its lead is significant.

    Attributes:
        strategy: Its name; None where no question was answered.
        clear: Whether its lead over the second is significant.
        because: The reason in English, for those who read the stored summary.
        reason: The same as a word.
        second: The second best; None where there is none.
        difference: Of their means, on the questions that both answered; None where there are none.
        difference_low: Low end of its 95 % interval; `difference_high` the high end.
    """

    strategy: str | None
    clear: bool
    because: str
    reason: WinnerReason | None = None
    second: str | None = None
    difference: float | None = None
    difference_low: float | None = None
    difference_high: float | None = None


def because_of(winner: Winner, scores: Mapping[str, float | None], language: Language) -> str:
    """Return why the winner is the best strategy.

    Args:
        winner: As computed or read back; one that an earlier version stored has its sentence only.
        scores: Mean of each strategy; None where it answered nothing.
        language: Of the sentence.
    """
    if winner.reason is None:
        return _of_earlier_version(winner, scores, language)
    return translated(
        f"compare.because.{winner.reason}",
        language,
        best=winner.strategy,
        best_score=_number(scores.get(winner.strategy or "")),
        second=winner.second,
        second_score=_number(scores.get(winner.second or "")),
        difference=_number(winner.difference, "+"),
        difference_low=_number(winner.difference_low, "+"),
        difference_high=_number(winner.difference_high, "+"),
    )


def _of_earlier_version(
    winner: Winner, scores: Mapping[str, float | None], language: Language
) -> str:
    """Return the stored sentence, which is English, or in Chinese what the scores say."""
    if language == "en" or winner.strategy is None:
        return winner.because
    known = [(n, score) for n, score in scores.items() if n != "auto" and score is not None]
    known.sort(key=lambda scored: -scored[1])
    listed = "，".join(f"{name} {score:.2f}" for name, score in known)
    return translated("compare.because.scores", language, scores=listed)


def _number(value: float | None, sign: str = "") -> str:
    return "-" if value is None else f"{value:{sign}.2f}"

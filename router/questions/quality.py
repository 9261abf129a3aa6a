"""Labelled questions, and how guesses compare with their labels.

It knows neither files nor how a guess is made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from router.classes import QuestionClass


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """One row to fit on or to validate with.

    Attributes:
        query: The user's words.
        label: What it is.
        language: As the file says, e.g. zh.
        history: Texts of the turns before it, oldest first; they say which rows belong together.
        source: Where the row comes from, empty where the file does not say.
    """

    query: str
    label: QuestionClass
    language: str
    history: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Quality:
    """How guesses compare with labels; each F1 counts only labels that rows have."""

    rows: int
    macro_f1: float
    accuracy: float
    by_language: Mapping[str, Mapping[str, float]]
    by_label: Mapping[str, Mapping[str, float]]
    by_source: Mapping[str, Mapping[str, float]]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures under the names of `route eval`."""
        return {
            "rows": self.rows,
            "macro_f1": self.macro_f1,
            "accuracy": self.accuracy,
            "by_lang": self.by_language,
            "by_label": self.by_label,
            "by_source": self.by_source,
        }


def measure_quality(rows: Sequence[LabelledQuestion], guessed: Sequence[QuestionClass]) -> Quality:
    """Compare guesses with labels; `rows` must not be empty."""
    pairs = [(row.label, guess) for row, guess in zip(rows, guessed, strict=True)]
    scores = _scores_by_label(pairs)
    return Quality(
        rows=len(rows),
        macro_f1=_macro_f1(pairs),
        accuracy=_accuracy(pairs),
        by_language=_parts((row.language for row in rows), pairs),
        by_label=scores,
        by_source=_parts((row.source for row in rows), pairs)
        if any(r.source for r in rows)
        else {},
    )


_Pairs = Sequence[tuple[QuestionClass, QuestionClass]]


def _accuracy(pairs: _Pairs) -> float:
    return round(sum(label is guess for label, guess in pairs) / len(pairs), 4)


def _macro_f1(pairs: _Pairs) -> float:
    scores = _scores_by_label(pairs)
    return round(sum(score["f1"] for score in scores.values()) / len(scores), 4)


def _scores_by_label(pairs: _Pairs) -> dict[str, dict[str, float]]:
    """Return rows, precision, recall and F1 of each label that some row has."""
    scores: dict[str, dict[str, float]] = {}
    for wanted in sorted({label for label, _ in pairs}):
        rows = sum(label is wanted for label, _ in pairs)
        guessed = sum(guess is wanted for _, guess in pairs)
        both = sum(label is guess is wanted for label, guess in pairs)
        scores[wanted.value] = {
            "rows": rows,
            "precision": round(both / guessed, 4) if guessed else 0.0,
            "recall": round(both / rows, 4),
            "f1": round(2 * both / (rows + guessed), 4),
        }
    return scores


def _parts(names: Iterable[str], pairs: _Pairs) -> dict[str, dict[str, float]]:
    """Return rows, macro-F1 and accuracy of each part of the rows."""
    parts: dict[str, list[tuple[QuestionClass, QuestionClass]]] = defaultdict(list)
    for name, pair in zip(names, pairs, strict=True):
        parts[name].append(pair)
    return {
        name: {"rows": len(part), "macro_f1": _macro_f1(part), "accuracy": _accuracy(part)}
        for name, part in sorted(parts.items())
    }

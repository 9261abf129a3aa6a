"""The score of one answer, 0 to 1, by the kind of question.

It knows the metrics of a comparison; it does not know which strategy answered.
"""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any

from service.compare.questions import Kind, SetQuestion


def score_answer(question: SetQuestion, body: Mapping[str, Any]) -> float:
    """Return the score of a `/chat` body.

    fact: a known answer is contained (NFKC, casefold). style: a JSON object with the required keys.
    both: the mean of the two. unanswerable: abstained. chitchat: a text without citations.
    """
    answered = body["outcome"] == "answered"
    if question.kind is Kind.UNANSWERABLE:
        return float(not answered)
    if question.kind is Kind.CHITCHAT:
        return float(answered and bool(body["answer"].strip()) and not body["citations"])
    if not answered:
        return 0.0
    fact = float(contains_answer(body["answer"], question.answers))
    style = float(has_required_keys(body["answer"], question.required_keys))
    if question.kind is Kind.FACT:
        return fact
    return style if question.kind is Kind.STYLE else (fact + style) / 2


def contains_answer(answer: str, known: tuple[str, ...]) -> bool:
    """Return whether `answer` contains one of `known`, compared after NFKC and casefold."""
    text = _fold(answer)
    return any(_fold(one) in text for one in known)


def has_required_keys(answer: str, keys: frozenset[str]) -> bool:
    """Return whether `answer` is one JSON object with all of `keys`."""
    try:
        parsed = json.loads(answer)
    except ValueError:
        return False
    return isinstance(parsed, dict) and keys <= parsed.keys()


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())

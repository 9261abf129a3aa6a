"""The score of one answer, 0 to 1, by the kind of question.

It knows the metrics of a comparison; it does not know which strategy answered.
"""

import json
import re
import unicodedata

from service.compare.outcome import ChatAnswer
from service.compare.questions import Kind, SetQuestion

_SPACE_BESIDE_HAN = re.compile(r"(?<=[\u4e00-\u9fff]) | (?=[\u4e00-\u9fff])")


def score_answer(question: SetQuestion, answer: ChatAnswer) -> float:
    """Return the score of an answer.

    fact: a known answer is contained (NFKC, casefold). style: a JSON object with the required keys.
    both: the mean of the two. unanswerable: abstained. chitchat: a text without citations.
    """
    if question.kind is Kind.UNANSWERABLE:
        return float(not answer.is_answered)
    if question.kind is Kind.CHITCHAT:
        return float(answer.is_answered and bool(answer.answer.strip()) and not answer.citations)
    if not answer.is_answered:
        return 0.0
    fact = float(contains_answer(answer.answer, question.answers))
    style = float(has_required_keys(answer.answer, question.required_keys))
    if question.kind is Kind.FACT:
        return fact
    return style if question.kind is Kind.STYLE else (fact + style) / 2


def contains_answer(answer: str, known: tuple[str, ...]) -> bool:
    """Return whether `answer` contains one of `known`, compared after NFKC and casefold.

    A space beside a Chinese character does not count: "30 天" is "30天".
    """
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
    words = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return _SPACE_BESIDE_HAN.sub("", words)

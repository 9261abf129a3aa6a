"""Does an answer stand in a text, and where?

Knows texts; knows neither questions nor models.
"""

import random
import re
import unicodedata
from collections.abc import Sequence

_MARKS = re.compile(r"\s*\[\d{1,3}\]\s*")
_EDGES = " .。"


def normalise(text: str) -> str:
    """Return `text` as answers are compared: NFKC, case folded, white space as one blank."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def holds_answer(text: str, answers: Sequence[str]) -> bool:
    """Say whether any answer stands in `text`, even within a longer word."""
    said = normalise(text)
    return any(wanted in said for answer in answers if (wanted := normalise(answer)))


def find_answer(text: str, answers: Sequence[str]) -> str | None:
    """Return the first answer that stands in `text` as whole words, as it is written there."""
    for answer in answers:
        if place := _find(text, answer):
            return text[place.start() : place.end()]
    return None


def strip_marks(answer: str) -> str:
    """Return an answer without its citation marks and the full stop at its end."""
    return _MARKS.sub(" ", answer).strip(_EDGES)


def shorten(text: str, answers: Sequence[str], words: int, rng: random.Random) -> str:
    """Return about `words` words of `text`, with an answer among them if one stands there.

    Where the window begins is left to `rng`, with an answer or without: a passage that holds the
    answer must not be told by how it was cut. A Han character is a word. A heading in the first
    line stays; 0 keeps all.
    """
    head, gap, body = text.partition("\n\n") if text.startswith("#") else ("", "", text)
    tokens = list(_WORD.finditer(body))
    if not words or len(tokens) <= words:
        return text
    place = next((found for answer in answers if (found := _find(body, answer))), None)
    start, end = (place.start(), place.end()) if place else (0, len(body))
    first_kept = sum(token.end() <= start for token in tokens) if place else 0
    last_kept = sum(token.start() < end for token in tokens) - 1 if place else first_kept
    latest = min(first_kept, len(tokens) - words) if place else len(tokens) - words
    first = rng.randint(min(max(0, last_kept + 1 - words), latest) if place else 0, latest)
    last = max(first + words - 1, last_kept)
    return head + gap + body[tokens[first].start() : tokens[last].end()]


_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_HAN}]|[^\s{_HAN}]+")


def _find(text: str, answer: str) -> re.Match[str] | None:
    """Return where `answer` stands: as whole words, white space and case aside."""
    parts = [re.escape(part) for part in answer.split()]
    if not parts:
        return None
    edge = rf"[^\W{_HAN}]"  # Han characters are words of their own
    pattern = rf"(?<!{edge})" + r"\s+".join(parts) + rf"(?!{edge})"
    if re.match(rf"[{_HAN}]", answer):
        pattern = r"\s+".join(parts)
    return re.search(pattern, text, re.IGNORECASE)

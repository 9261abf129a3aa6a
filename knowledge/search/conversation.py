"""What to search for when the question stands in a conversation.

It knows turns and weights; it does not know retrievers. No model is called: whether the
question needs the conversation is decided later, by which of the two finds nearer passages.
"""

import json
import re
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from knowledge.types import Turn

Vectors = npt.NDArray[np.float32]
MAX_CONTEXT_CHARS = 1_000  # some 220 English tokens: MiniLM reads 256, the question comes last
SENTENCE_WORDS = 4  # beside a sentence, shorter values are marks: "from": "handbook"
_WORDS = re.compile(r"[\u2e80-\ud7ff]|[^\W_]+")
_FENCED = re.compile(r"```\w*\s*(.*?)\s*```", re.S)
_KEY = re.compile(r'[{,]\s*"[^"]*"\s*:')
CJK_FROM, CJK_COST = "\u2e80", 4  # a Han, kana or Hangul letter is a token: it counts as so many


def said_before(history: Sequence[Turn], *, turns: int) -> str | None:
    """Return the last turns as one text, or None without a history.

    Args:
        history: Earlier turns, oldest first; system turns and empty ones are left out.
        turns: How many of the last ones to take.
    """
    recent = told(history)[-turns:] if turns else []
    return _last_chars(" ".join(recent)) if recent else None


def told(history: Sequence[Turn]) -> list[str]:
    """Return what was said, oldest first, without system turns and empty ones."""
    contents = [_said(turn).strip() for turn in history if turn.role in ("user", "assistant")]
    return [content for content in contents if content]


def _said(turn: Turn) -> str:
    """Return what a turn says: of an answer in JSON its values, since its keys say nothing."""
    fenced = _FENCED.fullmatch(turn.content.strip())
    content = fenced[1] if fenced else turn.content.strip()
    if turn.role != "assistant" or not content.startswith(("{", "[")):
        return turn.content
    try:
        values = list(_values(json.loads(content)))
    except (ValueError, RecursionError):  # cut off by a token limit
        return _KEY.sub(" ", content) if _KEY.search(content) else turn.content
    sentences = [value for value in values if len(_WORDS.findall(value)) >= SENTENCE_WORDS]
    return " ".join(sentences or values)


def _values(value: object) -> Iterator[str]:
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _values(inner)
    elif isinstance(value, str):
        yield value
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _last_chars(text: str) -> str:
    """Return the end of a text, short enough for an embedder to read the question after it."""
    left = MAX_CONTEXT_CHARS
    for at in reversed(range(len(text))):
        left -= CJK_COST if text[at] >= CJK_FROM else 1
        if left < 0:
            return text[at + 1 :]
    return text


def blend(question: Vectors, context: Vectors, *, question_weight: float) -> Vectors:
    """Return the follow-up's vector: (d,) float32, L2-normalised."""
    mixed = question_weight * question + (1.0 - question_weight) * context
    return np.asarray(mixed / max(float(np.linalg.norm(mixed)), 1e-9), dtype=np.float32)

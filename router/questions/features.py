"""What the question classifier sees of a question: names of features, and how strong each is.

Three kinds: grams (pieces of words or of Chinese text), phrases (words and what stands at the
edges), and marks (cues of `cues.py` alone and by pairs, length, spelling). Grams and phrases are
weighted and normalised where the classifier is; here they are only counted. It does not know the
labels, and does not read earlier turns.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple

from router.questions.cues import CUES

# A longer text is read by its beginning: bounds the time, and what is asked mostly stands there.
READ_CHARS: Final = 400

_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_TOKEN: Final = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+|[^\W\d_]")
_DIGIT: Final = re.compile(r"\d")
_LATIN_GRAM: Final = range(2, 6)
_HAN_GRAM: Final = range(1, 4)
_LENGTHS: Final = (3, 6, 9, 13, 20)  # words, or pairs of Han characters
_MARK: Final = 0.2  # beside grams and phrases, each kind of which has length 1
_PAIR: Final = 0.1  # a pair adds to its two cues and must not drown them


class Features(NamedTuple):
    """The features of one question, by name; grams and phrases are counts, marks are values."""

    grams: Counter[str]
    phrases: Counter[str]
    marks: dict[str, float]


def features_of(question: str) -> Features:
    """Return the features of a question. Never raises.

    Args:
        question: The user's words; the first 400 characters are read.
    """
    written = unicodedata.normalize("NFKC", question[:READ_CHARS]).strip()
    text = " ".join(written.lower().replace("’", "'").split())
    is_han = bool(_HAN.search(text))
    tokens = _TOKEN.findall(text)
    marks = _marks(text, is_han, length=len(text) // 2 if is_han else len(tokens))
    marks.update(dict.fromkeys(_spelling(written), _MARK))
    masked = _DIGIT.sub("0", text)
    if is_han:
        return Features(Counter(_han_grams(masked)), Counter(_edges(masked)), marks)
    pairs = _word_pairs(_TOKEN.findall(masked))
    return Features(Counter(_latin_grams(masked)), Counter(pairs), marks)


def _latin_grams(text: str) -> list[str]:
    return [
        "c:" + padded[start : start + size]
        for padded in [f" {word} " for word in text.split()]
        for size in _LATIN_GRAM
        for start in range(len(padded) - size + 1)
    ]


def _han_grams(text: str) -> list[str]:
    return [
        "c:" + text[start : start + size]
        for size in _HAN_GRAM
        for start in range(len(text) - size + 1)
    ]


def _word_pairs(tokens: list[str]) -> Iterator[str]:
    words = ["^", *tokens, "$"]
    yield from (f"w:{word}" for word in words)
    yield from (f"w:{first} {second}" for first, second in zip(words, words[1:], strict=False))


def _edges(text: str) -> Iterator[str]:
    for size in (1, 2):
        yield "w:^" + text[:size]
        yield "w:$" + text[-size:]


def _marks(text: str, is_han: bool, *, length: int) -> dict[str, float]:
    """Return the cues found, every pair of them, and how long the text is."""
    cues = _cues(text, is_han)
    marks = {f"m:{cue}": _MARK for cue in cues}
    marks.update((f"m:{a}&{b}", _PAIR) for at, a in enumerate(cues) for b in cues[:at])
    marks.update((f"m:longer than {n}", _MARK) for n in _LENGTHS if length > n)
    return marks


def _cues(text: str, is_han: bool) -> list[str]:
    if is_han:
        return [name for name, cue in CUES.items() if cue.zh.search(text)]
    return [name for name, cue in CUES.items() if cue.en.search(text)]


def _spelling(written: str) -> Iterator[str]:
    """Yield how it is written: says little in the field, see the room's README."""
    if written[:1].isupper():
        yield "s:capital first"
    if any(character.isupper() for character in written[1:]):
        yield "s:capital later"
    if written[-1:] in tuple(".?!。"):
        yield "s:ends as a sentence"

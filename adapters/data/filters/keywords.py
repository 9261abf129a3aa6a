"""Keeps rows that have enough words of a list.

A word with Han letters is found wherever it stands, across spaces too; any other only as a whole
word, so that `car` is not found in `scarf`. It knows no languages beyond that.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from adapters.data.filters.threshold import ScoreFilter, Threshold
from adapters.data.folding import fold
from adapters.data.relevance import said_in
from adapters.data.rows import Row

NAME = "keywords"
ANY_ENDING = "*"
WINDOW = 256  # rows; nothing is gained by more
# Of scripts written without spaces between words: Kana, Han, Hangul.
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_LETTER = rf"[^\W{_UNSPACED}]"
_HAS_UNSPACED = re.compile(f"[{_UNSPACED}]")


class KeywordSettings(BaseModel):
    """The words, and how many of them a row needs.

    Attributes:
        words: Words or phrases; case and width do not count. One that ends with `*` may go on:
            `refund*` is found in `refunds`.
        min_words: Different ones that a row needs. One is our choice: the list decides more than
            the number does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: Annotated[tuple[str, ...], Field(min_length=1)]
    min_words: Annotated[int, Field(ge=1)] = 1

    @field_validator("words")
    @classmethod
    def _check_words(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if empty := [word for word in words if not fold(word)]:
            raise ValueError(f"{empty[0]!r} has no letter or digit")
        return words


def filter_by_keywords(settings: KeywordSettings) -> ScoreFilter:
    """Return the filter that keeps rows with enough of the words; system turns do not count."""
    folded = {fold(word) for word in settings.words if _HAS_UNSPACED.search(word)}
    spaced = {_spaced(word) for word in settings.words if not _HAS_UNSPACED.search(word)}
    patterns = [re.compile(one) for one in sorted(spaced)]

    def count(rows: Sequence[Row]) -> list[float]:
        return [_count(said_in(row), folded, patterns) for row in rows]

    threshold = Threshold(NAME, float(settings.min_words), True, "too_few_keywords", "as set")
    return ScoreFilter(NAME, threshold, count, settings=settings.model_dump(), window=WINDOW)


def _normalise(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _spaced(word: str) -> str:
    """Return the pattern of a word with borders; spaces in it match any white space."""
    text = _normalise(word).strip()
    end = "" if text.endswith(ANY_ENDING) else f"(?!{_LETTER})"
    parts = text.rstrip(ANY_ENDING).split()
    return f"(?<!{_LETTER})" + r"\s+".join(map(re.escape, parts)) + end


def _count(text: str, folded: set[str], patterns: Sequence[re.Pattern[str]]) -> float:
    """Return how many different words stand in a text."""
    found = 0
    if folded:
        compared = fold(text)
        found += sum(word in compared for word in folded)
    if patterns:
        compared = _normalise(text)
        found += sum(pattern.search(compared) is not None for pattern in patterns)
    return float(found)

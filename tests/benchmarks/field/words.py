"""What it means that a word stands in a text.

It knows texts; it does not know where they come from.
"""

import re
from collections.abc import Sequence

Word = str | list[str]
Words = tuple[Word, ...]


def stands_in(word: Word, text: str) -> bool:
    """Return whether a word, or one of several, stands in a text, as it is or in one line."""
    if isinstance(word, list):
        return any(stands_in(one, text) for one in word)
    if word.startswith("re:"):
        return bool(re.search(word[3:], text))
    if word.isdigit():
        return bool(re.search(rf"(?<![\d.,]){word}(?!\d|[.,]\d)", text))
    return word in text or word in " ".join(text.split())


def missing(words: Sequence[Word], text: str) -> list[Word]:
    """Return the words that do not stand in a text."""
    return [word for word in words if not stands_in(word, text)]

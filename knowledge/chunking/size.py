"""How large a text is for an embedder: its tokens, or its letters where those say more.

It knows one measure; it does not know what is cut by it.
"""

from collections.abc import Callable
from functools import cache

CHARS_PER_TOKEN = 8
"""Letters that count as a token at least. English prose has 4 to 5 a token; a word that the
tokenizer does not know is one token however long it is (MiniLM: from 100 letters on)."""


class Size:
    """Counts; a text is asked for again when it is joined, and once more when it is stored."""

    def __init__(self, count_tokens: Callable[[str], int]) -> None:
        """Count with an embedder's own count."""
        self.tokens = cache(count_tokens)

    def __call__(self, text: str) -> int:
        """Return the tokens of a text, or its letters divided by `CHARS_PER_TOKEN` where more."""
        return max(self.tokens(text), -(-len(text) // CHARS_PER_TOKEN))

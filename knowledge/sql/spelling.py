"""The words that one slip of a finger away from a word lie.

It knows letters; it does not know which words there are.
"""

from collections.abc import Iterator

LEAST_LETTERS, MOST_LETTERS = 5, 20
"""Shorter words are one slip from too many others; longer ones are made of several."""
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def can_be_misspelt(word: str) -> bool:
    """Return whether a word is of Latin letters and long enough to be told from its neighbours."""
    return LEAST_LETTERS <= len(word) <= MOST_LETTERS and word.isascii() and word.isalpha()


def one_slip_away(word: str) -> list[str]:
    """Return the words that a letter left out, added, changed or swapped makes of one.

    The first letter is typed right (Damerau 1964: a slip is one of these four in 80 % of all
    misspelt words; Pollock and Zamora 1984: in the first letter in less than 8 %).
    """
    return sorted(set(_slips(word)) - {word})


def _slips(word: str) -> Iterator[str]:
    for at in range(1, len(word) + 1):
        before, after = word[:at], word[at:]
        yield from (before + letter + after for letter in _LETTERS)
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in _LETTERS)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]

"""How many letters two texts differ by.

Knows texts; does not know what they say.
"""

import re

from rapidfuzz.distance import Levenshtein

_NUMBER = re.compile(r"\d+")


def is_within(one: str, other: str, share: float, *, least: int = 0) -> bool:
    """Return whether at most this share of the longer text, or `least` letters, are edited."""
    most = max(least, int(share * max(len(one), len(other))))
    return Levenshtein.distance(one, other, score_cutoff=most) <= most


def differs_by_numbers(one: str, other: str) -> bool:
    """Return whether numbers are most of what two texts differ by: they tell of other things."""
    if _NUMBER.findall(one) == _NUMBER.findall(other):
        return False
    without = Levenshtein.distance(_NUMBER.sub("0", one), _NUMBER.sub("0", other))
    return 2 * without <= Levenshtein.distance(one, other)

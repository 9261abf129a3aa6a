"""How many letters two texts differ by.

Knows texts; does not know what they say.
"""

import re

_NUMBER = re.compile(r"\d+")


def is_within(one: str, other: str, share: float, *, least: int = 0) -> bool:
    """Return whether at most this share of the longer text, or `least` letters, are edited."""
    most = max(least, int(share * max(len(one), len(other))))
    return one == other or edits(one, other, most) <= most


def differs_by_numbers(one: str, other: str) -> bool:
    """Return whether numbers are most of what two texts differ by: they tell of other things."""
    if _NUMBER.findall(one) == _NUMBER.findall(other):
        return False
    most = max(len(one), len(other))
    without = edits(_NUMBER.sub("0", one), _NUMBER.sub("0", other), most)
    return 2 * without <= edits(one, other, most)


def edits(one: str, other: str, most: int) -> int:
    """Return the Levenshtein distance, or any number above `most` where it is more.

    Bit-parallel (Hyyrö 2003): one pass over `other`, with a bit for each letter of `one`.
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    pairs = enumerate(zip(one, other, strict=False))
    same = next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
    one, other = one[same:], other[same:]
    if not one or not other:
        return len(one) + len(other)
    where: dict[str, int] = {}
    for at, letter in enumerate(one):
        where[letter] = where.get(letter, 0) | 1 << at
    whole, last = (1 << len(one)) - 1, 1 << len(one) - 1
    up, down, distance = whole, 0, len(one)
    for left, letter in zip(range(len(other) - 1, -1, -1), other, strict=True):
        same = where.get(letter, 0)
        diagonal = (((same & up) + up) ^ up) | same | down
        rises = down | (whole & ~(diagonal | up))
        falls = up & diagonal
        distance += bool(rises & last) - bool(falls & last)
        if distance - left > most:
            return most + 1
        rises = rises << 1 | 1
        up = (falls << 1 | ~(diagonal | rises)) & whole
        down = rises & diagonal & whole
    return distance

"""Texts as they are compared: without case, width, spaces and most punctuation.

Two texts with one folded form ask or say the same. A folded text is never trained on or shown.
"""

import re
import unicodedata
from functools import lru_cache

_KEPT = "%"  # 5 % is not 5
_DROPPED = ("P", "Z", "C")  # punctuation, spaces, controls and letters without width
_BETWEEN_DIGITS = ".,:/-"  # 1.5 is not 15
_SIGN_BETWEEN_DIGITS = re.compile(r"([.,:/-](?<=\d.)(?=\d))")
_NOT_BETWEEN_DIGITS = re.compile(r"[.,:/-](?:(?<!\d.)|(?!\d))")
# Chinese and English letters are most of a text and fold one by one; normalising all of it by
# NFKC takes three times as long as folding what stands between them.
_BETWEEN_LETTERS = re.compile("([^a-z0-9\u4e00-\u9fff]+)")


def fold(text: str) -> str:
    """Return what of `text` counts when it is compared with another."""
    if text.isascii():
        parts = _SIGN_BETWEEN_DIGITS.split(text.casefold())
        parts[::2] = [part.translate(_ASCII) for part in parts[::2]]
        return "".join(parts)
    if unicodedata.is_normalized("NFC", text):
        parts = _BETWEEN_LETTERS.split(text.casefold())
        parts[1::2] = map(_fold, parts[1::2])
        folded = "".join(parts)
    else:
        folded = _fold(text)
    return _NOT_BETWEEN_DIGITS.sub("", folded)


@lru_cache(maxsize=4096)
def _fold(text: str) -> str:
    """Return what counts of a part of a text, and signs that may stand between digits."""
    letters = unicodedata.normalize("NFKC", text).casefold()
    return "".join(
        letter
        for at, letter in enumerate(letters)
        if not unicodedata.category(letter).startswith(_DROPPED)
        or letter in _KEPT
        or (letter in _BETWEEN_DIGITS and _touches_digits(letters, at))
    )


def _touches_digits(letters: str, at: int) -> bool:
    """Return whether digits, or what is not known here, stand on both sides."""
    before, after = letters[at - 1 : at], letters[at + 1 : at + 2]
    return (not before or before.isdecimal()) and (not after or after.isdecimal())


_ASCII = {code: None for code in range(128) if not _fold(chr(code)) or chr(code) in _BETWEEN_DIGITS}

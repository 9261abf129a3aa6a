"""Texts as they are compared: without case, width, spaces and most punctuation.

Two texts with one folded form ask or say the same. A folded text is never trained on or shown.
"""

import re
import unicodedata

_BETWEEN_DIGITS = re.compile(r"(?<=\d)[.,:/-](?=\d)")  # 1.5 is not 15
_KEPT = "%"  # 5 % is not 5
_DROPPED = ("P", "Z", "C")  # punctuation, spaces, controls and letters without width


def fold(text: str) -> str:
    """Return what of `text` counts when it is compared with another."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    between = {match.start() for match in _BETWEEN_DIGITS.finditer(folded)}
    return "".join(
        letter
        for at, letter in enumerate(folded)
        if at in between or letter in _KEPT or not unicodedata.category(letter).startswith(_DROPPED)
    )

"""Which class a letter is of: its script, its case, whether it is a sign.

It knows Unicode's ranges and which Han letters and syllables are rare; what a class costs is
`costs`' business.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache

CLASSES = {
    "l": "a to z", "u": "A to Z", "d": "figure", " ": "white space", ".": "sign of ASCII",
    "a": "small Latin letter beyond ASCII", "A": "capital of these", "m": "accent by itself",
    "c": "small Cyrillic letter", "C": "Cyrillic capital", "o": "letter of another script",
    "H": "Han letter", "R": "rare Han letter", "k": "kana", "h": "narrow kana",
    "g": "Korean syllable", "G": "rare syllable", "w": "East Asian sign", "f": "wide ASCII",
    "q": "quote or dash", "s": "other sign", "x": "no letter at all", "?": "what was not read",
}  # fmt: skip
_RARE = {"H": "R", "g": "G"}
_TYPOGRAPHIC = frozenset("’‘“”„‚–—…€•«»")


@lru_cache(20_000)
def class_of(letter: str) -> str:
    """Return a letter's class, one letter itself: see `CLASSES`."""
    if letter < "\x80":
        return _class_of_ascii(letter)
    for kind, ranges in _RANGES.items():
        if any(first <= letter <= last for first, last in ranges):
            return _RARE[kind] if kind in _RARE and _is_rare(letter) else kind
    if letter in _TYPOGRAPHIC:
        return "q"
    if letter == "\ufffd":
        return "?"
    category = unicodedata.category(letter)
    if category[0] in "LM":
        return _class_of_letter(letter, category)
    if category in ("Cc", "Cn", "Co", "Cs"):
        return "x"
    return "s" if letter < "\u2e80" else "w"


def _class_of_letter(letter: str, category: str) -> str:
    if category == "Mn" and letter < "\u0370":
        return "m"
    if letter < "\u0250" or "\u1e00" <= letter < "\u1f00":
        return "A" if letter.isupper() else "a"
    if "\u0400" <= letter < "\u0530":
        return "C" if letter.isupper() else "c"
    return "o"


def _is_rare(letter: str) -> bool:
    """Say whether GB 2312, KS X 1001 and the 5,401 common letters of Big5 lack a letter."""
    if letter.encode("gb2312", "ignore") or len(letter.encode("euc_kr", "ignore")) == 2:
        return False  # euc_kr spells other syllables out
    return not b"\xa4" < letter.encode("big5", "ignore") < b"\xc6\x7f"


def _class_of_ascii(letter: str) -> str:
    if letter.isalpha():
        return "l" if letter.islower() else "u"
    if letter.isdigit():
        return "d"
    if letter in " \n\r\t\f":
        return " "
    return "." if " " < letter < "\x7f" or letter == "\x1b" else "x"


_RANGES: Mapping[str, Iterable[tuple[str, str]]] = {
    "H": (("\u4e00", "\u9fff"), ("\u3400", "\u4dbf"), ("\U00020000", "\U0003134f")),
    "k": (("\u3040", "\u30ff"),),
    "g": (("\uac00", "\ud7a3"),),
    "h": (("\uff61", "\uff9f"),),
    "f": (("\uff10", "\uff19"), ("\uff21", "\uff3a"), ("\uff41", "\uff5a")),
    "w": (("\u3000", "\u303f"), ("\uff00", "\uffee")),
}

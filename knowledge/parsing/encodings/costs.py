"""How unlikely a text is, in bits: letters by how often they occur, and what stands side by side.

It knows the common letters of a few languages; it does not know bytes. The sum over a text is the
length of a message that says it, so that two readings of the same bytes compare: true letters cost
less than the 8 bits of a byte of noise, wrong ones more.

Costs of Chinese are fitted to jieba's counts (`common`): the letter of rank r has 6.5 + 0.19 √r
bits there within half a bit. The others are of that order, estimated, and chosen by what came of
them on two sets of texts; a third, drawn afterwards, measures them (`test_detection`).
"""

from collections.abc import Mapping
from functools import lru_cache

from knowledge.parsing.encodings.common import HANGUL, KANJI, SIMPLIFIED, TRADITIONAL
from knowledge.parsing.encodings.scripts import class_of

Letters = Mapping[str, float]

FAULT_BITS = 28.0
"""Of a byte that an encoding cannot have: rarer than the rarest letter."""
CONTROL_BITS = 40.0
KANA = (
    "のにはたいをとるがしでてなっれらもすりこだまさきめくあけどせそうかえよつおわちみろばやべんびじげごぶ"
    "ざず、。ーンスルトリアライクシドレジタフロカテッマメィニプサコデグバキムチパオナセウハミダボブワゴ"
    "ポモエソベネヘツガピケズホュョャェ・「」"
)
CYRILLIC = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъіїєґўј"
WESTERN = "éüäöèàßçáíóñêúâôîûïùëåøæãõœÿìò"
TURKISH = "ıişğüçöİâî"
GREEK = "αοιετσνηυρπκμλωςγδάίέόχήθύφώβξζψϊΐϋΰ"
HEBREW = "יוהלאתרמבשנםדחקטעפגסכזצןךץף"
ARABIC = "اليمنتروبةعدسفهكقحجأشطصخىذئزثضغظءإآؤ،؟"
THAI = "านรกอเงมย่้ลวีดทัิตสปพคบจ์ุหชขำใแไผูึโถซธณฐื"
CENTRAL = "áíéłčščžýęąěřśżźćńóůúőűțșăâîşţđäöüôďťňľ"


def _by_rank(letters: str, first: float, step: float = 0.19) -> dict[str, float]:
    found = {letter: first + step * rank**0.5 for rank, letter in reversed([*enumerate(letters)])}
    return found


def _cased(letters: str, first: float, capital: float) -> dict[str, float]:
    """Return the costs of small letters and, `capital` higher, of capitals."""
    small = _by_rank(letters, first, 0.7)
    capitals = {letter.upper(): bits + capital for letter, bits in small.items()}
    return {letter: bits for letter, bits in capitals.items() if len(letter) == 1} | small


SIGNS: Letters = {
    **dict.fromkeys("，。：；、（）！？“”《》", 6.0),
    **dict.fromkeys("　【】·—…「」『』‘’％￥／－～＋＝", 8.5),
    **dict.fromkeys("①②③④⑤⑥→←↑↓★☆●○■□◆◇√×÷℃°㎡№※±≥≤", 11.0),
}
"""What stands between letters in East Asian text."""
MARKS: Letters = {
    **dict.fromkeys("’–—“”€", 7.5),
    **dict.fromkeys("…°£§«»•„®™©·", 8.0),
    **dict.fromkeys("\xa0‘‚´½²³×±µ¿¡ºª÷¼¾", 9.5),
}
"""… and in Western text."""
WEST: Letters = {**MARKS, **_cased(WESTERN, 5.0, 3.0)}
CENTRE: Letters = {**MARKS, **_cased(CENTRAL, 5.5, 3.0)}
EAST: Letters = {**MARKS, **_cased(CYRILLIC, 3.5, 3.5), "№": 9.5}
TURKEY: Letters = {**MARKS, **_cased(TURKISH, 5.0, 3.0)}
GREECE: Letters = {**MARKS, **_cased(GREEK, 3.5, 3.5)}
ISRAEL: Letters = {**MARKS, **_by_rank(HEBREW, 3.5, 0.7)}
ARABIA: Letters = {**MARKS, **_by_rank(ARABIC, 3.5, 0.7)}
SIAM: Letters = {**MARKS, **_by_rank(THAI, 4.0, 0.6)}
CHINA: Letters = {**SIGNS, **_by_rank(TRADITIONAL, 9.5), **_by_rank(SIMPLIFIED, 6.5)}
"""Simplified letters; traditional ones stand in some of its files too."""
TAIWAN: Letters = {**SIGNS, **_by_rank(TRADITIONAL, 6.5)}
JAPAN: Letters = {**SIGNS, **_by_rank(KANJI, 7.0), **_by_rank(KANA, 4.0, 0.45)}
KOREA: Letters = {**SIGNS, **_by_rank(HANGUL, 5.0, 0.35)}
ANY: Letters = {
    **SIGNS, **_by_rank(TRADITIONAL, 6.5), **CHINA, **KOREA, **JAPAN, **SIAM, **ARABIA, **ISRAEL,
    **GREECE, **TURKEY, **CENTRE, **WEST, **EAST,
}  # fmt: skip
"""Of Unicode: every language."""

_UNLISTED = {
    "H": 16.5, "R": 24.0, "G": 22.0, "m": 14.0, "h": 11.0, "k": 15.0, "g": 15.0, "a": 14.0,
    "A": 16.0, "c": 12.0, "C": 16.0, "o": 13.0, "q": 14.0, "s": 15.0, "w": 14.0, "f": 8.0,
    "x": CONTROL_BITS, "?": FAULT_BITS,
}  # fmt: skip
"""Of letters that no list names, by class (`class_of`)."""
_ASCII = {"l": 4.5, "u": 6.0, "d": 5.0, " ": 3.0, ".": 6.5}
_PAIRS = {
    "aa": 2, "aA": 8, "Aa": 5, "AA": 3, "lA": 7, "ua": 2, "da": 6, "ad": 6, "dA": 6, "Ad": 6,
    "A ": 2, "A.": 3, " a": 1, ".a": 2, "Al": 0, "uA": 1, "Au": 1, "al": 0, "la": 0,
    "am": 20, "lm": 0, " m": 8, " c": 5, "c ": 4,
    "cc": 0, "Cc": 0, "CC": 1, "cC": 8, "lc": 10, "cl": 10, "uc": 9, "lC": 9, "Cl": 9, "uC": 7,
    "ss": 5, "sa": 5, "as": 5, "sA": 5, "As": 6, "ls": 3, "sl": 3, "us": 2, "su": 2, "sq": 4,
    "qs": 4, "qa": 1, "aq": 0, "qA": 1, "Aq": 5, "qq": 3, "cs": 5, "sc": 5, "sC": 5, "Cs": 5,
    "lH": 4, "Hl": 4, "uH": 2, "Hu": 1, "lk": 3, "kl": 3, "lg": 3, "gl": 6, "lh": 8, "hl": 8,
    " h": 4, "h ": 3, "uh": 4, "hu": 4, "dh": 4, "hd": 4, ".h": 2, "h.": 2, "ug": 2, "gu": 3,
    " o": 4, "o ": 2, "lo": 9, "ol": 9, "uo": 7, "ou": 7,
    "kH": 0, "Hk": 0, "kk": 0, "gg": 0, "HH": 0, "gH": 4, "Hg": 4, "hh": -3, "hH": 0, "Hh": 0,
    "Hw": 0, "wH": 0, "kw": 0, "wk": 0, "gw": 2, "wg": 2, "ww": 2, "qH": 1, "Hq": 1, "kh": 4,
    "hk": 4, "oo": 0, "fw": 0, "ff": 0, "Hf": 1, "fH": 1, "wf": 1,
}  # fmt: skip
"""What it costs that two classes meet, beside their own costs: `²ú`, `aÖ`, `Gr鲞e`."""
_STRANGE = 5.0
"""… of two scripts that hardly ever do."""
_ENCLOSED = {"ll": 10.0, "ul": 10.0, "  ": 4.0}
"""… of a single letter of another script inside a Latin word, or by itself."""
_FOREIGN = frozenset("HRkgGoh")
_PLAIN = frozenset("lud .")


def bits(text: str, letters: Letters) -> float:
    """Return the cost of a text.

    Args:
        text: Any; U+FFFD stands for a byte that could not be read.
        letters: What the letters of its language cost.
    """
    total = 0.0
    before = first = " "
    for letter in text:
        kind = class_of(letter)
        total += _ASCII.get(kind) or letters.get(letter) or _UNLISTED[kind]
        if not (kind in _PLAIN and before in _PLAIN):
            total += _meeting(before + kind)
            if before in _FOREIGN:
                total += _ENCLOSED.get(first + kind, 0.0)
        first, before = before, kind
    return total + (0.0 if before in _PLAIN else _meeting(before + " "))


@lru_cache(1_024)
def _meeting(pair: str) -> float:
    pair = pair.replace("R", "H").replace("G", "g")
    known = _PAIRS.get(pair)
    if known is not None:
        return known
    one, other = pair[0], pair[1]
    if one in "d .u" or other in "d .u" or one == other or "x" in pair or "?" in pair:
        return 0.0
    return _STRANGE

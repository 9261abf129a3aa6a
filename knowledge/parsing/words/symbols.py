"""Letters of symbol fonts: what a reader sees where the file has a number of Wingdings or Symbol.

It knows the fonts' tables, as far as their signs carry a meaning; it does not know documents.
"""

import re

PRIVATE = range(0xF000, 0xF100)  # where Office keeps letters of symbol fonts
_PRIVATE = re.compile("[\uf000-\uf0ff]")
BULLET = "•"

_WINGDINGS = {
    0x4A: "☺", 0x4B: "😐", 0x4C: "☹", 0x6E: "■", 0x6F: "☐", 0x70: "☐", 0x71: "☐", 0x72: "☐",
    0x78: "☒", 0xA8: "☐", 0xAB: "★", 0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE7: "←",
    0xE8: "→", 0xE9: "↑", 0xEA: "↓", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
    0x28: "☎", 0x2A: "✉", 0x22: "✂", 0x46: "☞", 0x43: "👍", 0x44: "👎",
    **{0x80 + n: sign for n, sign in enumerate("⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿")},
}  # fmt: skip
_WINGDINGS_2 = {
    0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0x56: "☒", 0xA3: "☐",
    0x2A: "☐", 0x30: "☐", 0x33: "☐",
    **{0x6A + n: sign for n, sign in enumerate("①②③④⑤⑥⑦⑧⑨⑩")},
}  # fmt: skip
_SYMBOL = {
    **dict(zip(range(0x41, 0x5B), "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", strict=True)),
    **dict(zip(range(0x61, 0x7B), "αβχδεφγηιϕκλμνοπθρστυϖωξψζ", strict=True)),
    **{code: chr(code) for code in range(0x20, 0x41)},
    0x22: "∀", 0x24: "∃", 0x2A: "∗", 0x2D: "−", 0x40: "≅", 0x5B: "[", 0x5D: "]", 0x7B: "{",
    0x7C: "|", 0x7D: "}", 0x7E: "∼", 0xA0: "€", 0xA2: "′", 0xA3: "≤", 0xA4: "/", 0xA5: "∞",
    0xAB: "↔", 0xAC: "←", 0xAD: "↑", 0xAE: "→", 0xAF: "↓", 0xB0: "°", 0xB1: "±", 0xB2: "″",
    0xB3: "≥", 0xB4: "×", 0xB5: "∝", 0xB6: "∂", 0xB8: "÷", 0xB9: "≠", 0xBA: "≡", 0xBB: "≈",
    0xBC: "…", 0xC6: "∅", 0xC7: "∩", 0xC8: "∪", 0xCE: "∈", 0xCF: "∉", 0xD0: "∠", 0xD1: "∇",
    0xD2: "®", 0xD3: "©", 0xD4: "™", 0xD5: "∏", 0xD6: "√", 0xD7: "⋅", 0xDE: "⇒", 0xE2: "®",
    0xE3: "©", 0xE4: "™", 0xE5: "∑", 0xF2: "∫",
}  # fmt: skip
_WEBDINGS = {0x61: "✓", 0x63: "☐", 0x67: "■", 0x6E: "●", 0x72: "✗"}
_DINGBATS = {
    0x33: "✓", 0x34: "✓", 0x35: "✗", 0x36: "✗", 0x37: "✗", 0x38: "✗", 0x6E: "■", 0x6F: "☐",
    0x70: "☐", 0x71: "☐", 0x72: "☐", 0x6C: "●", 0x48: "★",
}  # fmt: skip
_TABLES = {
    "wingdings": _WINGDINGS,
    "wingdings 2": _WINGDINGS_2,
    "webdings": _WEBDINGS,
    "zapfdingbats": _DINGBATS,
    "zapf dingbats": _DINGBATS,
    "itc zapf dingbats": _DINGBATS,
    "symbol": _SYMBOL,
}
_CHECKS = frozenset("☐☑☒✓✗★→⇨")


def symbol(font: str, code: int) -> str:
    """Return the letter for a number of a symbol font; a bullet for a mere ornament."""
    table = _TABLES.get(font.lower())
    low = code & 0xFF if code in PRIVATE else code
    if table is None:
        return BULLET if code in PRIVATE else chr(code) if code < 0xD800 else ""
    return table.get(low, BULLET)


def is_symbol_font(font: str) -> bool:
    """Tell whether plain letters in this font are signs."""
    return font.lower() in _TABLES


def readable(text: str, font: str) -> str:
    """Return text of a symbol font as a reader sees it; other text as it is."""
    if not (is_symbol_font(font) or _PRIVATE.search(text)):
        return text
    return "".join(_readable(letter, font) for letter in text)


def private_signs(text: str, font: str) -> str:
    """Return text whose private letters are those of a symbol font."""
    return _PRIVATE.sub(lambda found: symbol(font, ord(found[0])), text)


def list_mark(text: str, font: str) -> str:
    """Return the sign of a list: an empty box says something, a dot does not."""
    sign = readable(text.strip(), font)
    return sign if sign in _CHECKS and sign else "-"


def _readable(letter: str, font: str) -> str:
    if letter.isspace():
        return letter
    is_sign = ord(letter) in PRIVATE or (is_symbol_font(font) and ord(letter) < 0x100)
    return symbol(font, ord(letter)) if is_sign else letter

"""Raised, lowered and struck-through text in one line of plain text; no digit joins another.

It knows what a raised figure means by what stands around it: a power, a unit, cents, a fraction,
the mark of a note. It does not know formats. Readers enclose such words (`raised`, `lowered`,
`struck`); `settle` decides at the end of the paragraph, and `settle_notes` at the end of the
document, when it is known which notes there are.
"""

import re
from collections.abc import Callable, Collection

_UP, _UP_END, _DOWN, _DOWN_END, _STRUCK, _STRUCK_END, _MAYBE, _MAYBE_END = map(
    chr, range(0xFDD0, 0xFDD8)
)  # Unicode 23.7: for use inside a program, never in text
_CONTEXT = 40  # letters around a raised word that are looked at

_SMALL = re.compile(f"{_UP}([^{_UP_END}]*){_UP_END}|{_DOWN}([^{_DOWN_END}]*){_DOWN_END}")
_STRUCK_WORDS = re.compile(rf"{_STRUCK}(\s*)([^{_STRUCK_END}]*?)(\s*){_STRUCK_END}")
_MAYBE_NOTE = re.compile(f"{_MAYBE}([^{_MAYBE_END}]*){_MAYBE_END}")
_FRACTION = re.compile(
    rf"(\d?)\s?{_UP}(\d+){_UP_END}\s?[/⁄∕]\s?(?:{_DOWN}(\d+){_DOWN_END}|(\d+))"
    rf"|(\d?)\s?{_UP}(\d+)[/⁄∕](\d+){_UP_END}"
)
_FIRST_MARK = re.compile(rf"\s*{_UP}\s*[(\[]?(\d{{1,3}})[)\].:]?\s*{_UP_END}(?=(.*))", re.DOTALL)
_ELEMENT = re.compile(r"[A-Z][a-z]?(?![a-z])")  # ¹⁴C is no note
_SIGNS = str.maketrans("0123456789+-−–=()ni", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾ⁿⁱ")
_IN_SIGNS = re.compile(r"[\d+\-−–=()ni]+")
_MARK = re.compile(r"\d{1,3}(?:\s?[,;–-]\s?\d{1,3})*")
_IN_BRACKETS = re.compile(r"[(\[](\w{1,3})[)\]]|(\w{1,3})\)")
_SIGNED = re.compile(r"[+\-−–]\s?\d+(?:[.,]\d+)?")
_MONEY = r"(?:[$€£¥￥₩₹元円]|EUR|USD|GBP|CHF|RMB|[Ee]uros?|dollars?|yuan|kr\b|zł)"
_PRICE = re.compile(rf"{_MONEY}\s?\d[\d,.' ]*$")
_MONEY_NEXT = re.compile(rf"\s?{_MONEY}")
_CENTS = re.compile(rf"(\d\d)(\s?{_MONEY})?")
_HAS_CENTS = re.compile(r"\d[.,]\d\d$")
_BASE = re.compile(r"(?:^|[^\d.,])(?:10|2)$")
_TIMES = re.compile(r"[×·*⋅x]\s?(?:10|2)$")
_IN_FORMULA = re.compile(r"\s?[=+×·*⋅]\s?\w")
_SYMBOL = re.compile(
    r"(?:^|[^A-Za-zµμΩ])(?:[kcdmnµμ]?m|in|ft|yd|mi|min|[kM]?Hz|[kM]?W|kg|[A-Za-zµμΩ])$|[)\]]$"
)
_VARIABLES = set("nkxyzijtT")
_ORDINAL_LETTERS = set("eo")  # 2ᵉ, 1ᵒ


def raised(words: str) -> str:
    """Return words that stand above the line, enclosed for `settle`."""
    return f"{_UP}{words}{_UP_END}"


def lowered(words: str) -> str:
    """Return words that stand below the line, enclosed for `settle`."""
    return f"{_DOWN}{words}{_DOWN_END}"


def struck(words: str) -> str:
    """Return struck-through words, enclosed for `settle`: they become `~~99 euros~~`."""
    return f"{_STRUCK}{words}{_STRUCK_END}"


def note_mark(mark: str) -> str:
    """Return the mark of a note as it stands in the text and before the note."""
    return f"(note {mark})"


def settle(text: str, notes: set[str]) -> str:
    """Return a paragraph whose enclosed words are written in one line.

    `10^6`, `m²`, `CO2`, `19.99`, `1 1/2`, `~~99 euros~~`. What may be the mark of a note is left
    for `settle_notes`.

    Args:
        text: The paragraph.
        notes: Marks of the notes so far; a paragraph that begins with a raised figure is one.
    """
    for end, start in ((_UP_END, _UP), (_DOWN_END, _DOWN), (_STRUCK_END, _STRUCK)):
        text = text.replace(end + start, "")
    text = _FRACTION.sub(_fraction, text)
    first = _FIRST_MARK.match(text)
    if first and len(first[2].strip()) > 1 and not _ELEMENT.match(first[2]):
        notes.add(first[1])
        text = f"{note_mark(first[1])} {text[first.end() :].lstrip()}"
    return _STRUCK_WORDS.sub(_struck_words, _written(text))


def is_unsettled(text: str) -> bool:
    """Tell whether a text has figures that only `settle_notes` can write."""
    return _MAYBE in text


def settle_notes(text: str, notes: Collection[str]) -> str:
    """Return a text whose doubtful figures are marks of notes where such notes exist."""

    def write(found: re.Match[str]) -> str:
        mark = found[1]
        before = found.string[max(0, found.start() - 1) : found.start()]
        if all(part in notes for part in re.findall(r"\d+", mark)):
            return _after(before, note_mark(mark))
        return f"^{mark}" if before.isdecimal() else mark.translate(_SIGNS)

    return _MAYBE_NOTE.sub(write, text)


def _written(text: str) -> str:
    """Return the text with each raised or lowered word written as what stands around it says."""
    pieces: list[str] = []
    before = ""
    place = 0
    for found in _SMALL.finditer(text):
        between = text[place : found.start()]
        place = found.end()
        before = (before + between)[-_CONTEXT:]
        words = found[1] if found[1] is not None else found[2]
        after = text[place : place + _CONTEXT]
        write = _up if found[1] is not None else _down
        written = _spaced(write, words, before, after)
        if after[:1].isdecimal() and written[-1:] not in ("", " "):
            written += " "
        pieces += [between, written]
        before = (before + written)[-_CONTEXT:]
    return "".join([*pieces, text[place:]])


def _spaced(write: Callable[[str, str, str], str], words: str, before: str, after: str) -> str:
    core = words.strip()
    if not core:
        return words
    left, _, right = words.partition(core)
    if before[-1:].isdecimal():
        left = ""
    return left + write(core, before + left, after) + right


def _up(core: str, before: str, after: str) -> str:
    """Return a raised word."""
    last = before[-1:]
    cents = _CENTS.fullmatch(core)
    is_price = _PRICE.search(before) or _MONEY_NEXT.match(after) or (cents and cents[2])
    if cents and is_price and last and (last in ".," or last.isdecimal()):
        if not _HAS_CENTS.search(before):
            return ("" if last in ".," else ".") + core
    if last.isdecimal() and core in ("o", "0", "°", "º") and re.match(r"\s?[CF]\b", after):
        return "°"
    if _IN_BRACKETS.fullmatch(core):
        mark = core.strip("()[]")
        return _after(last, note_mark(mark)) if last else core
    if _MARK.fullmatch(core):
        is_power = _TIMES.search(before) or _IN_FORMULA.match(after)
        return _figure(core, before, is_price=bool(is_price), is_power=bool(is_power))
    if _SIGNED.fullmatch(core) and last.isdecimal():
        return "^" + core.replace("−", "-").replace("–", "-").replace(" ", "")
    if core.isalpha():
        return _letters(core, before)
    if last.isdecimal() and core[:1].isalnum() or _SYMBOL.search(before) and core[1:]:
        return core.translate(_SIGNS) if _is_ion(core, last) else f"^({core})"
    return core.translate(_SIGNS) if _IN_SIGNS.fullmatch(core) else core


def _figure(core: str, before: str, *, is_price: bool, is_power: bool) -> str:
    """Return a raised figure without a sign: a power, part of a unit, or the mark of a note."""
    last = before[-1:]
    maybe = f"{_MAYBE}{core}{_MAYBE_END}"
    if not last:
        return core.translate(_SIGNS)
    if last.isdecimal():
        if is_power:
            return f"^{core}"
        if is_price:
            return f" {note_mark(core)}"
        if _BASE.search(before):
            return maybe if core == "1" else f"^{core}"
        is_list = not core.isdecimal()  # 1, 2: no power has several figures
        return f" {note_mark(core)}" if core == "1" or is_list else maybe
    return core.translate(_SIGNS) if _SYMBOL.search(before) else maybe


def _letters(core: str, before: str) -> str:
    last = before[-1:]
    if len(core) > 1 or core in _ORDINAL_LETTERS or not last.isalnum():
        return core
    if last.isdecimal():
        return f"^{core}" if core in _VARIABLES else f" {note_mark(core)}"
    return f"^{core}" if core in _VARIABLES and _SYMBOL.search(before) else core


def _is_ion(core: str, last: str) -> bool:
    return not last.isdecimal() and _IN_SIGNS.fullmatch(core) is not None


def _down(core: str, before: str, after: str) -> str:
    return f"_{core}" if before[-1:].isdecimal() and core[:1].isdecimal() else core


def _after(last: str, mark: str) -> str:
    return mark if last.isspace() or not last else f" {mark}"


def _fraction(found: re.Match[str]) -> str:
    whole = found[1] or found[5] or ""
    above, below = found[2] or found[6], found[3] or found[4] or found[7]
    return f"{whole} {above}/{below}" if whole else f"{above}/{below}"


def _struck_words(found: re.Match[str]) -> str:
    left, words, right = found.groups()
    return f"{left}~~{words}~~{right}" if words else left + right

"""Numbers as Excel shows them: what a format code (ECMA-376 part 1, 18.8.31) makes of a value.

It knows codes, days and months; it does not know cells or styles. Decimals are written with a point
and groups with a comma, whatever the country. Days whose pattern Excel takes from the reader's own
computer are written as ISO 8601.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction

from knowledge.parsing.sheets.format_codes import Section, Token, sections_of

BUILT_IN = {
    1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00",
    12: "# ?/?", 13: "# ??/??", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)", 41: "#,##0", 42: "$#,##0",
    43: "#,##0.00", 44: "$#,##0.00", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0",
    49: "@",
}  # fmt: skip
"""The codes that a file only names by number (18.8.30)."""
LOCAL_DAYS = {14, *range(27, 32), 36, *range(50, 55), 57, 58}  # their pattern is the computer's
LOCAL_MOMENTS = {22}
LOCAL_TIMES = {*range(32, 36), 55, 56}
MOST_DIGITS = 400  # of a number that is written out; the largest double has 309
_EXACT = Context(prec=2 * MOST_DIGITS, rounding=ROUND_HALF_UP)
DAY_S = 86_400
LAST_DAY = 2_958_466  # 10000-01-01, which Excel does not show
_PLAIN = re.compile(r"(#,##|#*)0(\.0+)?")
_NOT_ZERO = re.compile("[1-9]")
_FRACTION = re.compile(r"(?:[#0?]+[^#0?/]*?)?([#0?]+)\s*/\s*([#0?]+|\d+)")
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre "
    "diciembre",
    "zh": "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月",
    "ja": "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
}
_SHORT_MONTHS = {
    "fr": "janv févr mars avr mai juin juil août sept oct nov déc",
    "zh": _MONTHS["ja"],
    "ja": _MONTHS["ja"],
}
_DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "zh": "星期一 星期二 星期三 星期四 星期五 星期六 星期日",
    "ja": "月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日",
}
_SHORT_DAYS = {"de": 2, "en": 3, "es": 3, "fr": 3, "ja": 1}  # letters


class NumberFormat:
    """A format code, taken apart once for all cells that have it."""

    def __init__(self, code: str, *, starts_1904: bool = False) -> None:
        """Take the code apart; `starts_1904`: the first day of the workbook is in 1904."""
        self._starts_1904 = starts_1904
        sections = sections_of(code)
        is_text = len(sections) == 4 or sections[-1].has("text")
        self._text = sections[-1] if is_text else None
        self._numbers = sections[:-1] if is_text else sections
        self._digits = {section.code: _Digits(section.tokens) for section in self._numbers}

    def words(self, text: str) -> str:
        """Return how text is shown: a code may put words around it."""
        if self._text is None or self._text.has("date", "elapsed"):
            return text
        shown = "".join(text if t.kind == "text" else t.text for t in self._text.tokens)
        return shown if self._text.has("text") or not self._text.code else text

    def number(self, value: str) -> str:
        """Return how a number is shown; `value` is written as in the file."""
        try:
            amount = float(value)
        except ValueError:
            return value
        if not math.isfinite(amount):
            return value
        section, is_negative = self._choose(amount)
        if section is None:
            return general(value)
        if section.has("date", "elapsed"):
            return _moment(section, amount, starts_1904=self._starts_1904) or general(value)
        exact = value.lstrip("-").isdecimal() and len(value) <= MOST_DIGITS
        number = abs(Decimal(value if exact else f"{amount:.15g}"))  # Excel keeps 15 digits
        shown = self._without_sign(section, number, general(value.lstrip("-")))
        is_zero = is_negative and section.has("digit") and not _NOT_ZERO.search(shown)
        return f"-{shown}" if is_negative and not is_zero else shown

    def _without_sign(self, section: Section, number: Decimal, plain: str) -> str:
        """Return a number without its sign."""
        if section.has("general"):
            shown = "".join(plain if t.kind == "general" else t.text for t in section.tokens)
        elif section.has("slash") and (found := _FRACTION.search(_bare(section.tokens))):
            shown = _fraction(section, number, found)
        else:
            shown = self._digits[section.code].write(number)
        return " ".join(shown.split())

    def _choose(self, amount: float) -> tuple[Section | None, bool]:
        """Return the section for a number, and whether it needs a minus before it."""
        sections = self._numbers
        if any(section.condition for section in sections):
            return _choose_by_condition(sections, amount)
        if not sections:
            return None, False
        if amount < 0 and len(sections) > 1:
            return sections[1], False
        if amount == 0 and len(sections) > 2:
            return sections[2], False
        return sections[0], amount < 0


def built_in(number: int, *, starts_1904: bool = False) -> NumberFormat | None:
    """Return a format that has only a number; None: as it comes."""
    local = {**dict.fromkeys(LOCAL_DAYS, "yyyy-mm-dd"), **dict.fromkeys(LOCAL_TIMES, "hh:mm:ss")}
    local |= dict.fromkeys(LOCAL_MOMENTS, "yyyy-mm-dd hh:mm")
    code = BUILT_IN.get(number) or local.get(number)
    return NumberFormat(code, starts_1904=starts_1904) if code else None


def general(value: str) -> str:
    """Return a number without a format: no digit is lost, though Excel shows eleven."""
    if value.lstrip("-").isdecimal():
        return value
    try:
        shown = f"{float(value):.15g}"
    except ValueError:
        return value
    return shown.replace("e", "E")


def _choose_by_condition(sections: Sequence[Section], amount: float) -> tuple[Section | None, bool]:
    for section in sections:
        if section.condition is None:
            continue
        sign, bound = section.condition
        holds = {
            "<": amount < bound, "<=": amount <= bound, ">": amount > bound,
            ">=": amount >= bound, "=": amount == bound, "<>": amount != bound,
        }[sign]  # fmt: skip
        if holds:
            return section, amount < 0 and not (sign in ("<", "<=") and bound <= 0)
    free = [section for section in sections if section.condition is None]
    if amount < 0 and len(free) == 2:
        return free[0], False
    return (free[-1] if free else None), amount < 0


def _bare(tokens: Sequence[Token]) -> str:
    """Return the signs of a section, without the words between them."""
    return "".join(t.text if t.kind != "words" or t.text.isdecimal() else " " for t in tokens)


class _Digits:
    """The places of a section at which digits stand."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        places = [i for i, token in enumerate(tokens) if token.kind == "digit"]
        power = next((i for i, token in enumerate(tokens) if token.kind == "power"), len(tokens))
        points = [i for i, token in enumerate(tokens[:power]) if token.kind == "point"]
        point = points[0] if points else power
        self._whole = [i for i in places if i < point]
        self._decimals = [i for i in places if point < i < power]
        self._exponent = [i for i in places if i > power]
        commas = [i for i, token in enumerate(tokens) if token.kind == "comma" and i < power]
        last = max(self._whole, default=-1)
        self._is_grouped = any(min(self._whole, default=last) < i < last for i in commas)
        after = [i for i in commas if i > max(last, *self._decimals, -1) or last < i < point]
        self._shift = 2 * sum(token.kind == "percent" for token in tokens) - 3 * len(after)
        self._smallest = Decimal(1).scaleb(-len(self._decimals))
        self._plain = self._as_plain()

    def _as_plain(self) -> tuple[str, str, str] | None:
        """Return what stands before and after, and Python's format of the digits, if it can do it.

        It can where they stand together and only the last before the point is always shown.
        """
        places = [*self._whole, *self._decimals]
        shape = "".join(t.text for t in self._tokens[places[0] : places[-1] + 1]) if places else ""
        if self._exponent or not _PLAIN.fullmatch(shape):
            return None
        before = "".join(token.text for token in self._tokens[: places[0]])
        after = [t.text for t in self._tokens[places[-1] + 1 :] if t.kind not in ("comma", "point")]
        return before, ",f" if self._is_grouped else "f", "".join(after)

    def write(self, number: Decimal) -> str:
        """Return the section with the digits of a number."""
        number = number.scaleb(self._shift, _EXACT) if self._shift else number
        if self._plain is not None:
            before, form, after = self._plain
            return f"{before}{number.quantize(self._smallest, context=_EXACT):{form}}{after}"
        exponent = 0
        if self._exponent and number:
            step = max(1, len(self._whole))
            exponent = math.floor(number.adjusted() / step) * step
            number = number.scaleb(-exponent, _EXACT).quantize(self._smallest, context=_EXACT)
            if number.adjusted() >= step:
                exponent += step
                number = number.scaleb(-step, _EXACT)
        number = number.quantize(self._smallest, context=_EXACT)
        whole, _, decimals = f"{number:f}".partition(".")
        shown = self._whole_digits(whole.lstrip("0")) | self._decimal_digits(decimals)
        shown |= _from_right(self._tokens, self._exponent, str(abs(exponent)))
        has_decimals = any(shown[i].strip() for i in self._decimals)
        return "".join(
            self._word(token, exponent, has_decimals=has_decimals) if i not in shown else shown[i]
            for i, token in enumerate(self._tokens)
        )

    def _word(self, token: Token, exponent: int, *, has_decimals: bool) -> str:
        match token.kind:
            case "comma":
                return ""
            case "point":
                return "." if has_decimals else ""
            case "power":
                return "E-" if exponent < 0 else token.text.rstrip("-")
            case _:
                return token.text

    def _whole_digits(self, digits: str) -> dict[int, str]:
        shown = _from_right(self._tokens, self._whole, digits)
        if not self._is_grouped:
            return shown
        left = sum(character.isdecimal() for words in shown.values() for character in words)
        for place in self._whole:
            grouped = ""
            for character in shown[place]:
                left -= character.isdecimal()
                grouped += f"{character}," if character.isdecimal() and left % 3 == 0 < left else (
                    character
                )  # fmt: skip
            shown[place] = grouped
        return shown

    def _decimal_digits(self, digits: str) -> dict[int, str]:
        shown: dict[int, str] = {}
        meant = len(digits.rstrip("0"))
        for number, place in enumerate(self._decimals):
            sign = self._tokens[place].text
            digit = digits[number : number + 1] or "0"
            shown[place] = digit if sign == "0" or number < meant else "" if sign == "#" else " "
        return shown


def _from_right(tokens: Sequence[Token], places: Sequence[int], digits: str) -> dict[int, str]:
    """Return place → digits: one each from the right, at the first one all that are left."""
    shown: dict[int, str] = {}
    for place in reversed(places):
        digit = digits[-1:] or {"0": "0", "?": " "}.get(tokens[place].text, "")
        digits = digits[:-1]
        shown[place] = digit
    if digits and places:
        shown[places[0]] = digits + shown[places[0]]
    return shown


def _fraction(section: Section, number: Decimal, found: re.Match[str]) -> str:
    """Return a number as a fraction, `1 3/4`."""
    bottom = found[2]
    is_fixed = bottom.isdecimal() and int(bottom) > 0
    exact = Fraction(number)
    if is_fixed:
        top = round(exact * int(bottom))
        value, below = Fraction(top, int(bottom)), int(bottom)
    else:
        value = exact.limit_denominator(10 ** min(len(bottom), 5) - 1)
        below = value.denominator
    has_whole = len(found[0].split("/")[0].split()) > 1
    whole = int(value) if has_whole else 0
    above = round((value - whole) * below)
    words = [str(whole)] if whole or (has_whole and not above) else []
    words += [f"{above}/{below}"] if above or not has_whole else []
    signs = [i for i, token in enumerate(section.tokens) if token.kind in ("digit", "slash")]
    before = "".join(token.text for token in section.tokens[: signs[0]])
    after = "".join(t.text for t in section.tokens[signs[-1] + 1 :] if not t.text.isdecimal())
    return f"{before}{' '.join(words)}{after}"


def _moment(section: Section, amount: float, *, starts_1904: bool) -> str:
    """Return a day, a time or a span; nothing where there is no such day."""
    tokens = section.tokens
    has_parts = any(t.kind == "point" for t in tokens)
    seconds = round(amount * DAY_S, 3) if has_parts else float(round(amount * DAY_S))
    if section.has("elapsed"):
        sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
        return sign + _written(section, _Moment(None, seconds))
    days, seconds = divmod(seconds, DAY_S)
    if not 0 <= days < LAST_DAY:
        return ""
    if days == 0 and not starts_1904 and not any(t.text[:1] in "hs" for t in tokens):
        return _clock(seconds)  # there is no such day: it was meant as a time
    return _written(section, _Moment(_day(int(days), starts_1904=starts_1904), seconds))


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{second:02}"


@dataclass(frozen=True, slots=True)
class _Moment:
    day: date | None
    seconds: float


def _day(days: int, *, starts_1904: bool) -> date:
    """Return a day by its number; to Excel, 1900 had a 29 February, which is number 60."""
    if starts_1904:
        return date(1904, 1, 1) + timedelta(days=days)
    return date(1899, 12, 30) + timedelta(days=days + (days < 60))


def _written(section: Section, moment: _Moment) -> str:
    tokens = section.tokens
    named = ["", *(t.text[0] for t in tokens if t.kind in ("date", "elapsed")), ""]
    at = 0  # the parts of a day or time so far
    shown: list[str] = []
    for place, (kind, words) in enumerate(tokens):
        if kind == "point":
            rest = "".join(token.text for token in tokens[place + 1 :])
            width = min(len(rest) - len(rest.lstrip("0")), 3)
            shown.append(f"{moment.seconds % 1:.{width}f}"[1:] if width else words)
        elif kind in ("date", "elapsed"):
            at += 1
            is_time = named[at - 1] == "h" or named[at + 1] == "s"
            if kind == "elapsed":
                unit_s = {"h": 3_600, "m": 60, "s": 1}[words[0]]
                shown.append(f"{int(moment.seconds // unit_s):0{len(words)}}")
            elif is_time and words in ("m", "mm"):
                shown.append(f"{int(moment.seconds // 60) % 60:0{len(words)}}")
            else:
                shown.append(_part(section, words, moment))
        elif kind == "half":
            shown.append(words.split("/")[moment.seconds % DAY_S >= DAY_S / 2])
        elif kind != "digit":  # those of a second stand with their point
            shown.append(words)
    return " ".join("".join(shown).split())


def _part(section: Section, words: str, moment: _Moment) -> str:
    """Return a part of a day or time."""
    width = min(len(words), 2)
    hour = int(moment.seconds // 3_600)
    day = moment.day or date(1900, 1, 1)
    match words[0]:
        case "h":
            return f"{((hour % 24 + 11) % 12 + 1) if section.has('half') else hour % 24:0{width}}"
        case "s":
            return f"{int(moment.seconds) % 60:0{width}}"
        case "y":
            return f"{day.year % 100:02}" if len(words) < 3 else f"{day.year:04}"
        case "e":
            return f"{day.year:04}"
        case "b":
            return f"{(day.year + 543) % 100:02}" if len(words) < 3 else f"{day.year + 543}"
        case "m":
            return _month(section.language, len(words), day.month)
        case "a":
            name = _DAYS["zh"].split()[day.weekday()]
            return name if len(words) > 3 else name[-1]
        case "d" if len(words) > 2:
            return _weekday(section.language, day.weekday(), is_short=len(words) == 3)
        case "d":
            return f"{day.day:0{width}}"
        case _:
            return ""


def _month(language: str, length: int, month: int) -> str:
    name = _MONTHS[language].split()[month - 1]
    if length < 3:
        return f"{month:0{length}}"
    if length == 3:
        short = _SHORT_MONTHS.get(language)
        return short.split()[month - 1] if short else name[:3]
    return name[0] if length == 5 else name


def _weekday(language: str, weekday: int, *, is_short: bool) -> str:
    name = _DAYS[language].split()[weekday]
    if not is_short:
        return name
    return f"周{name[-1]}" if language == "zh" else name[: _SHORT_DAYS[language]]

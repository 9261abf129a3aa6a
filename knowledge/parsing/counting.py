"""A number as a list shows it: `3`, `c`, `iii`, `三`, `③`, `丙`.

It knows the formats of Office (ECMA-376 17.18.59) by their names there; it does not know lists.
"""

import re
from collections.abc import Callable

LARGEST = 32_767  # Word's own; a larger number is written in figures
_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
    (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_UNITS = "十百千万"
_PLAIN = "〇一二三四五六七八九"
_LEGAL = "零壹贰叁肆伍陆柒捌玖"
_LEGAL_TRADITIONAL = "零壹貳參肆伍陸柒捌玖"
_ONES = (
    "Zero One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Thirteen Fourteen "
    "Fifteen Sixteen Seventeen Eighteen Nineteen"
).split()
_TENS = "Twenty Thirty Forty Fifty Sixty Seventy Eighty Ninety".split()
_ORDINALS = {
    "One": "First", "Two": "Second", "Three": "Third", "Five": "Fifth", "Eight": "Eighth",
    "Nine": "Ninth", "Twelve": "Twelfth",
}  # fmt: skip

Writer = Callable[[int], str]


def count(number: int, style: str) -> str:
    """Return a number in a format; in figures where the format is unknown or ends before it.

    Args:
        number: What to write.
        style: A name of Office: `decimal`, `lowerLetter`, `chineseCounting` …; a list of numbers
            (`001, 002`) tells how many figures it has at least.
    """
    if style in ("none", "bullet"):
        return ""
    if style.startswith("0"):
        return str(number).zfill(len(re.split(r"\D", style, maxsplit=1)[0]))
    if not 0 <= number <= LARGEST:
        return str(number)
    written = _WRITERS[style](number) if style in _WRITERS else ""
    return written or str(number)


def _repeated(letters: str) -> Writer:
    """Return what writes `a` … `z`, `aa`, `bb`: the same letter again, as Word does."""

    def write(number: int) -> str:
        rounds, place = divmod(number - 1, len(letters))
        return letters[place] * (rounds + 1) if 0 <= rounds < 50 else ""

    return write


def _one_of(signs: str) -> Writer:
    return lambda number: signs[number - 1] if 1 <= number <= len(signs) else ""


def _figures(signs: str) -> Writer:
    """Return what writes each figure as a sign of its own: `二〇`."""
    table = str.maketrans("0123456789", signs)
    return lambda number: str(number).translate(table)


def _roman(number: int) -> str:
    written = ""
    for value, letters in _ROMAN:
        written += letters * (number // value)
        number %= value
    return written if len(written) <= 40 else ""


def _places(signs: str, units: str, *, says_one: bool) -> Writer:
    """Return what writes figures with their places: `二十一`, `一百零一`.

    Args:
        signs: Zero to nine.
        units: Ten, hundred, thousand, ten thousand.
        says_one: 10 is `壹拾`, not `十`.
    """

    def below_ten_thousand(number: int) -> str:
        written, gap = "", False
        for place in (3, 2, 1, 0):
            figure = number // 10**place % 10
            if not figure:
                gap = bool(written)
                continue
            written += signs[0] * gap + signs[figure] + (units[place - 1] if place else "")
            gap = False
        return written

    def write(number: int) -> str:
        high, low = divmod(number, 10_000)
        written = below_ten_thousand(low)
        if high:
            joint = signs[0] if 0 < low < 1_000 else ""
            written = below_ten_thousand(high) + units[3] + joint + written
        if not says_one and 10 <= number < 20:
            written = written[1:]
        return written or signs[0]

    return write


def _short(write: Writer, zero: str, one: str = "") -> Writer:
    """Return what leaves out each zero, and `one` before a place: `百一`."""
    before_place = re.compile(f"{one}(?=[{_UNITS}십백천])") if one else re.compile("(?!)")
    return lambda number: before_place.sub("", write(number).replace(zero, "")) or zero


def _words(number: int) -> str:
    if number >= 1_000:
        high, low = divmod(number, 1_000)
        return f"{_words(high)} Thousand {_words(low) if low else ''}".strip()
    if number >= 100:
        high, low = divmod(number, 100)
        return f"{_words(high)} Hundred {_words(low) if low else ''}".strip()
    if number < 20:
        return _ONES[number]
    tens, one = divmod(number, 10)
    return _TENS[tens - 2] + (f"-{_ONES[one]}" if one else "")


def _ordinal_words(number: int) -> str:
    head, last = re.fullmatch(r"(.*?)(\w+)", _words(number)).groups()  # type: ignore[union-attr]  # never empty
    plain = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return f"{head}{_ORDINALS.get(last, plain)}"


def _ordinal(number: int) -> str:
    is_teen = number // 10 % 10 == 1
    return f"{number}{'th' if is_teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _sexagenary(number: int) -> str:
    stems, branches = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
    return stems[(number - 1) % 10] + branches[(number - 1) % 12]


def _upper(write: Writer) -> Writer:
    return lambda number: write(number).upper()


def _run(first: str, last: str) -> str:
    return "".join(map(chr, range(ord(first), ord(last) + 1)))


_LATIN = _repeated(_run("a", "z"))
_RUSSIAN = _repeated("абвгдежзиклмнопрстуфхцчшщыэюя")
_CHINESE = _places("零" + _PLAIN[1:], _UNITS, says_one=False)
_TAIWANESE = _places("零" + _PLAIN[1:], "十百千萬", says_one=False)
_KANA = (
    "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"
)
_IROHA = (
    "イロハニホヘトチリヌルヲワカヨタレソツネナラム"
    "ウヰノオクヤマケフコエテアサキユメミシヱヒモセスン"
)
_CIRCLED = _one_of(_run("①", "⑳") + _run("㉑", "㉟") + _run("㊱", "㊿"))
_WRITERS: dict[str, Writer] = {
    "decimal": str,
    "decimalHalfWidth": str,
    "decimalZero": lambda number: f"{number:02}",
    "decimalFullWidth": _figures(_run("０", "９")),
    "decimalFullWidth2": _figures(_run("０", "９")),
    "decimalEnclosedCircle": _CIRCLED,
    "decimalEnclosedCircleChinese": _CIRCLED,
    "decimalEnclosedFullstop": _one_of(_run("⒈", "⒛")),
    "decimalEnclosedParen": _one_of(_run("⑴", "⒇")),
    "decimalBlackCircle": _one_of(_run("❶", "❿") + _run("⓫", "⓴")),
    "numberInDash": lambda number: f"- {number} -",
    "hex": lambda number: f"{number:X}",
    "lowerLetter": _LATIN,
    "upperLetter": _upper(_LATIN),
    "lowerRoman": _roman,
    "upperRoman": _upper(_roman),
    "ordinal": _ordinal,
    "cardinalText": _words,
    "ordinalText": _ordinal_words,
    "chicago": _repeated("*†‡§"),
    "chineseCounting": lambda n: _CHINESE(n) if n < 100 else _figures(_PLAIN)(n),
    "chineseCountingThousand": _CHINESE,
    "chineseLegalSimplified": _places(_LEGAL, "拾佰仟万", says_one=True),
    "taiwaneseCounting": lambda n: _TAIWANESE(n) if n < 100 else _figures(_PLAIN)(n),
    "taiwaneseCountingThousand": _TAIWANESE,
    "taiwaneseDigital": _figures(_PLAIN),
    "ideographLegalTraditional": _places(_LEGAL_TRADITIONAL, "拾佰仟萬", says_one=True),
    "ideographDigital": _figures(_PLAIN),
    "ideographTraditional": _one_of("甲乙丙丁戊己庚辛壬癸"),
    "ideographZodiac": _one_of("子丑寅卯辰巳午未申酉戌亥"),
    "ideographZodiacTraditional": _sexagenary,
    "ideographEnclosedCircle": _one_of(_run("㊀", "㊉")),
    "japaneseCounting": _short(_CHINESE, "零", "一"),
    "japaneseDigitalTenThousand": _figures(_PLAIN),
    "japaneseLegal": _short(_places("零壱弐参四伍六七八九", "拾百阡萬", says_one=True), "零"),
    "aiueo": _repeated(_KANA),
    "aiueoFullWidth": _repeated(_KANA),
    "iroha": _repeated(_IROHA),
    "irohaFullWidth": _repeated(_IROHA),
    "ganada": _repeated("가나다라마바사아자차카타파하"),
    "chosung": _repeated("ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"),
    "koreanDigital": _figures("영일이삼사오육칠팔구"),
    "koreanDigital2": _figures(_PLAIN),
    "koreanCounting": _short(
        _places("영일이삼사오육칠팔구", "십백천만", says_one=False), "영", "일"
    ),
    "russianLower": _RUSSIAN,
    "russianUpper": _upper(_RUSSIAN),
    "hindiNumbers": _figures(_run("०", "९")),
    "thaiNumbers": _figures(_run("๐", "๙")),
    "thaiLetters": _repeated("กขคงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ"),
    "arabicAlpha": _repeated("أبتثجحخدذرزسشصضطظعغفقكلمنهوي"),
    "arabicAbjad": _repeated("أبجدهوزحطيكلمنسعفصقرشتثخذضظغ"),
    "hebrew2": _repeated("אבגדהוזחטיכלמנסעפצקרשת"),
}

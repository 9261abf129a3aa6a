"""Finds personal data in a text by patterns, Chinese and English: numbers of people and cards.

A number that carries a check digit must satisfy it, unless words before it say what it is. Han
letters are word characters to `re`, so borders are look-arounds. It finds no names, addresses or
birthdays: patterns cannot; a person reads a sample for those.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

# Words say what a number is if they stand at most so far before it: "card number, as I said: ".
CUE_CHARS: Final = 24


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One find.

    Attributes:
        kind: What it is, one of `KINDS`.
        start: First character, in code points.
        end: One past the last character.
    """

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Pattern:
    """How one kind is recognised: its shape, then a check, or a cue before it.

    Attributes:
        kind: Its name.
        shape: The pattern.
        holds: Whether a match is really one; None where the shape says enough.
        cue: What before a match makes up for a failed check; None where nothing does.
    """

    kind: str
    shape: re.Pattern[str]
    holds: Callable[[str], bool] | None = None
    cue: re.Pattern[str] | None = None


def find_personal_data(text: str) -> list[PersonalData]:
    """Return what is found in `text`, in its order and without overlaps."""
    found: list[PersonalData] = []
    if _ANYTHING.search(text) is None:
        return found
    for pattern in _PATTERNS:
        for match in pattern.shape.finditer(text):
            start, end = match.span()
            if all(end <= other.start or other.end <= start for other in found) and _is_one(
                pattern, text, match
            ):
                found.append(PersonalData(pattern.kind, start, end))
    return sorted(found, key=lambda one: one.start)


def mask_personal_data(text: str) -> str:
    """Return `text` with every find replaced by its kind in angle brackets."""
    parts, end = [], 0
    for one in find_personal_data(text):
        parts += [text[end : one.start], f"<{one.kind}>"]
        end = one.end
    return "".join([*parts, text[end:]])


def _is_one(pattern: _Pattern, text: str, match: re.Match[str]) -> bool:
    if pattern.holds is not None and pattern.holds(match.group()):
        return True
    if pattern.cue is None:
        return pattern.holds is None
    before = text[max(0, match.start() - CUE_CHARS) : match.start()]
    return pattern.cue.search(before) is not None


def _digits(text: str) -> list[int]:
    return [int(letter) for letter in text if letter.isdigit()]


def _is_luhn(text: str) -> bool:
    """Return whether a card's last digit fits the others (ISO/IEC 7812-1, Luhn)."""
    digits = _digits(text)[::-1]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return 13 <= len(digits) <= 19 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _is_resident_id(text: str) -> bool:
    """Return whether the last place fits (GB 11643, ISO 7064 MOD 11-2)."""
    places = [10 if letter in "Xx" else int(letter) for letter in text if letter not in " -"]
    weights = [pow(2, 17 - place, 11) for place in range(18)]
    return sum(p * w for p, w in zip(places, weights, strict=True)) % 11 == 1


_CREDIT_CODE_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def _is_credit_code(text: str) -> bool:
    """Return whether the last place fits (GB 32100, ISO 7064 MOD 31-3)."""
    values = [_CREDIT_CODE_LETTERS.index(letter) for letter in text.upper()]
    total = sum(v * pow(3, place, 31) for place, v in enumerate(values[:-1]))
    return (31 - total % 31) % 31 == values[-1]


def _is_iban(text: str) -> bool:
    """Return whether the check digits fit (ISO 13616, MOD 97-10)."""
    plain = "".join(text.split()).upper()
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def _is_address(text: str) -> bool:
    """Return whether it is an IP address that can belong to somebody's machine."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def _is_ssn(text: str) -> bool:
    """Return whether areas and groups are ones that are given out (SSA)."""
    area, group, serial = text[:3], text[4:6], text[7:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _has_digit(text: str) -> bool:
    """Return what tells a plate from a place and a word: real ones hold two letters at most."""
    return any(letter.isdigit() for letter in text)


def _is_own_line(text: str) -> bool:
    """Return whether it is not one of the numbers that only companies have (400, 800, 888)."""
    return "".join(map(str, _digits(text))).lstrip("1")[:3] not in ("400", "800", "888")


def _never(text: str) -> bool:
    """Return that the shape alone says nothing: words must."""
    return False


_LETTER = "0-9A-Za-z"
_HEX = "0-9A-Fa-f"  # a number is part of a longer one, or of a digest; "13812345678hhh" is none
_CREDIT = "0-9A-HJ-NPQRTUWXYa-hj-npqrtuwxy"
_PLATE_PLACES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼使领"
_ANYTHING = re.compile(r"[\d@]|::")
_CARD_CUE = re.compile(
    r"卡号|[行用蓄记]卡|账号|账户|帐号|\bcard\b|\bcredit\b|\bdebit\b", re.IGNORECASE
)
_PHONE_CUE = re.compile(
    r"\b(?:phone|tel|telephone|mobile|cell|call|fax|dial|contact|whatsapp|sms|desk)\b",
    re.IGNORECASE,
)

# In the order in which they take a stretch of text; an earlier kind is the more certain one.
_PATTERNS: Final = (
    _Pattern(
        "email",
        re.compile(
            r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}"
            rf"(?![{_LETTER}])"
        ),
    ),
    _Pattern(
        "ip_address",
        re.compile(
            rf"(?<![{_LETTER}.-])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?![.-]?[{_LETTER}])"
            rf"|(?<![{_LETTER}:.])(?:[0-9A-Fa-f]{{1,4}}::?){{2,7}}[0-9A-Fa-f]{{1,4}}(?![{_LETTER}:])"
        ),
        holds=_is_address,
    ),
    _Pattern(
        "cn_resident_id",
        re.compile(
            rf"(?<![{_LETTER}])[1-9]\d{{5}}[ -]?(?:18|19|20)\d{{2}}(?:0[1-9]|1[0-2])"
            rf"(?:0[1-9]|[12]\d|3[01])[ -]?\d{{3}}[\dXx](?![{_HEX}])"
        ),
        holds=_is_resident_id,
        cue=re.compile(r"身份|证件|证号|\bID\b"),
    ),
    _Pattern(
        "cn_credit_code",
        re.compile(rf"(?<![{_LETTER}])[{_CREDIT}]{{2}}\d{{6}}[{_CREDIT}]{{10}}(?![{_LETTER}])"),
        holds=_is_credit_code,
        cue=re.compile(r"信用代码|税号"),
    ),
    _Pattern(
        "iban",
        re.compile(
            rf"(?<![{_LETTER}])[A-Za-z]{{2}}\d{{2}}(?: ?[{_LETTER}]{{4}}){{2,7}}"
            rf"(?: ?[{_LETTER}]{{1,3}})?(?![{_LETTER}])"
        ),
        holds=_is_iban,
    ),
    _Pattern(
        "bank_card",
        re.compile(
            rf"(?<![{_LETTER}])(?<!\d[.-])(?:4|5[1-5]|2[2-7]|3|6)(?:[ -]?\d){{12,18}}"
            rf"(?![ -]?\d|[{_LETTER}])"
        ),
        holds=_is_luhn,
        cue=_CARD_CUE,
    ),
    _Pattern(
        "bank_card",
        re.compile(rf"(?<![{_LETTER}-])[1-9](?:[ -]?\d){{11,18}}(?![ -]?\d|[{_LETTER}])"),
        holds=_never,
        cue=_CARD_CUE,
    ),
    _Pattern(
        "cn_mobile",
        re.compile(
            rf"(?<![{_HEX}])(?<!\d[.])(?:(?:\+|00)?86[- ]?)?1[3-9]\d[- ]?\d{{4}}[- ]?\d{{4}}"
            rf"(?![{_HEX}])"
        ),
    ),
    _Pattern(
        "cn_landline",
        re.compile(
            # with its area code
            r"(?<![\d.-])(?:(?:\+|00)?86[- ]?)?[(（]?0?(?:10|2\d|[3-9]\d{2})[)）-][- ]?[2-9]\d{6,7}"
            r"(?:[-转]\d{1,6})?(?!\d)"
            r"|(?<![\d.-])0(?:10|2\d|[3-9]\d{2}) ?[2-9]\d{6,7}(?:[-转]\d{1,6})?(?!\d)"
        ),
    ),
    _Pattern(
        "cn_landline",
        re.compile(rf"(?<![{_LETTER}.-])[2-8]\d{{6,7}}(?:[-转]\d{{1,6}})?(?![{_LETTER}-])"),
        holds=_never,
        cue=re.compile(r"电话|致电|来电|座机|拨打|传真|记一下"),
    ),
    _Pattern(
        "us_ssn",
        re.compile(rf"(?<![{_LETTER}-])\d{{3}}-\d{{2}}-\d{{4}}(?![{_LETTER}-])"),
        holds=_is_ssn,
    ),
    _Pattern(
        "us_ssn",
        re.compile(rf"(?<![{_LETTER}])\d{{3}} ?\d{{2}} ?\d{{4}}(?![{_LETTER}])"),
        holds=_never,
        cue=re.compile(r"\bSSN\b|social security", re.IGNORECASE),
    ),
    _Pattern(
        "passport",
        re.compile(rf"(?<![{_LETTER}])[A-Za-z]{{1,2}}\d{{7,8}}(?![{_LETTER}])"),
        holds=_never,
        cue=re.compile(r"护照|通行证|\bpassports?\b", re.IGNORECASE),
    ),
    _Pattern(
        "cn_plate",
        re.compile(
            rf"[{_PLATE_PLACES}][A-Z][·•. -]?[A-Z0-9]{{4,5}}[A-Z0-9挂学警港澳](?![{_LETTER}])"
        ),
        holds=_has_digit,
    ),
    _Pattern(
        "phone",
        re.compile(
            # with its country code, or as North America writes it
            rf"(?:(?<![{_LETTER}+])\+\d{{1,3}}(?:[ .()/-]{{0,3}}\d){{6,13}}"
            rf"|(?<![{_LETTER}.+-])(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[.-])\d{{3}}[ .-]?"
            rf"\d{{4}})(?:x\d{{1,5}})?(?![{_LETTER}])"
        ),
        holds=_is_own_line,
    ),
    _Pattern(
        "phone",
        re.compile(
            rf"(?<![{_LETTER}.+-])(?=(?:[ .()-]{{0,3}}\d){{7,15}}(?![{_LETTER}]))"
            r"(?!(?:19|20)\d\d([.-])\d{1,2}\1\d{1,2})"  # a date
            rf"\(?\d{{2,10}}\)?(?:[ .()-]{{1,3}}\d{{2,8}}){{0,5}}(?![{_LETTER}])"
        ),
        holds=_never,
        cue=_PHONE_CUE,
    ),
)
KINDS: Final = tuple(dict.fromkeys(pattern.kind for pattern in _PATTERNS))

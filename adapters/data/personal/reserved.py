"""What surrogates look like as they are written; nobody has a number like these.

| kind | what no real one has |
| --- | --- |
| cn_mobile, a landline's own part | begins with 100, as none does: China keeps no range free |
| phone | 555-01dd of an area that does not exist (n9d), else begins with 999, which is no country |
| email | ends with `@masked.example` (RFC 2606) |
| ip_address | 198.51.100.128 to .254 (RFC 5737), 2001:db8:ffff::/48 (RFC 3849) |
| papers, cards, companies' codes | begins with 000 (passport O0, IBAN 00), check digit wrong |
| cn_plate | the letter I behind the province |
| wechat_id, qq_number | begins with _, with 0 |
| person_name, street_address | 某 and a cyclic sign; Example |

It knows the one spelling that `spelling.py` makes; it draws nothing.
"""

import re
from collections.abc import Sequence
from typing import Final

MASKED_HOST: Final = "masked.example"
STEMS: Final = "甲乙丙丁戊己庚辛壬癸"
BRANCHES: Final = "子丑寅卯辰巳午未申酉戌亥"
MIN_IP: Final = 128  # of the last place: people write examples of their own with small ones

_L: Final = "0-9A-Za-z"
_S: Final = "[ ._/~()-]{0,3}"
_CHINA: Final = r"(?:\(?(?:\+|00)?86\)?[ -]{0,2})?"
# Not behind a group of another number.
_ALONE: Final = rf"(?<![{_L}.+-])(?<!(?<!\d)\d{{3}}[ )-])(?<!(?<!\d)\d{{4}}[ )-])"
# These are taken before anything is looked for: real ones look the same. Each with what stands
# in a text that has one.
_FIRST: Final = (
    (MASKED_HOST, re.compile(rf"[{_L}._%+-]{{1,64}}@{re.escape(MASKED_HOST)}(?![{_L}])")),
    (
        "198.51.100.",
        re.compile(r"(?<![\d.])198\.51\.100\.(?:12[89]|1[3-9]\d|2[0-4]\d|25[0-4])(?!\d)"),
    ),
    ("2001:db8:ffff:", re.compile(r"(?<![0-9A-Fa-f:])2001:db8:ffff:[0-9a-f:]{1,30}")),
    (
        "00",
        re.compile(
            rf"(?<![{_L}])[A-Za-z]{{2}}00(?:[ -]?[{_L}]{{4}}){{2,7}}"
            rf"(?:[ -]?[{_L}]{{1,3}})?(?![{_L}])"
        ),
    ),
)
# These after numbers whose check digits are right, of which they could be a part.
_NUMBERS: Final = tuple(
    re.compile(pattern)
    for pattern in (
        # resident ID, card, company's code, SSN
        rf"(?<![{_L}])000\d{{4,15}}[\dXx](?![{_L}])",
        rf"{_ALONE}0{_S}0{_S}0(?:{_S}\d){{5,16}}{_S}[\dXx](?![{_L}])",
        rf"(?<![{_L}])000(?:[ -]?[{_L}]){{15}}(?![{_L}])",
        rf"(?<![{_L}])(?:[Oo][A-Za-z]?|[Oo][ -])0(?: ?\d){{6,9}}(?![{_L}])",
        rf"(?<![{_L}])[A-Za-z]{{1,2}}[ -]?000\d{{3}} ?-?\(?[{_L}]\)?(?![{_L}])",
        rf"(?<![{_L}])0[ /-]?\d{{6}}(?: ?\(\d\)|/\d)(?![{_L}])",
        # mobile, then landline with its area, without it
        rf"(?<![\d.]){_CHINA}0?\(?1{_S}0{_S}0(?:{_S}\d){{8}}(?!\d)",
        rf"(?<![\d.]){_CHINA}[(\[]?0?(?:10|2\d|[3-9]\d\d)[)\]]?[ ._/-]{{0,3}}100(?:[ .-]?\d){{4,5}}"
        r"(?:-\d{1,6})?(?!\d)",
        rf"{_ALONE}100(?:[ -]?\d){{4,5}}(?:-\d{{1,6}})?(?![{_L}])",
        rf"{_ALONE}(?:\+|00)?\(?9{_S}9{_S}9(?:{_S}\d){{4,13}}(?:x\d{{1,6}})?(?![{_L}])",
        rf"{_ALONE}(?:\+?1[ .-]?)?\(?[2-9]9\d\)?[ .-]{{0,2}}555[ .-]?01\d\d"
        rf"(?:x\d{{1,6}})?(?![{_L}])",
        rf"(?<![{_L}_])_[{_L}_-]{{5,19}}(?![{_L}_])",
        r"(?:[Qq]{2}|扣扣|企鹅)[^\d\n\0]{0,8}0(?: ?\d){4,10}(?!\d)",
    )
)
_NUMBER_SIGN: Final = re.compile(
    rf"0{_S}0|(?<!\d)0[ /-]?\d{{6}}|9{_S}9|[2-9]9\d|[Oo][A-Za-z]?[ -]?0|[Qq扣企]"
)
_NAME: Final = re.compile(
    rf"某[{STEMS}][{BRANCHES}]?(?:路\d{{1,3}}号)?"
    r"|[A-Z][a-z]{4} Example\b|\d{1,3} Example Street"
)


def blank_first(text: str) -> str:
    """Return `text` with what masking writes of e-mail, IP addresses and IBANs left out.

    Null characters stand for it, so that places stay.
    """
    for sign, pattern in _FIRST:
        if sign in text:
            text = pattern.sub(_blank, text)
    return text


def blank_numbers(text: str, regions: Sequence[tuple[int, int]]) -> str:
    """Return `text` with numbers of masking left out in the same way; they stand in `regions`."""
    parts, at = [], 0
    for start, end in regions:
        if _NUMBER_SIGN.search(text, start, end) is not None:
            region = text[start:end]
            for pattern in _NUMBERS:
                region = pattern.sub(_blank, region)
            parts += [text[at:start], region]
            at = end
    return "".join([*parts, text[at:]]) if parts else text


def blank_names(text: str) -> str:
    """Return `text` with names and street addresses of masking left out."""
    return _NAME.sub(_blank, text)


def _blank(match: re.Match[str]) -> str:
    return "\0" * len(match.group())

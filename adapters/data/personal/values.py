"""What a find says without its layout: two spellings of one number are one value.

It knows kinds and their spellings; it finds nothing.
"""

import ipaddress
import re
from typing import Final

_EMAIL_AT: Final = re.compile(r" ?(?:@|#|\(at\)|\[at\]|<at>|\(?艾特\)?| at ) ?", re.IGNORECASE)
_EMAIL_DOT: Final = re.compile(r" ?(?:\.|。|点|\(dot\)|\[dot\]| dot ) ?", re.IGNORECASE)
# What is dialled behind a number: 转801, x12, and -801 behind a number that is whole without it.
_EXTENSION: Final = re.compile(
    r" ?(?:转|轉|分机|分機|x|ext\.?|extension)[: ]?\d{1,6}$", re.IGNORECASE
)
_DASHED_EXTENSION: Final = re.compile(r"(?<=\d{7})-\d{1,6}$")
_OTHERS: Final = re.compile(r"[\W_]+")
_CHINA: Final = re.compile(r"^(?:00)?86(?=\d{9,12}$)")


def canonical(kind: str, text: str) -> str:
    """Return the value of `text`, a find of `kind` in its one spelling.

    Returns:
        Small letters for e-mail and IP addresses and WeChat names; else letters and digits alone,
        letters in capitals, telephone numbers without China's country code and extension.
    """
    if kind == "email":
        name, host = _EMAIL_AT.split(text, maxsplit=1)
        return f"{name}@{_EMAIL_DOT.sub('.', host)}".lower()
    if kind == "ip_address":
        plain = text.replace("。", ".")
        try:
            return str(ipaddress.ip_address(plain))
        except ValueError:
            return plain
    if kind == "wechat_id":
        return text.lower()
    if kind in ("person_name", "street_address"):
        return "".join(text.split()).casefold()
    if kind in ("phone", "cn_landline"):
        text = _EXTENSION.sub("", text)
    if kind == "cn_landline":
        number = _CHINA.sub("", only_letters(_DASHED_EXTENSION.sub("", text)))
        return number if number.startswith("0") or len(number) < 9 else f"0{number}"
    if kind == "cn_mobile":
        return only_letters(text)[-11:]
    return only_letters(text)


def only_letters(text: str) -> str:
    """Return letters and digits alone, letters in capitals."""
    return _OTHERS.sub("", text).upper()

"""One spelling of a text for patterns: width, spaces, dashes, dots and digits as ASCII has them.

Word processors and chat programs write one number in many ways: １３８, 138－0013, 138\u200b0013.
It knows letters and where they stood; it knows no kind of personal data.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_DOTS: Final = "·•‧・･∙⋅●﹒"
_DASHES: Final = "−ー─━"  # beside those that Unicode calls dashes
_CROSSES: Final = "×ХхΧχ"  # typed for the X that ends a resident ID
# Letters without width: formats, variation selectors, the box of a keycap.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20e3\ufe00-\ufe0f\ufeff]+"
)
# Where letters stand that have another spelling; ，！：；？ stay, as patterns know them.
_OTHERS: Final = re.compile(
    "[\u00a0\u00b7\u00d7\u0370-\u1fff\u2000-\u205f\u2100-\u22ff\u2500-\u25ff\u3000\u3030\u30fb\u30fc"
    "\ua4d0-\uabff\ufe10-\uff00\uff02-\uff0b\uff0d-\uff19\uff1c-\uff1e\uff20-\U0002ffff]"
)
_KEPT: Final = "，！：；？"
_HAN_DIGITS: Final = dict(
    zip(
        "零〇一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖貳參陸",
        "0012345678912123456789236",
        strict=True,
    )
) | dict(zip("⓪①②③④⑤⑥⑦⑧⑨", "0123456789", strict=True))
_HAN: Final = "".join(_HAN_DIGITS)
# So many in a row are read one by one, as numbers of telephones and papers are.
_SPELLED_OUT: Final = re.compile(
    rf"(?=[\d -]{{0,12}}[{_HAN}][ -]?[{_HAN}])(?:[{_HAN}\d][ -]?){{9,}}[{_HAN}\d]"
    rf"|[{_HAN}](?:[ -]?[{_HAN}]){{6,}}"
)
_HINT: Final = re.compile(rf"[{_HAN}](?:[ -]?[{_HAN}\d]){{3}}")
_TO_DIGITS: Final = str.maketrans(_HAN_DIGITS)


class _Table(dict[int, str]):
    """Letter by letter, made as letters are met; one letter always becomes one."""

    def __missing__(self, code: int) -> str:
        letter = self[code] = _plain(chr(code))
        return letter


def _plain(letter: str) -> str:
    if letter in _KEPT:
        return letter
    if letter in _DOTS:
        return "."
    if letter in _CROSSES:
        return "X"
    category = unicodedata.category(letter)
    if category == "Pd" or letter in _DASHES:
        return "-"
    if category == "Zs":
        return " "
    if category == "Nd":
        return str(unicodedata.decimal(letter))
    folded = unicodedata.normalize("NFKC", letter)
    # ¹ and ① stay: after a number they are notes, not digits of it.
    return folded if len(folded) == 1 and folded.isascii() and category[0] != "N" else letter


_TABLE: Final = _Table()


@dataclass(frozen=True, slots=True)
class Plain:
    """A text in its one spelling.

    Attributes:
        text: The spelling.
        places: Where each of its letters stood, with the source's length at the end; None where
            they stand where they stood.
    """

    text: str
    places: Sequence[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]` (not empty) stood in the source."""
        if self.places is None:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def spell(text: str) -> Plain:
    """Return `text` in its one spelling; letters without width are left out of it."""
    if text.isascii():
        return Plain(text)
    places = None
    if _INVISIBLE.search(text) is not None:
        places = [at for at, letter in enumerate(text) if _INVISIBLE.match(letter) is None]
        text = "".join(text[at] for at in places)
    plain = text.translate(_TABLE) if _OTHERS.search(text) is not None else text
    if _HINT.search(plain) is not None:
        plain = _SPELLED_OUT.sub(lambda run: run.group().translate(_TO_DIGITS), plain)
    return Plain(plain, places)

"""One spelling: full-width letters and digits, signs without width, line ends; Chinese characters.

Chinese punctuation stays, and so do ① and ㎡: this is no NFKC, which would change them. It knows
spellings; it does not know what a text means.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Literal

import opencc
from pydantic import BaseModel, ConfigDict

from adapters.data.rows import Row
from adapters.data.steps import Result, change, keep

Script = Literal["as_is", "simplified", "traditional"]

_FULL_WIDTH = 0xFEE0  # distance of a full-width sign to its ASCII form
# Not the punctuation of Chinese, and not ＂ and ＼, which would end a text of JSON or escape in it.
_SIGNS = "％＠＃＆＋＝＊＿／＄＜＞｜"
_TABLE: Mapping[int, str | None] = {
    **{code: chr(code - _FULL_WIDTH) for code in range(ord("０"), ord("９") + 1)},
    **{code: chr(code - _FULL_WIDTH) for code in range(ord("Ａ"), ord("Ｚ") + 1)},
    **{code: chr(code - _FULL_WIDTH) for code in range(ord("ａ"), ord("ｚ") + 1)},
    **{ord(sign): chr(ord(sign) - _FULL_WIDTH) for sign in _SIGNS},
    **dict.fromkeys(map(ord, "\u3000\u00a0\u2007\u202f"), " "),
    **dict.fromkeys(map(ord, "\u200b\u2060\ufeff\u00ad\u200e\u200f"), None),
    **dict.fromkeys(code for code in range(32) if chr(code) not in "\t\n"),
    0x7F: None,
}
_CHANGED = re.compile("[" + "".join(re.escape(chr(code)) for code in _TABLE) + "]")
_LINE_END = re.compile(r"\r\n?")
_BETWEEN_ASCII = re.compile(r"(?<=[0-9A-Za-z])[．－](?=[0-9A-Za-z])")  # ３．５, a－b
_TRAILING = re.compile(r"[ \t]+(?=\n|\Z)")


class NormaliseSettings(BaseModel):
    """Settings of `normalise`.

    Attributes:
        script: Chinese characters as they are, or all simplified or all traditional (opencc,
            character and phrase by phrase; words of a region are not replaced).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    script: Script = "as_is"


class Normalise:
    """Gives every turn, and the rejected answer of a pair, one spelling.

    Reasons: `spelling`, `script`; the latter where characters were converted.
    """

    name = "normalise"

    def __init__(self, settings: NormaliseSettings) -> None:
        self.settings: Mapping[str, object] = settings.model_dump()
        self._script = settings.script

    def run(self, rows: Iterable[Row]) -> Iterator[Result]:
        """Yield one result for each row; memory does not grow."""
        for row in rows:
            spelled = _replace_texts(row, normalise)
            made = spelled
            if self._script != "as_is":
                made = _replace_texts(spelled, _converter(self._script).convert)
            if made is row:
                yield keep(row)
            elif made is spelled:
                yield change(row, made, "spelling", "width, invisible signs or line ends")
            else:
                yield change(row, made, "script", f"characters made {self._script}")


def normalise(text: str) -> str:
    """Return a text in one spelling; doing it again changes nothing."""
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if _CHANGED.search(text):
        text = _LINE_END.sub("\n", text).translate(_TABLE)
        text = _BETWEEN_ASCII.sub(lambda sign: chr(ord(sign[0]) - _FULL_WIDTH), text)
    return _TRAILING.sub("", text) if " " in text or "\t" in text else text


@cache
def _converter(script: Script) -> opencc.OpenCC:
    return opencc.OpenCC("t2s" if script == "simplified" else "s2t")


def _replace_texts(row: Row, by: Callable[[str], str]) -> Row:
    """Return the row with every text replaced; the row itself where none changes.

    A text of which nothing would be left stays.
    """
    texts = [by(turn.content) or turn.content for turn in row.messages]
    meta, rejected = row.meta, row.meta.get("rejected")
    if isinstance(rejected, str) and (other := by(rejected) or rejected) != rejected:
        meta = {**meta, "rejected": other}
    if meta is row.meta and all(
        text == turn.content for text, turn in zip(texts, row.messages, strict=True)
    ):
        return row
    turns = zip(row.messages, texts, strict=True)
    return replace(row, messages=tuple(replace(t, content=text) for t, text in turns), meta=meta)

"""Reads a text's language off its script: enough to know which retriever can read it.

It knows Unicode ranges; it does not tell French from English (both are `en` here, Latin
script), and needs no model. An embedder says which codes it reads. Traditional Chinese letters are
compared as simplified ones; other words for one thing are not known: 計程車 is not 出租车.
"""

import re
from functools import cache, lru_cache

from opencc import OpenCC

ANY_LANGUAGE = "*"

_SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ja", re.compile(r"[\u3040-\u30ff\u31f0-\u31ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("zh", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
)
_HONG_KONG = tuple(zip("敍枱粧糭薴衞衹", "叙台妆粽苎卫只", strict=True))
"""What OpenCC's table for Taiwan leaves of its table for Hong Kong (1.4.2)."""
_HAN = dict(_SCRIPTS)["zh"]
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")


def detect_language(text: str) -> str:
    """Return the language whose script carries the most of `text`.

    A Han, kana or Hangul letter weighs like a Latin word: "iPhone 保修多久" is Chinese.

    Returns:
        An ISO 639-1 code; `en` for Latin script and for text without letters.
    """
    if text.isascii():  # no letter of the other scripts; most English text, at once
        return "en"
    latin = len(_LATIN_WORD.findall(text))
    counts = {code: len(pattern.findall(text)) for code, pattern in _SCRIPTS}
    if counts["ja"] and counts["ja"] * 10 >= counts["zh"]:  # kana decides: zh has none
        counts["ja"] += counts["zh"]
    code = max(counts, key=lambda name: counts[name])
    return code if counts[code] > latin or (counts[code] and not latin) else "en"


def written_language(text: str) -> str:
    """Return the language of a text, `zh-Hant` in traditional letters; empty where it is empty."""
    code = detect_language(text) if text.strip() else ""
    if code != "zh":
        return code
    traditional = sum(not letter.encode("gb2312", "ignore") for letter in text)
    simplified = sum(not letter.encode("big5", "ignore") for letter in text)
    return "zh-Hant" if traditional > simplified else "zh"


def reads(languages: frozenset[str], language: str) -> bool:
    """Return whether an embedder of `languages` reads `language`."""
    return ANY_LANGUAGE in languages or language in languages


def as_simplified(text: str) -> str:
    """Return a text with simplified letters, each in the place of its own: offsets hold in both.

    The letters of Taiwan and Hong Kong are known, and words in which one stays (乾隆, not 乾燥).
    Letters that Japan alone has (図, 気) stay; those that it shares with China fold wherever they
    are compared, in text and question alike.
    """
    if text.isascii():
        return text
    # t2s would leave 著 in 沿著; OpenCC ends at the first \0
    folded = "\0".join(map(_converter("tw2s").convert, text.split("\0")))
    for letter, simplified in _HONG_KONG:
        folded = folded.replace(letter, simplified)
    return folded


def is_traditional(text: str) -> bool:
    """Return whether a text has a letter that simplified Chinese writes in another way."""
    return as_simplified(text) != text


def is_in_traditional_script(text: str) -> bool:
    """Return whether a Chinese text is written in traditional letters.

    It has a letter that only traditional Chinese uses and none that only simplified Chinese uses;
    a text of letters that both use (可否分期) is in neither script.
    """
    han = [letter for letter in text if _HAN.match(letter)]
    strange = {letter for letter in han if not letter.encode("big5", "ignore")}  # 爲, 衞 and 发
    return is_traditional(text) and not any(as_simplified(one) == one for one in strange)


@lru_cache(maxsize=256)  # the same refusals are asked for with every answer
def as_traditional(text: str) -> str:
    """Return a Chinese text in the letters of Taiwan; its words stay (网络 is not made 網路)."""
    if text.isascii():
        return text
    return "\0".join(map(_converter("s2tw").convert, text.split("\0")))


@cache
def _converter(table: str) -> OpenCC:
    return OpenCC(table)

"""Which encoding a text is in, told by how unlikely its letters are in each (`costs`).

It knows candidates and how sure their comparison is; it does not know files, marks or what a page
declares beyond a name. Every candidate reads the same bytes with its faults counted, so that one
bad byte does not make a UTF-8 text Latin-1, nor a letter cut at the end a GBK text Western.
"""

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from knowledge.parsing.encodings import costs
from knowledge.parsing.encodings.common import SIMPLIFIED, TRADITIONAL
from knowledge.parsing.encodings.costs import Letters

SAMPLE_BYTES = 8_000
"""Read of a file to tell its encoding: lines with other bytes than ASCII."""
SHORT_BYTES = 1_000  # read whole
PIECE_BYTES = 400  # read from a place on, up to a byte that is no part of a longer letter
BEFORE_BYTES = 40  # of ASCII: what a letter stands beside tells too
SURE_BITS = 8.0
"""By how much the second best reading has to be less likely: 1 in 256 …"""
SURE_BITS_OF_FEW = 14.0
"""… and where there are few bytes to tell by: a letter or two are a rare word as often as not."""
FEW_BYTES = 6
BEYOND_LATIN = "\u0180"  # UTF-8 below is é, ° or ©, which English text has by itself
NOISE_BITS = 8.0
"""Of a byte of noise; a text that costs more is none, or in an encoding that is not known here."""
NOISE_BYTES = 24  # beyond ASCII; a shorter text may be a rare name and no more, but in UTF-16
FAULT_BITS = 8.0
"""What a fault costs more beside UTF-8, which is what broken programs and cut files write most."""
NAMED_BITS = 25.0
"""What a declared encoding is ahead: pages say wrong charsets, but seldom."""
HINT_BITS = 6.0
"""What an encoding of the language around it is ahead: one in 64 files is the exception."""
EVIDENT = 16  # letters of two bytes each; as many in GBK could be UTF-8 once in 10⁸ texts
CLEAR_LETTERS = 100  # Han
CLEAR_SHARE = (
    0.75  # 93 % of text are common letters (`common`); of 1,000 misread texts at most 40 %
)
_HAN = re.compile("[\u4e00-\u9fff]")
_COMMON = {"gb18030": frozenset(SIMPLIFIED), "big5hkscs": frozenset(TRADITIONAL)}
_BEYOND = re.compile(r"[^\x00-\x7f]")
_HIGH = re.compile(rb"[\x80-\xff]")
_BETWEEN = re.compile(rb"[\x00-\x2f]")  # second bytes of letters begin at 30 (GB18030) or higher


@dataclass(frozen=True, slots=True)
class Candidate:
    """An encoding.

    Attributes:
        letters: What the letters of its language cost.
        behind: Bits by which it is rarer than the others, estimated.
        languages: Those whose texts come in it (`knowledge.languages`).
    """

    letters: Letters
    behind: float = 0.0
    languages: tuple[str, ...] = ()


CANDIDATES: Mapping[str, Candidate] = {
    "utf-8": Candidate(costs.ANY, -6.0),
    "gb18030": Candidate(costs.CHINA, 0.0, ("zh",)),
    "cp1252": Candidate(costs.WEST),
    "big5hkscs": Candidate(costs.TAIWAN, 2.0, ("zh-Hant",)),
    "cp932": Candidate(costs.JAPAN, 2.0, ("ja",)),
    "euc_jp": Candidate(costs.JAPAN, 7.0, ("ja",)),
    "cp949": Candidate(costs.KOREA, 7.0, ("ko",)),
    "cp1251": Candidate(costs.EAST, 7.0, ("ru",)),
    "koi8-r": Candidate(costs.EAST, 10.0, ("ru",)),
    "cp1250": Candidate(costs.CENTRE, 13.0),
    "cp1254": Candidate(costs.TURKEY, 14.0),
    "cp1253": Candidate(costs.GREECE, 14.0, ("el",)),
    "cp1255": Candidate(costs.ISRAEL, 14.0, ("he",)),
    "cp1256": Candidate(costs.ARABIA, 14.0, ("ar",)),
    "cp874": Candidate(costs.SIAM, 14.0, ("th",)),
    "utf-16-le": Candidate(costs.ANY, 6.0),
    "utf-16-be": Candidate(costs.ANY, 8.0),
}
WIDE = ("utf-16-le", "utf-16-be")


class _Reading(NamedTuple):
    """A text in one encoding: its cost with what the encoding is behind, and without."""

    rank: float
    bits: float
    encoding: str
    text: str


@dataclass(frozen=True, slots=True)
class Guess:
    """What a text is taken for.

    Attributes:
        encoding: The likeliest.
        other: The next likely one, where it is close; empty: it is sure.
        is_noise: No encoding makes letters of it that belong together.
    """

    encoding: str
    other: str = ""
    is_noise: bool = False


def detect(content: bytes, *, declared: str = "", hint: str = "") -> Guess:
    """Return the encoding in which the bytes are the likeliest text.

    Args:
        content: The bytes, without a mark.
        declared: A name that the file says of itself: it is ahead, and one of the candidates.
        hint: Language of the texts around it.
    """
    sample = _sample(content)
    if not declared and (clear := _clear(sample)):
        return Guess(clear)
    wide = content[: SAMPLE_BYTES & ~1] if len(content) % 2 == 0 else b""
    candidates = dict(CANDIDATES)
    if declared:
        candidates.setdefault(declared, Candidate(costs.ANY))
    readings: list[_Reading] = []
    for encoding, candidate in candidates.items():
        if encoding in WIDE and not wide:
            continue
        text = (wide if encoding in WIDE else sample).decode(encoding, "replace")
        bits = costs.bits(text, candidate.letters)
        if encoding != "utf-8":
            bits += FAULT_BITS * text.count("\ufffd")
        ahead = NAMED_BITS * (encoding == declared) + HINT_BITS * (hint in candidate.languages)
        readings.append(_Reading(bits + candidate.behind - ahead, bits, encoding, text))
    readings.sort()
    best = readings[0]
    bound = best.rank + _sure_bits(best, len(_HIGH.findall(sample)))
    close = [one for one in readings if one.rank < bound and one.text != best.text]
    is_noise = _is_noise(sample, best.bits, is_wide=best.encoding in WIDE)
    return Guess(best.encoding, close[0].encoding if close else "", is_noise)


def _sure_bits(best: _Reading, high: int) -> float:
    """Return how far behind the others have to be, by how much there was to tell by."""
    if high > FEW_BYTES or best.encoding == "utf-8" and max(best.text, default="") < BEYOND_LATIN:
        return SURE_BITS
    ahead = -CANDIDATES["utf-8"].behind if best.encoding == "utf-8" else 0.0
    return SURE_BITS_OF_FEW + ahead  # that most files are UTF-8 makes no word of a letter


def is_evident(text: str) -> bool:
    """Say whether what can be read as UTF-8 can hardly be GBK of a few letters."""
    if text.isascii():
        return True
    found = [letter[0] for letter in islice(_BEYOND.finditer(text), EVIDENT)]
    return len(found) >= EVIDENT or max(found) >= "\u0800"


def is_noise(text: str, encoding: str) -> bool:
    """Say whether the text of a file is no likelier than bytes that mean nothing."""
    text = text[:SAMPLE_BYTES]
    letters = CANDIDATES[encoding].letters if encoding in CANDIDATES else costs.ANY
    return _is_noise(text.encode(encoding, "replace"), costs.bits(text, letters), is_wide=True)


def _clear(sample: bytes) -> str:
    """Return the encoding in which much Chinese has hardly a rare letter; empty: not so clear.

    In the other one the same bytes are rare letters, most of them. Costs a twentieth of the rest.
    """
    found = []
    for encoding, common in _COMMON.items():
        try:
            # a sample may end within a letter
            letters = _HAN.findall(codecs.getincrementaldecoder(encoding)().decode(sample))
        except UnicodeDecodeError:
            continue
        least = max(CLEAR_LETTERS, CLEAR_SHARE * len(letters))
        if sum(map(common.__contains__, letters)) >= least:
            found.append(encoding)
    return found[0] if len(found) == 1 else ""


def _sample(content: bytes) -> bytes:
    """Return what tells: all of a short text, else pieces around bytes beyond ASCII."""
    if len(content) <= SHORT_BYTES:
        return content
    pieces: list[bytes] = []
    at = left = 0
    while left < SAMPLE_BYTES and (found := _HIGH.search(content, at)):
        start = max(at, found.start() - BEFORE_BYTES)  # all ASCII: no letter is cut there
        piece = content[start : start + PIECE_BYTES]
        ends = [mark.end() for mark in _BETWEEN.finditer(piece, found.start() - start)]
        pieces.append(piece[: ends[-1]] if ends else piece)
        if not ends:
            break  # where a letter begins is not known any more
        at = start + ends[-1]
        left += len(pieces[-1])
    return b"\n".join(pieces)


def _is_noise(sample: bytes, bits: float, *, is_wide: bool) -> bool:
    """Say whether a text is no likelier than bytes that mean nothing."""
    is_long = is_wide or len(_HIGH.findall(sample)) >= NOISE_BYTES
    return is_long and bits > NOISE_BITS * len(sample)

"""The format codes of Excel (ECMA-376 part 1, 18.8.31), taken apart: sections, and signs in each.

It knows codes; it does not know numbers, nor what a code makes of one.
"""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<gap>.)|\*.|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<half>AM/PM|A/P|上午/下午)|(?P<general>General)|(?P<power>E[+-])"
    r"|(?P<date>[yY]+|[mM]+|[dD]+|[hH]+|[sS]+|a{3,4}|e+|b+|g+)|(?P<sign>[0#?.,%/@])|(?P<other>.)",
    re.DOTALL | re.IGNORECASE,
)
_SECTION = re.compile(
    r'(?:"[^"]*"?|\\.|\[[^\]]*\]|[_*].|[^;"\\\[_*]|[_*\[\\])+|(?<=;)|^', re.DOTALL
)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?[\d.]+)")
_LANGUAGES = {  # the low ten bits of Windows' number of a place
    0x04: "zh",
    0x07: "de",
    0x09: "en",
    0x0A: "es",
    0x0C: "fr",
    0x11: "ja",
}

LANGUAGES = frozenset(_LANGUAGES.values())
_ELAPSED = ({"h"}, {"m"}, {"s"})

Kind = Literal[
    "words", "digit", "point", "comma", "percent", "slash", "text", "general", "power", "date",
    "elapsed", "half",
]  # fmt: skip
_SIGNS: dict[str, Kind] = {
    "0": "digit", "#": "digit", "?": "digit", ".": "point", ",": "comma", "%": "percent",
    "/": "slash", "@": "text",
}  # fmt: skip


class Token(NamedTuple):
    """A sign of a code, or words that are shown as they are."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Section:
    """A part of a code, for some of the numbers or for text.

    Attributes:
        code: As it is written.
        tokens: Its signs, in order.
        condition: What holds of its numbers, `(">=", 1000.0)`.
        language: Of the names of months and days.
    """

    code: str
    tokens: tuple[Token, ...]
    condition: tuple[str, float] | None
    language: str

    @cached_property
    def kinds(self) -> frozenset[Kind]:
        """Return what its signs are."""
        return frozenset(token.kind for token in self.tokens)

    def has(self, *kinds: Kind) -> bool:
        """Whether it has a sign of one of these kinds."""
        return not self.kinds.isdisjoint(kinds)


def sections_of(code: str) -> list[Section]:
    """Return the sections of a code: most have one, at most four are for other numbers and text."""
    return [_section(match[0]) for match in _SECTION.finditer(code or "General")][:4]


def _section(code: str) -> Section:
    tokens: list[Token] = []
    condition: tuple[str, float] | None = None
    language = "en"
    for match in _TOKEN.finditer(code):
        kind = match.lastgroup
        words = match[kind] if kind else ""
        if kind == "bracket" and (found := _CONDITION.match(words)):
            condition = (found[1], float(found[2]) if found[2].strip("-.") else 0.0)
        elif kind == "bracket" and words.startswith("$"):
            currency, _, place = words[1:].partition("-")
            language = _language(place)
            tokens.append(Token("words", currency))
        elif kind == "bracket":
            tokens += [Token("elapsed", words.lower())] if set(words.lower()) in _ELAPSED else []
        elif kind is not None:
            tokens.append(_token(kind, words))
    times = [token.text[0] for token in tokens if token.kind in ("date", "elapsed")]
    if not set(times) & set("ymdhsa"):  # an `e`, `g` or `b` alone is a letter
        tokens = [t._replace(kind="words") if t.kind in ("date", "half") else t for t in tokens]
    if code.startswith("[") and not tokens:  # a colour alone
        tokens = [Token("general", "")]
    return Section(code, tuple(tokens), condition, language)


def _token(kind: str, words: str) -> Token:
    match kind:
        case "sign":
            return Token(_SIGNS[words], words)
        case "gap":
            return Token("words", " ")
        case "date":
            return Token("date", words.lower())
        case "half":
            return Token("half", words)
        case "power":
            return Token("power", words.upper())
        case "general":
            return Token("general", words)
        case _:
            return Token("words", words)


def _language(place: str) -> str:
    """Return the language of a place, which is named `407`, `de-DE` or `x-sysdate`."""
    tag = place.split("-")[0].split(",")[0].lower()
    if tag in LANGUAGES:
        return tag
    try:
        return _LANGUAGES.get(int(tag, 16) & 0x3FF, "en")
    except ValueError:
        return "en"

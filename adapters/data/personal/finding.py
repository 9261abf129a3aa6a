"""Finds personal data of checkable kinds in a text, Chinese and English.

Telephones, e-mail and IP addresses, papers, cards, companies' codes, plates, names in chats.
A number that carries a check digit must satisfy it, unless words say what it is. Names and street
addresses are found apart, in `names.py`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from adapters.data.personal.patterns import CHECKED, NUMBER, PATTERNS, Pattern
from adapters.data.personal.reserved import blank_first, blank_numbers
from adapters.data.personal.spelling import Plain, spell
from adapters.data.personal.values import canonical

KINDS: Final = tuple(dict.fromkeys(pattern.kind for pattern in PATTERNS))
_BEHIND_CHARS: Final = 16
_AROUND_CHARS: Final = 40  # letters and extension of the longest, an IBAN


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One find.

    Attributes:
        kind: What it is, one of `KINDS`, or `person_name`, `street_address`.
        start: First character, in code points.
        end: One past the last character.
        written: How it is written, in the one spelling of `spelling.py`.
    """

    kind: str
    start: int
    end: int
    written: str

    @property
    def value(self) -> str:
        """What it says without its layout: two spellings of one number have one."""
        return canonical(self.kind, self.written)


def find_personal_data(text: str) -> list[PersonalData]:
    """Return what is found in `text`, in its order and without overlaps; without surrogates."""
    return find_in(spell(text))


def find_in(plain: Plain) -> list[PersonalData]:
    """Return what is found in a text in its one spelling; places are those of the source."""
    text = blank_first(plain.text)
    regions = _regions(text)
    taken: list[tuple[int, int, str]] = []
    for at, pattern in enumerate(PATTERNS):
        if at == CHECKED and regions:
            text = blank_numbers(text, regions)
        if pattern.signs:
            has_one = any(sign in text for sign in pattern.signs)
            spans = list(_matches(pattern, text, 0, len(text))) if has_one else []
        else:
            spans = [span for region in regions for span in _matches(pattern, text, *region)]
        if spans:
            taken += [(start, end, pattern.kind) for start, end in spans]
            text = _blank(text, spans)  # what is taken is no part and no neighbour of another
    return [
        PersonalData(kind, *plain.span(start, end), plain.text[start:end])
        for start, end, kind in sorted(taken)
    ]


def _regions(text: str) -> list[tuple[int, int]]:
    """Return where numbers stand, with what can belong to them before and behind."""
    regions: list[tuple[int, int]] = []
    for match in NUMBER.finditer(text):
        start, end = max(0, match.start() - _AROUND_CHARS), match.end() + _AROUND_CHARS
        if regions and start <= regions[-1][1]:
            regions[-1] = regions[-1][0], end
        else:
            regions.append((start, end))
    return regions


def _blank(text: str, spans: list[tuple[int, int]]) -> str:
    parts, at = [], 0
    for start, end in spans:
        parts += [text[at:start], "\0" * (end - start)]
        at = end
    return "".join([*parts, text[at:]])


def mask_personal_data(text: str) -> str:
    """Return `text` with every find replaced by its kind in angle brackets."""
    parts, end = [], 0
    for one in find_personal_data(text):
        parts += [text[end : one.start], f"<{one.kind}>"]
        end = one.end
    return "".join([*parts, text[end:]])


def _matches(pattern: Pattern, text: str, at: int, end: int) -> Iterator[tuple[int, int]]:
    while (match := pattern.shape.search(text, at, end)) is not None:
        if _is_one(pattern, text, match):
            yield match.span()
            at = match.end()
        else:  # a shorter one may stand in it
            at = match.start() + 1


def _is_one(pattern: Pattern, text: str, match: re.Match[str]) -> bool:
    start, end = match.span()
    before = text[max(0, start - pattern.cue_chars) : start]
    if pattern.unless is not None and pattern.unless.search(before) is not None:
        return False
    if pattern.holds is not None and pattern.holds(canonical(pattern.kind, match.group())):
        return True
    if pattern.may_stand_alone and match.group() == text.strip():
        return True
    if pattern.cue is None:
        return pattern.holds is None
    if pattern.cue.search(before) is not None:
        return True
    after = text[end : end + _BEHIND_CHARS]
    return pattern.behind is not None and pattern.behind.match(after) is not None

"""Which chunks hold the terms of a question, and how much each term says.

It knows which reading of a code a base holds, misspelt words and inverse document frequencies; it
does not know cosines, nor what is relevant (`search/relevance.py`).
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from knowledge.sql.full_text import chunk_lists
from knowledge.sql.spelling import can_be_misspelt, one_slip_away
from knowledge.sql.tokens import Kind, Role, Term

LEAST_TOTAL = 200
"""Chunks among which a word is weighed at the least: in a base of one chunk a word that it holds
would say a fifth of one that it does not."""
MOST_MISSPELT = 2
"""Words of a question that may be misspelt; a question with more is about something else."""
NAMING = (Kind.NUMBER, Kind.CODE)
NAMES = (*NAMING, Kind.PHRASE, Kind.ACRONYM)
ENOUGH_WORDS = 0.4
"""Share of the words of a question beside which a rare number counts: a foreign question's year is
in some chunk by accident."""
ENOUGH_OF_ANOTHER_LANGUAGE = 0.6
"""The same where the passage is in another language, which quotes names: with 0.4, 28 of 1,250
questions of rag_en counted as answered by a Chinese text, with 0.6 eight."""
ENOUGH_INFORMATION = 3.5
"""Least weight of a question's terms together, of which a passage that holds all is relevant."""
OWN_DIGITS = 4
"""Digits from which a number unknown to the base names something of the user's, no amount."""
FEW_CHUNKS, FEW = 3, 0.02
"""What is in so many chunks, or in this share of them, is rare."""


@dataclass(frozen=True, slots=True)
class FoundTerm:
    """A term with the tokens that are searched for it, its weight and who holds it.

    `chunks` has the pks as one text, a comma before and after each, as SQLite joined them: a few
    are looked for, and reading thousands of numbers takes longer than that. `is_own`: a number of
    the user's, unknown to the base (an order, a date).
    """

    term: Term
    tokens: tuple[str, ...]
    chunks: str = ","
    weight: float = 0.0
    is_rare: bool = False
    is_own: bool = False

    @property
    def is_held(self) -> bool:
        """Whether any chunk holds it."""
        return self.chunks != ","

    @property
    def can_be_missed(self) -> bool:
        """Whether a chunk without it lacks something, where it is asked for.

        Two Han letters that no chunk holds lie across two words.
        """
        if self.term.kind is Kind.PHRASE or self.is_own:
            return False
        return self.is_held or self.term.kind not in (Kind.NUMBER, Kind.PAIR)

    @property
    def names_one(self) -> bool:
        """Whether the question names one thing by it: a code, or a long number, of few chunks."""
        digits = sum(map(str.isdigit, self.written))
        is_name = self.term.kind is Kind.CODE or digits >= OWN_DIGITS
        return is_name and self.term.role is Role.ASKED and 0 < _count(self.chunks) <= FEW_CHUNKS

    @property
    def is_mended(self) -> bool:
        """Whether another word was meant."""
        is_other = not set(self.tokens) <= set(self.term.readings)
        return self.term.kind is Kind.WORD and is_other

    @property
    def written(self) -> str:
        """Its letters as the question has them, folded."""
        return self.term.written or self.term.readings[0]

    def held_by(self, marks: Iterable[str]) -> bool:
        """Return whether any of these chunks holds it."""
        return any(mark in self.chunks for mark in marks)


@dataclass(frozen=True, slots=True)
class WeightedTerms:
    """A question's terms, weighted.

    Attributes:
        found: All of them.
        asked: What a passage must hold: of the question and the turns before, else of its story.
        told: The story, which helps where a passage holds it.
    """

    found: tuple[FoundTerm, ...]
    asked: tuple[FoundTerm, ...]
    told: tuple[FoundTerm, ...]

    @property
    def tokens(self) -> list[str]:
        """What to search for, each once."""
        return list(dict.fromkeys(token for each in self.found for token in each.tokens))

    def coverage(self, chunk_pk: int) -> float:
        """Return the share of the question's information that a chunk holds, 0..1."""
        return self.joint_coverage([chunk_pk])

    def joint_coverage(self, chunk_pks: Iterable[int]) -> float:
        """Return the share of it that these chunks hold between them, 0..1."""
        marks = [_mark(pk) for pk in chunk_pks]
        missing = sum(each.weight for each in self.asked if not each.held_by(marks))
        held = sum(each.weight for each in (*self.asked, *self.told) if each.held_by(marks))
        return held / (held + missing) if held else 0.0

    def as_meant(self, text: str) -> str:
        """Return a text with its misspelt words mended and without the user's own numbers."""
        changed = [each for each in self.found if each.is_own or each.is_mended]
        for each in changed:
            word = re.escape(each.written)
            if each.is_own:
                text = re.sub(rf"[#(]?(?<!\w){word}(?!\w)\)?", "", text, flags=re.IGNORECASE)
            else:
                text = re.sub(rf"(?<!\w){word}(?!\w)", each.tokens[0], text, flags=re.IGNORECASE)
        return " ".join(text.split()) if changed else text

    def is_answered_by(self, chunk_pk: int, *, in_its_language: bool = True) -> bool:
        """Return whether a chunk holds a rare code of the question, or all that is asked.

        Beside enough words a rare name counts as well; in a text of another language than the
        question's every word is rare, and more of them must be there.
        """
        enough = ENOUGH_WORDS if in_its_language else ENOUGH_OF_ANOTHER_LANGUAGE
        return self.is_named_by(chunk_pk, enough) or self._is_held_by(chunk_pk)

    def named(self, chunk_pks: Sequence[int]) -> frozenset[int]:
        """Return, of each name of one thing in the question, the first chunk that answers to it."""
        holders = (
            [pk for pk in chunk_pks if each.held_by([_mark(pk)]) and self.is_named_by(pk)]
            for each in self.asked
            if each.names_one
        )
        return frozenset(pks[0] for pks in holders if pks)

    def is_named_by(self, chunk_pk: int, enough: float = ENOUGH_WORDS) -> bool:
        """Return whether a chunk holds a rare code, or beside enough words a number or a name."""
        marks = [_mark(chunk_pk)]
        named = (each for each in self.found if each.is_rare and each.term.kind in NAMES)
        kinds = {each.term.kind for each in named if each.held_by(marks)}
        return Kind.CODE in kinds or (bool(kinds) and self.coverage(chunk_pk) >= enough)

    def _is_held_by(self, chunk_pk: int) -> bool:
        """Return whether a chunk holds all that is asked, and that is more than a common word."""
        named = (each for each in self.found if each.term.kind in NAMING and not each.is_own)
        unknown = any(not each.is_held and each.term.role is not Role.STORY for each in named)
        is_form = all(each.term.role is Role.FRAME for each in self.asked)
        if unknown or is_form or sum(each.weight for each in self.asked) < ENOUGH_INFORMATION:
            return False
        marks = [_mark(chunk_pk)]
        return all(each.held_by(marks) for each in self.asked)


def weigh(
    connection: Connection, terms: Sequence[Term], *, base_pks: Sequence[int], total: int
) -> WeightedTerms:
    """Return the weight of each term: its inverse document frequency among `total` chunks.

    A term that no chunk holds has the largest weight, so a question about another subject has a
    small coverage.
    """
    wanted = [token for term in terms for token in (*term.readings, *term.parts)]
    lists = dict(zip(wanted, chunk_lists(connection, wanted, base_pks=base_pks), strict=True))
    found = [_as_held(term, lists) for term in terms]
    unknown = [each for each in found if not each.is_held and _can_be_misspelt(each.term)]
    if len(unknown) <= MOST_MISSPELT and len(unknown) < max(len(found), 2):
        mended = {each.term: _mend(connection, each, base_pks) for each in unknown}
        found = [mended.get(each.term, each) for each in found]
    known = {token for token, chunks in lists.items() if chunks != ","}
    found = [
        _as_own(connection, each, base_pks) if known.isdisjoint(_digits(each.term)) else each
        for each in found
    ]
    total = max(total, LEAST_TOTAL)
    counted = (each for each in found if each.is_held or each.term.kind is not Kind.ACRONYM)
    return _by_role([_weighed(each, total) for each in counted])


def _by_role(found: Sequence[FoundTerm]) -> WeightedTerms:
    roles: list[tuple[FoundTerm, ...]] = [
        tuple(each for each in found if each.term.role in of and each.can_be_missed)
        for of in ((Role.ASKED, Role.SAID), (Role.STORY,), (Role.FRAME,))
    ]
    asked = next(filter(None, roles), ())
    return WeightedTerms(tuple(found), asked, roles[1] if asked is roles[0] else ())


def _as_held(term: Term, lists: Mapping[str, str]) -> FoundTerm:
    """Return a term by its strictest reading that is held; a code's parts may stand apart.

    Not those of an address: 10 and 9 are in many a text.
    """
    for token in term.readings:
        if lists[token] != ",":
            searched = () if term.kind is Kind.PHRASE else (token,)
            return FoundTerm(term, searched, lists[token])
    if term.kind is Kind.CODE and len(term.parts) > 1 and not all(map(str.isdigit, term.parts)):
        holders = [set(lists[part].strip(",").split(",")) for part in term.parts]
        together = set.intersection(*holders) - {""}
        return FoundTerm(term, term.parts, f",{','.join(together)}," if together else ",")
    is_searched = term.kind is not Kind.PHRASE
    return FoundTerm(term, term.parts or term.readings if is_searched else ())


def _mend(connection: Connection, unknown: FoundTerm, base_pks: Sequence[int]) -> FoundTerm:
    """Return the word that was meant: of those one slip away, what most chunks hold."""
    words = one_slip_away(unknown.tokens[0])
    lists = chunk_lists(connection, words, base_pks=base_pks)
    best = max(zip(lists, words, strict=True), key=lambda pair: _count(pair[0]))
    return replace(unknown, tokens=(best[1],), chunks=best[0]) if best[0] != "," else unknown


def _as_own(connection: Connection, each: FoundTerm, base_pks: Sequence[int]) -> FoundTerm:
    """Return a term, marked where it is the user's own: the base has none that is made alike."""
    if each.is_held or each.term.kind not in NAMING:
        return each
    digits = sum(map(str.isdigit, each.written))
    begins = re.match(r"\D*", each.term.readings[0])
    if each.term.kind is Kind.NUMBER or not begins or not begins[0]:
        return replace(each, is_own=digits >= OWN_DIGITS)
    alike = [f"{begins[0]}{digit}*" for digit in range(10)] if digits else []
    lists = chunk_lists(connection, alike, base_pks=base_pks)
    return replace(each, is_own=all(found == "," for found in lists) and digits > 0)


def _digits(term: Term) -> list[str]:
    """Return the parts of a code that are numbers: AX-059 is made as BX-059."""
    return [part for part in term.parts if part.isdigit()]


def _can_be_misspelt(term: Term) -> bool:
    is_word = term.kind is Kind.WORD and term.role in (Role.ASKED, Role.FRAME)
    return is_word and can_be_misspelt(term.readings[0])


def _weighed(each: FoundTerm, total: int) -> FoundTerm:
    count = _count(each.chunks)
    weight = math.log(1.0 + (total - count + 0.5) / (count + 0.5))
    return replace(each, weight=weight, is_rare=count <= max(FEW_CHUNKS, FEW * total))


def _count(chunks: str) -> int:
    return chunks.count(",") - 1


def _mark(chunk_pk: int) -> str:
    return f",{chunk_pk},"

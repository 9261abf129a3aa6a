"""Pictures and other files that stand in a text as letters: base64, `data:` addresses.

It knows what such letters look like; it does not know formats. They are taken out: nobody reads
them, and a picture of 100 KB would be 300 chunks. What describes a picture stays.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from knowledge.parsing.blocks import Block, NotRead, PageStart, SheetStart, Table
from knowledge.parsing.words.parts import Remainder, told

LEAST_PICTURE, LEAST_OTHER = 32, 200  # letters: the smallest GIF has 56; examples of a few stay
LEAST_BARE = 200  # … of base64 that does not say what it is, but begins as a picture does
OPENING_CHARS = 40  # of the text beside it: enough to search for
WHY = "letters of a file inside the text are no words; its description is read"
_SIGNS = (";base64,", "data:image/", "iVBORw0KGgo", "4AAQSkZJRg")
"""Looked for in every text: of addresses, and how a PNG and a JPEG begin in base64."""
_BASE64 = r"(?:\\?[A-Za-z0-9+/_-]|%2[BbFf])"
_LINES = rf"(?:\\[rn]|\r?\n[ \t>]*){_BASE64}{{40,}}+"  # lines of 60 to 76 letters, and a last one
_LAST = rf"(?:(?:\\[rn]|\r?\n[ \t>]*){_BASE64}++(?:={{1,2}}|(?=\s*[)\"'>])))?"
_DEFINED = re.compile(r" {0,3}\[[^\]\n]+\]:[ \t]*<?")  # of Markdown, before its picture
_DEFINED_END = re.compile(r">?[ \t]*(?:[\"'(][^\n]*)?(?:\n|\Z)")
MOST_NAME_CHARS = 999  # between the brackets of a definition (CommonMark, link labels)
_TEXT = r"data:image\\?/[\w.+-]+(?:;[\w=.-]+){0,3}+,"
_WRAPPED = rf"(?:{_LINES})*+{_LAST}"
_BARE = rf"(?:iVBORw0KGgo|\\?/9j\\?/4AAQSkZJRg){_BASE64}{{{LEAST_BARE},}}+{_WRAPPED}={{0,2}}"
_ENCODED = rf"{_BASE64}*+{_WRAPPED}(?:=|%3[Dd]){{0,2}}"
_DATA = (
    rf"""data:[\w.+-]+\\?/[\w.+-]+(?:;[\w=."-]+?){{0,3}}?;base64,\s?(?P<other>{_ENCODED})"""
    rf"""|(?<=")(?P<double>{_TEXT}[^"\n]*)|(?<=')(?P<single>{_TEXT}[^'\n]*)"""
    rf"""|(?<=\()(?P<round>{_TEXT}[^\s()]*)|(?<![A-Za-z0-9+/])(?P<bare>{_BARE})"""
)  # compiled where it is first needed: most files have no such letters


class WithoutPictures(NamedTuple):
    """A text without pictures, and in which of its lines they stood."""

    text: str
    lines: Sequence[int]


def holds_pictures(text: str) -> bool:
    """Say whether a text may hold any; cheap."""
    return any(sign in text for sign in _SIGNS)


def without_pictures(text: str) -> WithoutPictures:
    """Return a text without the letters of pictures."""
    left = Remainder(text)
    for found in re.finditer(_DATA, text):
        if found.start() >= left.place and _is_file(found):
            left.drop(*_span(text, found))
    return WithoutPictures(left.text(), left.lines)


def blocks_without_pictures(blocks: Sequence[Block]) -> tuple[Sequence[Block], list[str]]:
    """Return blocks without the letters of pictures, and where those stood."""
    taken: list[Block] = []
    places: list[str] = []
    for block in blocks:
        if isinstance(block, PageStart | SheetStart):
            taken.append(block)
        elif isinstance(block, Table):
            rows = tuple(tuple(_cell(cell, row[0], places) for cell in row) for row in block.rows)
            taken.append(replace(block, rows=rows))
        else:
            text, lines = without_pictures(block.text)
            places += [_beside(text)] * len(lines)
            taken.append(replace(block, text=text) if lines else block)
    return taken, places


def told_pictures(places: Sequence[str]) -> list[NotRead]:
    """Return what is told of the pictures at these places."""
    return told("picture", places, WHY)


def _cell(cell: str, beside: str, places: list[str]) -> str:
    text, lines = without_pictures(cell)
    places += [_beside(beside if beside != cell else text)] * len(lines)
    return text


def _beside(text: str) -> str:
    opening = " ".join(text.split())[:OPENING_CHARS].rstrip()
    return f'beside "{opening}"' if opening else "alone"


def _span(text: str, found: re.Match[str]) -> tuple[int, int]:
    """Return where the letters begin and end: with the whole line where Markdown defines them."""
    start, end = found.span()
    line = text.rfind("\n", max(0, start - MOST_NAME_CHARS), start) + 1
    rest = _DEFINED_END.match(text, end) if _DEFINED.fullmatch(text, line, start) else None
    return (line, rest.end()) if rest else (start, end)


def _is_file(found: re.Match[str]) -> bool:
    letters = found["other"]
    if letters is None:
        return True
    least = LEAST_PICTURE if found[0][:11] == "data:image/" else LEAST_OTHER
    return len(letters) >= least

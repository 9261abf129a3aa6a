"""What stands beside the text of a page goes into its lines, or after them.

It knows which words a link or a mark is about; it does not know how annotations are read, nor where
the value of a field belongs (`labels`).
"""

import ctypes
import re
from collections.abc import Iterator, Sequence
from itertools import groupby

import pypdfium2
from pypdfium2 import raw

from knowledge.parsing.blocks import Note as NoteBlock
from knowledge.parsing.pdf.annotations import Beside, Note
from knowledge.parsing.pdf.breaks import HAN
from knowledge.parsing.pdf.labels import FormLines
from knowledge.parsing.pdf.lines import Line, Word
from knowledge.parsing.pdf.places import Box
from knowledge.parsing.pdf.rules import RuledGrid

MOST_LINKS = 1_000  # of a page: a full page has 700 words
MOST_MARKED = 200  # letters of the words that a note is about: two lines
_REST_OF_WORD = f"[^\\W{HAN}]+"
EDGE = 1.5  # points by which a box may reach into the letters beside it: half a letter
_ENDS = ".,;:!?)\u3002\uff0c\uff1b\uff1a\uff01\uff1f\uff09\u201d"
After = str | NoteBlock


def add_beside(
    beside: Beside, lines: list[Line], layer: pypdfium2.PdfTextPage, grids: Sequence[RuledGrid]
) -> list[After]:
    """Put values and addresses into the lines of a page.

    Returns:
        What comes after the lines: values that have no place among them, and notes.
    """
    for address, links in groupby(beside.links[:MOST_LINKS], key=lambda link: link.address):
        _add_address(address, [box for link in links for box in link.boxes], lines, layer)
    form = FormLines(lines, grids)
    rest = form.place(beside.fields)
    typed = {
        note.text for note in beside.notes if note.is_typed and form.takes(note.boxes[0], note.text)
    }
    notes = [_note(note, layer) for note in beside.notes if note.text not in typed]
    return [*(["\n".join(rest)] if rest else []), *(NoteBlock(text) for text in notes if text)]


def _note(note: Note, layer: pypdfium2.PdfTextPage) -> str:
    """Return a note as it is read; nothing if it only says again what the page says."""
    said = " ".join(" ".join(_text_in(box, layer) for box in note.boxes).split())
    if not (note.is_mark or note.is_typed):
        return f"{note.kind}: {note.text}"
    if _squeezed(note.text) in _squeezed(said):
        return ""
    marked = said[:MOST_MARKED] if note.is_mark else ""
    return f"{note.kind}: {note.text}" + (f" (at “{marked}”)" if marked else "")


def _text_in(box: Box, layer: pypdfium2.PdfTextPage) -> str:
    edge = min(EDGE, (box.right - box.left) / 4)
    sides = (box.left + edge, box.top, box.right - edge, box.bottom)
    count = raw.FPDFText_GetBoundedText(layer, *sides, None, 0)
    if count < 1:
        return ""
    buffer = (ctypes.c_ushort * (count + 1))()
    raw.FPDFText_GetBoundedText(layer, *sides, buffer, count)
    return bytes(buffer).decode("utf-16-le", "replace").replace("\0", "").strip()


def _squeezed(words: str) -> str:
    return "".join(words.split()).lower()


def _shown(address: str) -> str:
    """Return the part of an address that a page would show."""
    scheme, _, rest = address.partition(":")
    if scheme.lower() in ("mailto", "tel"):
        return rest.partition("?")[0]
    return rest.lstrip("/").removeprefix("www.").rstrip("/")


def _add_address(
    address: str, boxes: Sequence[Box], lines: Sequence[Line], layer: pypdfium2.PdfTextPage
) -> None:
    """Write where words lead after them, unless they say so."""
    said = [_text_in(box, layer) for box in boxes]
    if not any(said) or _squeezed(_shown(address)) in _squeezed("".join(said)):
        return
    is_page = address.lower().startswith(("http", "ftp"))
    place = max(number for number, words in enumerate(said) if words)
    words = said[place].split("\n")[-1].strip().rstrip(_ENDS)
    found = _last_word(boxes[place], lines)
    if found is None:
        return
    line, number = found
    if _squeezed(_shown(address)) in _squeezed(line.text):
        return
    told = f" ({address if is_page else _shown(address)})"
    line.words[number] = _with_told(line.words[number], words, told, boxes[place])
    line.text = " ".join([word.text for word in line.words])


def _last_word(box: Box, lines: Sequence[Line]) -> tuple[Line, int] | None:
    """Return the last word in a box: on its lowest line, the one most to the right."""
    found = [
        (-word.middle[1], word.left, place, number)
        for place, line in enumerate(lines)
        for number, word in enumerate(line.words)
        if box.bottom < word.middle[1] < box.top and word.left < box.right and box.left < word.right
    ]
    if not found:
        return None
    _, _, place, number = max(found)
    return lines[place], number


def _with_told(word: Word, words: str, told: str, box: Box) -> Word:
    """Return a word, or a line of prose, with something told after the words in a box."""
    letter = (word.right - word.left) / max(1, len(word.text))
    ends = [*_ends(words, word.text)] or [*_ends(words.rpartition(" ")[2], word.text)]
    ends = ends or [len(word.text)]
    end = min(ends, key=lambda end: abs(word.left + end * letter - box.right))
    if (rest := re.match(_REST_OF_WORD, word.text[end:])) and word.text[end - 1 : end].isalnum():
        end += rest.end()
    return word._replace(text=word.text[:end] + told + word.text[end:])


def _ends(part: str, text: str) -> Iterator[int]:
    start = text.find(part)
    while part and start >= 0:
        yield start + len(part)
        start = text.find(part, start + 1)

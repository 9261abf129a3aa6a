"""The text layer of a page as lines of words that have a place, by pdfium.

It knows letters and where they stand; it does not know tables, other pages or what is running text.
Only the first and last letter of each word is asked for its place, of a line of prose that is drawn
at once those of the line: asking all letters takes as long as opening the page.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pypdfium2
from pypdfium2 import raw

from knowledge.parsing.letters import ordinary
from knowledge.parsing.writer import BlockWriter

GAP = 0.5  # of the height of a line: words further apart stand in different cells
WIDE = 0.75  # of the height: no word has letters that wide on average
SMALL = 0.8  # of the height of the letter before: a digit that small is raised or lowered
LONG_LINE = 30  # letters; the gaps of a shorter line are always looked at
TIGHT = (
    0.5  # of the height: letters of prose are 0.4 to 0.48 wide; with gaps between they seem wider
)
LOOSER = 1.12  # than the other lines of its page: a line that may have a gap
TOUCHING = 0.15  # of the height of a line: no space is that narrow
_ENDS = ".,;:!?)]}\u2019\u201d\u3002\uff0c\uff1b\uff09"
_JOINS = ",;-\u2013"  # between the marks of several notes
_MARKS = f"0123456789{_JOINS}"
_LINE = re.compile("[^\n\ufffe\u0002]+[\ufffe\u0002]?")  # those signs are a hyphen that ends a line
_WORD = re.compile("[^ \n]+")


class Word(NamedTuple):
    """Letters without a space between, and where they stand: points from the lower left."""

    text: str
    left: float
    right: float
    bottom: float
    top: float

    @property
    def middle(self) -> tuple[float, float]:
        """Return the point in its middle."""
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2


@dataclass(slots=True)
class Line:
    """A line of the text layer, in its order; without words where places are not known."""

    text: str
    words: list[Word]

    def cells(self) -> list[Word]:
        """Return its words, those joined that stand next to each other."""
        if len(self.words) < 2:
            return self.words[:]
        if self.words[-1].left < self.words[0].left:
            return [merge(self.words)]  # written from right to left
        joined: list[list[Word]] = []
        for word in self.words:
            least = GAP * (word.top - word.bottom)
            if joined and -least < word.left - joined[-1][-1].right < least:
                joined[-1].append(word)
            else:
                joined.append([word])
        return [merge(words) for words in joined]


def median(values: Iterable[float]) -> float:
    """Return the middle value; `statistics` takes 15 ms to import."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def merge(words: Sequence[Word]) -> Word:
    """Return words as one, in the order given."""
    if len(words) == 1:
        return words[0]
    return Word(
        " ".join([word.text for word in words]),
        min([word.left for word in words]),
        max([word.right for word in words]),
        min([word.bottom for word in words]),
        max([word.top for word in words]),
    )


def read_lines(layer: pypdfium2.PdfTextPage, *, each_word: bool = False) -> list[Line]:
    """Return the lines of a page, in the order of its text layer.

    A line of prose is one word, unless each word is asked for. Where its signs cannot be matched
    with places (some count twice), no word has a place.
    """
    text = ordinary(str(layer.get_text_range()).replace("\r\n", " \n").replace("\r", "\n"))
    if len(text) != layer.count_chars():
        return [Line(" ".join(line.split()), []) for line in text.split("\n")]
    places: list[tuple[int, int]] = []
    for match in _LINE.finditer(text):
        places.append((match.start(), match.start() + len(match[0].rstrip())))
    whole = [_whole(layer, text, start, end) for start, end in places]
    tight = 0.0 if each_word else _tight(whole)
    lines: list[Line] = []
    for word, (start, end) in zip(whole, places, strict=True):
        if word is None:
            continue
        if word.right < word.left:
            lines.append(Line(word.text, []))
            continue
        is_prose = end - start >= LONG_LINE and _width(word) <= tight
        is_prose = is_prose and raw.FPDFText_CountRects(layer, start, end - start) == 1
        joins = bool(lines and lines[-1].words) and _is_same_line(lines[-1].words[-1], word)
        if is_prose and not joins:
            lines.append(Line(word.text, [word]))
            continue
        words = lines.pop().words if joins else []
        for one in [word] if is_prose else _words(layer, text, start, end):
            if words and not _is_level(words[-1], one):  # pdfium's space stands for a line break
                lines.append(Line(" ".join([word.text for word in words]), words))
                words = []
            _add(words, one, joins=joins)
            joins = False
        lines.append(Line(" ".join([word.text for word in words]), words))
    return lines


def _whole(layer: pypdfium2.PdfTextPage, text: str, start: int, end: int) -> Word | None:
    """Return a line as one word; nothing if it is blank. If it runs up or down, it has no width."""
    if start == end:
        return None
    box = raw.FS_RECTF()
    raw.FPDFText_GetLooseCharBox(layer, start, box)
    left, bottom, top = box.left, box.bottom, box.top
    raw.FPDFText_GetLooseCharBox(layer, end - 1, box)
    is_level = box.bottom < top and bottom < box.top
    is_sideways = not is_level and abs(box.left - left) < top - bottom
    right = left - 1 if is_sideways else box.right
    words = text[start:end]
    return Word(" ".join(words.split()) if "  " in words else words, left, right, bottom, top)


def _width(word: Word) -> float:
    """Return how wide a letter is, as a part of its height."""
    return (word.right - word.left) / (len(word.text) * (word.top - word.bottom) or 1.0)


def _tight(whole: Sequence[Word | None]) -> float:
    """Return how wide letters may be in a line without gaps; 0 where lines are too few to say."""
    widths = [_width(word) for word in whole if word and len(word.text) >= LONG_LINE]
    return min(TIGHT, LOOSER * median(widths)) if len(widths) > 2 else 0.0


def _words(layer: pypdfium2.PdfTextPage, text: str, start: int, end: int) -> Iterator[Word]:
    box = raw.FS_RECTF()
    find, handle = raw.FPDFText_GetLooseCharBox, layer.raw
    for match in _WORD.finditer(text, start, end):
        first, after = match.span()
        find(handle, first, box)
        left, right, bottom, top = box.left, box.right, box.bottom, box.top
        words = match[0]
        if after > first + 1:
            find(handle, after - 1, box)
            right = box.right
            number = words.rstrip(_ENDS)
            if words.isascii() and right - left > (top - bottom) * (WIDE * len(words) + GAP):
                yield from _parted(layer, words, first)
                continue
            if number[-1:].isdigit() and number[:-1]:
                if number != words:
                    find(layer, first + len(number) - 1, box)
                if box.top - box.bottom < SMALL * (top - bottom):
                    small = _with_small_digits(layer, number, first)
                    words = small + words[len(number) :]
            is_small = top - bottom < SMALL * (box.top - box.bottom)
            if is_small and words[0].isdecimal() and words == match[0]:
                words = _with_small_start(layer, words, first)
        yield Word(words, left, right, bottom, top)


def _parted(layer: pypdfium2.PdfTextPage, words: str, first: int) -> Iterator[Word]:
    """Yield the parts of a word that has a gap inside: figures of two cells."""
    letters: list[Word] = []
    box = raw.FS_RECTF()
    for number, letter in enumerate(words):
        raw.FPDFText_GetLooseCharBox(layer, first + number, box)
        letters.append(Word(letter, box.left, box.right, box.bottom, box.top))
    part = letters[:1]
    for place in letters[1:]:
        if place.left - part[-1].right > GAP * (place.top - place.bottom):
            yield merge(part)._replace(text="".join(one.text for one in part))
            part = []
        part.append(place)
    yield merge(part)._replace(text="".join(one.text for one in part))


def _with_small_digits(layer: pypdfium2.PdfTextPage, words: str, first: int) -> str:
    """Return a word that ends with small digits, those told apart: `10^6`, `m²`."""
    boxes = [raw.FS_RECTF() for _ in words]
    for number, box in enumerate(boxes):
        raw.FPDFText_GetLooseCharBox(layer, first + number, box)
    height = boxes[0].top - boxes[0].bottom
    start = len(words)
    while words[start - 1] in _MARKS and boxes[start - 1].top - boxes[start - 1].bottom < (
        SMALL * height
    ):
        start -= 1
    start = len(words) - len(words[start:].lstrip(_JOINS))
    is_raised = boxes[-1].top + boxes[-1].bottom > boxes[0].top + boxes[0].bottom
    return small_digits(words[:start], words[start:], is_raised=is_raised)


def _with_small_start(layer: pypdfium2.PdfTextPage, words: str, first: int) -> str:
    """Return a word that begins with small digits, those told apart: the mark of a note."""
    box = raw.FS_RECTF()
    heights: list[float] = []
    for number in range(len(words)):
        raw.FPDFText_GetLooseCharBox(layer, first + number, box)
        heights.append(box.top - box.bottom)
    count = next(n for n, height in enumerate(heights) if heights[0] < SMALL * height)
    if not words[:count].isdecimal():
        return words
    writer = BlockWriter(9 * len(words) + 9)
    writer.raised(words[:count])
    writer.text(words[count:])
    return "".join(getattr(block, "text", "") for block in writer.blocks)


def small_digits(before: str, digits: str, *, is_raised: bool) -> str:
    """Return letters and the small digits after them as one line of text says it."""
    writer = BlockWriter(len(before) + 9 * len(digits) + 9)
    writer.text(f"x{before}")  # no mark of a heading is escaped
    (writer.raised if is_raised else writer.lowered)(digits)
    return "".join(getattr(block, "text", "") for block in writer.blocks)[1:]


def _is_level(last: Word, word: Word) -> bool:
    _, _, _, low, high = last
    _, _, _, bottom, top = word
    return bottom < high and low < top and bottom < top and low < high


def _is_same_line(last: Word, word: Word) -> bool:
    """Whether a word goes on where another ends: pdfium breaks the line at raised letters."""
    if word.top <= last.bottom:
        return False  # the usual case: it stands below
    heights = (last.top - last.bottom, word.top - word.bottom)
    shared = min(word.top, last.top) - max(word.bottom, last.bottom)
    least = 0.2 if word.text.isdigit() and heights[1] < SMALL * heights[0] else 0.5
    return shared > least * min(heights) and -0.2 * max(heights) < word.left - last.right < max(
        heights
    )


def _add(words: list[Word], word: Word, *, joins: bool) -> None:
    """Add a word to a line; small digits that touch the word before join it.

    Args:
        words: Of the line so far.
        word: The next one.
        joins: The line was broken between: letters that touch are one word.
    """
    if not words:
        words.append(word)
        return
    last = words[-1]
    _, left, _, _, _ = word
    _, _, right, bottom, top = last
    if abs(left - right) > TOUCHING * (top - bottom):
        words.append(word)
        return
    is_small = word.top - word.bottom < SMALL * (last.top - last.bottom)
    if word.text.isdigit() and is_small:
        is_raised = word.top + word.bottom > last.top + last.bottom
        text = small_digits(last.text, word.text, is_raised=is_raised)
        words[-1] = last._replace(text=text, right=word.right)
    elif joins and not (last.text[-1:].isdigit() and word.text[:1].isdigit()):
        words[-1] = last._replace(text=last.text + word.text, right=word.right)
    else:
        words.append(word)

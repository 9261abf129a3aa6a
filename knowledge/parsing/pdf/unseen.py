"""Text of a PDF that nobody sees who opens it: invisible, white on white, tiny, or off the page.

It knows what is drawn on a page and where; it does not know words or lines. What a scanner read
lies invisibly upon the picture of its page, and stays. Nearly all text is cleared by three calls an
object; a page is drawn only where its white text has nothing dark behind it.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pypdfium2
from pypdfium2 import raw

from knowledge.parsing.blocks import NotRead
from knowledge.parsing.pdf.places import Box, Turn, text_of

WHITE = 245  # of 255: paler ink cannot be told from paper; water marks have 230 at most
CLEAR = 12  # of 255: ink so thin is none
TINY_POINTS = 1.0  # as in Word
SMALL_POINTS = 2.0  # text whose box is narrower is asked for the size of its letters
ON_PICTURE = 0.5  # of the box of invisible text: what was read in a picture lies upon it
SHOWN = 0.05  # of a row of pixels is not white: letters fill 0.1 and more, the side of a cell less
SHOWN_ROWS = 0.33  # of the rows of a text: an underline fills fewer, letters and areas more
MOST_DEPTH = 12  # of forms within forms
MOST_BEHIND = 500  # fills, or pictures, of a page that each text is compared with
MOST_PIXELS = 800  # across and down, of a page that is drawn

INVISIBLE = "it is drawn invisibly, and not over a picture of it"
PALE = "it is white on white"
TINY = f"its letters are {TINY_POINTS:g} point high or less"
OUTSIDE = "it stands outside of the page"

_PLAIN = raw.FPDF_TEXTRENDERMODE_FILL
_STROKED = (raw.FPDF_TEXTRENDERMODE_STROKE, raw.FPDF_TEXTRENDERMODE_STROKE_CLIP)
_UPRIGHT = Turn(1.0, 0.0, 0.0, 1.0, 0.0, 0.0)

_Handle = Any  # a pointer of pdfium's


class _Words(NamedTuple):
    """What one object writes, where, and why nobody may see it."""

    handle: _Handle
    box: Box
    why: str


@dataclass(slots=True)
class _Drawn:
    """What is drawn on a page.

    Attributes:
        seen: Text that nothing speaks against.
        unseen: Text off the page, or tiny.
        invisible: Text without ink.
        pale: Text in white, or that only bounds what is drawn after it.
        pictures: With shadings.
        fills: Dark areas.
    """

    seen: list[_Handle] = field(default_factory=list)
    unseen: list[_Words] = field(default_factory=list)
    invisible: list[_Words] = field(default_factory=list)
    pale: list[_Words] = field(default_factory=list)
    pictures: list[Box] = field(default_factory=list)
    fills: list[Box] = field(default_factory=list)


def without_unseen(
    page: pypdfium2.PdfPage, layer: pypdfium2.PdfTextPage, where: str
) -> tuple[pypdfium2.PdfTextPage, list[NotRead]]:
    """Return the text of a page without what nobody sees, and one note for each reason.

    Args:
        page: The page, upright.
        layer: Its text, closed where another is returned.
        where: What the page is called where something is not read.
    """
    drawn = _Reader(Box(*page.get_bbox())).read(page)
    pictures = drawn.pictures if len(drawn.pictures) <= MOST_BEHIND else [_around(drawn.pictures)]
    unseen = [words for words in drawn.unseen if words.why == OUTSIDE or _says(words, layer)]
    unseen += [
        words
        for words in drawn.invisible
        if not _lies_on(words.box, pictures) and _says(words, layer)
    ]
    unseen += _white_on_white(page, layer, drawn)
    if not unseen:
        return layer, []
    told = {words.why: None for words in unseen if _says(words, layer)}
    for words in unseen:
        raw.FPDFPageObj_SetIsActive(words.handle, False)
    layer.close()
    return page.get_textpage(), [NotRead("hidden text", where, why) for why in told]


class _Reader:
    """Reads what is drawn on a page, forms included; pdfium writes all figures to one place."""

    def __init__(self, shown: Box) -> None:
        """Read a page of which this box is shown."""
        self._shown = shown
        self._drawn = _Drawn()
        self._bound, self._colour = raw.FPDFPageObj_GetBounds, raw.FPDFPageObj_GetFillColor
        self._sides = (ctypes.c_float * 4)()
        self._ink = (ctypes.c_uint * 4)()
        self._to_sides = [
            ctypes.pointer(ctypes.c_float.from_buffer(self._sides, 4 * n)) for n in range(4)
        ]
        self._to_ink = [
            ctypes.pointer(ctypes.c_uint.from_buffer(self._ink, 4 * n)) for n in range(4)
        ]

    def read(self, page: pypdfium2.PdfPage) -> _Drawn:
        self._read(page.raw, raw.FPDFPage_CountObjects, raw.FPDFPage_GetObject, None)
        return self._drawn

    def _read(
        self,
        holder: _Handle,
        count: Callable[[_Handle], int],
        find: Callable[[_Handle, int], _Handle],
        turn: Turn | None,
        *,
        depth: int = 0,
    ) -> None:
        mode_of, none = raw.FPDFTextObj_GetTextRenderMode, raw.FPDF_TEXTRENDERMODE_UNKNOWN
        is_seen, seen = self._is_plainly_seen, self._drawn.seen
        for number in range(count(holder)):
            handle = find(holder, number)
            mode = mode_of(handle)
            if mode == none:
                self._add_other(handle, turn, depth)
            elif turn is None and mode == _PLAIN and is_seen(handle):
                seen.append(handle)
            else:
                self._add_text(handle, mode, turn)

    def _is_plainly_seen(self, handle: _Handle) -> bool:
        """Whether text is dark, large and on the page: most is, and no more is asked of it."""
        self._bound(handle, *self._to_sides)
        left, bottom, right, top = self._sides
        start, low, end, high = self._shown
        if not (left < end and start < right and bottom < high and low < top):
            return False
        self._colour(handle, *self._to_ink)
        red, _, _, strength = self._ink
        return bool(
            right - left >= SMALL_POINTS
            and top - bottom >= SMALL_POINTS
            and red < WHITE
            and strength > CLEAR
        )

    def _add_other(self, handle: _Handle, turn: Turn | None, depth: int) -> None:
        kind = raw.FPDFPageObj_GetType(handle)
        if kind == raw.FPDF_PAGEOBJ_FORM and depth < MOST_DEPTH:
            inside = raw.FPDFFormObj_CountObjects, raw.FPDFFormObj_GetObject
            self._read(handle, *inside, _matrix(handle).then(turn or _UPRIGHT), depth=depth + 1)
        elif kind == raw.FPDF_PAGEOBJ_PATH and self._is_dark(handle):
            self._drawn.fills.append(self._box(handle, turn))
        elif kind in (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING):
            self._drawn.pictures.append(self._box(handle, turn))

    def _add_text(self, handle: _Handle, mode: int, turn: Turn | None) -> None:
        left, bottom, right, top = box = self._box(handle, turn)
        start, low, end, high = self._shown
        if left >= end or right <= start or bottom >= high or top <= low:
            self._drawn.unseen.append(_Words(handle, box, OUTSIDE))
            return
        is_small = right - left < SMALL_POINTS or top - bottom < SMALL_POINTS
        if is_small and _size(handle, turn) <= TINY_POINTS:
            self._drawn.unseen.append(_Words(handle, box, TINY))
            return
        find = raw.FPDFPageObj_GetStrokeColor if mode in _STROKED else self._colour
        find(handle, *self._to_ink)
        *colour, strength = self._ink
        if mode == raw.FPDF_TEXTRENDERMODE_CLIP:
            self._drawn.pale.append(_Words(handle, box, INVISIBLE))
        elif mode == raw.FPDF_TEXTRENDERMODE_INVISIBLE or strength <= CLEAR:
            self._drawn.invisible.append(_Words(handle, box, INVISIBLE))
        elif min(colour) >= WHITE:
            self._drawn.pale.append(_Words(handle, box, PALE))
        else:
            self._drawn.seen.append(handle)

    def _box(self, handle: _Handle, turn: Turn | None) -> Box:
        self._bound(handle, *self._to_sides)
        box = Box(*self._sides)
        return turn.box(box) if turn else box

    def _is_dark(self, path: _Handle) -> bool:
        """Whether a path is filled with a colour; of a pattern pdfium says that it is white."""
        mode, is_stroked = ctypes.c_int(), raw.FPDF_BOOL()
        raw.FPDFPath_GetDrawMode(path, mode, is_stroked)
        self._colour(path, *self._to_ink)
        *colour, strength = self._ink
        return mode.value != raw.FPDF_FILLMODE_NONE and strength > CLEAR and min(colour) < WHITE


def _matrix(handle: _Handle) -> Turn:
    matrix = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(handle, matrix)
    return Turn(matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f)


def _size(handle: _Handle, turn: Turn | None) -> float:
    """Return how high or wide letters are drawn, in points: the less of both."""
    size = ctypes.c_float()
    raw.FPDFTextObj_GetFontSize(handle, size)
    matrix = _matrix(handle).then(turn or _UPRIGHT)
    across, up = abs(complex(matrix.a, matrix.b)), abs(complex(matrix.c, matrix.d))
    return abs(size.value) * min(across, up)


def _says(words: _Words, layer: pypdfium2.PdfTextPage) -> bool:
    """Whether text has a letter or figure; blanks and dots are drawn tiny or white everywhere.

    Of what stands twice at one place pdfium's layer has the first, until that is taken off.
    """
    text = text_of(raw.FPDFTextObj_GetText, words.handle, layer.raw)
    return any(map(str.isalnum, text)) or (not text and words.box.left < words.box.right)


def _around(boxes: Sequence[Box]) -> Box:
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return Box(min(lefts), min(bottoms), max(rights), max(tops))


def _lies_on(box: Box, pictures: Sequence[Box]) -> bool:
    """Whether pictures, or the strips of one, are behind most of a box."""
    left, bottom, right, top = box
    right, top = max(right, left + 1), max(top, bottom + 1)  # fonts of scanners have no height
    least = ON_PICTURE * (right - left) * (top - bottom)
    covered = 0.0
    for one in pictures:
        across = min(right, one.right) - max(left, one.left)
        down = min(top, one.top) - max(bottom, one.bottom)
        if across > 0 and down > 0:
            covered += across * down
            if covered >= least:
                return True
    return False


def _white_on_white(
    page: pypdfium2.PdfPage, layer: pypdfium2.PdfTextPage, drawn: _Drawn
) -> Iterator[_Words]:
    """Yield the pale text that has nothing behind it that is not white."""
    behind = [*drawn.fills[:MOST_BEHIND], *drawn.pictures[:MOST_BEHIND]]
    doubtful = [
        words
        for words in drawn.pale
        if not any(one.holds(words.box.middle) for one in behind) and _says(words, layer)
    ]
    if not doubtful or raw.FPDFPage_GetRotation(page):
        return
    for handle in drawn.seen:  # letters above those below them show nothing of these
        raw.FPDFPageObj_SetIsActive(handle, False)
    with suppress(pypdfium2.PdfiumError):  # what cannot be drawn is read
        picture = _Picture(page)
        yield from (words for words in doubtful if not picture.shows(words.box))
    for handle in drawn.seen:
        raw.FPDFPageObj_SetIsActive(handle, True)


class _Picture:
    """A page drawn in shades of grey, one pixel a point."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        """Draw it without notes and fields."""
        self._left, _, _, self._top = page.get_bbox()
        self._scale = min(1.0, MOST_PIXELS / max(1.0, *page.get_size()))
        drawn = page.render(
            scale=self._scale, grayscale=True, may_draw_forms=False, draw_annots=False
        )
        self._rows = [
            bytes(drawn.buffer[at : at + drawn.width])
            for at in range(0, drawn.stride * drawn.height, drawn.stride)
        ]
        drawn.close()

    def shows(self, box: Box) -> bool:
        """Tell whether anything is to be seen in a box."""
        left, right = ((x - self._left) * self._scale for x in (box.left, box.right))
        top, bottom = ((self._top - y) * self._scale for y in (box.top, box.bottom))
        rows = [row[_pixels(left, right)] for row in self._rows[_pixels(top, bottom)]]
        shown = [sum(pixel < WHITE for pixel in row) >= SHOWN * len(row) for row in rows]
        return sum(shown) >= SHOWN_ROWS * len(rows)


def _pixels(start: float, end: float) -> slice:
    """Return the pixels between two places, which may be no numbers in a damaged file."""
    first, last = (int(max(0.0, min(at, MOST_PIXELS))) for at in (start, end))
    return slice(first, last + 1)

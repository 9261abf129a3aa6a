"""PDF: a file opened, and each of its pages read.

It knows passwords, pages, and what was recognised on those that are pictures; where words stand on
one is in `lines`, how pages are written one after the other in `pages`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from types import MappingProxyType
from typing import Any

import pypdfium2
from pypdfium2 import raw

from knowledge.errors import (
    DamagedFile,
    NoTextLayer,
    ParseLimitExceeded,
    PasswordRequired,
    UnsupportedFile,
    WrongPassword,
)
from knowledge.parsing.blocks import Content, NotRead
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.pdf.annotations import AnnotationReader, Beside
from knowledge.parsing.pdf.beside import add_beside
from knowledge.parsing.pdf.breaks import FULL_LINE, width
from knowledge.parsing.pdf.lines import Line, Word, read_lines
from knowledge.parsing.pdf.pages import Page, PageWriter
from knowledge.parsing.pdf.rules import read_grids
from knowledge.parsing.pdf.tables import PageTable, find_tables, looks_like_tables
from knowledge.parsing.pdf.turning import open_upright
from knowledge.parsing.pdf.unseen import without_unseen
from knowledge.parsing.writer import too_much_text

HEADER_WITHIN = 1_024  # Adobe's readers look for %PDF- this far (PDF reference 1.7, H.3.4.1)
EDGE_LINES = 3  # at the top and at the bottom of a page that may repeat on others
STAMP = 60  # letters: a page with no more beside one large picture is a scan with a stamp on it
COVERED = 0.8  # of a page
MORE = 1.5  # times the letters of the text layer: fewer are the same text once more
MOST_REASONS = 3  # of an error
NOT_RECOGNISED = "a picture; its text was not recognised"

Recognised = Mapping[int, Mapping[str, Any]]
"""Page number, from 1 → `lines` (rows of words), `confidence`, and `why` there are none."""


def read_pdf(
    filename: str,
    content: bytes,
    password: str | None,
    *,
    limits: ParseLimits,
    recognised: Recognised = MappingProxyType({}),
) -> Content:
    """Return the text and tables of each page; a page without text is empty, and told.

    Args:
        filename: For messages.
        content: The file.
        password: Opens it, if it is locked.
        limits: Of pages and letters.
        recognised: What stands on pages that are pictures, by number, from 1.

    Raises:
        UnsupportedFile: It is no PDF.
        PasswordRequired, WrongPassword: It is locked.
        DamagedFile: pdfium cannot open it or one of its pages.
        NoTextLayer: No page has text.
        ParseLimitExceeded: Too many pages, or too much text.
    """
    document = open_pdf(filename, content, password)
    annotations = AnnotationReader(document, limits.chars)
    count = len(document)
    _check_pages(filename, count, limits.pages)
    pages: list[Page] = []
    left = limits.chars
    for number in range(count):
        page = _read_page(filename, document, number, annotations)
        pages.append(_with_recognised(page, recognised.get(number + 1, {})))
        left -= sum(map(len, pages[-1].lines))
        if left < 0:
            raise too_much_text(limits.chars)
    if not any(page.after or any(page.lines) for page in pages):
        raise NoTextLayer(
            f"{filename!r}: none of its {count} pages has text; they are pictures{_reasons(pages)}"
        )
    return _written(pages, limits, annotations.of_file())


def read_recognised(filename: str, recognised: Recognised, limits: ParseLimits) -> Content:
    """Return the text of a picture, page by page. Raises `NoTextLayer`: none was recognised."""
    numbers = range(1, max(recognised, default=0) + 1)
    blank = Page([], [], is_picture=True)
    pages = [_with_recognised(blank, recognised.get(number, {})) for number in numbers]
    if not any(page.lines for page in pages):
        raise NoTextLayer(f"{filename!r} gave no text{_reasons(pages)}")
    return _written(pages, limits)


def open_pdf(filename: str, content: bytes, password: str | None) -> pypdfium2.PdfDocument:
    """Open a file. Raises as `read_pdf`."""
    if b"%PDF-" not in content[:HEADER_WITHIN]:
        raise UnsupportedFile(f"{filename!r} is not a PDF file, despite its name")
    try:
        return pypdfium2.PdfDocument(content, password=password)
    except pypdfium2.PdfiumError as exc:
        if exc.err_code != raw.FPDF_ERR_PASSWORD:
            raise DamagedFile(f"{filename!r} is damaged: {exc}") from exc
        if password is None:
            raise PasswordRequired(f"{filename!r} is password-protected") from exc
        raise WrongPassword(f"{filename!r} does not open with this password") from exc


def _check_pages(filename: str, count: int, most: int) -> None:
    if count > most:
        raise ParseLimitExceeded(
            f"{filename!r} has {count} pages; at most {most} (knowledge.parse_pages)"
        )
    if not count:
        raise DamagedFile(f"{filename!r} has no page that can be found")


def _with_recognised(page: Page, found: Mapping[str, Any]) -> Page:
    """Return a page with the text that was recognised on it, or with why none was."""
    if not found:
        return page
    lines = [_line([Word(*word) for word in row]) for row in found["lines"]]
    read = sum(len(line.text) for line in lines)
    if page.is_picture and read and read < MORE * sum(map(len, page.lines)):
        return replace(page, is_picture=False)  # a title on a photo: the text layer says it better
    if not lines:
        return replace(page, why=found["why"])
    middle = (
        max(one.words[0].top for one in lines) + min(one.words[0].bottom for one in lines)
    ) / 2
    tables = find_tables(lines, []) if looks_like_tables(lines) else []
    return replace(
        page,
        lines=[line.text for line in lines],
        tables=tables,
        edges=_edges(lines, tables, middle),
        longest=_longest(lines),
        ends=set(),
        is_picture=False,
        confidence=float(found["confidence"]),
    )


def _line(words: list[Word]) -> Line:
    return Line(" ".join(word.text for word in words), words)


def _longest(lines: Iterable[Line]) -> int:
    return max([width(line.text) for line in lines], default=0)


def _reasons(pages: Sequence[Page]) -> str:
    why = list(dict.fromkeys(page.why for page in pages if page.why))
    return f" ({'; '.join(why[:MOST_REASONS])})" if why else ""


def _written(
    pages: Sequence[Page], limits: ParseLimits, of_file: Iterable[NotRead] = ()
) -> Content:
    written = PageWriter(pages, limits.chars)
    written.write()
    pictures = [number for number, page in enumerate(pages, 1) if page.is_picture]
    for why, group in groupby(pictures, key=lambda number: pages[number - 1].why):
        for first, last in _runs(list(group)):
            where = f"page {first}" if first == last else f"pages {first}-{last}"
            written.writer.leave_out("page", where, why or NOT_RECOGNISED)
    for one in (*(one for page in pages for one in page.not_read), *of_file):
        written.writer.leave_out(one.what, one.where, one.why)
    return Content(
        written.writer.blocks,
        "binary",
        written.writer.not_read,
        pictures,
        [(n, page.confidence) for n, page in enumerate(pages, 1) if page.confidence],
    )


def _runs(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of numbers that follow each other."""
    for _, group in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        run = [number for _, number in group]
        yield run[0], run[-1]


def _read_page(
    filename: str, document: pypdfium2.PdfDocument, number: int, annotations: AnnotationReader
) -> Page:
    try:
        page, layer, turn = open_upright(document, number)
        where = f"page {number + 1}"
        layer, unseen = without_unseen(page, layer, where)
        read = _read_open(page, layer, annotations.read(page, where, turn))
        read.not_read += unseen
        layer.close()
        page.close()
    except pypdfium2.PdfiumError as exc:
        raise DamagedFile(f"{filename!r}, page {number + 1}: {exc}") from exc
    return read


def _read_open(
    page: pypdfium2.PdfPage, layer: pypdfium2.PdfTextPage, beside: Beside | None
) -> Page:
    _, bottom, _, top = page.get_bbox()
    needs_words = beside is not None and beside.needs_words
    lines = read_lines(layer, each_word=needs_words)
    longest = _longest(lines)
    has_tables = looks_like_tables(lines)
    grids = read_grids(page) if needs_words or has_tables else []
    read = Page([], [], longest=longest, is_picture=_is_picture(page, lines))
    if beside:
        before = {id(line): line.text for line in lines}
        read.after, read.not_read = add_beside(beside, lines, layer, grids), beside.not_read
        texts = [(before.get(id(line), ""), line.text) for line in lines]
        read.ends = set(_ends(texts, FULL_LINE * longest))
        has_tables = looks_like_tables(lines)
    read.tables = find_tables(lines, grids) if has_tables else []
    read.lines = [line.text for line in lines]
    read.edges = _edges(lines, read.tables, (bottom + top) / 2)
    return read


def _ends(texts: Sequence[tuple[str, str]], full: float) -> Iterator[int]:
    """Yield the lines that end a paragraph as they have got a value or an address.

    Args:
        texts: Each line without it, and with it.
        full: How wide a line is that does not end one.
    """
    for number, (before, text) in enumerate(texts):
        if before == text:
            continue
        if width(before) < full:
            yield number
        if text[-2:] != before[-2:]:
            yield from (number - 1, number)


def _edges(
    lines: Sequence[Line], tables: Sequence[PageTable], middle: float
) -> tuple[list[int], list[int]]:
    """Return the lines at the top and at the bottom of a page that may repeat on others."""
    used = {line for table in tables for line in table.lines}
    placed = [n for n, line in enumerate(lines) if line.words and n not in used]
    down = sorted(placed, key=lambda n: -lines[n].words[0].top)
    upper = sum(lines[n].words[0].top > middle for n in down)
    return down[:upper][:EDGE_LINES], down[upper:][::-1][:EDGE_LINES]


def _is_picture(page: pypdfium2.PdfPage, lines: Sequence[Line]) -> bool:
    """Whether the text of a page is to be recognised: it has none, or no more than a stamp."""
    letters = sum(len(line.text) for line in lines)
    if not letters:
        return bool(raw.FPDFPage_CountObjects(page) > 0)
    return letters <= STAMP and _is_covered(page)


def _is_covered(page: pypdfium2.PdfPage) -> bool:
    """Whether one picture covers most of a page, as the one of a scanner does."""
    across, down = page.get_size()
    boxes = [one.get_bounds() for one in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE])]
    return any(
        (right - left) * (top - bottom) > COVERED * across * down
        for left, bottom, right, top in boxes
    )

"""PDF: pages one after the other; what goes on over a page break stays whole.

It knows passwords, pages and what repeats on them; where words stand on one is in `lines`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
from knowledge.parsing.blocks import Content, Paragraph, Table
from knowledge.parsing.grid import is_figure
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.pdf.breaks import (
    goes_on,
    join_lines,
    running_lines,
    width,
    without_broken_word,
)
from knowledge.parsing.pdf.lines import Line, Word, read_lines
from knowledge.parsing.pdf.rules import Cell, read_grids
from knowledge.parsing.pdf.tables import PageTable, find_tables, looks_like_tables
from knowledge.parsing.writer import BlockWriter, too_much_text

HEADER_WITHIN = 1_024  # Adobe's readers look for %PDF- this far (PDF reference 1.7, H.3.4.1)
EDGE_LINES = 3  # at the top and at the bottom of a page that may repeat on others
STAMP = 60  # letters: a page with no more beside one large picture is a scan with a stamp on it
COVERED = 0.8  # of a page
MORE = 1.5  # times the letters of the text layer: fewer are the same text once more
MOST_REASONS = 3  # of an error
NOT_RECOGNISED = "a picture; its text was not recognised"
SAME_COLUMN = 20.0  # points by which a column may begin elsewhere on the next page

Recognised = Mapping[int, Mapping[str, Any]]
"""Page number, from 1 → `lines` (rows of words), `confidence`, and `why` there are none."""


@dataclass(slots=True)
class _Page:
    """What is kept of a page: its lines, its tables, and which lines stand at its edges."""

    lines: list[str]
    tables: list[PageTable]
    edges: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    is_picture: bool = False
    why: str = ""  # its text was not recognised
    confidence: float = 0.0  # of its text, where that was recognised


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
    count = len(document)
    if count > limits.pages:
        raise ParseLimitExceeded(
            f"{filename!r} has {count} pages; at most {limits.pages} (knowledge.parse_pages)"
        )
    if not count:
        raise DamagedFile(f"{filename!r} has no page that can be found")
    pages: list[_Page] = []
    left = limits.chars
    for number in range(count):
        page = _read_page(filename, document, number)
        pages.append(_with_recognised(page, recognised.get(number + 1, {})))
        left -= sum(map(len, pages[-1].lines))
        if left < 0:
            raise too_much_text(limits.chars)
    if not any(line for page in pages for line in page.lines):
        raise NoTextLayer(
            f"{filename!r}: none of its {count} pages has text; they are pictures{_reasons(pages)}"
        )
    return _written(pages, limits)


def read_recognised(filename: str, recognised: Recognised, limits: ParseLimits) -> Content:
    """Return the text of a picture, page by page. Raises `NoTextLayer`: none was recognised."""
    numbers = range(1, max(recognised, default=0) + 1)
    blank = _Page([], [], is_picture=True)
    pages = [_with_recognised(blank, recognised.get(number, {})) for number in numbers]
    if not any(page.lines for page in pages):
        raise NoTextLayer(f"{filename!r}: no text was recognised{_reasons(pages)}")
    return _written(pages, limits)


def _with_recognised(page: _Page, found: Mapping[str, Any]) -> _Page:
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
    made = _page(lines, tables, middle)
    return replace(made, confidence=float(found["confidence"]))


def _line(words: list[Word]) -> Line:
    return Line(" ".join(word.text for word in words), words)


def _reasons(pages: Sequence[_Page]) -> str:
    why = list(dict.fromkeys(page.why for page in pages if page.why))
    return f" ({'; '.join(why[:MOST_REASONS])})" if why else ""


def _written(pages: Sequence[_Page], limits: ParseLimits) -> Content:
    written = _Pages(pages, limits)
    written.write()
    pictures = [number for number, page in enumerate(pages, 1) if page.is_picture]
    for why, group in groupby(pictures, key=lambda number: pages[number - 1].why):
        for first, last in _runs(list(group)):
            where = f"page {first}" if first == last else f"pages {first}-{last}"
            written.writer.leave_out("page", where, why or NOT_RECOGNISED)
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


def _read_page(filename: str, document: pypdfium2.PdfDocument, number: int) -> _Page:
    try:
        page = document[number]
        layer = page.get_textpage()
        left, bottom, right, top = page.get_bbox()
        lines = [
            line
            for line in read_lines(layer)
            if not line.words
            or (line.words[0].left < right and line.words[-1].right > left)
            and bottom < line.words[0].top
            and line.words[0].bottom < top
        ]
        tables = find_tables(lines, read_grids(page)) if looks_like_tables(lines) else []
        letters = sum(len(line.text) for line in lines)
        is_picture = not letters and raw.FPDFPage_CountObjects(page) > 0
        is_picture |= 0 < letters <= STAMP and _is_covered(page)
        layer.close()
        page.close()
    except pypdfium2.PdfiumError as exc:
        raise DamagedFile(f"{filename!r}, page {number + 1}: {exc}") from exc
    return replace(_page(lines, tables, (bottom + top) / 2), is_picture=is_picture)


def _is_covered(page: pypdfium2.PdfPage) -> bool:
    """Whether one picture covers most of a page, as the one of a scanner does."""
    width, height = page.get_size()
    boxes = [one.get_bounds() for one in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE])]
    return any(
        (right - left) * (top - bottom) > COVERED * width * height
        for left, bottom, right, top in boxes
    )


def _page(lines: Sequence[Line], tables: list[PageTable], middle: float) -> _Page:
    """Return what is kept of these lines; `middle` parts those at the top from those below."""
    used = {line for table in tables for line in table.lines}
    placed = [n for n, line in enumerate(lines) if line.words and n not in used]
    down = sorted(placed, key=lambda n: -lines[n].words[0].top)
    upper = sum(lines[n].words[0].top > middle for n in down)
    edges = (down[:upper][:EDGE_LINES], down[upper:][::-1][:EDGE_LINES])
    return _Page([line.text for line in lines], tables, edges)


def _items(page: _Page, repeated: set[int]) -> list[str | PageTable]:
    """Return running text and tables in the order of the page, without what repeats."""
    tables = {min(table.lines): table for table in page.tables}
    used = {line for table in page.tables for line in table.lines}
    longest = max(map(width, page.lines), default=0)
    items: list[str | PageTable] = []
    lines: list[str] = []
    for number, line in enumerate([*page.lines, ""]):
        if number not in used | repeated and number < len(page.lines):
            lines.append(line)
        if lines and (number in tables or number == len(page.lines)):
            items += [text] if (text := join_lines(lines, longest)) else []
            lines = []
        items += [tables[number]] if number in tables else []
    return items


class _Pages:
    """Writes pages so that nothing stands inside what goes on from one to the next."""

    def __init__(self, pages: Sequence[_Page], limits: ParseLimits) -> None:
        self.writer = BlockWriter(limits.chars)
        self._header: tuple[tuple[str, ...], ...] = ()  # of the table that goes on
        repeated = running_lines(
            [tuple([page.lines[n] for n in edge] for edge in page.edges) for page in pages]
        )
        self._above = [
            [p.lines[n] for n in p.edges[0][:count]]
            for p, (count, _) in zip(pages, repeated, strict=True)
        ]
        self._below = [
            [p.lines[n] for n in p.edges[1][:count]][::-1]
            for p, (_, count) in zip(pages, repeated, strict=True)
        ]
        self._items = [
            _items(p, {*p.edges[0][:above], *p.edges[1][:below]})
            for p, (above, below) in zip(pages, repeated, strict=True)
        ]
        self._goes_on = [self._joins(number) for number in range(len(pages))]

    def _joins(self, number: int) -> bool:
        """Whether a page ends inside what the next begins with; a broken word is made whole."""
        if number + 1 >= len(self._items) or not (self._items[number] and self._items[number + 1]):
            return False
        before, after = self._items[number][-1], self._items[number + 1][0]
        if isinstance(before, PageTable) and isinstance(after, PageTable):
            return _same_table(before, after)
        if isinstance(before, str) and isinstance(after, str) and goes_on(before, after):
            before, after = without_broken_word(before, after)
            self._items[number][-1], self._items[number + 1][0] = before, after
            return bool(after)
        return False

    def write(self) -> None:
        """Write all pages.

        What repeats stands before and after a page, or where it parts nothing: it waits for
        another page where all of one goes on from the page before and to the next.
        """
        waiting: list[str] = []
        for number, items in enumerate(self._items):
            self.writer.start_page()
            comes_over = number > 0 and self._goes_on[number - 1]
            goes_over = self._goes_on[number]
            above, below = [*waiting, *self._above[number]], self._below[number]
            waiting = []
            if comes_over and goes_over and len(items) == 1:
                waiting, above, below = [*above, *below], [], []
            elif comes_over:
                above, below = [], [*above, *below]
            elif goes_over:
                above, below = [*above, *below], []
            self._lines(above)
            for place, item in enumerate(items):
                self._add(item, continues=comes_over and place == 0)
                if comes_over and goes_over and place == 0:
                    self._lines(below)
                    below = []
            self._lines(below)
        self._lines(waiting)

    def _lines(self, lines: Sequence[str]) -> None:
        self.writer.text("\n".join(lines))
        self.writer.end_paragraph()

    def _add(self, item: str | PageTable, *, continues: bool) -> None:
        if isinstance(item, PageTable):
            self._add_table(item, continues=continues)
            return
        self._lines([item.replace("\ufffe", "-").replace("\u0002", "-")])
        if continues and isinstance(last := self.writer.blocks[-1], Paragraph):
            self.writer.blocks[-1] = replace(last, continues=True)

    def _add_table(self, table: PageTable, *, continues: bool) -> None:
        self.writer.begin_table()
        placed: list[list[Cell]] = [[] for _ in range(table.row_count)]
        for cell in sorted(table.cells):
            placed[cell.row].append(cell)
        for row in placed:
            self.writer.begin_row()
            for cell in row:
                self.writer.skip_to(cell.column)
                self.writer.cell(table.cells[cell], columns=cell.columns, rows=cell.rows)
            self.writer.end_row()
        self.writer.end_table(table.title)
        made = self.writer.blocks[-1]
        if not isinstance(made, Table):
            return
        if not continues:
            self._header = made.rows[: made.header_rows]
            return
        rows = made.rows if not made.title or table.title else ((made.title,), *made.rows)
        count = len(self._header)
        rows = rows[count:] if count and rows[:count] == self._header else rows
        self.writer.blocks[-1] = replace(made, rows=rows, header_rows=0, title="", continues=True)


def _same_table(before: PageTable, after: PageTable) -> bool:
    """Whether a table goes on with the one that begins the next page."""
    if after.title or len(before.lefts) != len(after.lefts):
        return False
    if any(abs(a - b) > SAME_COLUMN for a, b in zip(before.lefts, after.lefts, strict=True)):
        return False
    first, header = after.row(0), before.row(0)
    if first == header:
        return True
    last = before.row(before.row_count - 1)
    shared = first.keys() & last.keys()
    return all(is_figure(first[column]) == is_figure(last[column]) for column in shared)

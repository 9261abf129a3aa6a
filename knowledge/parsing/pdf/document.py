"""PDF: pages one after the other; what goes on over a page break stays whole.

It knows passwords, pages and what repeats on them; where words stand on one is in `lines`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

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
from knowledge.parsing.blocks import Content, Note, NotRead, Paragraph, Table
from knowledge.parsing.grid import is_figure
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.pdf.annotations import AnnotationReader, Beside
from knowledge.parsing.pdf.beside import After, add_beside
from knowledge.parsing.pdf.breaks import (
    FULL_LINE,
    goes_on,
    join_lines,
    running_lines,
    without_broken_word,
)
from knowledge.parsing.pdf.lines import Line, read_lines
from knowledge.parsing.pdf.rules import Cell, read_grids
from knowledge.parsing.pdf.tables import PageTable, find_tables, looks_like_tables
from knowledge.parsing.pdf.turning import open_upright
from knowledge.parsing.writer import BlockWriter, too_much_text

HEADER_WITHIN = 1_024  # Adobe's readers look for %PDF- this far (PDF reference 1.7, H.3.4.1)
EDGE_LINES = 3  # at the top and at the bottom of a page that may repeat on others
SAME_COLUMN = 20.0  # points by which a column may begin elsewhere on the next page

Item = str | PageTable | Note


@dataclass(slots=True)
class _Page:
    """What is kept of a page: its lines, its tables, and which lines stand at its edges.

    Attributes:
        longest: How many letters its longest line has, without values and addresses.
        ends: Lines that end a paragraph as they have got some.
        after: What comes after its lines: notes, and values of a form.
    """

    lines: list[str]
    tables: list[PageTable]
    edges: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    longest: int = 0
    ends: set[int] = field(default_factory=set)
    after: list[After] = field(default_factory=list)
    not_read: list[NotRead] = field(default_factory=list)
    is_picture: bool = False


def read_pdf(filename: str, content: bytes, password: str | None, limits: ParseLimits) -> Content:
    """Return the text and tables of each page; a page without text is empty, and told.

    Raises:
        UnsupportedFile: It is no PDF.
        PasswordRequired, WrongPassword: It is locked.
        DamagedFile: pdfium cannot open it or one of its pages.
        NoTextLayer: No page has text.
        ParseLimitExceeded: Too many pages, or too much text.
    """
    if b"%PDF-" not in content[:HEADER_WITHIN]:
        raise UnsupportedFile(f"{filename!r} is not a PDF file, despite its name")
    document = _open(filename, content, password)
    annotations = AnnotationReader(document, limits.chars)
    count = len(document)
    _check_pages(filename, count, limits.pages)
    pages: list[_Page] = []
    left = limits.chars
    for number in range(count):
        pages.append(_read_page(filename, document, number, annotations))
        left -= sum(map(len, pages[-1].lines))
        if left < 0:
            raise too_much_text(limits.chars)
    if not any(page.after or any(page.lines) for page in pages):
        raise NoTextLayer(f"{filename!r}: none of its {count} pages has text; they are pictures")
    written = _Pages(pages, limits)
    written.write()
    for number, page in enumerate(pages, 1):
        if page.is_picture:
            why = "a picture; its text was not recognised"
            written.writer.leave_out("page", f"page {number}", why)
        for one in page.not_read:
            written.writer.leave_out(one.what, one.where, one.why)
    for one in annotations.of_file():
        written.writer.leave_out(one.what, one.where, one.why)
    return Content(written.writer.blocks, "binary", written.writer.not_read)


def _check_pages(filename: str, count: int, most: int) -> None:
    if count > most:
        raise ParseLimitExceeded(
            f"{filename!r} has {count} pages; at most {most} (knowledge.parse_pages)"
        )
    if not count:
        raise DamagedFile(f"{filename!r} has no page that can be found")


def _open(filename: str, content: bytes, password: str | None) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(content, password=password)
    except pypdfium2.PdfiumError as exc:
        if exc.err_code != raw.FPDF_ERR_PASSWORD:
            raise DamagedFile(f"{filename!r} is damaged: {exc}") from exc
        if password is None:
            raise PasswordRequired(f"{filename!r} is password-protected") from exc
        raise WrongPassword(f"{filename!r} does not open with this password") from exc


def _read_page(
    filename: str, document: pypdfium2.PdfDocument, number: int, annotations: AnnotationReader
) -> _Page:
    try:
        opened = open_upright(document, number)
        beside = annotations.read(opened.page, f"page {number + 1}", opened.turn)
        read = _read_open(opened.page, opened.layer, beside)
        opened.layer.close()
        opened.page.close()
    except pypdfium2.PdfiumError as exc:
        raise DamagedFile(f"{filename!r}, page {number + 1}: {exc}") from exc
    return read


def _read_open(
    page: pypdfium2.PdfPage, layer: pypdfium2.PdfTextPage, beside: Beside | None
) -> _Page:
    _, bottom, _, top = page.get_bbox()
    needs_words = beside is not None and beside.needs_words
    lines = _lines_of(page, layer, each_word=needs_words)
    is_picture = not any(line.text for line in lines) and raw.FPDFPage_CountObjects(page) > 0
    longest = max([len(line.text) for line in lines], default=0)
    has_tables = looks_like_tables(lines)
    grids = read_grids(page) if needs_words or has_tables else []
    read = _Page([], [], longest=longest, is_picture=is_picture)
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
        full: How many letters a line has that does not end one.
    """
    for number, (before, text) in enumerate(texts):
        if before == text:
            continue
        if len(before) < full:
            yield number
        if text[-2:] != before[-2:]:
            yield from (number - 1, number)


def _lines_of(
    page: pypdfium2.PdfPage, layer: pypdfium2.PdfTextPage, *, each_word: bool
) -> list[Line]:
    """Return the lines of a page, without those outside of its borders."""
    left, bottom, right, top = page.get_bbox()
    return [
        line
        for line in read_lines(layer, each_word=each_word)
        if not line.words
        or (line.words[0].left < right and line.words[-1].right > left)
        and bottom < line.words[0].top
        and line.words[0].bottom < top
    ]


def _edges(
    lines: Sequence[Line], tables: Sequence[PageTable], middle: float
) -> tuple[list[int], list[int]]:
    """Return the lines at the top and at the bottom of a page that may repeat on others."""
    used = {line for table in tables for line in table.lines}
    placed = [n for n, line in enumerate(lines) if line.words and n not in used]
    down = sorted(placed, key=lambda n: -lines[n].words[0].top)
    upper = sum(lines[n].words[0].top > middle for n in down)
    return down[:upper][:EDGE_LINES], down[upper:][::-1][:EDGE_LINES]


def _items(page: _Page, repeated: set[int]) -> list[Item]:
    """Return running text and tables in the order of the page, without what repeats."""
    tables = {min(table.lines): table for table in page.tables}
    used = {line for table in page.tables for line in table.lines}
    items: list[Item] = []
    runs: list[list[str]] = [[]]
    for number, line in enumerate([*page.lines, ""]):
        if number not in used | repeated and number < len(page.lines):
            runs[-1].append(line)
            runs += [[]] if number in page.ends else []
        if number in tables or number == len(page.lines):
            texts = [join_lines(run, page.longest) for run in runs if run]
            items += [text] if (text := "\n".join(filter(None, texts))) else []
            runs = [[]]
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
        for number, page in enumerate(pages):
            if page.after:
                self._put_after(number, page.after)

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

    def _put_after(self, number: int, after: Sequence[After]) -> None:
        """Put notes after the text of a page; before its last part where that goes on."""
        items = self._items[number]
        comes_over = number > 0 and self._goes_on[number - 1]
        if comes_over and len(items) == 1:
            self._goes_on[number] = False  # nothing else would keep the notes on their page
        at = len(items) - self._goes_on[number]
        items[at:at] = after

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

    def _add(self, item: Item, *, continues: bool) -> None:
        if isinstance(item, PageTable):
            self._add_table(item, continues=continues)
            return
        if isinstance(item, Note):
            self.writer.text(item.text)
            self.writer.end_paragraph(note=True)
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
            after = 0
            for cell in row:
                if cell.column > after:
                    self.writer.skip_to(cell.column)
                after = cell.column + cell.columns
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

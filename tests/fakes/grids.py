"""Tables as files of every format that holds some, and PDF pages with text at given places.

It knows how each format writes a grid; it does not know what the cells mean.
"""

import csv
import html
import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.fakes.files import paragraph, pdf_file, word_parts, workbook, zipped

PAGE_WIDTH, PAGE_HEIGHT, MARGIN = 612, 792, 40
SIZE, LEADING = 8, 11
ROWS_ON_A_PAGE = 62
# A font that is in no file, as Chinese programs write it: its codes are those of Unicode.
HAN_FONT = (
    b"<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /Identity-H "
    b"/ToUnicode 5 0 R /DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 "
    b"/BaseFont /STSong-Light /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) "
    b"/Supplement 0 >> /DW 1000 /FontDescriptor << /Type /FontDescriptor /FontName /STSong-Light "
    b"/Flags 4 /FontBBox [0 -200 1000 900] /ItalicAngle 0 /Ascent 900 /Descent -200 "
    b"/CapHeight 700 /StemV 80 >> >>] >>"
)
TO_UNICODE = (
    b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def "
    b"/CMapType 2 def 1 begincodespacerange <0000> <ffff> endcodespacerange "
    b"%d beginbfrange %s endbfrange endcmap end end"
)


@dataclass(frozen=True, slots=True)
class Grid:
    """A table under a title; every row is as long as the header."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def all_rows(self) -> tuple[tuple[str, ...], ...]:
        """The header, then the rows."""
        return (self.header, *self.rows)


@dataclass(frozen=True, slots=True)
class Placed:
    """A text whose first letter stands at (x, y), in points from the lower left corner."""

    x: float
    y: float
    text: str
    size: float = SIZE


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on a page of a PDF: texts, and lines from (x, y) to (x, y)."""

    texts: Sequence[Placed]
    lines: Sequence[tuple[float, float, float, float]] = ()


def csv_table(grid: Grid) -> bytes:
    """Return a CSV file; a title has no place in it."""
    out = io.StringIO()
    csv.writer(out).writerows(grid.all_rows)
    return out.getvalue().encode()


def html_table(grid: Grid) -> bytes:
    """Return a web page."""
    rows = [
        "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row)
        for tag, row in zip(["th", *["td"] * len(grid.rows)], grid.all_rows, strict=True)
    ]
    table = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<h1>{html.escape(grid.title)}</h1><table>{table}</table>".encode()


def markdown_table(grid: Grid) -> bytes:
    """Return a Markdown file; a bar in a cell is escaped."""
    lines = ["| " + " | ".join(c.replace("|", "\\|") for c in row) + " |" for row in grid.all_rows]
    lines.insert(1, "|" + " --- |" * len(grid.header))
    return f"# {grid.title}\n\n{chr(10).join(lines)}\n".encode()


def word_table(grid: Grid) -> bytes:
    """Return a Word file."""
    title = paragraph(html.escape(grid.title), style="1")
    return zipped(word_parts(title + word_rows(grid)))


def word_rows(grid: Grid) -> str:
    """Return a Word table."""
    rows = [
        "".join(f"<w:tc>{paragraph(html.escape(cell))}</w:tc>" for cell in row)
        for row in grid.all_rows
    ]
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"


def excel_table(grid: Grid) -> bytes:
    """Return an Excel file whose sheet is named as the table; whole numbers are numbers."""
    return workbook({html.escape(grid.title): sheet_rows(grid.all_rows)})


def sheet_rows(rows: Sequence[Sequence[str]]) -> str:
    """Return the markup of a sheet's rows."""
    return "".join(
        f'<row r="{n}">' + "".join(_sheet_cell(f"{letter(c)}{n}", v) for c, v in enumerate(row))
        + "</row>"
        for n, row in enumerate(rows, 1)
    )  # fmt: skip


def letter(column: int) -> str:
    """Return the name of a column: A for 0, AA for 26."""
    name = chr(ord("A") + column % 26)
    return name if column < 26 else letter(column // 26 - 1) + name


def _sheet_cell(place: str, value: str) -> str:
    if not value:
        return ""
    if value.isdecimal() and not (value[0] == "0" and len(value) > 1):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{html.escape(value)}</t></is></c>'


def pdf_table(grid: Grid) -> bytes:
    """Return a PDF with the table in columns, over as many pages as it takes; no lines."""
    return placed_pdf(table_pages(grid, ruled=False))


def ruled_pdf_table(grid: Grid) -> bytes:
    """Return a PDF with a line round each cell."""
    return placed_pdf(table_pages(grid, ruled=True))


def table_pages(grid: Grid, *, ruled: bool, rows_on_a_page: int = ROWS_ON_A_PAGE) -> list[Page]:
    """Return the pages of a table; the header stands on the first alone."""
    width = (PAGE_WIDTH - 2 * MARGIN) / len(grid.header)
    top = PAGE_HEIGHT - MARGIN
    pages: list[Page] = []
    for number, part in enumerate(batches(grid.all_rows, rows_on_a_page)):
        first = top - (2 * LEADING if number == 0 else 0)
        texts = [Placed(MARGIN, top, grid.title, 12)] if number == 0 else []
        texts += [
            Placed(MARGIN + column * width + 3, first - line * LEADING, cell)
            for line, row in enumerate(part)
            for column, cell in enumerate(row)
            if cell
        ]
        pages.append(Page(texts, _rules(len(part), len(grid.header), first) if ruled else ()))
    return pages


def batches(rows: Sequence[tuple[str, ...]], size: int) -> list[Sequence[tuple[str, ...]]]:
    """Return the rows, so many at a time."""
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _rules(rows: int, columns: int, first: float) -> list[tuple[float, float, float, float]]:
    width = (PAGE_WIDTH - 2 * MARGIN) / columns
    top, right = first + LEADING - 3, PAGE_WIDTH - MARGIN
    bottom = top - rows * LEADING
    across = [(MARGIN, top - n * LEADING, right, top - n * LEADING) for n in range(rows + 1)]
    down = [(MARGIN + n * width, top, MARGIN + n * width, bottom) for n in range(columns + 1)]
    return [*across, *down]


def placed_pdf(pages: Sequence[Page]) -> bytes:
    """Return a PDF of these pages; Latin text in Helvetica, other text in a Chinese font."""
    kids = " ".join(f"{6 + 2 * n} 0 R" for n in range(len(pages)))
    codes = sorted({ord(c) for page in pages for one in page.texts for c in one.text if c > "\xff"})
    ranges = " ".join(f"<{code:04x}> <{code:04x}> <{code:04x}>" for code in codes).encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        HAN_FONT,
        _stream(TO_UNICODE % (len(codes), ranges)),
    ]
    for n, page in enumerate(pages):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {PAGE_WIDTH} {PAGE_HEIGHT}] /Contents "
            f"{7 + 2 * n} 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>".encode()
        )
        objects.append(_stream(_content(page)))
    return pdf_file(objects)


def _stream(data: bytes) -> bytes:
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(data), data)


def _content(page: Page) -> bytes:
    lines = [f"{x0:g} {y0:g} m {x1:g} {y1:g} l S".encode() for x0, y0, x1, y1 in page.lines]
    return b"\n".join([b"0.5 w", *lines, *map(_shown_text, page.texts)])


def _shown_text(one: Placed) -> bytes:
    runs = [
        b"/F2 %g Tf <%s> Tj" % (one.size, run.encode("utf-16-be").hex().encode())
        if is_han
        else b"/F1 %g Tf (%s) Tj" % (one.size, _escaped(run))
        for is_han, run in (
            (is_han, "".join(letters))
            for is_han, letters in itertools.groupby(one.text, key=lambda c: c > "\xff")
        )
    ]
    return b"BT 1 0 0 1 %g %g Tm %s ET" % (one.x, one.y, b" ".join(runs))


def _escaped(text: str) -> bytes:
    data = text.encode("cp1252")
    return data.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


OF_TABLE: Mapping[str, Callable[[Grid], bytes]] = {
    "table.csv": csv_table,
    "table.xlsx": excel_table,
    "table.html": html_table,
    "table.md": markdown_table,
    "table.docx": word_table,
    "table.pdf": pdf_table,
    "ruled.pdf": ruled_pdf_table,
}
"""File name → makes the file of a table."""

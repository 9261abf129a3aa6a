"""Random PDFs: tables over pages, with lines and without, and raised figures."""

from collections.abc import Sequence

from tests.fakes.grids import LEADING, PAGE_HEIGHT, Page, Placed, placed_pdf
from tests.knowledge.parsing.documents.marks import Marks, Written

ROW_GAP = 5  # points between columns of a PDF without lines: two spaces of its font
DIGIT_WIDTH = 4.5  # of Helvetica at 8 points
LETTER_WIDTH = 6  # at most, of its other letters


def pdf_table(seed: int, *, ruled: bool) -> Written:
    """Return a PDF: a table over pages, a text that goes on over a page break."""
    written = Written("ruled.pdf" if ruled else "plain.pdf")
    marks = Marks(seed, written)
    table = marks.table(merged=False)
    lines = [*table.rows]
    height = marks.chance.randrange(3, 6)
    pages = []
    for start in range(0, len(lines), height):
        part = [table.header, *lines[:height]] if not start else lines[start : start + height]
        pages.append(_table_page(part, marks, ruled=ruled))
    written.content = placed_pdf(pages)
    return written


def raised_pdf(seed: int) -> Written:
    """Return a PDF with raised figures and signs of notes."""
    written = Written("raised.pdf")
    marks = Marks(seed, written)
    texts = []
    for line in range(marks.chance.randrange(3, 9)):
        number, figure = marks.raised()
        begin, y = f"Tank {line} holds {number}", 700 - 2 * LEADING * line
        written.runs.add(str(line))
        after = 50 + _width(begin)
        texts += [Placed(50, y, begin), Placed(after, y + 3, figure, 5)]
        texts.append(Placed(after + 3, y, " litres of oil."))
    written.content = placed_pdf([Page(texts)])
    return written


def _width(text: str) -> float:
    """Return the width of a text in Helvetica at 8 points (Adobe's font metrics)."""
    narrow = {" ": 278, "l": 222, "T": 611, "k": 500, "s": 500}
    return 8 * sum(narrow.get(c, 556) for c in text) / 1000


def _table_page(rows: Sequence[Sequence[str]], marks: Marks, *, ruled: bool) -> Page:
    """Return a page: a line that begins with a number, the rows, a line that ends with one."""
    longest = max(len(cell) for row in rows for cell in row)
    width = LETTER_WIDTH * longest if ruled else DIGIT_WIDTH * longest + ROW_GAP + 20
    top = PAGE_HEIGHT - 60
    texts = [Placed(50, top + 2 * LEADING, f"{marks.mark()} begins the page.")]
    texts += [
        Placed(50 + column * width, top - line * LEADING, cell)
        for line, row in enumerate(rows)
        for column, cell in enumerate(row)
    ]
    bottom = top - len(rows) * LEADING
    texts.append(Placed(50, bottom - LEADING, f"The page ends with {marks.mark()}"))
    if not ruled:
        return Page(texts)
    right, head = 50 + len(rows[0]) * width - 2, top + LEADING - 3
    foot = bottom + LEADING - 3
    across = [(48, head - n * LEADING, right, head - n * LEADING) for n in range(len(rows) + 1)]
    down = [(48 + n * width, head, 48 + n * width, foot) for n in range(len(rows[0]) + 1)]
    return Page(texts, [*across, *down])

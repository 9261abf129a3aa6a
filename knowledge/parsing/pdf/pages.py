"""The pages of a PDF written one after the other; what goes on over a page break stays whole.

It knows lines, tables and what repeats at the edges of pages; it does not know how they are read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from knowledge.parsing.blocks import Note, NotRead, Paragraph, Table
from knowledge.parsing.grid import is_figure
from knowledge.parsing.pdf.beside import After
from knowledge.parsing.pdf.breaks import goes_on, join_lines, running_lines, without_broken_word
from knowledge.parsing.pdf.rules import Cell
from knowledge.parsing.pdf.tables import PageTable
from knowledge.parsing.writer import BlockWriter

SAME_COLUMN = 20.0  # points by which a column may begin elsewhere on the next page

Item = str | PageTable | Note


@dataclass(slots=True)
class Page:
    """What is kept of a page: its lines, its tables, and which lines stand at its edges.

    Attributes:
        longest: How wide its longest line is, without values and addresses.
        ends: Lines that end a paragraph as they have got some.
        after: What comes after its lines: notes, and values of a form.
        is_picture: Its text is to be recognised, or could not be.
        why: Its text was not recognised.
        confidence: Of its text, where that was recognised.
    """

    lines: list[str]
    tables: list[PageTable]
    edges: tuple[list[int], list[int]] = field(default_factory=lambda: ([], []))
    longest: int = 0
    ends: set[int] = field(default_factory=set)
    after: list[After] = field(default_factory=list)
    not_read: list[NotRead] = field(default_factory=list)
    is_picture: bool = False
    why: str = ""
    confidence: float = 0.0


def _items(page: Page, repeated: set[int]) -> list[Item]:
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


class PageWriter:
    """Writes pages so that nothing stands inside what goes on from one to the next."""

    def __init__(self, pages: Sequence[Page], chars: int) -> None:
        self.writer = BlockWriter(chars)
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

"""Collects what a reader finds into blocks: running text, lists, tables, code, pages.

It knows paragraphs, cells and frames inside frames; it does not know where text comes from, nor how
a block is written in the end (`blocks`).
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from knowledge.errors import ParseLimitExceeded
from knowledge.parsing.blocks import (
    Block,
    Caption,
    Code,
    Heading,
    ListItem,
    Note,
    NotRead,
    PageStart,
    Paragraph,
    SheetStart,
    Table,
)
from knowledge.parsing.grid import Grid
from knowledge.parsing.raised import (
    is_unsettled,
    lowered,
    note_mark,
    raised,
    settle,
    settle_notes,
    struck,
)

MAX_NOT_READ = 100  # told one by one; a file with more has them counted
MOST_PLACES = 8  # named in one line; a reader who looks there finds the others
_SPACES = re.compile(r"[ \t\u00a0]{2,}|[\t\u00a0]")
_MARK = re.compile(r"(?m)^(?=#{1,6}(?:\s|$)|```|~~~)")


class BlockWriter:
    """Blocks on their way into a document: in order, with frames for cells and text boxes."""

    def __init__(self, chars: int) -> None:
        """Begin an empty document of at most `chars` characters."""
        self._left = self._chars = chars
        self._frames: list[tuple[list[Block], list[str]]] = [
            ([], [])
        ]  # (blocks, words of the next)
        self._grids: list[Grid] = []
        self._spans: list[tuple[int, int, bool | None]] = []  # of the cells that are open
        self._copies: list[Literal["above", "left"] | None] = []  # … and what they say again
        self._lone: list[list[Block]] = []  # of each table, while it has one cell
        self._has_enclosed = self._is_unsettled = False  # words for `raised`
        self._notes: set[str] = set()  # their marks
        self._readings: list[tuple[str, str]] = []  # words of the paragraph, how each is read
        self._read_until = 0  # the value of `_left` after the last of them
        self.not_read: list[NotRead] = []

    @property
    def blocks(self) -> list[Block]:
        """The blocks so far; the paragraph that is open is ended."""
        self.end_paragraph()
        blocks = self._frames[-1][0]
        if self._readings:
            blocks.append(Paragraph(self._readings_text().strip()))
        if self._is_unsettled:
            blocks[:] = [_settled(block, self._notes) for block in blocks]
        return blocks

    def text(self, words: str) -> None:
        """Add words to the paragraph.

        Raises:
            ParseLimitExceeded: It is more text than allowed.
        """
        self._charge(words)
        self._frames[-1][1].append(words)

    def raised(self, words: str) -> None:
        """Add words that stand above the line: `10^6`, `m²`, cents, marks of notes."""
        self._has_enclosed = True
        self.text(raised(words))

    def lowered(self, words: str) -> None:
        """Add words that stand below the line: `CO2`."""
        self._has_enclosed = True
        self.text(lowered(words))

    def struck(self, words: str) -> None:
        """Add words that are struck through: `~~99 euros~~`."""
        self._has_enclosed = True
        self.text(struck(words))

    def note_mark(self, mark: str) -> None:
        """Add the mark of a note, parted from the word before it."""
        self._notes.add(mark)
        self.text(f" {note_mark(mark)}")

    def reading(self, base: str, reading: str) -> None:
        """Tell how the words are read that were added last; it stands behind the paragraph.

        Between the words it would part them: 漢字検定 is one.
        """
        base, reading = " ".join(base.split()), " ".join(reading.split())
        if not (base and reading):
            return
        self._charge(reading)
        if self._readings and self._read_until == self._left + len(reading) + len(base):
            before, read = self._readings.pop()
            base, reading = before + base, f"{read} {reading}"
        self._readings.append((base, reading))
        self._read_until = self._left

    def _readings_text(self) -> str:
        """Return the readings of the paragraph and forget them."""
        read = "; ".join(f"{base}: {reading}" for base, reading in dict.fromkeys(self._readings))
        self._readings.clear()
        return f" ({read})"

    def take(self) -> str:
        """Return the words of the open paragraph as they were added, and forget them."""
        words = self._frames[-1][1]
        text = "".join(words)
        words.clear()
        if self._has_enclosed:
            text = settle(text, self._notes)
            self._is_unsettled = self._is_unsettled or is_unsettled(text)
        return text

    def end_paragraph(
        self, *, heading: int = 0, number: str = "", item: int = 0, note: bool = False
    ) -> None:
        """End the paragraph.

        Args:
            heading: Its level; 0: no heading.
            number: What the program shows before it: `1.2`, `第二条`, the mark of an item.
            item: Its depth in a list; 0: no item.
            note: It is a footnote, or a note beside a slide.
        """
        if not self._frames[-1][1]:
            return
        text = _trimmed(self.take())
        if not text:
            return
        self._charge(number)
        blocks = self._frames[-1][0]
        if self._readings and not heading:
            text += self._readings_text()
        if heading:
            blocks.append(Heading(" ".join(f"{number} {text}".split()), heading))
        elif item:
            blocks.append(ListItem(_escape(text), number or "-", item))
        else:
            whole = _escape(f"{number} {text}" if number else text)
            blocks.append(Note(whole) if note else Paragraph(whole))

    def caption(self) -> None:
        """End the paragraph: it is a caption."""
        at = len(self.blocks_of_frame())
        self.end_paragraph()
        blocks = self.blocks_of_frame()
        blocks[at:] = [Caption(b.text) if isinstance(b, Paragraph) else b for b in blocks[at:]]

    def blocks_of_frame(self) -> list[Block]:
        """Return the blocks of the innermost frame, without ending its paragraph."""
        return self._frames[-1][0]

    def code(self, text: str) -> None:
        """Add code, whose line breaks and indentation are kept."""
        self.end_paragraph()
        self._charge(text)
        if text.strip():
            self._frames[-1][0].append(Code(text.strip("\n")))

    def start_page(self) -> None:
        """Begin a page or slide."""
        self.end_paragraph()
        self._frames[-1][0].append(PageStart())

    def start_sheet(self, name: str) -> None:
        """Begin a sheet."""
        self.end_paragraph()
        self._charge(name)
        self._frames[-1][0].append(SheetStart(" ".join(name.split())))

    def leave_out(self, what: str, where: str, why: str) -> None:
        """Note something that is not read."""
        if len(self.not_read) < MAX_NOT_READ:
            self.not_read.append(NotRead(what, where, why))

    def leave_out_all(self, what: str, places: Sequence[str], why: str) -> None:
        """Note things of one kind in one line; nothing where there are none."""
        if places:
            more = len(places) - MOST_PLACES
            where = ", ".join(places[:MOST_PLACES]) + (f" and {more} more" if more > 0 else "")
            self.leave_out(what if len(places) == 1 else f"{what} ({len(places)})", where, why)

    def push(self) -> None:
        """Begin a frame of its own: a cell, a text box."""
        self._frames.append(([], []))

    def pop(self) -> list[Block]:
        """End the frame and return its blocks."""
        self.end_paragraph()
        return self._frames.pop()[0]

    def pop_into_page(self) -> None:
        """End the frame; its blocks go before the paragraph that was open around it."""
        self._frames[-2][0].extend(self.pop())

    def begin_table(self) -> None:
        """Begin a table; it may stand in a cell of another."""
        self.end_paragraph()
        self._grids.append(Grid(self._charge))
        self._lone.append([])

    def begin_group(self) -> None:
        """Begin the head, body or foot of a table, into which no cell reaches from above."""
        self._grids[-1].begin_group()

    def begin_row(self, *, is_header: bool = False) -> None:
        """Begin a row of cells; `is_header`: the file says that it names the columns."""
        self._grids[-1].begin_row(is_header=is_header)

    def begin_cell(self, *, columns: int = 1, rows: int = 1, is_header: bool | None = None) -> None:
        """Begin a cell; what follows is its text. Arguments: `Grid.add`."""
        self._spans.append((columns, rows, is_header))
        self._copies.append(None)
        self.push()

    def span_cell(self, columns: int) -> None:
        """Tell how many columns the open cell spans."""
        _, rows, is_header = self._spans[-1]
        self._spans[-1] = (columns, rows, is_header)

    def merge_cell(self, direction: Literal["above", "left"]) -> None:
        """Tell that the open cell is one with the cell above or on its left."""
        self._copies[-1] = direction

    def mark_header(self) -> None:
        """Tell that the open row names the columns."""
        self._grids[-1].mark_header()

    def end_cell(self) -> None:
        """End the cell."""
        columns, rows, is_header = self._spans.pop()
        blocks = self.pop()
        words = " ".join(_flat(block) for block in blocks)
        text = " ".join(words.split())
        self._lone[-1] = blocks if self._grids[-1].is_empty else []
        grid, copy = self._grids[-1], self._copies.pop()
        if copy and (merged := grid.above() if copy == "above" else grid.left()):
            self._charge(merged)
            text = merged
        grid.add(text, columns=columns, rows=rows, is_header=is_header)

    def cell(self, text: str, *, columns: int = 1, rows: int = 1) -> None:
        """Add a whole cell to the row."""
        self._charge(text)
        self._grids[-1].add(" ".join(text.split()), columns=columns, rows=rows)

    def cell_of(self, blocks: Sequence[Block], *, columns: int = 1, rows: int = 1) -> None:
        """Add a cell of blocks that were read before."""
        words = " ".join(map(_flat, blocks))
        self._grids[-1].add(" ".join(words.split()), columns=columns, rows=rows)

    def skip_to(self, column: int) -> None:
        """Leave the cells before `column` (from 0) empty."""
        self._grids[-1].skip_to(column)

    def end_row(self) -> None:
        """End the row."""
        self._grids[-1].end_row()

    def end_table(self, title: str = "") -> None:
        """End the table; a grid of one column is running text, and so is one cell."""
        table = self._grids.pop().table(title)
        lone = [_below_headings(block) for block in self._lone.pop()]
        if lone or not table.rows:
            self._frames[-1][0].extend([*([Caption(title)] if title else []), *lone])
            return
        if max(map(len, table.rows)) > 1:
            self._frames[-1][0].append(table)
        else:
            texts = [table.title, *(row[0] for row in table.rows)]
            self._frames[-1][0].extend(Paragraph(_escape(text)) for text in texts if text)

    def _charge(self, text: str) -> None:
        self._left -= len(text)
        if self._left < 0:
            raise too_much_text(self._chars)


def too_much_text(chars: int) -> ParseLimitExceeded:
    """Return the error for more text than allowed."""
    return ParseLimitExceeded(f"more than {chars:,} characters of text (knowledge.parse_chars)")


def _trimmed(text: str) -> str:
    """Return text with single spaces and none at the ends of its lines."""
    if "  " in text or "\t" in text or "\u00a0" in text:
        text = _SPACES.sub(" ", text)
    if "\n" not in text:
        return text.strip()
    return "\n".join([line.strip() for line in text.split("\n")]).strip()


def _escape(text: str) -> str:
    """Return running text whose lines begin with no mark of a heading or of code."""
    if "#" not in text and "`" not in text and "~" not in text:
        return text  # the usual case, at a tenth of the cost
    return _MARK.sub(r"\\", text)


def _settled(block: Block, notes: set[str]) -> Block:
    """Return a block in which the marks of notes are told from powers."""
    match block:
        case Table(rows, _, title):
            cells = tuple(tuple(settle_notes(cell, notes) for cell in row) for row in rows)
            return replace(block, rows=cells, title=settle_notes(title, notes))
        case PageStart() | SheetStart():
            return block
        case _:
            return replace(block, text=settle_notes(block.text, notes))


def _below_headings(block: Block) -> Block:
    """Return a block as it stands in a box, where a heading is text."""
    return Paragraph(_escape(block.text)) if isinstance(block, Heading) else block


def _flat(block: Block) -> str:
    """Return a block inside a cell as running words."""
    match block:
        case Table(rows):
            return "; ".join(", ".join(cell for cell in row if cell) for row in rows)
        case ListItem(text, mark):
            return f"{mark} {text}"
        case SheetStart(text) | Heading(text) | Paragraph(text) | Code(text):
            return text
        case Caption(text) | Note(text):
            return text
        case PageStart():
            return ""

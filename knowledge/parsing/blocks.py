"""Typed blocks: what a document is made of, whatever format it comes from, and their one text.

It knows the kinds of block and how each is written; it does not know formats or chunks. Blocks are
rendered once, at the end, and each keeps its place in the text: nobody has to guess from marks in
the text what was a heading, a table or code.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge.parsing.letters import without_invisible, without_tags

BlockKind = Literal["heading", "paragraph", "list_item", "table", "code", "caption", "note"]

CELL_SEPARATOR = " | "
INDENT = "  "
BLANK_LINE = "\n\n"
_TICKS = re.compile("`+")


@dataclass(frozen=True, slots=True)
class Heading:
    """A title; `level` 1 is the highest. Its number, if it has one, is part of the text."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text. `continues`: it goes on with the paragraph that ended the page before."""

    text: str
    continues: bool = False


@dataclass(frozen=True, slots=True)
class ListItem:
    """One item with its mark as a reader sees it (`-`, `3.`, `(b)`); `depth` 1 is the outermost."""

    text: str
    mark: str = "-"
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """A grid whose merged cells are filled: each row says what it is about.

    Attributes:
        rows: Header rows first; rows may differ in length.
        header_rows: How many of them name the columns.
        title: What stands above it as its name.
        continues: It goes on with the table that ended the page before, which has its header.
    """

    rows: tuple[tuple[str, ...], ...]
    header_rows: int = 0
    title: str = ""
    continues: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """Text whose line breaks and indentation mean something."""

    text: str


@dataclass(frozen=True, slots=True)
class Caption:
    """What a picture shows, or is called."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote, or what a speaker notes beside a slide."""

    text: str


@dataclass(frozen=True, slots=True)
class PageStart:
    """Here begins a page or slide."""


@dataclass(frozen=True, slots=True)
class SheetStart:
    """Here begins a sheet of a workbook; it is a heading of the highest level."""

    name: str


Block = Heading | Paragraph | ListItem | Table | Code | Caption | Note | PageStart | SheetStart

KINDS: dict[type[Block], BlockKind] = {
    Heading: "heading",
    SheetStart: "heading",
    Paragraph: "paragraph",
    ListItem: "list_item",
    Table: "table",
    Code: "code",
    Caption: "caption",
    Note: "note",
}


@dataclass(frozen=True, slots=True)
class PlacedBlock:
    """Where a block stands in the text of its document, in code points.

    Attributes:
        level: Of a heading, or the depth of a list item; else 0.
        header_end: Of a table: where its title and header rows end; else 0.
        title: The words of a heading, without marks.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    header_end: int = 0
    title: str = ""


@dataclass(frozen=True, slots=True)
class NotRead:
    """Something in a file that was not read: what, where in the file, and why."""

    what: str
    where: str
    why: str


def told_tags(count: int) -> list[NotRead]:
    """Return what is told of letters that nobody sees."""
    why = "letters of no width (Unicode tags), as hidden instructions are written with"
    return [NotRead(f"hidden text ({count} letters)", "the whole file", why)] if count else []


@dataclass(frozen=True, slots=True)
class Content:
    """What a reader found in a file; `pictures` and `recognised`: as in `ParsedText`."""

    blocks: Sequence[Block]
    encoding: str
    not_read: Sequence[NotRead] = ()
    pictures: Sequence[int] = ()
    recognised: Sequence[tuple[int, float]] = ()


@dataclass(frozen=True, slots=True)
class Rendered:
    """The text of a document, and where its blocks, pages and sheets are."""

    text: str
    blocks: tuple[PlacedBlock, ...]
    page_starts: tuple[int, ...]
    sheets: tuple[tuple[int, str], ...]
    tags: int = 0  # letters that nobody sees, and that are left out


def render(blocks: Iterable[Block]) -> Rendered:
    """Return the text of the blocks, in order.

    Headings are marked as in Markdown, code is fenced, cells of a row are joined by ` | `; blocks
    are parted by a blank line, items of a list by a line break.
    """
    return _Renderer().render(blocks)


class _Renderer:
    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._placed: list[PlacedBlock] = []
        self._before: Block | None = None
        self._pages = 0  # begun so far
        self._page_starts: list[int] = []
        self._waiting = 0  # page starts whose first block has not come yet
        self._sheets: list[tuple[int, str]] = []
        self._tags = 0

    def render(self, blocks: Iterable[Block]) -> Rendered:
        for block in blocks:
            if isinstance(block, PageStart):
                self._waiting += self._pages > 0
                self._pages += 1
                continue
            text, header = _text_of(block)
            if text:
                head = len(without_invisible(without_tags(text[:header])[0]))
                text, tags = without_tags(text)
                self._tags += tags
                self._add(block, without_invisible(text), head)
        self._page_starts += [self._length] * self._waiting
        text = "".join(self._pieces)
        return Rendered(
            text,
            tuple(self._placed),
            tuple(self._page_starts),
            tuple(self._sheets),
            self._tags,
        )

    def _add(self, block: Block, text: str, header: int) -> None:
        separator = _separator(self._before, block)
        start = self._length + len(separator)
        end = start + len(text)
        self._page_starts += [start] * self._waiting
        self._waiting = 0
        if isinstance(block, SheetStart):
            self._sheets.append((start, without_invisible(block.name)))
        goes_on = _goes_on(self._before, block)
        if goes_on:
            last = self._placed[-1]
            joined = PlacedBlock(last.kind, last.start, end, last.level, last.header_end)
            self._placed[-1] = joined
        else:
            self._placed.append(_place(block, start, end, start + header if header else 0))
        self._pieces += [separator, text]
        self._length = end
        self._before = block


def _goes_on(before: Block | None, block: Block) -> bool:
    return isinstance(block, Paragraph | Table) and block.continues and type(before) is type(block)


def _separator(before: Block | None, block: Block) -> str:
    if before is None:
        return ""
    is_list = isinstance(before, ListItem) and isinstance(block, ListItem)
    return "\n" if is_list or _goes_on(before, block) else BLANK_LINE


def _place(block: Block, start: int, end: int, header_end: int) -> PlacedBlock:
    kind = KINDS[type(block)]
    match block:
        case Heading(text, level):
            return PlacedBlock(kind, start, end, level, title=without_invisible(text))
        case SheetStart(name):
            return PlacedBlock(kind, start, end, 1, title=without_invisible(name))
        case ListItem(depth=depth):
            return PlacedBlock(kind, start, end, depth)
        case _:
            return PlacedBlock(kind, start, end, header_end=header_end)


def _text_of(block: Block) -> tuple[str, int]:
    """Return a block as it is written, and how many letters of that are a table's header."""
    match block:
        case Heading(text, level):
            return f"{'#' * min(level, 6)} {text}" if text else "", 0
        case SheetStart(name):
            return f"# {name}" if name else "", 0
        case ListItem(text, mark, depth):
            return f"{INDENT * (depth - 1)}{mark} {text}" if text else "", 0
        case Table():
            return _table_text(block)
        case Code(text):
            fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(text)), default=0))
            return f"{fence}\n{text}\n{fence}" if text.strip() else "", 0
        case Paragraph(text) | Caption(text) | Note(text):
            return text, 0
        case PageStart():
            return "", 0


def _table_text(table: Table) -> tuple[str, int]:
    head = [table.title] if table.title else []
    head += _lines(table.rows[: table.header_rows])
    body = _lines(table.rows[table.header_rows :])
    header = "\n".join(head)
    return "\n".join([*head, *body]), len(header) if body else 0


def _lines(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the rows that hold anything, a line each, without the empty cells at their ends."""
    lines: list[str] = []
    for row in rows:
        filled = max((place for place, cell in enumerate(row, 1) if cell), default=0)
        if filled:
            cells = (cell.replace("|", "\\|") for cell in row[:filled])
            lines.append(CELL_SEPARATOR.join(cells))
    return lines

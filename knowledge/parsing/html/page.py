"""Turns the tags of a web page into blocks.

It knows which elements are open and what they do to the words in them; it does not know encodings,
nor what becomes of the words (`flow`) and of the cells of a table (`tables`).
"""

import re
from collections.abc import Callable
from html.parser import HTMLParser

from knowledge.parsing.blocks import Block, Heading
from knowledge.parsing.html.code import CodeText
from knowledge.parsing.html.flow import Flow
from knowledge.parsing.html.lists import LISTS, Attributes, count_items, open_list
from knowledge.parsing.html.marks import (
    BLOCKS,
    EFFECTS,
    HEADINGS,
    PLAYED,
    SILENT,
    VOID,
    Effect,
    effects_of,
)
from knowledge.parsing.html.scopes import Scopes
from knowledge.parsing.html.tables import MAX_DEPTH, OpenTable, write_table
from knowledge.parsing.writer import BlockWriter

MOST_CHOICES = 30  # of a form's list; longer ones (countries, years) are told as left out
MARK_CHARS = 4  # of a note; longer raised links are words
LINK_SIGNS = frozenset("¶ # § 🔗 ↩ ↩︎ ^ ↑ ⏎".split())
"""Links to the place where they stand, or from a note back to the text."""
FILLED_IN = frozenset((None, "text", "number", "email", "tel", "url", "date", "time", "month"))
_SPACE = re.compile(r"\s+")


class Page(HTMLParser):
    """One reading of a page."""

    def __init__(self, writer: BlockWriter, markup: str, *, reads_all: bool) -> None:
        """Make ready to write the blocks of `markup`; `reads_all`: also menus and hidden text."""
        super().__init__(convert_charrefs=True)
        self._writer = writer
        self._markup = markup
        self._reads_all = reads_all
        self._reversed = iter(count_items(markup))
        self._scopes = Scopes()
        self._effects = self._scopes.effects
        self._flow = Flow(writer)
        self._around: list[Flow] = []  # of the open cells
        self._tables: list[OpenTable] = []
        self._tables_deeper = 0  # than are told apart
        self._pre: CodeText | None = None
        self._choices = 0  # of a form's list
        self._begins_choice = False
        self._title: Block | None = None

    def read(self) -> None:
        """Read all of it, and close what was left open."""
        self.feed(self._markup)
        self.close()
        while self._tables:
            self._end_table("table")
        self._end_effects(self._scopes.end())
        self._flow.lead()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        if tag == "p":
            self._end_effects(self._scopes.close("p"))  # it has no other inside
        if self._effects["muted"]:
            self._start_muted(tag)
            return
        attributes = dict(attrs)
        effects = self._effects_of(tag, attributes)
        if effects and tag not in VOID:
            self._open_scope(tag, effects)
        else:
            self._scopes.open_again(tag)
        if "muted" in effects:
            self._tell(tag, attributes)
        elif self._pre is not None:
            self._part_code(tag)
        elif start := _STARTS.get(tag):
            start(self, tag, attributes)
        elif tag == "p":
            self._part()
            self._flow.end_heading()  # never closed
        elif tag in BLOCKS:
            self._part()

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        is_muted = self._effects["muted"] > 0
        if self._scopes.has(tag):
            self._end_effects(self._scopes.close(tag))
        if is_muted:
            return
        if self._pre is not None:
            self._part_code(tag if tag in BLOCKS else "")
        elif end := _ENDS.get(tag):
            end(self, tag)
        elif tag in BLOCKS:
            self._part()

    def handle_data(self, data: str) -> None:
        """Take text."""
        if self._begins_choice and data.strip():
            self._begin_choice()
        if self._effects["muted"] or self._choices > MOST_CHOICES:
            return
        data = data.replace("\xad", "")  # where a word may be broken
        if self._pre is not None:
            self._pre.add(data)
        elif self._effects["code"]:
            self._flow.add(data, self._writer.text, is_code=True)
        elif self._effects["link"] or self._effects["note"]:
            self._add_link(data)
        else:
            words = data if self._effects["kept"] else _SPACE.sub(" ", data)
            self._flow.add(words, self._write())

    def _write(self) -> Callable[[str], None]:
        """Return how words are written here."""
        if self._effects["raised"]:
            return self._writer.raised
        if self._effects["lowered"]:
            return self._writer.lowered
        return self._writer.struck if self._effects["struck"] else self._writer.text

    def _add_link(self, data: str) -> None:
        words = _SPACE.sub(" ", data)
        mark = words.strip("[]() ")
        is_note = self._effects["note"] or self._effects["raised"]
        if mark in LINK_SIGNS or (is_note and not mark):
            return
        if is_note and len(mark) <= MARK_CHARS:
            self._flow.add(mark, self._writer.note_mark)
        else:
            self._flow.add(words, self._write())

    # Elements that do something to the words in them

    def _effects_of(self, tag: str, attributes: Attributes) -> set[Effect]:
        if not attributes and tag not in EFFECTS:
            return set()
        is_in_code = self._pre is not None
        return effects_of(tag, attributes, is_in_code=is_in_code, reads_all=self._reads_all)

    def _open_scope(self, tag: str, effects: set[Effect]) -> None:
        if "block" in effects or tag in BLOCKS:
            self._part()
        if "pre" in effects and self._pre is None:
            self._flow.end()
            self._pre = CodeText()
        self._scopes.open(tag, effects)

    def _end_effects(self, ended: list[set[Effect]]) -> None:
        """Do what is due where elements end."""
        for effects in ended:
            if self._pre is not None and not self._effects["pre"]:
                code, self._pre = self._pre, None
                self._flow.add_code(code.lines())
            if "block" in effects:
                self._part()

    def _start_muted(self, tag: str) -> None:
        top = self._scopes.innermost
        self._scopes.open_again(tag)
        if top and top.tag == "svg" and tag == "text" and not top.is_told:
            top.is_told = True
            self._writer.leave_out("text in a drawing", self._place(), "SVG is not read")

    def _tell(self, tag: str, attributes: Attributes) -> None:
        """Tell what is not read, and take what a formula says of itself."""
        if tag in PLAYED or tag == "embed":
            where = attributes.get("src") or attributes.get("data") or self._place()
            self._writer.leave_out(tag, where, "only the text of a page is read")
        elif tag == "math" and (words := attributes.get("alttext")):
            self._flow.add(words, self._writer.text)
        elif tag == "math":
            self._writer.leave_out("formula", self._place(), "MathML is not read")
        elif self._pre is None and tag not in SILENT and tag != "nav" and tag not in VOID:
            self._writer.leave_out("hidden text", self._place(), "the page does not show it")

    def _place(self) -> str:
        return f"line {self.getpos()[0]}"

    def _part_code(self, tag: str) -> None:
        assert self._pre is not None
        if tag == "br":
            self._pre.add("\n")
        elif tag in BLOCKS:
            self._pre.part()

    # Blocks

    def _part(self) -> None:
        """Begin or end a block."""
        self._end_effects(self._scopes.close_small())
        self._flow.part()

    def _start_heading(self, tag: str, attributes: Attributes) -> None:
        self._part()
        self._flow.begin_heading(HEADINGS[tag])

    def _end_heading(self, tag: str) -> None:
        self._flow.end_heading()
        blocks = self._writer.blocks_of_frame()
        if self._title is not None and len(blocks) > 1 and blocks[-2] is self._title:
            if blocks[-1] == self._title:
                blocks.pop()
            self._title = None

    def _start_taken(self, tag: str, attributes: Attributes) -> None:
        self._part()
        self._flow.begin_taken()

    def _end_title(self, tag: str) -> None:
        if title := self._flow.take():
            self._title = Heading(title)
            self._writer.blocks_of_frame().append(self._title)

    def _end_caption(self, tag: str) -> None:
        if self._tables:
            self._tables[-1].title = self._flow.take()

    def _end_figure_caption(self, tag: str) -> None:
        self._flow.end_caption()

    def _start_list(self, tag: str, attributes: Attributes) -> None:
        self._part()
        is_reversed = tag == "ol" and "reversed" in attributes
        items = next(self._reversed, 1) if is_reversed else 1
        self._flow.begin_list(open_list(tag, attributes, items))

    def _end_list(self, tag: str) -> None:
        self._flow.end_list()

    def _start_item(self, tag: str, attributes: Attributes) -> None:
        self._part()
        self._flow.begin_item(attributes)

    def _end_item(self, tag: str) -> None:
        self._flow.end_item()

    def _start_term(self, tag: str, attributes: Attributes) -> None:
        self._part()
        self._flow.begin_term()

    def _end_term(self, tag: str) -> None:
        self._flow.end_term()

    def _start_explanation(self, tag: str, attributes: Attributes) -> None:
        self._part()
        self._flow.begin_explanation()

    def _end_explanation(self, tag: str) -> None:
        self._flow.lead()

    def _end_terms(self, tag: str) -> None:
        self._flow.end_terms()

    # Words that stand in attributes

    def _start_break(self, tag: str, attributes: Attributes) -> None:
        self._flow.break_line()

    def _start_image(self, tag: str, attributes: Attributes) -> None:
        self._flow.add(attributes.get("alt") or "", self._writer.text)

    def _quote(self, tag: str, attributes: Attributes) -> None:
        self._flow.add("“", self._writer.text)

    def _end_quote(self, tag: str) -> None:
        self._flow.add("”", self._writer.text)

    def _start_input(self, tag: str, attributes: Attributes) -> None:
        kind = attributes.get("type")
        words = attributes.get("value") if kind in FILLED_IN else ""
        if kind in ("checkbox", "radio"):
            words = "[x]" if "checked" in attributes else "[ ]"
        self._flow.add(f" {words or ''} ", self._writer.text)

    def _start_button(self, tag: str, attributes: Attributes) -> None:
        self._flow.add(" ", self._writer.text)

    def _start_choices(self, tag: str, attributes: Attributes) -> None:
        self._choices = 0
        self._flow.add(" ", self._writer.text)

    def _start_choice(self, tag: str, attributes: Attributes) -> None:
        self._begins_choice = True

    def _begin_choice(self) -> None:
        self._begins_choice = False
        self._choices += 1
        if 1 < self._choices <= MOST_CHOICES:
            self._flow.add(", ", self._writer.text)

    def _end_choices(self, tag: str) -> None:
        if (more := self._choices - MOST_CHOICES) > 0:
            self._writer.leave_out(f"{more} choices of a form", self._place(), "a long list")
        self._choices, self._begins_choice = 0, False
        self._flow.add(" ", self._writer.text)

    # Tables

    def _start_table(self, tag: str, attributes: Attributes) -> None:
        self._part()
        self._flow.lead()
        if len(self._tables) == MAX_DEPTH:
            self._tables_deeper += 1
            return
        role = attributes.get("role") or ""
        self._tables.append(OpenTable(is_layout=role in ("presentation", "none")))

    def _start_group(self, tag: str, attributes: Attributes) -> None:
        if self._tables and not self._tables_deeper:
            self._end_row(tag)
            self._tables[-1].begin_group(is_head=tag == "thead")

    def _start_row(self, tag: str, attributes: Attributes) -> None:
        if self._tables and not self._tables_deeper:
            self._end_row(tag)
            self._tables[-1].begin_row()

    def _start_cell(self, tag: str, attributes: Attributes) -> None:
        if not self._tables or self._tables_deeper:
            return
        self._end_cell(tag)
        if not self._tables[-1].is_row_open:
            self._tables[-1].begin_row()
        self._tables[-1].begin_cell(attributes, is_header=tag == "th")
        self._around.append(self._flow)
        self._scopes.begin_cell()
        self._flow = Flow(self._writer, is_cell=True)
        self._writer.push()

    def _end_cell(self, tag: str) -> None:
        if not self._tables or self._tables_deeper or not self._tables[-1].is_cell_open:
            return
        self._end_effects(self._scopes.end_cell())
        self._flow.lead()
        self._tables[-1].end_cell(self._writer.pop())
        self._flow = self._around.pop()

    def _end_row(self, tag: str) -> None:
        self._end_cell(tag)
        if self._tables and not self._tables_deeper:
            self._tables[-1].is_row_open = False

    def _end_table(self, tag: str) -> None:
        if self._tables_deeper:
            self._tables_deeper -= 1
        elif self._tables:
            self._end_row(tag)
            write_table(self._writer, self._tables.pop())


Start = Callable[[Page, str, Attributes], None]
End = Callable[[Page, str], None]

_STARTS: dict[str, Start] = {
    **dict.fromkeys(HEADINGS, Page._start_heading),
    **dict.fromkeys(("title", "caption", "figcaption"), Page._start_taken),
    **dict.fromkeys(LISTS, Page._start_list),
    "li": Page._start_item,
    "dt": Page._start_term,
    "dd": Page._start_explanation,
    "br": Page._start_break,
    "img": Page._start_image,
    "q": Page._quote,
    "input": Page._start_input,
    "button": Page._start_button,
    "select": Page._start_choices,
    "option": Page._start_choice,
    "embed": Page._tell,
    "table": Page._start_table,
    **dict.fromkeys(("thead", "tbody", "tfoot"), Page._start_group),
    "tr": Page._start_row,
    **dict.fromkeys(("td", "th"), Page._start_cell),
}
_ENDS: dict[str, End] = {
    **dict.fromkeys(HEADINGS, Page._end_heading),
    "title": Page._end_title,
    "caption": Page._end_caption,
    "figcaption": Page._end_figure_caption,
    **dict.fromkeys(LISTS, Page._end_list),
    "li": Page._end_item,
    "dt": Page._end_term,
    "dd": Page._end_explanation,
    "dl": Page._end_terms,
    "q": Page._end_quote,
    "select": Page._end_choices,
    "table": Page._end_table,
    **dict.fromkeys(("thead", "tbody", "tfoot"), Page._end_row),
    "tr": Page._end_row,
    **dict.fromkeys(("td", "th"), Page._end_cell),
}

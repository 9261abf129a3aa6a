"""What the elements of a web page do: blocks, lists, tables, and words that stand in attributes.

It knows what begins and ends with each; it does not know what is hidden, nor how the words between
are written (`page`).
"""

from collections.abc import Callable

from knowledge.parsing.blocks import Block, Heading
from knowledge.parsing.html.code import CodeText
from knowledge.parsing.html.flow import Flow
from knowledge.parsing.html.forms import Choices, words_of_field
from knowledge.parsing.html.links import Links
from knowledge.parsing.html.lists import LISTS, Attributes, count_items, open_list
from knowledge.parsing.html.marks import HEADINGS, Effect
from knowledge.parsing.html.markup import TagReader
from knowledge.parsing.html.ruby import ENDED_BY, PARTS, Ruby
from knowledge.parsing.html.scopes import Scopes
from knowledge.parsing.html.tables import OpenTables, write_table
from knowledge.parsing.writer import BlockWriter

LEAST_PICTURE = 200  # letters of an address that is a picture; smaller ones only keep a place


class Elements(TagReader):
    """The elements that are open on a page."""

    def __init__(self, writer: BlockWriter, markup: str, *, reads_all: bool) -> None:
        """Write to `writer`; `reads_all`: also menus and hidden text."""
        super().__init__(markup)
        self._writer = writer
        self._reads_all = reads_all
        self._reversed = iter(count_items(markup))
        self._scopes = Scopes()
        self._effects = self._scopes.effects
        self._flow = Flow(writer)
        self._around: list[Flow] = []  # of the open cells
        self._tables = OpenTables()
        self._pre: CodeText | None = None
        self._choices = Choices()
        self._ruby = Ruby()
        self._links = Links()
        self._addresses: list[str] = []  # of links in a heading, to stand below it
        self._pictures: list[str] = []  # lines of those inside the page
        self._title: Block | None = None

    def _end_effects(self, ended: list[set[Effect]]) -> None:
        """Do what is due where elements end."""
        for effects in ended:
            if self._pre is not None and not self._effects["pre"]:
                code, self._pre = self._pre, None
                self._flow.add_code(code.lines())
            if "block" in effects:
                self._part()

    def _place(self) -> str:
        return f"line {self.line()}"

    # Blocks

    def _part(self) -> None:
        """Begin or end a block."""
        self._end_effects(self._scopes.close_small())
        if self._choices.are_open:
            self._end_choices("select")  # never closed
        self._flow.part()

    def _start_heading(self, tag: str, attributes: Attributes) -> None:
        self._part()
        self._flow.begin_heading(HEADINGS[tag])

    def _end_heading(self, tag: str) -> None:
        self._flow.end_heading()
        for address in self._addresses:
            self._flow.add(f"({address})", self._writer.text)
            self._flow.end()
        self._addresses.clear()
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
        if table := self._tables.innermost:
            table.title = self._flow.take()

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
        words = attributes.get("alt") or ""
        self._flow.add(words, self._writer.text)
        if self._links.is_open:
            self._links.add(words)
        source = attributes.get("src") or ""
        if source.startswith("data:") and len(source) >= LEAST_PICTURE:
            self._pictures.append(self._place())

    def _quote(self, tag: str, attributes: Attributes) -> None:
        self._flow.add("“", self._writer.text)

    def _end_quote(self, tag: str) -> None:
        self._flow.add("”", self._writer.text)

    def _start_input(self, tag: str, attributes: Attributes) -> None:
        self._flow.add(f" {words_of_field(attributes)} ", self._writer.text)

    def _start_button(self, tag: str, attributes: Attributes) -> None:
        self._flow.add(" ", self._writer.text)

    def _start_choice(self, tag: str, attributes: Attributes) -> None:
        self._choices.begin(attributes)

    def _end_choices(self, tag: str) -> None:
        if more := self._choices.end():
            self._writer.leave_out(f"{more} choices of a form", self._place(), "a long list")
        self._flow.add(" ", self._writer.text)

    def _tell_site(self, tag: str, attributes: Attributes) -> None:
        self._links.tell_site(tag, attributes)

    def handle_comment(self, data: str) -> None:
        """Take where the page comes from."""
        self._links.tell_comment(data)

    def _start_link(self, tag: str, attributes: Attributes) -> None:
        self._end_link(tag)
        if not (self._reads_all or self._effects["note"] or self._effects["raised"]):
            self._links.begin(attributes)

    def _end_link(self, tag: str) -> None:
        address = self._links.end() if self._links.is_open else ""
        if address and self._flow.is_heading:
            self._addresses.append(address)
        elif address:
            self._flow.add(f" ({address})", self._writer.text)

    def _start_ruby(self, tag: str, attributes: Attributes) -> None:
        self._end_ruby("ruby")
        self._ruby.begin()

    def _end_ruby(self, tag: str) -> None:
        """End the open parts of a ruby that a tag ends; and the ruby, but for a part of it."""
        for part in ENDED_BY.get(tag, tuple(PARTS)):
            self._end_effects(self._scopes.close(part))
        if tag not in PARTS and self._ruby.is_open:
            self._ruby.is_open = False
            self._writer.reading(self._ruby.base, self._ruby.reading)

    # Tables

    def _start_table(self, tag: str, attributes: Attributes) -> None:
        self._part()
        self._flow.lead()
        self._tables.begin(attributes)

    def _start_group(self, tag: str, attributes: Attributes) -> None:
        if table := self._tables.innermost:
            self._end_row(tag)
            table.begin_group(is_head=tag == "thead")

    def _start_row(self, tag: str, attributes: Attributes) -> None:
        if table := self._tables.innermost:
            self._end_row(tag)
            table.begin_row()

    def _start_cell(self, tag: str, attributes: Attributes) -> None:
        table = self._tables.innermost
        if table is None:
            return
        self._end_cell(tag)
        if not table.is_row_open:
            table.begin_row()
        table.begin_cell(attributes, is_header=tag == "th")
        self._around.append(self._flow)
        self._scopes.begin_cell()
        self._flow = Flow(self._writer, is_cell=True)
        self._writer.push()

    def _end_cell(self, tag: str) -> None:
        table = self._tables.innermost
        if table is None or not table.is_cell_open:
            return
        self._end_effects(self._scopes.end_cell())
        self._flow.lead()
        table.end_cell(self._writer.pop())
        self._flow = self._around.pop()

    def _end_row(self, tag: str) -> None:
        self._end_cell(tag)
        if table := self._tables.innermost:
            table.is_row_open = False

    def _end_table(self, tag: str) -> None:
        self._end_row(tag)
        if table := self._tables.end():
            write_table(self._writer, table)

    def _tell_embedded(self, tag: str, attributes: Attributes) -> None:
        where = attributes.get("src") or attributes.get("data") or ""
        where = self._place() if where.startswith("data:") else where or self._place()
        self._writer.leave_out(tag, where, "only the text of a page is read")


Start = Callable[[Elements, str, Attributes], None]
End = Callable[[Elements, str], None]

STARTS: dict[str, Start] = {
    **dict.fromkeys(HEADINGS, Elements._start_heading),
    **dict.fromkeys(("title", "caption", "figcaption"), Elements._start_taken),
    **dict.fromkeys(LISTS, Elements._start_list),
    "li": Elements._start_item,
    "dt": Elements._start_term,
    "dd": Elements._start_explanation,
    "br": Elements._start_break,
    "img": Elements._start_image,
    "a": Elements._start_link,
    "ruby": Elements._start_ruby,
    **dict.fromkeys(("base", "link", "meta"), Elements._tell_site),
    "q": Elements._quote,
    "input": Elements._start_input,
    "button": Elements._start_button,
    "select": Elements._start_button,
    "option": Elements._start_choice,
    "embed": Elements._tell_embedded,
    "table": Elements._start_table,
    **dict.fromkeys(("thead", "tbody", "tfoot"), Elements._start_group),
    "tr": Elements._start_row,
    **dict.fromkeys(("td", "th"), Elements._start_cell),
}
ENDS: dict[str, End] = {
    **dict.fromkeys(HEADINGS, Elements._end_heading),
    "title": Elements._end_title,
    "caption": Elements._end_caption,
    "figcaption": Elements._end_figure_caption,
    **dict.fromkeys(LISTS, Elements._end_list),
    "li": Elements._end_item,
    "dt": Elements._end_term,
    "dd": Elements._end_explanation,
    "dl": Elements._end_terms,
    "a": Elements._end_link,
    "q": Elements._end_quote,
    "select": Elements._end_choices,
    "table": Elements._end_table,
    **dict.fromkeys(("thead", "tbody", "tfoot"), Elements._end_row),
    "tr": Elements._end_row,
    **dict.fromkeys(("td", "th"), Elements._end_cell),
}

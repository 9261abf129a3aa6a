"""The text of one part of a Word file: paragraphs with their numbers, tables, notes, boxes.

It knows Word's elements and what a style, a numbering or a note makes of a paragraph; it does not
know which parts there are (`word`) nor how blocks are written.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from knowledge.errors import KnowledgeError, ParseLimitExceeded
from knowledge.parsing.charts import NO_VALUES, add_chart
from knowledge.parsing.office.document import Document
from knowledge.parsing.office.drawing import DrawingFlow
from knowledge.parsing.office.flow import NOT_OPENED, Attributes, Look, Open
from knowledge.parsing.office.numbering import LIST_MARK, Counter, Number
from knowledge.parsing.office.spans import SpanFlow
from knowledge.parsing.office.styles import Style, figure, is_on, is_unseen, outline_level, tell_run
from knowledge.parsing.words.symbols import symbol

NOT_INSERTED = "a Word file in an inserted one is not opened; add it on its own"
FIRST_ROW = 0x20  # the bit of `tblLook` (ECMA-376 17.4.55)


@dataclass(slots=True)
class _Paragraph(Open):
    """A paragraph that is open, with its properties."""

    style: str = ""
    number_id: str | None = None
    depth: int | None = None
    heading: int | None = None
    mark: Style | None = None  # the look of its end, which may be hidden; None: as its style
    run: Style | None = None  # own properties; None: it has none
    run_style: str = ""
    look: Look | None = None  # of the run, once it is asked for
    parts: list[str] | None = None  # charts and diagrams shown in it
    addresses: list[str] | None = None  # of links in a heading


@dataclass(slots=True)
class _Table:
    has_header: bool = False  # its style tells the first row from the others
    is_first_row: bool = True
    is_row_hidden: bool = False


class Story(SpanFlow):
    """The text of one part."""

    def __init__(self, document: Document, part: str, place: str = "") -> None:
        """Read `part`; `place` names it where it is not the text itself."""
        addresses = document.package.addresses(part)
        super().__init__(document.writer, document.left_out, place, addresses)
        self._document = document
        self._part = part
        self._targets = document.package.targets(part)
        self._counter = Counter(document.numbering)
        self._paragraphs = [_Paragraph(is_outside=True)]  # … for what is outside of any
        self._tables: list[_Table] = []
        self._in_properties = False
        self._looks: dict[tuple[str, str, bool], Look] = {}  # of runs without properties
        self._note = ""
        self.starts |= {
            **self._starts_of_paragraphs(),
            **self._starts_of_runs(),
            **self._starts_of_tables(),
        }
        self.ends |= {
            "p": self._end_paragraph,
            "pPr": lambda: self._set_properties(are_open=False),
            "tr": self._end_row,
            "tc": self._end_cell,
            "txbxContent": self._end_box,
            "footnote": lambda: self._end_note("footnote"),
            "endnote": lambda: self._end_note("endnote"),
        }

    def read(self) -> None:
        """Add the text of the part."""
        self.add(self._document.package.events(self._part))

    @property
    def paragraph(self) -> _Paragraph:
        """The innermost open paragraph."""
        return self._paragraphs[-1]

    @property
    def look(self) -> Look:
        """How the run stands on the page: by its own properties, its style, its paragraph's."""
        paragraph = self._paragraphs[-1]
        on_paper = self.depth == 0 and not (paragraph.mark and paragraph.mark.is_shaded)
        if paragraph.look is None and paragraph.run is None:
            names = paragraph.style, paragraph.run_style, on_paper
            if names not in self._looks:
                self._looks[names] = self._look(paragraph, on_paper=on_paper)
            paragraph.look = self._looks[names]
        elif paragraph.look is None:
            paragraph.look = self._look(paragraph, on_paper=on_paper)
        return paragraph.look

    def _look(self, paragraph: _Paragraph, *, on_paper: bool) -> Look:
        styles = self._document.styles
        whole = styles.get(paragraph.style or styles.default)
        named = styles.get(paragraph.run_style)
        nearest = (paragraph.run or Style(), named, whole)
        font = next((one.font for one in nearest if one.font), "")
        return Look(
            rise=next((one.rise for one in nearest if one.rise is not None), ""),
            is_struck=next((one.is_struck for one in nearest if one.is_struck is not None), False),
            is_hidden=is_unseen(nearest, on_paper=on_paper),
            is_code=bool(named.is_code) or styles.is_monospace(font),
            font=font,
        )

    def _starts_of_paragraphs(self) -> dict[str, Callable[[Attributes], None]]:
        return {
            "p": lambda _: self._paragraphs.append(_Paragraph()),
            "pPr": lambda _: self._set_properties(are_open=True),
            "pStyle": self._set_style,
            "outlineLvl": self._set_outline,
            "ilvl": self._set_depth,
            "numId": self._set_number,
            "txbxContent": lambda _: self._start_box(),
            "footnote": self._start_note,
            "endnote": self._start_note,
            "altChunk": self._add_chunk,
        }

    def _starts_of_runs(self) -> dict[str, Callable[[Attributes], None]]:
        looks = "vertAlign strike dstrike vanish rFonts sz color shd highlight".split()
        return {
            "r": lambda _: self._start_run(),
            "rStyle": self._set_run_style,
            **{name: self._property(name) for name in looks},
            **dict.fromkeys(("tab", "ptab"), lambda _: self.add_words("\t")),
            "cr": lambda _: self.add_words("\n"),
            "noBreakHyphen": lambda _: self.add_words("-"),
            "sym": self._add_symbol,
            "footnoteReference": lambda found: self._refer("footnote", found),
            "endnoteReference": lambda found: self._refer("endnote", found),
            "chart": lambda found: self._show_part(found.get("r:id", "")),
            "relIds": lambda found: self._show_part(found.get("r:dm", "")),
        }

    def _starts_of_tables(self) -> dict[str, Callable[[Attributes], None]]:
        return {
            "tblStyle": self._set_table_style,
            "tblLook": self._set_table_look,
            "tblCaption": lambda found: self.name_table(found.get("val", "")),
            "tr": lambda _: self._start_row(),
            "hidden": self._hide_row,
            "tblHeader": lambda found: self.writer.mark_header() if is_on(found) else None,
            "gridBefore": lambda found: self.writer.skip_to(figure(found, 0)),
            "tc": lambda _: self._start_cell(),
            "gridSpan": lambda found: self.writer.span_cell(figure(found, 1)),
            "vMerge": lambda found: self._merge("above", found),
            "hMerge": lambda found: self._merge("left", found),
        }

    def _set_properties(self, *, are_open: bool) -> None:
        self._in_properties = are_open

    def _set_style(self, attributes: Attributes) -> None:
        self.paragraph.style = attributes.get("val", "")

    def _set_outline(self, attributes: Attributes) -> None:
        self.paragraph.heading = outline_level(attributes.get("val", ""))

    def _set_depth(self, attributes: Attributes) -> None:
        self.paragraph.depth = figure(attributes, 0)

    def _set_number(self, attributes: Attributes) -> None:
        self.paragraph.number_id = attributes.get("val", "")

    def _start_run(self) -> None:
        paragraph = self._paragraphs[-1]
        paragraph.run, paragraph.run_style, paragraph.look = None, "", None

    def _set_run_style(self, attributes: Attributes) -> None:
        if not self._in_properties:
            self.paragraph.run_style = attributes.get("val", "")

    def _property(self, name: str) -> Callable[[Attributes], None]:
        def tell(attributes: Attributes) -> None:
            paragraph = self._paragraphs[-1]
            if self._in_properties:
                paragraph.mark = paragraph.mark or Style()
                tell_run(paragraph.mark, name, attributes)
            else:
                paragraph.run = paragraph.run or Style()
                tell_run(paragraph.run, name, attributes)

        return tell

    def _add_symbol(self, attributes: Attributes) -> None:
        code = attributes.get("char", "")
        if 0 < len(code) <= 6 and all(figure in "0123456789abcdefABCDEF" for figure in code):
            self.show_sign(symbol(attributes.get("font", ""), int(code, 16)))

    def _refer(self, kind: str, attributes: Attributes) -> None:
        has_own_mark = is_on(attributes, "customMarkFollows", missing=False)
        note_id = attributes.get("id", "")
        if mark := self._document.notes.refer(kind, note_id, has_own_mark=has_own_mark):
            self.writer.note_mark(mark)

    def _end_paragraph(self) -> None:
        if len(self._paragraphs) < 2:
            return
        paragraph = self._paragraphs.pop()
        style = self._style_of(paragraph)
        heading = self._heading(paragraph)
        number = self._number(paragraph, style, heading)
        if not (heading or number) and self._is_code(paragraph, style):
            self.keep_code_line()
        else:
            self.end_code()
            self._write(paragraph, style, heading, number=number)
        self.ended_paragraph(paragraph)
        for address in paragraph.addresses or ():
            self.writer.text(f"({address})")
            self.writer.end_paragraph()
        for part in paragraph.parts or ():
            self._add_part(part, paragraph)
        if self.depth == 0 and not (number and not heading) and not self._note:
            self._document.notes.add_waiting(self.writer)

    def _style_of(self, paragraph: _Paragraph) -> Style:
        return self._document.styles.get(paragraph.style or self._document.styles.default)

    def _heading(self, paragraph: _Paragraph) -> int:
        """Return the level of heading that a paragraph is; 0: it is none."""
        own = paragraph.heading
        return own if own is not None else self._style_of(paragraph).heading or 0

    def add_address(self, address: str) -> None:
        """Add where a link leads: below a heading, elsewhere after its words."""
        if address and self._heading(self.paragraph):
            paragraph = self.paragraph
            paragraph.addresses = paragraph.addresses or []
            paragraph.addresses.append(address)
        else:
            super().add_address(address)

    def _write(
        self, paragraph: _Paragraph, style: Style, heading: int, *, number: Number | None
    ) -> None:
        """End a paragraph that is no code."""
        if heading:
            if self.depth == 0:
                self._document.notes.add_waiting(self.writer)
            self.writer.end_paragraph(heading=heading, number=number.text if number else "")
        elif style.is_caption:
            if number:
                self.writer.text(f" {number.text}")
            self.writer.caption()
        elif number is None and paragraph.is_described and paragraph.is_code is None:
            self.writer.caption()
        elif number is None:
            self.writer.end_paragraph()
        elif self.depth and not paragraph.opening.strip() and not number.is_bullet:
            self.writer.text(number.text)  # a column of numbers
            self.writer.end_paragraph()
        elif number.is_bullet or LIST_MARK.fullmatch(number.text):
            depth = max(number.depth, style.indent or 1)
            self.writer.end_paragraph(number=number.text, item=depth)
        else:
            self.writer.end_paragraph(number=number.text)

    def _is_code(self, paragraph: _Paragraph, style: Style) -> bool:
        is_empty = not (paragraph.opening or paragraph.is_described)
        return bool(style.is_code or paragraph.is_code or (is_empty and self.is_in_code))

    def _number(self, paragraph: _Paragraph, style: Style, heading: int) -> Number | None:
        """Count a paragraph and return its number."""
        own = paragraph.number_id
        number_id = own if own is not None else style.number_id
        if not number_id or (paragraph.mark and paragraph.mark.is_hidden and not paragraph.opening):
            return None
        name = paragraph.style or self._document.styles.default
        depth = self._document.depth(number_id, name, paragraph.depth)
        return self._counter.number(number_id, depth, is_heading=heading > 0)

    def _start_box(self) -> None:
        self.push()
        self.writer.push()

    def _end_box(self) -> None:
        self.pop()
        self.writer.pop_into_page()

    def _start_note(self, attributes: Attributes) -> None:
        self._note = attributes.get("id", "")
        self.writer.push()

    def _end_note(self, kind: str) -> None:
        self.end_code()
        self._document.notes.keep(kind, self._note, self.writer.pop())
        self._note = ""

    def _set_table_style(self, attributes: Attributes) -> None:
        style = self._document.styles.get(attributes.get("val", ""))
        self._tables[-1].has_header = bool(style.has_header_row)

    def _set_table_look(self, attributes: Attributes) -> None:
        value = attributes.get("val", "")
        bits = int(value, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,8}", value) else 0
        if not is_on(attributes, "firstRow", missing=bool(bits & FIRST_ROW)):
            self._tables[-1].has_header = False

    def start_table(self) -> None:
        """Begin a table."""
        super().start_table()
        self._tables.append(_Table())

    def end_table(self) -> None:
        """End it; notes named in it follow."""
        super().end_table()
        self._tables.pop()
        if self.depth == 0 and not self._note:
            self._document.notes.add_waiting(self.writer)

    def _start_row(self) -> None:
        table = self._tables[-1]
        self.writer.begin_row(is_header=table.has_header and table.is_first_row)
        table.is_first_row = False

    def _hide_row(self, attributes: Attributes) -> None:
        if self._tables and is_on(attributes) and not self._tables[-1].is_row_hidden:
            self._tables[-1].is_row_hidden = True
            self.unseen += 1

    def _end_row(self) -> None:
        table = self._tables[-1]
        self.unseen -= table.is_row_hidden
        table.is_row_hidden = False
        self.writer.end_row()

    def _start_cell(self) -> None:
        self.push()
        self.writer.begin_cell()

    def _end_cell(self) -> None:
        self.pop()
        self.writer.end_cell()

    def _merge(self, direction: Literal["above", "left"], attributes: Attributes) -> None:
        if attributes.get("val", "continue") == "continue":
            self.writer.merge_cell(direction)

    def _show_part(self, relation: str) -> None:
        if relation in self._targets:
            paragraph = self.paragraph
            paragraph.parts = paragraph.parts or []
            paragraph.parts.append(self._targets[relation][1])

    def _add_part(self, part: str, paragraph: _Paragraph) -> None:
        """Add a chart or a diagram that a paragraph shows."""
        events = self._document.package.events(part)
        if "/charts/" in part:
            if not add_chart(self.writer, events):
                self.left_out.add("chart", self.where(paragraph.opening), NO_VALUES)
        else:
            DrawingFlow(self.writer, self.left_out, self.place).add(events)

    def _add_chunk(self, attributes: Attributes) -> None:
        """Add a document that stands in for a part of the text."""
        _, part = self._targets.get(attributes.get("r:id", ""), ("", ""))
        where = self.where("") + (f", part {part}" if part else "")
        self.end_code()
        self.writer.end_paragraph()
        try:
            why = self._insert(part)
        except ParseLimitExceeded:
            raise
        except KnowledgeError as exc:
            why = str(exc)
        if why:
            self.left_out.add("inserted document", where, why)

    def _insert(self, part: str) -> str:
        """Insert a document; return why it is not read, or nothing."""
        document = self._document
        content = document.package.archive.read(part)
        if content.startswith(b"PK"):
            if document.is_inserted:
                return NOT_INSERTED
            inserted = document.inserted(part, content)
            Story(inserted, inserted.package.main).read()
            inserted.notes.add_rest(self.writer)
        elif document.read_chunk is None:
            return NOT_OPENED
        else:
            found = document.read_chunk(part, content, document.limits.chars)
            self.writer.blocks_of_frame().extend(found.blocks)
            for item in found.not_read:
                self.left_out.add(item.what, f"part {part}, {item.where}", item.why)
        return ""

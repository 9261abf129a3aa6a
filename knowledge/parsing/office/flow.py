"""Running text of Office files: what Word's and PowerPoint's markup have in common.

It knows paragraphs inside paragraphs (text boxes), runs of text with their look, cells, lines of
code, pictures and formulas; it does not know styles, numbers or slides (`word`, `slides`).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from knowledge.parsing.blocks import Caption, Paragraph
from knowledge.parsing.office.formulas import Formula
from knowledge.parsing.office.left_out import LeftOut, paragraph_place
from knowledge.parsing.raised import lowered, raised
from knowledge.parsing.words.symbols import readable
from knowledge.parsing.writer import BlockWriter
from knowledge.parsing.xml import Event

Attributes = Mapping[str, str]
OPENING_KEPT = 60  # letters of a paragraph by which it is found
NO_DESCRIPTION = "a picture is read by its description (alternative text) only"
NOT_OPENED = "files inside a file are not opened; add them on their own"
HIDDEN = "hidden text is not read"
_TABLE_TITLE = re.compile(
    r"(?:table|tabelle|tableau|tabla|tabella|tabel|tab\.|表格?|附表)\s?"
    r"(?:\d[\w.\-–]*|[IVX]+\b|[A-Z]\b|[一二三四五六七八九十]+)",
    re.IGNORECASE,
)
_PICTURE_TITLE = re.compile(r"(?:fig|abb|bild|chart|图|圖|図)", re.IGNORECASE)
_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|bmp|tiff?|svg|emf|wmf|webp)", re.IGNORECASE)
MOST_TITLE_CHARS = 200  # a longer paragraph is a sentence about the table


@dataclass(slots=True)
class Look:
    """How words stand on the page."""

    rise: str = ""
    is_struck: bool = False
    is_hidden: bool = False
    is_code: bool = False
    is_left_out: bool = False  # the number of the page
    font: str = ""


@dataclass(slots=True)
class Open:
    """A paragraph that is open.

    Attributes:
        opening: Its first words.
        is_code: All its words so far are in a font for code; None: it has none.
        is_described: It has words that describe a picture.
        is_outside: It stands for what is outside of any paragraph.
        left_out: What and why, told with its place when it ends.
    """

    opening: str = ""
    is_code: bool | None = None
    is_described: bool = False
    is_outside: bool = False
    left_out: list[tuple[str, str]] | None = None


@dataclass(slots=True)
class _Drawing:
    what: str = ""
    is_described: bool = False
    description: str = ""  # the last one; a picture and its frame often have the same


class Flow:
    """Adds the running text of a part to a writer."""

    def __init__(self, writer: BlockWriter, left_out: LeftOut, place: str) -> None:
        """Write to `writer`; `place` says where the part is, for what is left out."""
        self.writer = writer
        self.left_out = left_out
        self.place = place
        self.formula = Formula(writer)
        self.depth = 0  # of tables and boxes
        self._code: list[list[str]] = [[]]  # lines that wait, for each frame
        self._titles: list[str] = []  # of the tables that are open
        self._drawings: list[_Drawing] = []
        self.read_words: Callable[[str], None] = self.add_words
        self._sink: Callable[[str], None] | None = None  # where text goes; None: it is none
        self.heard: list[list[str]] = []  # the words of links and the like that are open
        self.deletions = 0  # that are tracked and open
        self.unseen = 0  # drawings and rows that are open and not shown
        self._last = ""  # words of the paragraph before
        self.starts: dict[str, Callable[[Attributes], None]] = {
            "t": lambda _: self.set_sink(self.read_words),
            "tbl": lambda _: self.start_table(),
            "tr": lambda _: self.writer.begin_row(),
            "oMath": self.formula.begin,
            "br": lambda _: self.add_words("\n"),
            "drawing": lambda _: self._drawings.append(_Drawing()),
            "blip": lambda _: self.show("picture"),
            "imagedata": lambda _: self.show("picture"),
            "decorative": self._decorative,
            "OLEObject": lambda found: self.embed(found.get("ProgID", "")),
        }
        self.ends: dict[str, Callable[[], None]] = {
            "t": lambda: self.set_sink(None),
            "tbl": self.end_table,
            "tr": lambda: self.writer.end_row(),
            "oMath": self.formula.end,
            "drawing": self.end_drawing,
        }

    def add(self, events: Iterable[Event]) -> None:
        """Add the text of a part."""
        starts, ends, formula = self.starts, self.ends, self.formula
        for kind, name, attributes in events:
            if kind == "text":
                if self._sink:
                    self._sink(name)
            elif kind == "start":
                start = starts.get(name) or (formula.is_open and formula.starts.get(name))
                if start:
                    start(attributes)
            else:
                end = ends.get(name) or (formula.is_open and formula.ends.get(name))
                if end:
                    end()
        self.end_code()

    @property
    def paragraph(self) -> Open:
        """The innermost open paragraph."""
        raise NotImplementedError

    @property
    def look(self) -> Look:
        """How the next words stand on the page."""
        raise NotImplementedError

    def add_words(self, text: str) -> None:
        """Add words of the open run."""
        look, paragraph = self.look, self.paragraph
        if look.is_hidden or self.unseen:
            if text.strip():
                self.leave("hidden text", HIDDEN)
            return
        if look.is_left_out:
            return
        text = readable(text, look.font)
        for words in self.heard:
            words.append(text)
        if len(paragraph.opening) < OPENING_KEPT:
            paragraph.opening += text
        if text.strip():
            paragraph.is_code = look.is_code and paragraph.is_code is not False
        rise = self.formula.rise or look.rise
        if look.is_struck or self.deletions:
            enclose = {"superscript": raised, "subscript": lowered}.get(rise)
            self.writer.struck(enclose(text) if enclose else text)
        elif rise == "superscript":
            self.writer.raised(text)
        elif rise == "subscript":
            self.writer.lowered(text)
        else:
            self.writer.text(text)

    def add_sign(self, sign: str) -> None:
        """Add a sign that is no text in the file: a box, a selected entry."""
        self.paragraph.opening += sign
        self.paragraph.is_code = False
        self.writer.text(sign)

    def add_address(self, address: str) -> None:
        """Add where a link leads, after its words; nothing where that is not told."""
        if address:
            self.writer.text(f" ({address})")

    def leave(self, what: str, why: str) -> None:
        """Note something that is not read, to be told with its place."""
        if self.paragraph.is_outside:
            self.left_out.add(what, self.where(""), why)
        else:
            paragraph = self.paragraph
            paragraph.left_out = paragraph.left_out or []
            paragraph.left_out.append((what, why))

    def keep_code_line(self) -> None:
        """End the open paragraph: it is a line of code."""
        self._code[-1].append(self.writer.take())

    @property
    def is_in_code(self) -> bool:
        """The paragraph before was a line of code."""
        return bool(self._code[-1])

    def end_code(self) -> None:
        """Write the lines of code that wait, before the paragraph that is open."""
        if self._code[-1]:
            words = self.writer.take()
            self.writer.code("\n".join(line.rstrip() for line in self._code[-1]))
            self._code[-1].clear()
            self.writer.text(words)

    def ended_paragraph(self, paragraph: Open) -> None:
        """Tell what was left out of a paragraph that has ended."""
        opening = paragraph.opening.strip()
        for what, why in paragraph.left_out or ():
            self.left_out.add(what, self.where(opening), why)
        self._last = opening or self._last

    def push(self) -> None:
        """Begin a frame: a cell, a text box."""
        self.depth += 1
        self._code.append([])

    def pop(self) -> None:
        """End it."""
        self.end_code()
        self._code.pop()
        self.depth -= 1

    def start_table(self) -> None:
        """Begin a table; a title directly above becomes part of it."""
        self.end_code()
        self.writer.begin_table()
        self.depth += 1
        self._titles.append(self._title_above())

    def name_table(self, title: str) -> None:
        """Give the open table a title, where it has none."""
        self._titles[-1] = self._titles[-1] or " ".join(title.split())

    def end_table(self) -> None:
        """End the table."""
        self.depth -= 1
        self.writer.end_table(self._titles.pop())

    def show(self, what: str) -> None:
        """Note what the open drawing shows."""
        if self._drawings:
            self._drawings[-1].what = self._drawings[-1].what or what
        else:
            self.leave(what, NO_DESCRIPTION)

    def embed(self, program: str) -> None:
        """Note a file inside the file; its picture is not told besides."""
        name = f"embedded object ({program})" if program else "embedded object"
        self.leave(name, NOT_OPENED)
        self.is_told()

    def is_told(self) -> None:
        """Note that the open drawing is told already, if there is one."""
        if self._drawings:
            self._drawings[-1].is_described = True

    def start_drawing(self) -> None:
        """Begin a drawing."""
        self._drawings.append(_Drawing())

    def end_drawing(self) -> None:
        """End a drawing."""
        if self._drawings:
            drawing = self._drawings.pop()
            if drawing.what and not drawing.is_described:
                self.leave(drawing.what, NO_DESCRIPTION)

    def describe(self, text: str) -> None:
        """Add the words by which a drawing is described to those who do not see it."""
        drawing = self._drawings[-1] if self._drawings else _Drawing()
        if text.strip() and text != drawing.description and not _FILE_NAME.fullmatch(text):
            self.paragraph.opening += text
            self.paragraph.is_described = True
            self.writer.text(f"{text} ")
            drawing.is_described, drawing.description = True, text

    def _decorative(self, attributes: Attributes) -> None:
        if self._drawings and attributes.get("val", "1") in ("1", "true"):
            self._drawings[-1].is_described = True

    def set_sink(self, sink: Callable[[str], None] | None) -> None:
        """Say where the text goes that follows; None: it is not read."""
        self._sink = sink

    def where(self, opening: str) -> str:
        """Return where a paragraph is, by its first words or those before it."""
        opening = opening.strip()
        if opening:
            where = paragraph_place(opening)
        elif self._last:
            where = f"after {paragraph_place(self._last)}"
        else:
            where = "at the beginning"
        return f"{self.place}, {where}" if self.place else where

    def _title_above(self) -> str:
        blocks = self.writer.blocks_of_frame()
        match blocks[-1:]:
            case [Caption(text)] if not _PICTURE_TITLE.match(text):
                pass
            case [Paragraph(text)] if _TABLE_TITLE.match(text) and len(text) <= MOST_TITLE_CHARS:
                pass
            case _:
                return ""
        blocks.pop()
        return " ".join(text.split())

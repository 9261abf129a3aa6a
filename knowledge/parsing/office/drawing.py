"""Text of shapes: slides, notes of slides and the diagrams of Word are written in DrawingML.

It knows paragraphs with their level and bullet, runs and tables (ECMA-376 21.1); it does not know
slides. Whole paragraphs in a font for code are code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from knowledge.parsing.office.flow import Attributes, Flow, Look, Open
from knowledge.parsing.office.left_out import LeftOut
from knowledge.parsing.office.links import Links
from knowledge.parsing.office.slides import bullets
from knowledge.parsing.office.slides.bullets import Bullet, BulletCounter
from knowledge.parsing.office.styles import MONOSPACE
from knowledge.parsing.words.symbols import is_symbol_font, private_signs
from knowledge.parsing.writer import BlockWriter

MOST_LEVELS = 9  # ECMA-376 21.1.2.2.7
PAGE_NUMBER = "slidenum"


@dataclass(slots=True)
class _Paragraph(Open):
    level: int = 0
    bullet: Bullet | None = None
    font: str = ""  # of its sign


class DrawingFlow(Flow):
    """Adds the text of shapes to a writer."""

    def __init__(self, writer: BlockWriter, left_out: LeftOut, place: str) -> None:
        """Write to `writer`; arguments: `Flow`."""
        super().__init__(writer, left_out, place)
        self._links = Links({})
        self._open_link = self._link = ""  # relations: of the words before, of this run
        self._sign_font = ""
        self._paragraphs = [
            _Paragraph(is_outside=True)
        ]  # the first stands for what is outside of any
        self._look = Look()
        self._counter = BulletCounter()
        self._in_run = self._is_first_row = self._has_header = False
        self.starts |= {
            "p": lambda _: self._paragraphs.append(_Paragraph()),
            "pPr": self._set_level,
            **{name: self._bullet(name) for name in bullets.NAMES},
            "buFont": self._set_bullet_font,
            "r": lambda _: self._start_run(),
            "fld": self._start_field,
            "rPr": self._set_look,
            "latin": self._set_font,
            "sym": self._set_sign_font,
            "hlinkClick": lambda found: self._set_link(found.get("r:id", "")),
            "t": lambda _: self._start_text(),
            "tab": lambda _: self.add_words("\t"),
            "txBody": lambda _: self.start_body(),
            "tblPr": self._set_table,
            "tr": lambda _: self._start_row(),
            "tc": self._start_cell,
        }
        self.ends |= {
            "p": self._end_paragraph,
            "r": self._end_run,
            "fld": self._end_run,
            "tc": self._end_cell,
        }

    @property
    def paragraph(self) -> _Paragraph:
        """The innermost open paragraph."""
        return self._paragraphs[-1]

    @property
    def look(self) -> Look:
        """How the run stands on the page."""
        return self._look

    def inherited(self, level: int) -> Bullet:
        """Return the bullet of a paragraph that has none of its own, by its level."""
        return bullets.NONE

    def heading(self) -> int:
        """Return the level of the title that the open paragraph is; 0: it is none."""
        return 0

    def is_note(self) -> bool:
        """Tell whether the paragraph stands beside the page."""
        return False

    def set_addresses(self, addresses: Mapping[str, str]) -> None:
        """Take where the links of a part lead, by their relationship's id."""
        self._links = Links(addresses)

    def start_body(self) -> None:
        """Begin the text of a shape."""
        self._counter = BulletCounter()

    def _set_level(self, attributes: Attributes) -> None:
        level = attributes.get("lvl", "0")
        self.paragraph.level = min(int(level), MOST_LEVELS - 1) if level.isdecimal() else 0

    def _bullet(self, name: str) -> Callable[[Attributes], None]:
        def tell(attributes: Attributes) -> None:
            self.paragraph.bullet = bullets.bullet(name, attributes)

        return tell

    def _set_bullet_font(self, attributes: Attributes) -> None:
        self.paragraph.font = attributes.get("typeface", "")

    def _start_run(self) -> None:
        self._look = Look()
        self._in_run = True
        self._link = self._sign_font = ""

    def _set_link(self, relation: str) -> None:
        if self._in_run:
            self._link = relation

    def _start_text(self) -> None:
        """Begin words: runs of one link after the other are one."""
        if self._link != self._open_link:
            self._end_link()
            if self._link:
                self.heard.append(self._links.begin(self._link))
            self._open_link = self._link
        self.set_sink(self.read_words)

    def _end_link(self) -> None:
        if self._open_link:
            self.heard.pop()
            self.add_address(self._links.end())
            self._open_link = ""

    def add_words(self, text: str) -> None:
        """Add words of the open run."""
        super().add_words(private_signs(text, self._sign_font) if self._sign_font else text)

    def _set_sign_font(self, attributes: Attributes) -> None:
        font = attributes.get("typeface", "")
        if self._in_run and is_symbol_font(font):
            self._sign_font = font

    def _start_field(self, attributes: Attributes) -> None:
        self._start_run()
        self._look.is_left_out = attributes.get("type") == PAGE_NUMBER

    def _set_look(self, attributes: Attributes) -> None:
        baseline = attributes.get("baseline", "0").rstrip("%")
        if baseline.lstrip("-").strip("0"):
            self._look.rise = "subscript" if baseline.startswith("-") else "superscript"
        self._look.is_struck = attributes.get("strike", "noStrike") != "noStrike"

    def _set_font(self, attributes: Attributes) -> None:
        if self._in_run:
            self._look.font = attributes.get("typeface", "")
            self._look.is_code = MONOSPACE.search(self._look.font) is not None

    def _end_run(self) -> None:
        self._look = Look()
        self._in_run = False

    def _end_paragraph(self) -> None:
        if len(self._paragraphs) < 2:
            return
        self._end_link()
        paragraph = self._paragraphs.pop()
        if heading := self.heading():
            self.end_code()
            self.writer.end_paragraph(heading=heading)
        elif self._is_code(paragraph):
            self.keep_code_line()
        else:
            self.end_code()
            self._write(paragraph)
        self.ended_paragraph(paragraph)

    def _write(self, paragraph: _Paragraph) -> None:
        own, level = paragraph.bullet, paragraph.level
        shown = own if own is not None else self.inherited(level)
        if paragraph.font and shown.sign:
            shown = Bullet(sign=shown.sign, font=paragraph.font)
        mark = self._counter.mark(level, shown) if paragraph.opening.strip() else ""
        self.writer.end_paragraph(number=mark, item=level + 1 if mark else 0, note=self.is_note())

    def _is_code(self, paragraph: _Paragraph) -> bool:
        is_empty = not (paragraph.opening or paragraph.is_described)
        return bool(paragraph.is_code or (is_empty and self.is_in_code)) and not paragraph.bullet

    def _set_table(self, attributes: Attributes) -> None:
        self._is_first_row = True
        self._has_header = attributes.get("firstRow") in ("1", "true")

    def _start_row(self) -> None:
        self.writer.begin_row(is_header=self._has_header and self._is_first_row)
        self._is_first_row = False

    def _start_cell(self, attributes: Attributes) -> None:
        """Begin a cell; those that a merged one covers are there and say that they are covered."""
        self.push()
        self.writer.begin_cell()
        if attributes.get("vMerge") in ("1", "true"):
            self.writer.merge_cell("above")
        elif attributes.get("hMerge") in ("1", "true"):
            self.writer.merge_cell("left")

    def _end_cell(self) -> None:
        self.pop()
        self.writer.end_cell()

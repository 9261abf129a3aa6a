"""The running words of a page, or of one cell, on their way into blocks.

It knows which item, term or heading is open and where a line begins; it does not know tags.
"""

from collections.abc import Callable

from knowledge.parsing.html.code import CodeText
from knowledge.parsing.html.lists import BULLET, Attributes, OpenList
from knowledge.parsing.writer import BlockWriter

MOST_DEPTH = 20  # of items as they are indented; deeper ones stand there too
_ENDS_TERM = ("?", "!", ":", "？", "！", "：")


class Flow:
    """Words, and what they are a part of."""

    def __init__(self, writer: BlockWriter, *, is_cell: bool = False) -> None:
        """Begin with nothing open; `is_cell`: what comes is a cell of a table."""
        self._writer = writer
        self._is_cell = is_cell
        self._lists: list[OpenList] = []
        self._item: tuple[str, int] | None = None  # mark and depth, until its first words end
        self._terms: list[str] = []
        self._is_explained = False  # by the words before
        self._label = ""  # the term that the next words explain
        self._heading = 0  # its level
        self._is_taken = False  # the words are kept for what comes later
        self._has_words = self._has_prose = False  # since the last block; outside of code
        self._code: list[str] = []  # the words inside of code
        self._is_parted = False  # the next words begin a line
        self._is_broken = False  # … because a line break came
        self._lines: list[str] = []  # code in blocks of its own, one after the other

    def add(self, data: str, write: Callable[[str], None], *, is_code: bool = False) -> None:
        """Add words with a method of the writer."""
        if is_code:
            self._code.append(data)
        if not data.strip():
            if self._has_words and not self._is_parted:
                self._writer.text(data)
            return
        if self._is_parted:
            self._writer.text("\n")
        elif self._label:
            self._writer.text(f"{self._label} ")
        self._has_prose = self._has_prose or not is_code or bool(self._label)
        self._has_words, self._label = True, ""
        self._is_parted = self._is_broken = False
        write(data)

    def break_line(self) -> None:
        """Begin a line; a second time, with nothing between, a block."""
        self._code.append("\n")
        is_second, self._is_broken = self._is_broken, True
        if is_second and self._has_prose and not (self._item or self._heading or self._is_taken):
            self.end()
        elif self._has_words:
            self._writer.text("\n")

    def part(self) -> None:
        """Let what follows begin a block, or a line of the same item."""
        if self._has_words and (self._is_taken or self._item or self._heading):
            self._is_parted = True
        elif self._has_words:
            self.end()

    def end(self) -> None:
        """End the block."""
        if self._has_words and self._is_own_code():
            self._end_lines()
        elif self._has_words:
            self._write_lines()
            mark, depth = self._item or ("", 0)
            if self._heading:
                number = "" if mark == BULLET else mark
                self._writer.end_paragraph(heading=self._heading, number=number)
            else:
                self._writer.end_paragraph(number=mark, item=depth)
            self._item = None
        self._reset()

    def end_caption(self) -> None:
        """End the block: it is a caption."""
        self._write_lines()
        if self._has_words:
            self._writer.caption()
        self._reset()

    def lead(self) -> None:
        """End the block; write a number or term alone whose words are no words: code, a table."""
        self.end()
        self._heading = 0
        self._write_lines()
        mark = self._item[0] if self._item else BULLET
        if self._label or mark != BULLET:
            self._writer.text(self._label or mark)
            self._writer.end_paragraph()
        self._item, self._label = None, ""

    def add_code(self, text: str) -> None:
        """Add code."""
        self.lead()
        self._writer.code(text)

    def begin_heading(self, level: int) -> None:
        """Begin a heading."""
        self.end()
        self._heading = level

    @property
    def is_heading(self) -> bool:
        """Whether a heading is open."""
        return self._heading > 0

    def end_heading(self) -> None:
        """End the heading, if one is open."""
        if self._heading:
            self.end()
            self._heading = 0

    def begin_taken(self) -> None:
        """Begin words that are no block of their own."""
        self.end()
        self._is_taken = True

    def take(self) -> str:
        """Return these words."""
        words = self._writer.take() if self._is_taken else ""
        if self._is_taken:
            self._reset()
        return " ".join(words.split())

    def begin_term(self) -> None:
        """Begin a term that is explained."""
        self.end_term()
        self.begin_taken()
        if self._is_explained:
            self._terms.clear()
            self._is_explained = False

    def end_term(self) -> None:
        """End the term."""
        if words := self.take():
            self._terms.append(words)

    def begin_explanation(self) -> None:
        """Begin what explains the terms before it."""
        self.end_term()
        self.lead()
        self._is_explained = True
        if self._terms:
            term = ", ".join(self._terms)
            self._label = term if term.endswith(_ENDS_TERM) else f"{term}:"

    def end_terms(self) -> None:
        """End the list of terms."""
        self.end_term()
        self.lead()
        if self._terms and not self._is_explained:
            self._writer.text(", ".join(self._terms))
            self._writer.end_paragraph()
        self._terms.clear()

    def begin_list(self, opened: OpenList) -> None:
        """Begin a list."""
        self.lead()
        self._lists.append(opened)

    def end_list(self) -> None:
        """End the list."""
        self.end()
        self._item = None
        if self._lists:
            self._lists.pop()

    def begin_item(self, attributes: Attributes) -> None:
        """Begin an item."""
        self.end()
        mark = self._lists[-1].mark(attributes) if self._lists else BULLET
        self._item = mark, max(1, min(len(self._lists), MOST_DEPTH))

    def end_item(self) -> None:
        """End the item."""
        self.end()
        self._item = None

    def _is_own_code(self) -> bool:
        if self._has_prose or self._item or self._heading:
            return False
        return not self._is_cell or any("\n" in piece for piece in self._code)

    def _end_lines(self) -> None:
        code = CodeText()
        code.add("".join(self._code).strip("\n"))
        self._lines.append(code.lines())
        self._writer.take()

    def _write_lines(self) -> None:
        if self._lines:
            words = self._writer.take()
            self._writer.code("\n".join(self._lines))
            self._writer.text(words)
            self._lines.clear()

    def _reset(self) -> None:
        self._code.clear()
        self._has_words = self._has_prose = self._is_taken = False
        self._is_parted = self._is_broken = False

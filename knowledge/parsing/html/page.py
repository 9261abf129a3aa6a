"""Turns the tags of a web page into blocks.

It knows which elements do something to the words in them and what is hidden; it does not know
encodings, what each element is for (`elements`), nor what becomes of the words (`flow`).
"""

import re
from collections.abc import Callable

from knowledge.parsing.html.code import CodeText
from knowledge.parsing.html.elements import ENDS, STARTS, Elements
from knowledge.parsing.html.forms import box_by_role
from knowledge.parsing.html.lists import Attributes
from knowledge.parsing.html.marks import (
    BLOCKS,
    EFFECTS,
    MENU,
    PLAYED,
    SILENT,
    VOID,
    Effect,
    effects_of,
    sign_font,
)
from knowledge.parsing.html.ruby import PARTS
from knowledge.parsing.html.scopes import HOLDING
from knowledge.parsing.html.styles import StyleSheet
from knowledge.parsing.words.symbols import readable
from knowledge.parsing.writer import BlockWriter

MARK_CHARS = 4  # of a note; longer raised links are words
LINK_SIGNS = frozenset("¶ # § 🔗 ↩ ↩︎ ^ ↑ ⏎".split())
"""Links to the place where they stand, or from a note back to the text."""
NO_DESCRIPTION = "a picture inside the page is read by its description only"
_SPACE = re.compile(r"\s+")


class Page(Elements):
    """One reading of a page."""

    def __init__(self, writer: BlockWriter, markup: str, *, reads_all: bool) -> None:
        """Make ready to write the blocks of `markup`; `reads_all`: also menus and hidden text."""
        super().__init__(writer, markup, reads_all=reads_all)
        self._sheet = StyleSheet(markup)
        self._sign_font = ""

    def read(self) -> None:
        """Read all of it, and close what was left open."""
        self.feed(self._markup)
        self.close()
        self._end_ruby("ruby")
        while self._tables.are_open:
            self._end_table("table")
        self._end_effects(self._scopes.end())
        self._flow.lead()
        self._writer.leave_out_all("picture", self._pictures, NO_DESCRIPTION)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        if tag == "p":
            self._end_effects(self._scopes.close("p"))  # it has no other inside
        if self._ruby.is_open:
            self._part_ruby(tag)
        if self._effects["muted"] and self._starts_muted(tag):
            return
        attributes = dict(attrs)
        effects = self._effects_of(tag, attributes)
        if effects and tag not in VOID:
            self._open_scope(tag, attributes, effects)
        else:
            self._scopes.open_again(tag)
        if "muted" in effects:
            self._tell(tag, attributes)
        elif self._pre is not None:
            self._part_code(tag)
        else:
            self._start(tag, attributes)

    def _start(self, tag: str, attributes: Attributes) -> None:
        """Begin an element that is shown."""
        if start := STARTS.get(tag):
            start(self, tag, attributes)
        elif tag == "p":
            self._part()
            self._flow.end_heading()  # never closed
        elif tag in BLOCKS:
            self._part()
        if box := attributes and tag != "input" and box_by_role(attributes):
            self._flow.add(f" {box} ", self._writer.text)

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        if self._ruby.is_open and tag not in PARTS:
            self._part_ruby(tag)
        is_muted = self._effects["muted"] > 0
        is_muted = is_muted and not self._ends_muted(tag)
        if self._scopes.has(tag):
            self._end_effects(self._scopes.close(tag))
        if is_muted:
            return
        if self._pre is not None:
            self._part_code(tag if tag in BLOCKS else "")
        elif end := ENDS.get(tag):
            end(self, tag)
        elif tag in BLOCKS:
            self._part()

    def handle_data(self, data: str) -> None:
        """Take text."""
        if opening := self._choices.opening(data):
            self._flow.add(opening, self._writer.text)
        if self._effects["muted"] or self._choices.are_too_many:
            return
        data = data.replace("\xad", "")  # where a word may be broken
        if self._effects["signs"]:
            data = readable(data, self._sign_font)
        if self._effects["reading"]:
            self._ruby.add_reading(data.strip())
            return
        if self._ruby.is_open:
            data = self._ruby.base_words(data)
        if self._links.is_open:
            self._links.add(data)
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
        if not is_note:
            self._flow.add(words, self._write())
        elif len(mark) <= MARK_CHARS:
            self._links.drop()
            self._flow.add(mark, self._writer.note_mark)
        else:
            self._flow.add(f" {words} ", self._writer.text)

    # Elements that do something to the words in them

    def _effects_of(self, tag: str, attributes: Attributes) -> set[Effect]:
        if not attributes and tag not in EFFECTS and not self._sheet.has_tags:
            return set()
        is_in_code = self._pre is not None
        return effects_of(
            tag, attributes, self._sheet, is_in_code=is_in_code, reads_all=self._reads_all
        )

    def _open_scope(self, tag: str, attributes: Attributes, effects: set[Effect]) -> None:
        if "block" in effects or tag in BLOCKS:
            self._part()
        if "pre" in effects and self._pre is None:
            self._flow.end()
            self._pre = CodeText()
        if "signs" in effects:
            self._sign_font = sign_font(tag, attributes)
        self._scopes.open(tag, effects)

    def _starts_muted(self, tag: str) -> bool:
        """Begin an element in one that is not read; say whether it is not read either."""
        top = self._scopes.innermost
        if top and "muted" in top.effects and top.ends_before(tag):
            top.open = 1
            self._end_effects(self._scopes.close(top.tag))
            return self._effects["muted"] > 0
        self._scopes.open_again(tag)
        if top and tag in HOLDING:
            top.inside += 1
        if top and top.tag == "svg" and tag == "text" and not top.is_told:
            top.is_told = True
            self._writer.leave_out("text in a drawing", self._place(), "SVG is not read")
        return True

    def _ends_muted(self, tag: str) -> bool:
        """Say whether an end ends an element that is not read and whose own end is missing."""
        top = self._scopes.innermost
        if top and top.ends_with(tag):
            top.open = 1
            self._end_effects(self._scopes.close(top.tag))
            return not self._effects["muted"]
        if top and tag in HOLDING and top.inside:
            top.inside -= 1
        return False

    def _tell(self, tag: str, attributes: Attributes) -> None:
        """Tell what is not read, and take what a formula says of itself."""
        if tag in PLAYED:
            self._tell_embedded(tag, attributes)
        elif tag == "math" and (words := attributes.get("alttext")):
            self._flow.add(words, self._writer.text)
        elif tag == "math":
            self._writer.leave_out("formula", self._place(), "MathML is not read")
        elif tag != "template" and (tag in SILENT or tag in VOID or self._pre is not None):
            return
        elif tag != MENU and attributes.get("role") != "navigation":
            self._writer.leave_out("hidden text", self._place(), "the page does not show it")

    def _part_ruby(self, tag: str) -> None:
        """End what of a ruby a tag ends, which may be the whole."""
        if tag in PARTS or tag in BLOCKS or tag == "ruby":
            self._end_ruby(tag)

    def _part_code(self, tag: str) -> None:
        assert self._pre is not None
        if tag == "br":
            self._pre.add("\n")
        elif tag in BLOCKS:
            self._pre.part()

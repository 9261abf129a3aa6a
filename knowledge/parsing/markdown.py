"""The blocks of a Markdown text, which itself stays as it is.

It knows CommonMark's blocks, pipe tables, footnotes and front matter; it does not know inline
markup beyond what a heading's title loses, and fetches no links. It reads line by line in linear
time: it runs outside the child process, and markdown-it-py takes ten seconds for one megabyte of
short list items, and drops what is nested deeper than twenty levels.
"""

import re
from dataclasses import dataclass
from typing import Literal

from knowledge.parsing.blocks import BlockKind, PlacedBlock

MAX_DEPTH = 20  # of lists and quotes in each other, as in markdown-it; deeper marks are text
CODE_INDENT = 4  # columns (CommonMark 4.4)
TAB = 4  # columns (CommonMark 2.2)
MAX_BLOCKS = 500_000  # about 65 MB of them; what follows is one paragraph
MAX_TITLE_CHARS = 1_000  # a longer heading is no title; its markup stays
QUOTE = 0  # an open quote among the widths of open list items

_SPACES = re.compile(r"[ \t]*")
_ITEM = re.compile(r"([-+*]|(\d{1,9})[.)])(?=[ \t]|$)")
_RULE = re.compile(r"(?:(?:-[ \t]*+){3,}+|(?:\*[ \t]*+){3,}+|(?:_[ \t]*+){3,}+)$")
_ATX = re.compile(r"(#{1,6})(?:[ \t]+(.*))?$")
_CLOSING_MARKS = re.compile(r"(?:^|(?<=[ \t]))#+$")
_UNDERLINE = re.compile(r"(?:=++|-++)[ \t]*$")
_FENCE = re.compile(r"(`{3,})[^`]*$|(~{3,}).*$")
_FENCE_LINE = re.compile(r"^[ \t]*+(`{3,}+|~{3,}+)[ \t]*+(\S)?", re.MULTILINE)
_DELIMITERS = re.compile(r"(?=[^|]*\|)(?:[ \t|]*+:?-++:?)++[ \t|]*$")
_FOOTNOTE = re.compile(r"\[\^[^\]\s]{1,100}\]:")
_FRONT = re.compile(r"(---|\+\+\+)[ \t]*\n(?=[\w\"'][^\n:=]{0,99}[:=](?:\s|$))")
_FRONT_END = re.compile(r"^(?:---|\+\+\+|\.\.\.)[ \t]*$", re.MULTILINE)
_HTML_WITH_END: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(begin, re.IGNORECASE), re.compile(end, re.IGNORECASE))
    for begin, end in (
        (r"<(?:pre|script|style|textarea)(?=[\s>]|$)", r"</(?:pre|script|style|textarea)>"),
        (r"<!--", r"-->"),
        (r"<\?", r"\?>"),
        (r"<![a-z]", r">"),
    )
)
_HTML_BLOCK = re.compile(
    r"</?(?:address|article|aside|blockquote|body|caption|center|col|colgroup|dd|details|dialog"
    r"|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr"
    r"|html|iframe|legend|li|link|main|menu|nav|ol|optgroup|option|p|param|search|section|summary"
    r"|table|tbody|td|tfoot|th|thead|title|tr|track|ul)(?=\s|/?>|$)",
    re.IGNORECASE,
)
_BEGINS = (_FENCE, _ATX, _RULE, _FOOTNOTE, _HTML_BLOCK, *(begin for begin, _ in _HTML_WITH_END))
_TAG_ALONE = re.compile(r"</?[a-zA-Z][\w-]*(?:\s[^<>]*)?>[ \t]*$")

_MARKUP = re.compile(r"[`*_~=\[<{\\]")
_CODE_SPAN = re.compile(r"(?<!`)(`++)([^`]+)\1(?!`)")
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])")
_TAG_OR_ANCHOR = re.compile(r"</?[a-zA-Z!][^<>]*>|(?<![ \t])[ \t]*+\{[^{}]*\}$")
_EMPHASIS = re.compile(
    r"(?<![0-9a-zA-Z*])(\*{1,3}|~~|==)(?=\S)(.+?)(?<=\S)\1(?![0-9*])"
    r"|(?<!\w)(_{1,3})(?=\S)(.+?)(?<=\S)\3(?!\w)"
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")

LeafKind = Literal[
    "", "paragraph", "list_item", "note", "fence", "indented", "table", "html", "pre"
]
RUNNING = ("paragraph", "list_item", "note")
PLACED: dict[LeafKind, BlockKind] = {
    "paragraph": "paragraph",
    "list_item": "list_item",
    "note": "note",
    "fence": "code",
    "indented": "code",
    "table": "table",
    "html": "paragraph",
    "pre": "code",
}


def markdown_blocks(text: str) -> tuple[PlacedBlock, ...]:
    r"""Return the blocks of a Markdown text, in order.

    A block is whole lines: it begins where its first line does and ends before a line break. Every
    line with words belongs to one. Headings inside quotes and list items head no section: they
    count as what they stand in. An HTML block is a paragraph, `<pre>` and front matter are code.

    Args:
        text: With `\n` line ends.
    """
    return _Scanner(text).scan()


def plain_title(words: str) -> str:
    """Return a heading's words without emphasis, links, code marks, tags and anchors."""
    codes: list[str] = []

    def keep(found: re.Match[str]) -> str:
        codes.append(found[2].strip())
        return "\x00"

    words = words.strip()
    if len(words) > MAX_TITLE_CHARS or not _MARKUP.search(words):
        return " ".join(words.split())
    words = _CODE_SPAN.sub(keep, words.replace("\x00", ""))
    words = _TAG_OR_ANCHOR.sub("", _LINK.sub(r"\1", words))
    for _ in range(2):  # one kind inside the other
        words = _EMPHASIS.sub(r"\2\4", words)
    words = _ESCAPED.sub(r"\1", words)
    parts = words.split("\x00")
    pairs = zip(parts, [*codes, ""], strict=True)
    return " ".join("".join(part + code for part, code in pairs).split())


@dataclass(slots=True)
class _Line:
    """What is left of a line, from `at` to `end`; `column` is that of `at`."""

    text: str
    start: int
    end: int
    at: int
    column: int = 0
    indent: int = 0  # columns of white space before `words`
    words: int = 0  # where the white space ends

    def measure(self) -> None:
        found = _SPACES.match(self.text, self.at, self.end)
        assert found is not None
        self.words = found.end()
        space = found[0]
        self.indent = len(space)
        if "\t" in space:
            past = self.column % TAB
            self.indent = len((" " * past + space).expandtabs(TAB)) - past

    def skip(self, columns: int) -> None:
        """Go on by so many columns of white space."""
        goal = self.column + columns
        while self.column < goal and self.at < self.words:
            self.column += TAB - self.column % TAB if self.text[self.at] == "\t" else 1
            self.at += 1
        self.measure()

    def skip_mark(self, length: int) -> None:
        """Go on behind a mark that stands at `words`."""
        self.column += self.indent + length
        self.at = self.words + length
        self.measure()

    @property
    def is_blank(self) -> bool:
        return self.words == self.end


class _Scanner:
    """Lists and quotes that are open, and the one block that is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._placed: list[PlacedBlock] = []
        self._open: list[int] = []  # QUOTE, or the width before an item's words
        self._kind: LeafKind = ""
        self._start = self._end = 0  # of the open block
        self._last = 0  # where the words of its last line begin
        self._header_end = 0
        self._until: re.Pattern[str] | None = None  # what ends HTML; None: a blank line
        self._fence = ""
        self._next_fence = _FENCE_LINE.search(text)

    def scan(self) -> tuple[PlacedBlock, ...]:
        text = self._text
        start = self._front_matter()
        while start < len(text):
            end = text.find("\n", start) % (len(text) + 1)  # the last line may have no break
            line = _Line(text, start, end, start)
            line.measure()
            self._read(line)
            start = end + 1
            if len(self._placed) >= MAX_BLOCKS:
                self._close()
                self._placed.append(PlacedBlock("paragraph", start, len(text)))
                break
        self._close()
        return tuple(self._placed)

    def _front_matter(self) -> int:
        """Place the front matter, if there is any; return where the text goes on."""
        begin = _FRONT.match(self._text)
        end = _FRONT_END.search(self._text, begin.end()) if begin else None
        if end is None:
            return 0
        self._placed.append(PlacedBlock("code", 0, end.end()))
        return end.end() + 1

    def _read(self, line: _Line) -> None:
        matched = self._match_open(line)
        is_inside = matched == len(self._open)
        if self._kind == "fence" and (is_inside or self._is_fenced(line.start)):
            self._go_on_fence(line)
        elif self._until is not None and is_inside:
            self._extend(line)
            if self._until.search(self._text, line.words, line.end):
                self._close()
        elif line.is_blank:
            if self._kind != "indented" or not is_inside:
                self._leave(matched)
        elif self._kind == "html" and is_inside:
            self._extend(line)
        else:
            opened = self._open_more(line, matched)
            is_lazy = not (opened or is_inside) and self._goes_on(line)
            if not (opened or is_inside or is_lazy):
                self._leave(matched)
            self._read_words(line, is_item=bool(opened and self._open[-1]), is_lazy=is_lazy)

    def _match_open(self, line: _Line) -> int:
        """Go on behind the marks of open quotes and items; return how many go on."""
        for number, width in enumerate(self._open):
            if width == QUOTE:
                if line.indent >= CODE_INDENT or not self._text.startswith(">", line.words):
                    return number
                self._skip_quote(line)
            elif line.is_blank:
                continue
            elif line.indent >= width:
                line.skip(width)
            else:
                return number
        return len(self._open)

    def _skip_quote(self, line: _Line) -> None:
        line.skip_mark(1)
        if line.indent:
            line.skip(1)

    def _open_more(self, line: _Line, matched: int) -> int:
        """Open the quotes and items that begin in the line; return how many do."""
        opened = 0
        while matched + opened < MAX_DEPTH and line.indent < CODE_INDENT:
            width = QUOTE
            if self._text.startswith(">", line.words):
                self._skip_quote(line)
            elif not (width := self._item_width(line, matched + opened)):
                break
            self._leave(matched + opened)
            self._open.append(width)
            opened += 1
        return opened

    def _item_width(self, line: _Line, matched: int) -> int:
        """Go on behind the mark of an item; return the width before its words, 0: no item."""
        mark = _ITEM.match(self._text, line.words, line.end)
        if mark is None or _RULE.match(self._text, line.words, line.end):
            return 0
        is_blank = not self._text[mark.end() : line.end].strip(" \t")
        interrupts = self._kind in RUNNING and matched == len(self._open)
        if interrupts and (is_blank or mark[2] not in (None, "1")):
            return 0  # "… in\n2026. And so" is one sentence
        before = line.indent + len(mark[0])
        line.skip_mark(len(mark[0]))
        space = 1 if is_blank or line.indent > CODE_INDENT else line.indent
        line.skip(space)
        return before + space

    def _goes_on(self, line: _Line) -> bool:
        """Say whether a line outside goes on with the words of the item or quote before it."""
        if self._kind not in RUNNING or self._last == self._end:
            return False
        place = (self._text, line.words, line.end)
        return line.indent >= CODE_INDENT or not any(begin.match(*place) for begin in _BEGINS)

    def _read_words(self, line: _Line, *, is_item: bool, is_lazy: bool) -> None:
        """Read a line that is not blank, behind its marks."""
        if line.is_blank:
            self._begin("list_item" if is_item else "", line)
        elif line.indent >= CODE_INDENT and self._kind == "indented":
            self._extend(line)
        elif line.indent >= CODE_INDENT and self._kind not in RUNNING:
            self._begin("indented", line)
        elif is_lazy or line.indent >= CODE_INDENT:
            self._extend(line)
        elif not self._read_marked(line, is_item=is_item):
            self._read_running(line, is_item=is_item)

    def _read_marked(self, line: _Line, *, is_item: bool) -> bool:
        """Read fences, headings, rules and HTML; say whether the line was one."""
        place = (self._text, line.words, line.end)
        if fence := _FENCE.match(*place):
            self._begin("fence", line)
            self._fence = fence[1] or fence[2]
        elif not is_item and (marks := _ATX.match(*place)):
            self._begin("paragraph", line)
            words = _CLOSING_MARKS.sub("", (marks[2] or "").strip(" \t"))
            self._end_heading(len(marks[1]), words)
        elif self._kind in RUNNING and _UNDERLINE.match(*place):
            words = self._text[self._start : self._end]
            self._extend(line)
            self._end_heading(1 if self._text.startswith("=", line.words) else 2, words)
        elif _RULE.match(*place):
            self._begin("paragraph", line)
            self._close()
        else:
            return not is_item and self._begins_html(line)
        return True

    def _begins_html(self, line: _Line) -> bool:
        place = (self._text, line.words, line.end)
        if not self._text.startswith("<", line.words):
            return False
        for begin, end in _HTML_WITH_END:
            if found := begin.match(*place):
                self._begin("pre" if found[0].lower() == "<pre" else "html", line)
                self._until = end
                if end.search(self._text, found.end(), line.end):
                    self._close()
                return True
        if _HTML_BLOCK.match(*place) or (self._kind not in RUNNING and _TAG_ALONE.match(*place)):
            self._begin("html", line)
            return True
        return False

    def _read_running(self, line: _Line, *, is_item: bool) -> None:
        """Read words of a paragraph, an item or a table."""
        has_cells = self._text.find("|", line.words, line.end) >= 0
        if is_item:
            self._begin("list_item", line)
        elif self._kind == "table" and has_cells:
            self._extend(line)
        elif self._kind in RUNNING and has_cells and self._begins_table(line):
            pass
        elif _FOOTNOTE.match(self._text, line.words, line.end):
            self._begin("note", line)
        elif self._kind in RUNNING:
            self._extend(line)
        else:
            self._begin("paragraph", line)

    def _begins_table(self, line: _Line) -> bool:
        """Make the last line a table's header if the line parts the header from the rows."""
        is_parting = _DELIMITERS.match(self._text, line.words, line.end) is not None
        if not is_parting or self._text.find("|", self._last, self._end) < 0:
            return False
        header = self._text.rfind("\n", 0, self._last) + 1
        if header > self._start:
            self._end = header - 1
            self._close()
            self._start = header
        self._kind = "table"
        self._end = self._header_end = line.end
        return True

    def _end_heading(self, level: int, words: str) -> None:
        """End the paragraph, which is a heading unless it stands in a quote or an item."""
        if self._open or self._kind != "paragraph":
            self._close()
            return
        self._kind = ""
        title = plain_title(words)
        self._placed.append(PlacedBlock("heading", self._start, self._end, level, title=title))

    def _go_on_fence(self, line: _Line) -> None:
        self._extend(line)
        mark = self._text[line.words : line.end].rstrip(" \t")
        is_mark = len(mark) >= len(self._fence) and not mark.strip(self._fence[0])
        if is_mark and line.indent < CODE_INDENT:
            self._close()

    def _is_fenced(self, at: int) -> bool:
        """Say whether the open fence is closed further on, though a line of it hangs out.

        A browser would end the code with the item; the author meant it to go on.
        """
        if QUOTE in self._open:
            return False
        if self._next_fence is not None and self._next_fence.start() < at:
            self._next_fence = _FENCE_LINE.search(self._text, at)
        following = self._next_fence
        return following is not None and following[1].startswith(self._fence) and not following[2]

    def _begin(self, kind: LeafKind, line: _Line) -> None:
        self._close()
        self._kind = kind
        self._start, self._last, self._end = line.start, line.words, line.end

    def _extend(self, line: _Line) -> None:
        self._last, self._end = line.words, line.end

    def _leave(self, matched: int) -> None:
        """Close the block and what it stands in, but for the first `matched` of those."""
        self._close()
        del self._open[matched:]

    def _close(self) -> None:
        """Place the open block."""
        if not self._kind:
            return
        kind = PLACED[self._kind]
        level = sum(width != QUOTE for width in self._open) if kind == "list_item" else 0
        header_end = self._header_end if self._header_end < self._end else 0
        self._placed.append(PlacedBlock(kind, self._start, self._end, level, header_end=header_end))
        self._kind, self._until, self._header_end = "", None, 0

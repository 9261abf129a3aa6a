"""Web pages: headings, paragraphs, lists and tables; no scripts, styles or menus.

It knows HTML as browsers forgive it, and what a page says about its encoding; it does not run
anything and fetches nothing. Entities are HTML's own: a page cannot define one.
"""

import re
from html.parser import HTMLParser

from knowledge.parsing.blocks import Content
from knowledge.parsing.text import decode
from knowledge.parsing.writer import BlockWriter

SILENT = frozenset(
    ("script", "style", "template", "noscript", "svg", "math", "iframe", "object", "select")
)
MENU = "nav"
HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCKS = frozenset(
    ("address article aside blockquote body caption center dd details dialog div dl dt fieldset "
     "figcaption figure footer form header hr html li main ol p pre section summary table "
     "tbody tfoot thead title ul").split()
)  # fmt: skip
DECLARED_WITHIN = 4_096  # browsers look through 1,024 bytes; some pages are late
_DECLARED = re.compile(
    rb"""<(?:meta[^>]*?charset\s*=\s*|\?xml[^>]*?encoding\s*=\s*)["']?\s*([\w:.-]+)""",
    re.IGNORECASE,
)
READ_AS = {
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "gb_2312-80": "gb18030",
    "big5": "big5hkscs", "shift_jis": "cp932", "sjis": "cp932", "x-sjis": "cp932",
    "iso-8859-1": "cp1252", "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252",
    "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "iso-8859-9": "cp1254",
}  # fmt: skip
"""What browsers read instead of what a page declares (WHATWG Encoding Standard, labels)."""


def read_html(filename: str, content: bytes, chars: int) -> Content:
    """Return the content of a page and its encoding.

    Raises:
        UnsupportedFile: It is no text.
        ParseLimitExceeded: It has more than `chars` characters.
    """
    markup, encoding = page_markup(filename, content)
    writer = BlockWriter(chars)
    add_html(writer, markup)
    return Content(writer.blocks, encoding, writer.not_read)


def page_markup(filename: str, content: bytes) -> tuple[str, str]:
    """Return the markup of a page and its encoding.

    Raises:
        UnsupportedFile: It is no text.
    """
    found = _DECLARED.search(content[:DECLARED_WITHIN])
    declared = found[1].decode("ascii", "replace").lower() if found else ""
    return decode(filename, content, declared=READ_AS.get(declared, declared))


def add_html(writer: BlockWriter, markup: str) -> None:
    """Add the content of markup; its menus only where there is nothing else."""
    before = len(writer.blocks)
    for silent in (SILENT | {MENU}, SILENT):
        page = _Page(writer, silent)
        page.feed(markup)
        page.close()
        page.end()
        if len(writer.blocks) > before:
            return


class _Page(HTMLParser):
    """Turns tags into blocks."""

    def __init__(self, writer: BlockWriter, silent: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self._blocks = writer
        self._silent = silent
        self._muted: list[str] = []
        self._tables: list[bool] = []  # one for each open table: is a row open?
        self._cells: list[bool] = []  # … and a cell in it?
        self._preformatted = 0

    def end(self) -> None:
        """Close whatever was left open."""
        while self._tables:
            self._end_table()
        self._blocks.end_paragraph()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        if tag in self._silent:
            self._muted.append(tag)
        if self._muted:
            return
        if tag == "table":
            self._blocks.begin_table()
            self._tables.append(False)
            self._cells.append(False)
        elif tag == "tr" and self._tables:
            self._end_row()
            self._blocks.begin_row()
            self._tables[-1] = True
        elif tag in ("td", "th") and self._tables:
            self._begin_cell()
        elif tag == "br":
            self._blocks.text("\n")
        elif tag == "img":
            self._blocks.text(dict(attrs).get("alt") or "")
        elif tag in BLOCKS or tag in HEADINGS:
            self._preformatted += tag == "pre"
            self._blocks.end_paragraph()
            if tag == "li":
                self._blocks.text("- ")

    def handle_endtag(self, tag: str) -> None:
        """Close an element."""
        if self._muted:
            if tag in self._muted:
                del self._muted[self._muted.index(tag) :]
            return
        if tag == "table" and self._tables:
            self._end_table()
        elif tag == "tr" and self._tables:
            self._end_row()
        elif tag in ("td", "th") and self._tables:
            self._end_cell()
        elif tag in HEADINGS or tag in BLOCKS:
            self._preformatted -= tag == "pre" and self._preformatted > 0
            self._blocks.end_paragraph(heading=HEADINGS.get(tag, 0))

    def handle_data(self, data: str) -> None:
        """Take text."""
        if not self._muted:
            self._blocks.text(data if self._preformatted else re.sub(r"\s+", " ", data))

    def _begin_cell(self) -> None:
        self._end_cell()
        if not self._tables[-1]:
            self._blocks.begin_row()
            self._tables[-1] = True
        self._blocks.begin_cell()
        self._cells[-1] = True

    def _end_cell(self) -> None:
        if self._cells[-1]:
            self._blocks.end_cell()
            self._cells[-1] = False

    def _end_row(self) -> None:
        self._end_cell()
        if self._tables[-1]:
            self._blocks.end_row()
            self._tables[-1] = False

    def _end_table(self) -> None:
        self._end_row()
        self._tables.pop()
        self._cells.pop()
        self._blocks.end_table()

"""Web pages: headings, paragraphs, lists, tables and code; no scripts, styles or menus.

It knows what a page says about its encoding, and when its menus are all there is; it does not run
anything and fetches nothing. Entities are HTML's own: a page cannot define one.
"""

import re

from knowledge.parsing.blocks import Content
from knowledge.parsing.html.code import without_line_numbers
from knowledge.parsing.html.page import Page
from knowledge.parsing.text import decode
from knowledge.parsing.writer import BlockWriter

__all__ = ["READ_AS", "add_html", "page_markup", "read_html"]

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
    """Add the content of markup; menus and hidden text only where there is nothing else."""
    before, not_read = len(writer.blocks), len(writer.not_read)
    for reads_all in (False, True):
        del writer.not_read[not_read:]
        page = Page(writer, markup, reads_all=reads_all)
        page.read()
        if len(writer.blocks) > before:
            break
    blocks = writer.blocks
    blocks[before:] = without_line_numbers(blocks[before:])

"""Web pages: headings, paragraphs, lists, tables and code; no scripts, styles or menus.

It knows what a page says about its encoding, and when its menus are all there is; it does not run
anything and fetches nothing. Entities are HTML's own: a page cannot define one.
"""

import re

from knowledge.parsing.blocks import Content
from knowledge.parsing.encodings import READ_AS
from knowledge.parsing.html.code import without_line_numbers
from knowledge.parsing.html.page import Page
from knowledge.parsing.text import UNSAID, Charset, Decoded, read_text
from knowledge.parsing.writer import BlockWriter

__all__ = ["READ_AS", "add_html", "page_markup", "read_html"]

DECLARED_WITHIN = 4_096  # browsers look through 1,024 bytes; some pages are late
_DECLARED = re.compile(
    rb"""<(?:meta[^>]*?charset\s*=\s*|\?xml[^>]*?encoding\s*=\s*)["']?\s*([\w:.-]+)""",
    re.IGNORECASE,
)


def read_html(filename: str, content: bytes, chars: int, *, charset: Charset = UNSAID) -> Content:
    """Return the content of a page and its encoding.

    Raises:
        UnsupportedFile: It is no text.
        ParseLimitExceeded: It has more than `chars` characters.
    """
    page = page_markup(filename, content, charset)
    writer = BlockWriter(chars)
    add_html(writer, page.text)
    return Content(writer.blocks, page.encoding, [*page.not_read, *writer.not_read])


def page_markup(filename: str, content: bytes, charset: Charset = UNSAID) -> Decoded:
    """Return the markup of a page and its encoding.

    Raises:
        UnsupportedFile: It is no text.
    """
    found = _DECLARED.search(content[:DECLARED_WITHIN])
    declared = found[1].decode("ascii", "replace").lower() if found else ""
    if declared.startswith(("utf-16", "utf-32")):
        declared = ""  # it could not be read to say so
    declared = READ_AS.get(declared, declared)
    return read_text(filename, content, declared=declared, charset=charset)


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

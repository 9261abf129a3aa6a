"""Documents that a Word file inserts whole (`altChunk`): pages, archived pages, plain text.

It knows by its first bytes what a part is, and how a page is archived (MHTML, RFC 2557); it does
not know where it is inserted. Word files are left to `story`; rich text is not read.
"""

import re
from email.message import Message
from email.parser import BytesParser

from knowledge.errors import UnsupportedFile
from knowledge.parsing.blocks import Content
from knowledge.parsing.html import READ_AS, add_html, page_markup
from knowledge.parsing.text import decode
from knowledge.parsing.writer import BlockWriter

LOOKED_AT_BYTES = 2_000  # of a part, to tell what it is
_MIME = re.compile(rb"\s*(?:mime-version|content-type|from|date|subject|snapshot-\w+):", re.I)
_PAGE = re.compile(rb"<(?:!doctype|html|head|body|meta|p|div|span|table|h[1-6]|ul|ol|b|br)\b", re.I)
_BLANK = re.compile(r"\n[^\S\n]*\n\s*")


def chunk_content(part: str, content: bytes, chars: int) -> Content:
    """Return the content of an inserted document.

    Raises:
        UnsupportedFile: It is rich text, or no text.
        ParseLimitExceeded: It has more than `chars` characters.
    """
    if content.startswith(b"{\\rtf"):
        raise UnsupportedFile("rich text is not read; save it as a Word file in place of this part")
    writer = BlockWriter(chars)
    if _MIME.match(content):
        _add_archived(writer, part, content)
    elif _PAGE.search(content[:LOOKED_AT_BYTES].replace(b"\x00", b"")):
        add_html(writer, page_markup(part, content).text)
    else:
        _add_text(writer, decode(part, content)[0])
    return Content(writer.blocks, "utf-8", writer.not_read)


def _add_archived(writer: BlockWriter, part: str, content: bytes) -> None:
    """Add the page of an archive, or what else of text is in it."""
    parts = [one for one in BytesParser().parsebytes(content).walk() if not one.is_multipart()]
    page = next((one for one in parts if one.get_content_type() == "text/html"), None)
    if page is not None:
        add_html(writer, _decoded(part, page))
        return
    texts = [one for one in parts if one.get_content_maintype() == "text"]
    if not texts:
        raise UnsupportedFile("it holds no page")
    for one in texts:
        _add_text(writer, _decoded(part, one))


def _decoded(part: str, message: Message) -> str:
    payload = message.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    declared = (message.get_content_charset() or "").lower()
    if not declared and message.get_content_type() == "text/html":
        return page_markup(part, content).text
    return decode(part, content, declared=READ_AS.get(declared, declared))[0]


def _add_text(writer: BlockWriter, text: str) -> None:
    for paragraph in _BLANK.split(text):
        writer.text(paragraph)
        writer.end_paragraph()

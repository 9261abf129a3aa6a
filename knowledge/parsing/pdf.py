"""PDF: the text layer, page by page, by pdfium.

It knows pages, passwords and line breaks; it does not recognise text in pictures.
"""

import re

import pypdfium2
from pypdfium2 import raw

from knowledge.errors import (
    DamagedFile,
    NoTextLayer,
    ParseLimitExceeded,
    PasswordRequired,
    UnsupportedFile,
    WrongPassword,
)
from knowledge.parsing.blocks import Block, Content, PageStart, Paragraph
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.writer import too_much_text

HEADER_WITHIN = 1_024  # Adobe's readers look for %PDF- this far (PDF reference 1.7, H.3.4.1)
FULL_LINE = 0.8  # of the longest line of a page: a shorter one ends its paragraph
_HYPHEN = re.compile("[\ufffe\u0002]\n?")  # pdfium's sign for a hyphen that only breaks a word
_HAN = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f"
_HAN_BREAK = re.compile(f"(?<=[{_HAN}])\n(?=[{_HAN}])")


def read_pdf(filename: str, content: bytes, password: str | None, limits: ParseLimits) -> Content:
    """Return the text of each page; a page without text is empty.

    Raises:
        UnsupportedFile: It is no PDF.
        PasswordRequired, WrongPassword: It is locked.
        DamagedFile: pdfium cannot open it or one of its pages.
        NoTextLayer: No page has text.
        ParseLimitExceeded: Too many pages, or too much text.
    """
    if b"%PDF-" not in content[:HEADER_WITHIN]:
        raise UnsupportedFile(f"{filename!r} is not a PDF file, despite its name")
    document = _open(filename, content, password)
    count = len(document)
    if count > limits.pages:
        raise ParseLimitExceeded(
            f"{filename!r} has {count} pages; at most {limits.pages} (knowledge.parse_pages)"
        )
    if not count:
        raise DamagedFile(f"{filename!r} has no page that can be found")
    blocks: list[Block] = []
    left = limits.chars
    for number in range(count):
        text = _page_text(filename, document, number)
        blocks += (PageStart(), Paragraph(text))
        left -= len(text)
        if left < 0:
            raise too_much_text(limits.chars)
    if left == limits.chars:
        raise NoTextLayer(f"{filename!r}: none of its {count} pages has text; they are pictures")
    return Content(blocks, "binary")


def _open(filename: str, content: bytes, password: str | None) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(content, password=password)
    except pypdfium2.PdfiumError as exc:
        if exc.err_code != raw.FPDF_ERR_PASSWORD:
            raise DamagedFile(f"{filename!r} is damaged: {exc}") from exc
        if password is None:
            raise PasswordRequired(f"{filename!r} is password-protected") from exc
        raise WrongPassword(f"{filename!r} does not open with this password") from exc


def _page_text(filename: str, document: pypdfium2.PdfDocument, number: int) -> str:
    try:
        page = document[number]
        layer = page.get_textpage()
        text = str(layer.get_text_bounded())
        layer.close()
        page.close()
    except pypdfium2.PdfiumError as exc:
        raise DamagedFile(f"{filename!r}, page {number + 1}: {exc}") from exc
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return _join_lines(_HYPHEN.sub("", text)).strip()


def _join_lines(text: str) -> str:
    """Join Chinese and Japanese lines that only the width of the page broke."""
    lines = text.split("\n")
    full = max(len(line.strip()) for line in lines) * FULL_LINE
    joined = lines[0]
    for before, line in zip(lines, lines[1:], strict=False):
        broken = len(before.strip()) >= full and _HAN_BREAK.search(
            f"{before.rstrip()[-1:]}\n{line.lstrip()[:1]}"
        )
        joined += line if broken else f"\n{line}"
    return joined

"""Pictures and pages that are pictures: read by three children, one after the other.

It knows when text is recognised at all and which child comes next; it does not know how any of
them works. The first reads a PDF as ever and tells which pages are pictures: an ordinary document
pays nothing. The second recognises these, page by page. The third reads the file with what was
recognised in its place, so that tables, columns and what repeats are found as in any PDF.
"""

from dataclasses import replace

from knowledge.errors import NoTextLayer
from knowledge.parsing.limits import Ocr
from knowledge.parsing.parsed import ParsedText
from knowledge.parsing.recognition.stream import recognise_pages
from knowledge.parsing.sandbox import Request, parse_in_child

PICTURES = {"png", "jpeg", "tiff", "webp"}
"""Formats that hold nothing but pictures."""


def parse_scan(request: Request, ocr: Ocr) -> ParsedText:
    """Return the text of a PDF or a picture.

    Args:
        request: The file.
        ocr: `auto`: text of pages without text is recognised; `always`: of all pages; `never`.

    Raises:
        KnowledgeError: What a child found wrong.
        NoTextLayer: A picture in which no text was recognised, or with `never`.
    """
    if ocr == "never":
        if request.file_format in PICTURES:
            raise NoTextLayer(
                f"{request.filename!r} is a picture; its text is not recognised (ocr: never)"
            )
        return parse_in_child(request)
    pages: tuple[int, ...] | None = None
    if request.file_format not in PICTURES and ocr == "auto":
        try:
            parsed = parse_in_child(request)
        except NoTextLayer:
            pass  # all its pages are pictures
        else:
            pages = parsed.pictures
            if not pages:
                return parsed
    found = recognise_pages(request, pages)
    return parse_in_child(replace(request, recognised=found.pages()))

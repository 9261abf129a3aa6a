"""The inside of the process that recognises text: loads, gives up its rights, reads page by page.

It knows the order in which this is done and what is said of each page; it does not know how pages
are read. It takes one line of JSON and the file from stdin and writes a line of JSON a page to
stdout: what was said is safe, whatever happens to the next page.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import cv2

from knowledge.errors import KnowledgeError
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.pdf.document import open_pdf
from knowledge.parsing.recognition.models import Models, load_models
from knowledge.parsing.recognition.page import PagePicture, RecognisedPage, example, recognise
from knowledge.parsing.recognition.pictures import (
    open_pictures,
    page_count,
    pages_of,
    warm_up,
)
from knowledge.parsing.recognition.rendering import rendered
from knowledge.parsing.rights import allow_processor_time, give_up_rights

BROKEN = (MemoryError, RecursionError, cv2.error, RuntimeError, ValueError)
"""What the networks and cv2 raise where a page takes too much; the next page may not."""
MORE = "it is beyond the first {} (knowledge.ocr_pages)"
MOVES = "of a moving picture only the first is read"


def main() -> None:
    """Read the order from stdin, answer on stdout."""
    order = json.loads(sys.stdin.buffer.readline())
    limits = ParseLimits(**order["limits"])
    cv2.setNumThreads(0)
    warm_up()
    models = load_models()
    recognise(models, example())  # what is loaded at first use is loaded now
    seconds = limits.ocr_seconds_per_page * limits.ocr_pages
    give_up_rights(memory_mb=limits.ocr_memory_mb, seconds=seconds)
    allow_processor_time(limits.ocr_seconds_per_page)
    content = sys.stdin.buffer.read()
    try:
        for number, page in _pages(order, content, limits):
            allow_processor_time(limits.ocr_seconds_per_page)
            found = _found(models, page)
            _say({"page": number, **asdict(found)})
        _say({"done": True})
    except KnowledgeError as exc:
        _say({"error": type(exc).__name__, "message": str(exc)})
    except Exception as exc:  # the last border: the file broke its reader
        message = f"{order['filename']!r} cannot be read: {type(exc).__name__}: {exc}"
        _say({"error": "DamagedFile", "message": message[:1_000]})


def _pages(
    order: dict[str, Any], content: bytes, limits: ParseLimits
) -> Iterator[tuple[int, PagePicture | str]]:
    """Say which pages will be read and how many there are more, then yield them, from 1."""
    filename = order["filename"]
    if order["format"] == "pdf":
        document = open_pdf(filename, content, order["password"])
        wanted = order["pages"] or range(1, len(document) + 1)
        left = _announce(wanted, order["after"], limits.ocr_pages, MORE.format(limits.ocr_pages))
        numbers = (number - 1 for number in left)
        yield from zip(
            left, rendered(document, numbers, most_pixels=limits.ocr_pixels), strict=True
        )
        return
    picture = open_pictures(filename, content)
    is_paged = picture.format == "TIFF"
    most = limits.ocr_pages if is_paged else 1
    more = MORE.format(most) if is_paged else MOVES
    left = _announce(range(1, page_count(picture) + 1), order["after"], most, more)
    shown = pages_of(filename, picture, left, most_pixels=limits.ocr_pixels)
    yield from zip(left, shown, strict=True)


def _announce(wanted: Sequence[int], after: int, most: int, more: str) -> list[int]:
    left = [number for number in wanted[:most] if number > after]
    _say({"pages": left, "beyond": list(wanted[most:]), "more": more})
    return left


def _found(models: Models, page: PagePicture | str) -> RecognisedPage:
    """Return what is on a page, or why it cannot be said."""
    if isinstance(page, str):
        return RecognisedPage((), 0.0, page)
    try:
        return recognise(models, page)
    except BROKEN as exc:
        return RecognisedPage((), 0.0, f"reading it takes too much memory: {type(exc).__name__}")


def _say(reply: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
    sys.stdout.buffer.flush()

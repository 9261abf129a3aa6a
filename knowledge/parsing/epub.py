"""Electronic books: the chapters of an EPUB in reading order.

It knows the package of a book; its chapters are web pages (`html`). Older books name a document
type in their package: it is not fetched.
"""

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from knowledge.errors import DamagedFile, PasswordRequired, UnsupportedFile
from knowledge.parsing.archive import Archive
from knowledge.parsing.blocks import Content
from knowledge.parsing.html import add_html, page_markup
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.writer import BlockWriter
from knowledge.parsing.xml import Event, events

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
PAGES = {"application/xhtml+xml", "text/html", "text/x-oeb1-document"}
"""Kinds of chapters; the last is that of the books before EPUB (Open eBook 1.2)."""


def read_epub(filename: str, content: bytes, limits: ParseLimits) -> Content:
    """Return the chapters of the book, in reading order.

    Raises:
        UnsupportedFile: It is no zip file at all.
        DamagedFile: No book, or a part is missing.
        PasswordRequired: Its chapters are locked (DRM).
        ParseLimitExceeded: It is too large.
    """
    if not content.startswith(b"PK"):
        raise UnsupportedFile(f"{filename!r} is not an EPUB file, despite its name")
    archive = Archive(filename, content, limits)
    chapters = _chapters(filename, archive)
    if set(chapters) & _locked(filename, archive):
        raise PasswordRequired(f"{filename!r} is protected by DRM")
    writer = BlockWriter(limits.chars)
    for chapter in chapters:
        page = page_markup(filename, archive.read(chapter))
        writer.not_read += page.not_read
        add_html(writer, page.text)
    return Content(writer.blocks, "utf-8", writer.not_read)


def _chapters(filename: str, archive: Archive) -> list[str]:
    paths = [
        event.attributes.get("full-path", "")
        for event in _events(filename, archive, CONTAINER)
        if event.kind == "start" and event.name == "rootfile"
    ]
    if not paths:
        raise DamagedFile(f"{filename!r} is not an EPUB file: its container names no package")
    folder = posixpath.dirname(paths[0])
    pages: dict[str, str] = {}
    order: list[str] = []
    for kind, name, attributes in _events(filename, archive, paths[0]):
        if kind == "start" and name == "item" and attributes.get("media-type") in PAGES:
            path = posixpath.join(folder, unquote(attributes.get("href", "")))
            pages[attributes.get("id", "")] = posixpath.normpath(path)
        elif kind == "start" and name == "itemref":
            order.append(attributes.get("idref", ""))
    return [pages[item] for item in order if item in pages]


def _locked(filename: str, archive: Archive) -> set[str]:
    """Return the parts that are encrypted; fonts often are in an open book."""
    if ENCRYPTION not in archive.names:
        return set()
    return {
        unquote(event.attributes.get("URI", ""))
        for event in _events(filename, archive, ENCRYPTION)
        if event.kind == "start" and event.name == "CipherReference"
    }


def _events(filename: str, archive: Archive, part: str) -> Iterator[Event]:
    return events(filename, archive.pieces(part), may_name_type=True)

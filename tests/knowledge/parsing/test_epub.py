"""Chapters of a book in reading order; a document type is named only, nothing is fetched."""

import pytest

from knowledge.errors import DamagedFile, PasswordRequired
from knowledge.parsing.blocks import Content, render
from knowledge.parsing.epub import read_epub
from knowledge.parsing.limits import ParseLimits
from tests.fakes import files

PACKAGE = (
    '<manifest><item id="c" href="c.xhtml" media-type="{kind}"/></manifest>'
    '<spine><itemref idref="c"/></spine>'
)
CONTAINER = '<container><rootfiles><rootfile full-path="b.opf"/></rootfiles></container>'
XHTML = "application/xhtml+xml"


def _read(doctype: str, *, kind: str = XHTML, body: str = "Sow in April.", title: str = "") -> str:
    package = PACKAGE.format(kind=kind)
    parts: dict[str, str | bytes] = {
        "META-INF/container.xml": doctype.replace("package", "container") + CONTAINER,
        "META-INF/encryption.xml": f"{doctype.replace('package', 'encryption')}<encryption/>",
        "b.opf": f'<?xml version="1.0"?>{doctype}<package>{title}{package}</package>',
        "c.xhtml": f"{doctype.replace('package', 'html')}<html><body><p>{body}</p></body></html>",
    }
    return render(read_epub("a.epub", files.zipped(parts), ParseLimits()).blocks).text


@pytest.mark.parametrize(
    "doctype",
    [
        "",
        "<!DOCTYPE package>",
        '<!DOCTYPE package SYSTEM "http://example.com/oebpkg12.dtd">',
        "<!DOCTYPE package SYSTEM 'file:///etc/passwd'>",
        '<!DOCTYPE package PUBLIC "+//ISBN 0-9673008-1-9//DTD OEB 1.2//EN"\n "oebpkg12.dtd" >',
    ],
)
@pytest.mark.parametrize("kind", [XHTML, "text/x-oeb1-document"])
def test_a_book_that_names_a_document_type_is_read(doctype: str, kind: str) -> None:
    assert _read(doctype, kind=kind) == "Sow in April."


def test_a_name_that_only_the_document_type_would_know_stands_for_nothing() -> None:
    doctype = '<!DOCTYPE package SYSTEM "http://example.com/oebpkg12.dtd">'
    assert _read(doctype, title="<title>Garden&nbsp;year</title>") == "Sow in April."


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE package []>",
        '<!DOCTYPE package [<!ENTITY a "lol">]>',
        '<!DOCTYPE package [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE package [<!ENTITY % a SYSTEM "http://example.com/x.dtd"> %a;]>',
        '<!DOCTYPE package SYSTEM "x.dtd" [<!ATTLIST item id CDATA "c">]>',
        '<!DOCTYPE package PUBLIC "-//x" "x.dtd" [<!ELEMENT package ANY>]>',
    ],
)
def test_a_document_type_that_declares_anything_is_refused(doctype: str) -> None:
    with pytest.raises(DamagedFile, match="DOCTYPE"):
        _read(doctype)


def _book(items: str, spine: str, locked: str = "") -> Content:
    rootfile = '<rootfile full-path="OPS/b.opf"/>'
    parts: dict[str, str | bytes] = {
        "META-INF/container.xml": f"<container><rootfiles>{rootfile}</rootfiles></container>",
        "OPS/b.opf": f"<package><manifest>{items}</manifest><spine>{spine}</spine></package>",
        "OPS/one chapter.xhtml": "<html><body><p>One.</p></body></html>",
        "two.html": "<html><body><p>Two.</p></body></html>",
        **({"META-INF/encryption.xml": locked} if locked else {}),
    }
    return read_epub("a.epub", files.zipped(parts), ParseLimits())


ONE = f'<item id="one" href="one%20chapter.xhtml" media-type="{XHTML}"/>'
TWO = '<item id="two" href="../two.html" media-type="text/html"/>'
ORDER = '<itemref idref="two"/><itemref idref="one"/><itemref idref="cover"/>'


def test_chapters_are_read_in_the_order_of_the_spine_wherever_they_lie() -> None:
    assert render(_book(ONE + TWO, ORDER).blocks).text == "Two.\n\nOne."
    assert render(_book(ONE + TWO, '<itemref idref="one"/>').blocks).text == "One."


@pytest.mark.parametrize(
    ("part", "is_locked"), [("OPS/one%20chapter.xhtml", True), ("a.otf", False)]
)
def test_a_book_is_locked_where_a_chapter_is_and_open_where_a_font_is(
    part: str, is_locked: bool
) -> None:
    locked = f'<encryption><CipherReference URI="{part}"/></encryption>'
    if is_locked:
        with pytest.raises(PasswordRequired, match="DRM"):
            _book(ONE, ORDER, locked=locked)
    else:
        book = _book(ONE, ORDER, locked=locked)
        assert render(book.blocks).text == "One."


def test_a_container_that_names_no_package_is_told() -> None:
    content = files.zipped({"META-INF/container.xml": "<container/>"})
    with pytest.raises(DamagedFile, match="names no package"):
        read_epub("a.epub", content, ParseLimits())


def test_a_bad_byte_of_a_chapter_is_told() -> None:
    content = files.zipped(
        {
            "META-INF/container.xml": CONTAINER,
            "b.opf": f"<package>{PACKAGE.format(kind=XHTML)}</package>",
            "c.xhtml": "<html><body><p>第一章：播种</p></body></html>".encode()[:-20] + b"\xff",
        }
    )
    (told,) = read_epub("a.epub", content, ParseLimits()).not_read
    assert told.what == "bytes"

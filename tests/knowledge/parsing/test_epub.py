"""A book may name the document type of its package; nothing is fetched, nothing is defined."""

import pytest

from knowledge.errors import DamagedFile
from knowledge.parsing.blocks import render
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

"""Notes, stamps and addresses of links are read where they stand; attached files are told."""

import pytest

from knowledge import parse
from tests.fakes.placed import Page, placed_pdf

LINE = "The pump costs 25,000 euros, see the price list."
AT_PRICE = (130, 697, 191, 711)
QUADS = "/QuadPoints [130 711 191 711 130 697 191 697]"


def text(*pages: Page) -> str:
    return parse("a.pdf", placed_pdf(*pages)).text


def page() -> Page:
    return Page().put(60, 700, LINE)


@pytest.mark.parametrize(
    ("kind", "entries", "expected"),
    [
        ("FreeText", "/Contents (Ring twice)", "Note: Ring twice"),
        ("Text", "/Contents (Ask HR\rby Monday)", "Note: Ask HR\nby Monday"),
        ("Square", "/RC (<p>Box &amp; all</p><p>two</p>)", "Note: Box & all\ntwo"),
        ("Highlight", f"{QUADS} /Contents (is it net?)", "Note: is it net? (at “25,000 euros”)"),
        ("Stamp", "/Name /NotApproved", "Stamp: Not approved"),
        ("Stamp", "/Name /SBConfidential", "Stamp: Confidential"),
        ("Stamp", "/Contents (Seen by Eva)", "Stamp: Seen by Eva"),
    ],
)
def test_a_note_follows_the_text_of_its_page(kind: str, entries: str, expected: str) -> None:
    assert text(page().annotate(kind, AT_PRICE, entries)) == f"{LINE}\n\n{expected}"


@pytest.mark.parametrize(
    ("kind", "entries"),
    [
        ("Text", "/F 2 /Contents (unseen)"),
        ("Popup", "/Contents (again)"),
        ("Highlight", f"{QUADS} /Contents (25,000 euros)"),
        ("FreeText", "/Contents (25,000 euros)"),
        ("Text", "/Contents (Accepted by Bob) /StateModel (Review)"),
        ("Link", "/A << /S /URI /URI (javascript:alert) >>"),
        ("Link", "/A << /S /GoTo /D [5 0 R /Fit] >>"),
    ],
)
def test_what_says_nothing_new_is_not_read(kind: str, entries: str) -> None:
    assert text(page().annotate(kind, AT_PRICE, entries)) == LINE


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://example.org/list?a=1", "our list (https://example.org/list?a=1), or"),
        ("mailto:info@example.org?subject=x", "our list (info@example.org), or"),
    ],
)
def test_an_address_stands_after_the_words_that_lead_there(address: str, expected: str) -> None:
    words = "All prices are in our list, or ask for our list in one of the many shops we have."
    found = Page().put(60, 700, words)
    found.annotate("Link", (131, 697, 161, 711), f"/A << /S /URI /URI ({address}) >>")
    assert text(found) == words.replace("our list, or", expected)


def test_an_address_that_its_words_show_is_not_said_again() -> None:
    found = Page().put(60, 700, "See www.example.org/list today").put(60, 686, "Go on")
    entries = "/A << /S /URI /URI (https://example.org/list) >>"
    assert text(found.annotate("Link", (80, 697, 175, 711), entries)).startswith(
        "See www.example.org/list today"
    )


def test_a_link_over_two_lines_is_said_once() -> None:
    found = Page().put(60, 700, "as you can read in our").put(60, 686, "long list of prices today")
    entries = "/A << /S /URI /URI (https://example.org/x) >>"
    found.annotate("Link", (140, 697, 170, 711), entries)
    found.annotate("Link", (60, 683, 134, 697), entries)
    assert text(found).count("(https://example.org/x)") == 1


def test_notes_stay_on_their_page_and_part_no_sentence() -> None:
    first = (
        Page()
        .put(60, 700, "The seal is made of")
        .annotate("Text", AT_PRICE, "/Contents (which one?)")
    )
    found = parse("a.pdf", placed_pdf(first, Page().put(60, 700, "rubber and lasts a year.")))
    assert found.text == "Note: which one?\n\nThe seal is made of\nrubber and lasts a year."


def test_attached_files_are_told() -> None:
    spec = "<< /Type /Filespec /F (plan.xlsx) /UF (plan.xlsx) /EF << /F 6 0 R >> >>"
    found = page().annotate("FileAttachment", AT_PRICE, f"/FS {spec}")
    names = (
        f"/Names << /EmbeddedFiles << /Names [(a.csv) {spec.replace('plan.xlsx', 'a.csv')}] >> >>"
    )
    left_out = parse("a.pdf", placed_pdf(found, catalog=names)).left_out
    assert [(one.what, one.where) for one in left_out] == [
        ("attachment", "plan.xlsx"),
        ("attachment", "a.csv"),
    ]


def test_a_value_too_long_and_fields_too_many_are_cut_and_told() -> None:
    found = page().fill(60, 600, "long " * 40_000, "/T (essay)")
    for number in range(5_000):
        found.annotate("Text", AT_PRICE, f"/Contents (n{number})")
    parsed = parse("a.pdf", placed_pdf(found))
    assert len(parsed.text) < 200_000
    assert [one.what for one in parsed.left_out] == [
        "rest of form field 'essay'",
        "1 form fields and notes",
    ]

"""What was filled into a form is read, passwords and hidden fields are not."""

import pytest

from knowledge import ParseLimits, parse
from knowledge.parsing.parsed import ParsedText
from tests.fakes.placed import Page, pdf_text, placed_pdf

CHOICE = "/FT /Ch /Opt [[(r) (Red)] [(g) (Green)] [(b) (Blue)]]"


def read(page: Page, catalog: str = "") -> ParsedText:
    return parse("a.pdf", placed_pdf(page.put(60, 740, "Order form"), catalog=catalog))


def text(page: Page) -> str:
    return read(page).text.replace("Order form", "").strip()


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ("/T (customer_name)", "customer name: Anna"),
        ("/T (x) /TU (Name of the customer:)", "Name of the customer: Anna"),
        ("/T (form1[0].#subform[0].City[0])", "City: Anna"),
        (f"/T {pdf_text('姓名')}", "姓名：Anna"),
        (f"/T ({'姓名'.encode().decode('latin-1')})", "姓名：Anna"),
        ("/T (Text12)", "Anna"),
        ("/T (fill_3)", "Anna"),
    ],
)
def test_a_value_that_no_words_ask_for_is_called_by_its_field(entries: str, expected: str) -> None:
    assert text(Page().fill(60, 500, "Anna", entries)) == expected


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (f"{CHOICE} /Ff 131072 /V (g)", "Green"),
        (f"{CHOICE} /Ff 2097152 /V [(r) (b)]", "Red, Blue"),
        (f"{CHOICE} /Ff 393216 /V (violet)", "violet"),
    ],
)
def test_what_was_chosen_from_a_list_is_read_as_it_is_shown(entries: str, expected: str) -> None:
    page = Page().put(60, 700, "Colour:")
    page.annotate("Widget", (120, 697, 220, 711), f"/T (c) {entries}")
    assert text(page) == f"Colour: {expected}"


@pytest.mark.parametrize("state", ["/V /Yes /AS /Yes", "/AS /Yes", "/V /Yes"])
def test_a_box_is_checked_whichever_way_its_file_says_so(state: str) -> None:
    page = Page().put(60, 700, "Insurance").put(60, 680, "Express")
    page.annotate("Widget", (120, 698, 130, 708), f"/FT /Btn /T (i) {state}")
    page.check(120, 680, is_on=False)
    assert text(page) == "Insurance ☑\nExpress ☐"


def test_a_value_of_several_fields_comes_from_what_they_share() -> None:
    page = Page().put(76, 700, "card").put(136, 700, "cash")
    for x, name in ((60, "Card"), (120, "Cash")):
        states = f"/AP << /N << /{name} 6 0 R /Off 6 0 R >> >> /AS /{name if x > 60 else 'Off'}"
        page.annotate("Widget", (x, 698, x + 10, 708), f"/Parent 9 0 R {states}")
    page.annotate(
        "Widget", (0, 0, 0, 0), "/FT /Btn /Ff 32768 /T (pay) /V /Cash /Kids [7 0 R 8 0 R]"
    )
    assert text(page).startswith("☐ card ☑ cash")


def test_passwords_and_hidden_fields_are_told_and_not_read() -> None:
    page = Page().fill(60, 500, "geheim", "/T (x) /TU (PIN) /Ff 8192")
    page.fill(60, 480, "unseen", "/T (secret) /F 2").fill(60, 460, "seen", "/T (open)")
    found = read(page)
    assert found.text == "Order form\nopen: seen"
    assert [(one.what, one.where) for one in found.left_out] == [
        ("password form field 'PIN'", "page 1"),
        ("hidden form field 'secret'", "page 1"),
    ]


def test_a_field_that_its_form_does_not_list_is_read() -> None:
    page = Page().fill(60, 500, "Anna", "/T (name)")
    assert read(page, "/AcroForm << /Fields [] >>").text == "Order form\nname: Anna"


def test_a_field_of_a_ring_of_fields_is_read() -> None:
    page = Page().fill(60, 500, "one", "/T (first) /Parent 8 0 R /Kids [8 0 R]")
    page.fill(60, 480, "two", "/T (second) /Parent 7 0 R /Kids [7 0 R]")
    assert text(page) == "first: one\nsecond: two"


def test_a_signature_is_told() -> None:
    page = Page().annotate("Widget", (60, 500, 200, 520), "/FT /Sig /T (boss) /V << /Type /Sig >>")
    [one] = read(page).left_out
    assert one.what == "signature in form field 'boss'"


def test_a_script_in_a_form_is_not_run() -> None:
    script = "<< /S /JavaScript /JS (while\\(true\\){}) >>"
    page = Page().fill(60, 500, "Anna", f"/T (name) /AA << /F {script} /C {script} >>")
    catalog = f"/OpenAction {script} /AcroForm << /Fields [7 0 R] >>"
    content = placed_pdf(page, catalog=catalog)
    assert parse("a.pdf", content, limits=ParseLimits(seconds=10)).text == "name: Anna"


def test_a_form_of_another_kind_is_told() -> None:
    found = read(Page(), "/AcroForm << /Fields [] /XFA 6 0 R >>")
    assert [one.what for one in found.left_out] == ["form"]

"""Words of a page are read where they stand: raised digits, gaps, lines that pdfium breaks."""

import pytest

from knowledge import parse
from tests.fakes.placed import Page, placed_pdf


def text(page: Page) -> str:
    return parse("a.pdf", placed_pdf(page)).text


@pytest.mark.parametrize(
    ("before", "digits", "rise", "after", "expected"),
    [
        ("about 10", "6", 4, "units", "about 10^6 units"),
        ("about 10", "6", 8, "units", "about 10^6 units"),
        ("about 25 m", "2", 4, "of it", "about 25 m² of it"),
        ("much CO", "2", -2, "is out", "much CO2 is out"),
        ("fee 25", "17", 4, "euros", "fee 25^17 euros"),
    ],
)
def test_small_digits_join_no_number(
    before: str, digits: str, rise: float, after: str, expected: str
) -> None:
    widths = {" ": 2.78, "m": 8.33, "f": 2.78, "t": 2.78, "C": 7.22, "O": 7.78, "c": 5.0}
    right = 60 + sum(widths.get(letter, 5.56) for letter in before)
    page = Page().put(60, 700, before).put(right, 700 + rise, digits, 6)
    assert text(page.put(right + 4 * len(digits) + 4, 700, after)) == expected


def test_the_small_marks_of_several_notes_join_no_number() -> None:
    page = Page().put(60, 700, "for 1,200").put(100.02, 704, "2,3", 6).put(116, 700, "units")
    assert text(page) == "for 1,200 (note 2,3) units"


@pytest.mark.parametrize(
    "words",
    ["25 euros from June.", "Net of tax.", "25 euros a month, to be paid by all who stay."],
)
def test_a_small_mark_before_a_note_joins_no_number(words: str) -> None:
    page = Page().put(60, 104, "1", 5.5).put(63.2, 100, words)
    assert text(page) == f"(note 1) {words}"


def test_figures_of_two_cells_are_two() -> None:
    page = Page()
    page.lines = [(50, y, 250, y) for y in (710, 690, 670, 650)]
    page.lines += [(x, 710, x, 650) for x in (50, 150, 250)]
    for n, (one, other) in enumerate([("0", "1"), ("30", "90"), ("7", "8")]):
        page.put(130, 695 - 20 * n, one).put(158, 695 - 20 * n, other)
    assert text(page) == "0 | 1\n30 | 90\n7 | 8"


def test_words_outside_the_page_are_not_read() -> None:
    assert text(Page().put(60, 700, "on the page").put(60, 900, "above it")) == "on the page"


def test_marks_of_headings_in_a_page_are_escaped() -> None:
    assert text(Page().put(60, 700, "# no heading")) == "\\# no heading"


def test_long_lines_of_prose_with_a_gap_are_looked_at_word_by_word() -> None:
    prose = "the pump valve is of steel and opens after each month of the year"
    page = Page()
    y = page.text(*[prose] * 6)
    rows = [f"Anna Meyer number {n} of the sales     Berlin Germany     {n}5512" for n in range(3)]
    page.text(*rows, y=y - 20)
    assert " | Berlin Germany | 15512" in text(page)

"""A sentence stays whole over a page break; what repeats on pages does not stand inside it."""

import pytest

from knowledge import parse
from knowledge.parsing.blocks import NotRead
from knowledge.parsing.pdf.breaks import goes_on, running_lines, without_broken_word
from tests.fakes.placed import Page, placed_pdf

SEAL = "If the seal leaks during the first six months, the customer receives"
PUMP = "a replacement pump free of charge within five working days."


def pages(*texts: list[str]) -> list[Page]:
    made = []
    for number, lines in enumerate(texts, 1):
        page = Page()
        page.text("Company handbook")
        page.text(*lines, y=700)
        page.put(300, 40, f"Page {number} of {len(texts)}")
        made.append(page)
    return made


def test_a_sentence_over_a_page_break_stays_whole() -> None:
    parsed = parse("a.pdf", placed_pdf(*pages([SEAL], [PUMP, "It is new."], ["The end."])))
    assert f"{SEAL}\n{PUMP}" in parsed.text
    whole = next(b for b in parsed.blocks if parsed.text[b.start :].startswith(SEAL))
    assert parsed.text[: whole.end].endswith("It is new.")
    assert whole.start < parsed.page_starts[0] < whole.end
    assert parsed.text.count("Company handbook") == 3
    assert [f"Page {n} of 3" in parsed.text for n in (1, 2, 3)] == [True] * 3


def test_a_sentence_over_three_pages_stays_whole() -> None:
    middle = ["without any further question, and at the cost of the house, which pays for"]
    parsed = parse("a.pdf", placed_pdf(*pages([SEAL], middle, [PUMP])))
    assert f"{SEAL}\n{middle[0]}\n{PUMP}" in parsed.text
    assert parsed.text.count("Page ") == 3


def test_a_word_that_a_page_break_parts_is_whole() -> None:
    parsed = parse("a.pdf", placed_pdf(*pages(["It is paid by the cus-"], ["tomer himself."])))
    assert "paid by the customer\nhimself." in parsed.text


def test_pages_of_pictures_are_told() -> None:
    page = Page()
    page.text("Words of a page.")
    parsed = parse("a.pdf", placed_pdf(page, Page(has_picture=True), Page()), ocr="never")
    assert parsed.left_out == (NotRead("page", "page 2", "a picture; its text was not recognised"),)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (SEAL, PUMP, True),
        ("It is so.", "and then", False),
        ("It is so.”", "and then", False),
        ("apples, pears,", "Plums and", True),
        ("The Heading", "The first sentence", False),
        ("一年以内任何一方均可提出书面续约", "申请。", True),
        ("一年以内任何一方均可提出书面续约。", "申请", False),
        ("一年以内任何一方均可提出书面续约", "第二条 其他", False),
        ("the parts are", "a) the pump", False),
        ("", "x", False),
    ],
)
def test_where_a_sentence_goes_on(before: str, after: str, expected: bool) -> None:
    assert goes_on(before, after) is expected


def test_a_compound_keeps_its_hyphen_before_a_capital() -> None:
    assert without_broken_word("the X-", "Ray of it") == ("the X-", "Ray of it")


def test_lines_that_repeat_are_told_from_rows_that_look_alike() -> None:
    made = [
        ([f"Report {n + 7}", f"VT-{n * 30} | {n * 31}"], [f"{n + 1}", "Net prices"])
        for n in range(5)
    ]
    assert running_lines(made) == [(1, 2)] * 5


def test_a_line_inside_a_page_repeats_nothing() -> None:
    made: list[list[list[str]]] = [[[f"Part {'x' * n}", "Same words"], []] for n in range(1, 5)]
    assert running_lines(made) == [(0, 0)] * 4

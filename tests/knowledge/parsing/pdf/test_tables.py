"""Words that stand in columns, or between lines, are a table; prose, lists and forms are not."""

from collections.abc import Sequence

import pytest

from knowledge import ParsedText, parse
from tests.fakes.placed import LEADING, TOP, Page, placed_pdf

LEFTS = [60, 200, 300]
GOODS = [
    ["Item", "Price", "Stock"],
    ["Lamp", "12.50 €", "-3"],
    ["Desk", "", "7"],
    ["Bed", "9", "0"],
]


def read(*pages: Page) -> ParsedText:
    return parse("a.pdf", placed_pdf(*pages))


def tables(parsed: ParsedText) -> list[str]:
    return [parsed.text[b.start : b.end] for b in parsed.blocks if b.kind == "table"]


def headers(parsed: ParsedText) -> list[str]:
    return [parsed.text[b.start : b.header_end] for b in parsed.blocks if b.kind == "table"]


def in_columns(rows: list[list[str]], lefts: Sequence[float] = LEFTS) -> ParsedText:
    page = Page()
    page.rows(rows, lefts)
    return read(page)


def test_words_in_columns_are_a_table_with_its_header() -> None:
    page = Page()
    y = page.text("All prices are net and without the costs of transport to your door.")
    y = page.rows(GOODS, LEFTS, y=y - 10)
    page.text("All rights are reserved by the house of lamps and desks in town.", y=y - 10)
    parsed = read(page)
    assert tables(parsed) == ["Item | Price | Stock\nLamp | 12.50 € | -3\nDesk |  | 7\nBed | 9 | 0"]
    assert headers(parsed) == ["Item | Price | Stock"]
    assert [block.kind for block in parsed.blocks] == ["paragraph", "table", "paragraph"]


def test_columns_told_by_spaces_alone_are_columns() -> None:
    page = Page()
    page.text("Model      Voltage    Weight kg   Noise dB", "VT-1     201        4          41",
              "VT-2     202        5          42", "VT-3     203        6          43")  # fmt: skip
    assert tables(read(page))[0].split("\n")[:2] == [
        "Model | Voltage | Weight kg | Noise dB",
        "VT-1 | 201 | 4 | 41",
    ]


def test_figures_that_end_together_are_a_column() -> None:
    page = Page()
    for n, (name, figure) in enumerate([("Lamp", "7"), ("Desk", "1,250"), ("Bed", "31,000")]):
        page.put(60, 700 - n * LEADING, name)
        page.put(300 - 5.56 * len(figure), 700 - n * LEADING, figure)
    assert tables(read(page)) == ["Lamp | 7\nDesk | 1,250\nBed | 31,000"]


def test_han_in_columns_is_a_table_whose_figures_stay_apart() -> None:
    rows = [["品名", "单价", "库存"], ["台灯", "12.5", "3"], ["书桌", "250", "7"]]
    assert tables(in_columns(rows, [60, 90, 120])) == [
        "品名 | 单价 | 库存\n台灯 | 12.5 | 3\n书桌 | 250 | 7"
    ]


@pytest.mark.parametrize(
    ("rest", "row"),
    [
        (["", "white shade", ""], "Lamp | a lamp with a white shade | 3"),
        (["of glass", "", ""], "Lamp of glass | a lamp with a | 3"),
    ],
)
def test_a_cell_of_two_lines_stays_in_its_row(rest: list[str], row: str) -> None:
    rows = [["Item", "Note", "Stock"], ["Lamp", "a lamp with a", "3"], rest, ["Desk", "none", "7"]]
    assert tables(in_columns([*rows, ["Bed", "wide", "9"]]))[0].split("\n")[1] == row


def test_sums_below_a_table_are_rows_of_their_own() -> None:
    rows = [["Text", "Qty", "Price", "Sum"], ["Bolt", "10", "1,20", "12,00"]]
    rows += [["Nut", "5", "0,50", "2,50"], ["", "", "Net", "14,50"], ["", "", "VAT 19 %", "2,76"]]
    assert tables(in_columns(rows, [60, 200, 300, 400]))[0].split("\n")[2:] == [
        "Nut | 5 | 0,50 | 2,50",
        " |  | Net | 14,50",
        " |  | VAT 19 % | 2,76",
    ]


def test_columns_that_no_row_fills_both_are_told_by_their_names() -> None:
    rows = [["Date", "Text", "Debit", "Credit"], ["01.02.", "Rent", "800,00", ""]]
    rows += [["", "Flat 3", "", ""], ["03.02.", "Salary", "", "2.500,00"]]
    rows += [["05.02.", "Shop", "35,10", ""], ["", "Balance", "", "1.664,90"]]
    assert tables(in_columns(rows, [60, 120, 300, 400]))[0].split("\n") == [
        "Date | Text | Debit | Credit",
        "01.02. | Rent Flat 3 | 800,00",
        "03.02. | Salary |  | 2.500,00",
        "05.02. | Shop | 35,10",
        " | Balance |  | 1.664,90",
    ]


def test_the_line_that_names_a_table_is_its_title() -> None:
    page = Page()
    page.rows(GOODS, LEFTS, y=page.text("Table 1: Goods"))
    assert headers(read(page)) == ["Table 1: Goods\nItem | Price | Stock"]


def test_a_title_with_a_gap_is_no_row() -> None:
    page = Page().put(60, 700, "Table 2:").put(200, 700, "Goods")
    page.rows(GOODS, LEFTS, y=686)
    assert headers(read(page)) == ["Table 2: Goods\nItem | Price | Stock"]


def ruled(*, merged: bool) -> Page:
    page = Page()
    page.rows([["Building", "Room", "Seats"]], LEFTS, y=755)
    page.rows([["", "101", "20"], ["", "102", "35"], ["Seehaus", "7", "9"]], LEFTS, y=735)
    page.put(60, 729 if merged else 735, "Lindenhof")
    across = [768, 749, 731, 717, 703]
    page.grid(across, [55, 195, 295, 395])
    if merged:
        page.lines.remove((55, 731, 395, 731))
        page.lines.append((195, 731, 395, 731))
    return page


def test_cells_that_no_line_parts_are_merged() -> None:
    assert tables(read(ruled(merged=True))) == [
        "Building | Room | Seats\nLindenhof | 101 | 20\nLindenhof | 102 | 35\nSeehaus | 7 | 9"
    ]


def test_cells_between_lines_are_a_table_whatever_is_empty() -> None:
    assert tables(read(ruled(merged=False)))[0].split("\n")[1:3] == [
        "Lindenhof | 101 | 20",
        " | 102 | 35",
    ]


def test_rows_are_parted_where_lines_are_drawn_under_every_few_only() -> None:
    page = Page()
    page.rows([["Town", "May", "June"]], LEFTS, y=755)
    page.rows([["Bonn", "1", "2"], ["Kiel", "3", "4"], ["Ulm", "", "6"]], LEFTS, y=735)
    page.grid([768, 749, 700], [55, 195, 295, 395])
    assert tables(read(page)) == ["Town | May | June\nBonn | 1 | 2\nKiel | 3 | 4\nUlm |  | 6"]


WORDS = "the quick brown fox jumps over the lazy dog and runs away from it all".split()
NO_TABLES = {
    "contents": ([[f"{i}", f"Part {'on ' * i}", f"{i * 7}"] for i in range(1, 7)], [60, 90, 500]),
    "dots": ([[f"Part {i} of it", "." * 30, f"{50 - i * 3}"] for i in range(1, 9)], [60, 250, 500]),
    "bullets": ([["•", f"item number {i} is a thing"] for i in range(6)], [60, 75]),
    "numbers": ([[f"{i}.", f"step number {i} is to do it"] for i in range(6)], [60, 80]),
    "form": ([["Name:", "_" * 30], ["Town:", "_" * 30], ["Date:", "." * 40]], [60, 150]),
    "code": ([["x = 1", "# one"], ["yy = 22", "# two"], ["zz = 3", "# three"]], [60, 150]),
    "prose": (
        [[" ".join((WORDS * 2)[i + c : i + c + 6]) for c in range(2)] for i in range(9)],
        [60, 330],
    ),
}


@pytest.mark.parametrize("name", NO_TABLES)
def test_what_only_stands_side_by_side_is_no_table(name: str) -> None:
    assert tables(in_columns(*NO_TABLES[name])) == []


def test_columns_of_prose_are_read_one_after_the_other() -> None:
    page = Page()
    for left, first in ((60, 0), (330, 6)):
        page.text(*(" ".join(WORDS[i : i + 7]) for i in range(first, first + 6)), x=left)
    parsed = read(page)
    assert tables(parsed) == []
    assert parsed.text.index(" ".join(WORDS[5:12])) < parsed.text.index(" ".join(WORDS[6:13]))


def motors(first: int, last: int, *, header: bool) -> list[list[str]]:
    rows = [[f"A-{n}", f"{200 + n}", f"{n}"] for n in range(first, last)]
    return [["Model", "Volt", "Noise"], *rows] if header else rows


@pytest.mark.parametrize("repeats_header", [True, False])
@pytest.mark.parametrize("has_lines", [True, False])
def test_a_table_goes_on_over_pages_under_one_header(repeats_header: bool, has_lines: bool) -> None:
    pages = []
    for number, start in enumerate((0, 10, 20)):
        page = Page()
        page.text("Motor list of the works")
        page.put(300, 30, f"{number + 1}")
        rows = motors(start, start + 10, header=not number or repeats_header)
        y = page.rows(rows, LEFTS, y=700)
        if has_lines:
            across = [TOP - 60 + LEADING - 3 - n * LEADING for n in range(len(rows) + 1)]
            page.grid(across, [55, 195, 295, 395])
        if number == 2:
            page.text("This is the end of the list.", y=y - 30)
        pages.append(page)
    parsed = read(*pages)
    shown = ["Model | Volt | Noise", *(f"A-{n} | {200 + n} | {n}" for n in range(30))]
    assert tables(parsed) == ["\n".join(shown)]
    assert headers(parsed) == ["Model | Volt | Noise"]
    assert parsed.text[parsed.page_starts[0] :].startswith("A-10")
    assert parsed.text.count("Motor list of the works") == 3
    assert {"1", "2", "3"} <= set(parsed.text.split("\n"))


def test_another_table_on_the_next_page_keeps_its_own_header() -> None:
    one, other = Page(), Page()
    one.rows(motors(0, 5, header=True), LEFTS)
    other.rows([["Pump", "Litres", "Year"], ["P-1", "50", "3"], ["P-2", "60", "4"]], LEFTS)
    assert headers(read(one, other)) == ["Model | Volt | Noise", "Pump | Litres | Year"]

"""A sheet of Excel becomes its tables, with what stands above them and what a reader sees."""

import pytest

from knowledge import ParsedText, ParseLimitExceeded, ParseLimits, parse
from knowledge.parsing.blocks import NotRead
from tests.fakes import files


def read(rows: str, *, before: str = "", after: str = "", **more: object) -> ParsedText:
    markup = f"{before}<sheetData>{rows}</sheetData>{after}"
    made = files.workbook({"Plan": markup}, **more)  # type: ignore[arg-type]  # passed on
    return parse("a.xlsx", made)


def body(parsed: ParsedText) -> str:
    return parsed.text.removeprefix("# Plan\n\n")


def headers(parsed: ParsedText) -> list[str]:
    tables = [block for block in parsed.blocks if block.kind == "table"]
    return [parsed.text[block.start : block.header_end] for block in tables]


def merged(*areas: str) -> str:
    cells = "".join(f'<mergeCell ref="{area}"/>' for area in areas)
    return f"<mergeCells>{cells}</mergeCells>"


LAMP: files.Row = ["Lamp", 12]
DESK: files.Row = ["Desk", 99]
PRICES: files.Row = ["Item", "Price"]


def test_cells_are_shown_with_their_format() -> None:
    row: files.Row = [(42, 4), (1.5, 5), ("x", 6), (-3.5, 7), (12, 8)]
    codes = ["000000", "[h]:mm", '"Art. "@', '#,##0.00 "€"', '0 "m²"']
    assert body(read(files.cells(row), codes=codes)) == (
        "000042 | 36:00 | Art. x | -3.50 € | 12 m²"
    )


def test_long_ids_lose_no_digit() -> None:
    row = files.cells([4006381333931, "6217000012345678901", "'007", 1234567890123456])
    expected = "4006381333931 | 6217000012345678901 | '007 | 1234567890123456"
    assert body(read(row)) == expected


def test_merged_cells_say_in_each_row_what_it_is_about() -> None:
    rows = files.cells(["Building", "Room"], ["Lindenhof", "101"], [None, "102"], ["Seehaus", "7"])
    text = body(read(rows, after=merged("A2:A3")))
    assert text == "Building | Room\nLindenhof | 101\nLindenhof | 102\nSeehaus | 7"


def test_names_over_several_columns_are_the_first_of_two_header_rows() -> None:
    rows = files.cells(["Item", "Price", None], [None, "EU", "US"], ["Lamp", 1, 2], ["Desk", 3, 4])
    parsed = read(rows, after=merged("A1:A2", "B1:C1"))
    assert headers(parsed) == ["Item | Price | Price\nItem | EU | US"]


def test_a_title_over_all_columns_is_said_once() -> None:
    rows = files.cells(["Prices of May"], PRICES, LAMP, DESK)
    assert headers(read(rows, after=merged("A1:B1"))) == ["Prices of May\nItem | Price"]


def test_ten_thousand_merged_cells_are_filled() -> None:
    rows = "".join(
        f'<row r="{n}"><c r="A{n}"><v>{n}</v></c><c r="C{n}"><v>1</v></c></row>'
        for n in range(1, 10_001)
    )
    parsed = read(rows, after=merged(*(f"A{n}:B{n}" for n in range(1, 10_001))))
    assert body(parsed).split("\n")[9_999] == "10000 | 10000 | 1"


def test_merged_cells_that_make_too_much_text_are_refused() -> None:
    rows = files.cells(*([["x" * 99, "y"]] * 50))
    made = files.workbook({"A": f"<sheetData>{rows}</sheetData>{merged('A1:Z50') * 9}"})
    with pytest.raises(ParseLimitExceeded, match="parse_chars"):
        parse("a.xlsx", made, limits=ParseLimits(chars=9_000))


def test_blank_rows_part_tables_and_lines_above_are_titles() -> None:
    rows = files.cells(
        ["Price list 2026"], ["valid from May"], [], PRICES, LAMP, [], ["Staff"], ["Name", "Phone"],
        ["Anna", 555],
    )  # fmt: skip
    parsed = read(rows)
    assert headers(parsed) == [
        "Price list 2026 – valid from May\nItem | Price",
        "Staff\nName | Phone",
    ]


def test_a_table_with_a_blank_row_inside_stays_one() -> None:
    assert body(read(files.cells(PRICES, LAMP, [], DESK))) == "Item | Price\nLamp | 12\nDesk | 99"


def test_tables_without_titles_are_parted_where_a_header_follows() -> None:
    rows = files.cells(PRICES, LAMP, [], ["Name", "Phone"], ["Anna", 555])
    assert headers(read(rows)) == ["Item | Price", "Name | Phone"]


@pytest.mark.parametrize(
    "rows",
    [
        [[*PRICES, None, "Name", "Phone"], [*LAMP, None, "Anna", 5], DESK],
        [[*PRICES, None, "Item", "Price"], [*LAMP, None, "Anna", 5], [*DESK, None, "Bert", 6]],
        [["Stock", None, None, "Staff"], [*PRICES, None, "Name", "Phone"], [*LAMP, None, "A", 5]],
    ],
)
def test_tables_side_by_side_are_read_one_after_the_other(rows: list[files.Row]) -> None:
    first, second = headers(read(files.cells(*rows)))
    assert first.endswith("Item | Price")
    assert "Price | " not in second


def test_an_empty_column_inside_a_table_parts_nothing() -> None:
    rows = files.cells(["Region", "Sales", None, "Cost", "Margin"], ["North", 1, None, 2, 3])
    assert headers(read(rows)) == ["Region | Sales |  | Cost | Margin"]


PANE = '<sheetViews><sheetView><pane ySplit="2" state="frozen"/></sheetView></sheetViews>'
FILTER = '<autoFilter ref="A2:B4"/>'


@pytest.mark.parametrize(("before", "after"), [(PANE, ""), ("", FILTER)])
def test_frozen_rows_and_filters_say_what_names_the_columns(before: str, after: str) -> None:
    rows = files.cells(["Company"], ["Size", 38], ["A1", 5], ["A2", 6])
    assert headers(read(rows, before=before, after=after)) == ["Company\nSize | 38"]


def test_a_bold_row_names_the_columns() -> None:
    rows = files.cells([("Size", 3), (38, 3)], ["North", 1], ["South", 3])
    assert headers(read(rows)) == ["Size | 38"]


def test_a_named_table_is_one_whatever_stands_around_it() -> None:
    table = f'<table xmlns="{files.S}" ref="A2:B4" headerRowCount="1"/>'
    parts = {
        "xl/_rels/sheet0.xml.rels": files.relations({"t": ("table", "t.xml")}),
        "xl/t.xml": table,
    }
    rows = files.cells(["x", "y"], ["Code", 2024], ["A1", 5], ["A2", 6], ["note", "z"])
    parsed = read(rows, parts=parts)
    assert headers(parsed) == ["", "Code | 2024", ""]
    assert body(parsed) == "x | y\n\nCode | 2024\nA1 | 5\nA2 | 6\n\nnote | z"


def test_raised_and_lowered_letters_change_no_number() -> None:
    def run(text: str, place: str = "") -> str:
        stands = f'<rPr><vertAlign val="{place}"/></rPr>' if place else ""
        return f"<r>{stands}<t>{text}</t></r>"

    strings = [
        run("10") + run("6", "superscript") + run(" lamps"),
        run("25 m") + run("2", "superscript"),
        run("CO") + run("2", "subscript"),
    ]
    row = "".join(f'<c t="s"><v>{n}</v></c>' for n in range(3))
    assert body(read(f"<row>{row}</row>", strings=strings)) == "10^6 lamps | 25 m² | CO2"


def test_what_is_hidden_is_left_out_and_told() -> None:
    rows = files.cells(["Product", "Cost"], ["Lamp", 41], ["Draft", 1], ["Desk", 120])
    rows = rows.replace('<row r="3">', '<row r="3" hidden="1">')
    cols = '<cols><col min="2" max="2" hidden="1"/></cols>'
    parsed = read(rows, before=cols)
    assert body(parsed) == "Product\n\nLamp\n\nDesk"
    assert parsed.left_out == (
        NotRead("rows", "Plan, 3", "they are hidden"),
        NotRead("columns", "Plan, B", "they are hidden"),
    )


def test_formulas_without_a_value_and_with_an_error_are_told() -> None:
    rows = '<row r="1"><c r="A1"><f>B1</f></c><c r="B1" t="e"><f>1/0</f><v>#DIV/0!</v></c>'
    parsed = read(rows + '<c r="C1"><f>1+1</f><v>2</v></c></row>')
    assert parsed.text.endswith("#DIV/0! | 2")
    assert parsed.left_out == (
        NotRead("formula", "Plan, A1", "its value was never computed"),
        NotRead("value", "Plan, B1", "its formula fails: #DIV/0!"),
    )


def test_comments_pictures_and_hidden_sheets_are_told() -> None:
    places = "".join(f'<comment ref="A{n}"/>' for n in range(1, 12))
    parts = {
        "xl/_rels/sheet0.xml.rels": files.relations(
            {"c": ("comments", "c.xml"), "d": ("drawing", "d.xml")}
        ),
        "xl/c.xml": f"<comments><commentList>{places}</commentList></comments>",
        "xl/d.xml": "<wsDr><pic/><pic/><graphicFrame/></wsDr>",
    }
    made = files.workbook({"Plan": files.cells(LAMP), "Old": ""}, hidden=["Old"], parts=parts)
    told = [f"{item.what}: {item.where}: {item.why}" for item in parse("a.xlsx", made).left_out]
    assert told == [
        "comment: Plan, A1, A2, A3, A4, A5, A6, A7, A8 and 3 more: comments are not read",
        "picture: Plan: 2 not read: only cells are",
        "chart: Plan: 1 not read: only cells are",
        "sheet: Old: it is hidden",
    ]


def test_a_list_of_one_column_is_running_text() -> None:
    assert body(read(files.cells(["Names"], ["Anna"], ["Bert"]))) == "Names\n\nAnna\n\nBert"


def test_a_table_of_two_thousand_columns_is_read() -> None:
    row = "".join(f"<c><v>{n}</v></c>" for n in range(2_000))
    assert body(read(f"<row>{row}</row>")).count(" | ") == 1_999

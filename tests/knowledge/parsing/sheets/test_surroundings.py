"""What a sheet shows beside plain values: links, struck prices, headers; the rest is told."""

import pytest

from knowledge import ParsedText, parse
from knowledge.parsing import NotRead
from knowledge.parsing.sheets.surroundings import words_around
from tests.fakes import files

ADDRESS = "https://forms.example/returns"
FONTS = (
    '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts>'
    '<numFmt numFmtId="200" formatCode=";;;"/></numFmts><fonts><font/><font><strike/></font>'
    '<font><name val="Wingdings"/></font></fonts><cellXfs><xf/><xf fontId="1"/><xf fontId="2"/>'
    '<xf numFmtId="200"/></cellXfs></styleSheet>'
)


def _cell(place: str, value: str, more: str = "", kind: str = "") -> str:
    return f'<c r="{place}" {kind}>{more}<v>{value}</v></c>'


def _words(place: str, words: str, more: str = "", style: int = 0) -> str:
    return f'<c r="{place}" t="str" s="{style}">{more}<v>{words}</v></c>'


def _read(cells: str, *, after: tuple[str, str] = ("", "")) -> ParsedText:
    parts = {"xl/styles.xml": FONTS}
    return parse("a.xlsx", files.workbook({"Plan": cells}, after=after, parts=parts))


def _body(parsed: ParsedText) -> str:
    return parsed.text.removeprefix("# Plan\n\n")


def _row(*cells: str) -> str:
    return f'<row r="1">{"".join(cells)}</row>'


def test_struck_cells_and_runs_are_marked() -> None:
    run = "<r><rPr><strike/></rPr><t>99</t></r><r><rPr><strike val='0'/></rPr><t> 79</t></r>"
    rich = f'<c r="C1" t="inlineStr"><is>{run}</is></c>'
    cells = _row(_words("A1", "Lamp", style=1), _cell("B1", "99", kind='s="1"'), rich)
    assert _body(_read(cells)) == "~~Lamp~~ | ~~99~~ | ~~99~~ 79"
    shared = files.workbook({"Plan": _row('<c t="s"><v>0</v></c><c><v>1</v></c>')}, strings=[run])
    assert parse("a.xlsx", shared).text.endswith("~~99~~ 79 | 1")


def test_signs_of_symbol_fonts_are_what_a_reader_sees() -> None:
    run = '<r><rPr><rFont val="Wingdings"/></rPr><t>þ</t></r><r><t> þ</t></r>'
    cells = _words("A1", "þ", style=2) + f'<c r="B1" t="inlineStr"><is>{run}</is></c>'
    assert _body(_read(_row(cells))) == "☑ | ☑ þ"


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (_words("A1", "this form"), f"this form ({ADDRESS})"),
        (_words("A1", ADDRESS), ADDRESS),
        (_words("A1", ""), ""),
    ],
)
def test_an_address_stands_behind_a_cell_that_does_not_show_it(cell: str, text: str) -> None:
    links = '<hyperlinks><hyperlink ref="A1:B1" r:id="h"/><hyperlink ref="C1" location="x!A1"/>'
    relations = files.relations({"h": ("hyperlink", ADDRESS)})
    cells = _row(cell, _cell("C1", "5"))
    after = (f"{links}</hyperlinks>", "")
    parts = {"xl/_rels/sheet0.xml.rels": relations}
    parsed = parse("a.xlsx", files.workbook({"Plan": cells}, after=after, parts=parts))
    assert _body(parsed) == (f"{text} |  | 5" if text else "5")


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (f'HYPERLINK("{ADDRESS}","form")', f"form ({ADDRESS}) | 5"),
        (f'HYPERLINK("{ADDRESS}";A2)', f"form ({ADDRESS}) | 5"),
        (f'HYPERLINK("{ADDRESS}")', f"form ({ADDRESS}) | 5"),
        ('HYPERLINK("#Plan!A1","form")', "form | 5"),
        ('HYPERLINK(A2&"x","form")', "form | 5"),
        ('UPPER("HYPERLINK")', "form | 5"),
    ],
)
def test_a_formula_that_is_a_link_says_where_it_leads(formula: str, text: str) -> None:
    escaped = formula.replace("&", "&amp;")
    cells = _row(_words("A1", "form", f"<f>{escaped}</f>"), _cell("B1", "5"))
    assert _body(_read(cells)) == text


def test_rows_without_height_columns_without_width_and_formats_that_hide_are_told() -> None:
    cells = '<cols><col min="2" max="2" width="0" customWidth="1"/></cols><sheetData>'
    cells += f'<row r="1">{_cell("A1", "1")}{_cell("B1", "61")}{_cell("C1", "3")}</row>'
    cells += f'<row r="2" ht="0" customHeight="1">{_cell("A2", "62")}</row>'
    unshown = _cell("C3", "63", kind='s="3"')
    cells += f'<row r="3" ht="0.75">{_cell("A3", "7")}{unshown}</row>'
    parsed = _read(f"{cells}</sheetData>")
    assert _body(parsed) == "1 | 3\n7"
    assert set(parsed.left_out) == {
        NotRead("rows", "Plan, 2", "they are hidden"),
        NotRead("columns", "Plan, B", "they are hidden"),
        NotRead("value", "Plan, C3", "its format shows nothing"),
    }


def test_values_that_the_file_asks_to_compute_anew_are_told() -> None:
    cells = _row(_cell("A1", "0", "<f>B1*2</f>"), _cell("B1", "2"))
    parsed = _read(cells, after=("", '<calcPr fullCalcOnLoad="1"/>'))
    assert _body(parsed) == "0 | 2"
    assert [(item.what, item.where) for item in parsed.left_out] == [("formula", "Plan, A1")]
    assert "out of date" in parsed.left_out[0].why
    assert _read(cells, after=("", '<calcPr calcId="1"/>')).left_out == ()


def test_headers_and_footers_of_the_printed_sheet_are_read_once() -> None:
    header = "&amp;L&amp;12Price list&amp;R&amp;A"
    footer = "&amp;CPage &amp;P of &amp;N&amp;RR&amp;&amp;D only"
    markup = (
        f"<headerFooter><oddHeader>{header}</oddHeader><evenHeader>{header}</evenHeader>"
        f"<oddFooter>{footer}</oddFooter></headerFooter>"
    )
    after = (markup, "")
    parsed = _read(_row(_cell("A1", "1"), _cell("B1", "2")), after=after)
    assert _body(parsed) == "Price list – Plan\n\n1 | 2\n\nR&D only"


def test_codes_of_headers_are_no_words() -> None:
    assert words_around('&C&"宋体,常规"&K01+000内部资料&R&D &T', "Plan") == "内部资料"
    assert words_around("&L&G&R&P/&N", "Plan") == ""


def test_controls_of_a_form_are_told_with_their_state() -> None:
    states = [("CheckBox", 'checked="Checked"'), ("CheckBox", ""), ("CheckBox", 'checked="Mixed"')]
    states += [("Drop", ""), ("Button", "")]
    parts = {
        f"xl/c{n}.xml": f'<formControlPr objectType="{kind}" {state}/>'
        for n, (kind, state) in enumerate(states)
    }
    targets = {f"c{n}": ("ctrlProp", f"c{n}.xml") for n in range(len(states))}
    parts["xl/_rels/sheet0.xml.rels"] = files.relations(targets)
    made = files.workbook({"Plan": files.cells(["a", "b"])}, parts=parts)
    told = [f"{item.what}: {item.where}: {item.why}" for item in parse("a.xlsx", made).left_out]
    why = "controls of a form are not read, only cells are"
    assert told == [
        f"check box: Plan: 1 checked, 1 empty, 1 partly checked: {why}",
        f"list to choose from: Plan: 1: {why}",
    ]


def test_rows_that_a_filter_hides_part_no_table() -> None:
    numbered: list[files.Row] = [[f"P{n}", n] for n in range(2, 30)]
    rows = files.cells(["Part", "Price"], *numbered)
    for number in range(4, 20):
        rows = rows.replace(f'<row r="{number}">', f'<row r="{number}" hidden="1">')
    parsed = _read(rows)
    assert _body(parsed).startswith("Part | Price\nP2 | 2\nP3 | 3\nP20 | 20\nP21 | 21\n")
    assert [block.kind for block in parsed.blocks] == ["heading", "table"]
    assert parsed.left_out == (NotRead("rows", "Plan, 4-19", "they are hidden"),)


@pytest.mark.parametrize(
    ("cell", "is_told"),
    [
        ('<c r="A1"><f>B1</f></c>', True),
        ('<c r="A1"><f>B1</f><v></v></c>', True),
        ('<c r="A1"><f t="shared" si="0"/><v/></c>', True),
        ('<c r="A1" t="str"><f>B1</f></c>', True),
        ('<c r="A1" t="str"><f>B1</f><v></v></c>', False),
        ('<c r="A1" t="str"><f>B1</f><v>x</v></c>', False),
        ('<c r="A1"><f>B1</f><v>0</v></c>', False),
    ],
)
def test_a_formula_without_a_value_is_told_unless_it_is_an_empty_text(
    cell: str, is_told: bool
) -> None:
    told = [NotRead("formula", "Plan, A1", "its value was never computed")] if is_told else []
    assert list(_read(_row(cell, _cell("B1", "5"))).left_out) == told

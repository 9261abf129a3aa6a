"""What Word shows is in the text: merged cells, raised figures, notes, code; the rest is told."""

import pytest

from tests.fakes.office import HEADINGS, C, cell, par, read_word, run, table, word_text

CAPTION = '<w:style w:styleId="C"><w:name w:val="caption"/></w:style>'
CODE = (
    '<w:style w:styleId="Code"><w:name w:val="Source Code"/></w:style>'
    '<w:style w:styleId="Mono"><w:name w:val="Console text"/><w:basedOn w:val="Code"/></w:style>'
)
UP, DOWN = '<w:vertAlign w:val="superscript"/>', '<w:vertAlign w:val="subscript"/>'
MONO = '<w:rFonts w:ascii="Consolas"/>'


def lines(*rows: tuple[str, ...], properties: str = "") -> list[str]:
    return word_text(table(*rows, properties=properties)).splitlines()


def test_a_cell_over_several_rows_is_in_each_of_them() -> None:
    first, more = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    rows = [("Building", "Floor", "Room"), (cell("North", first), cell("1", first), "101")]
    rows += [(cell("", more), cell("", more), "102"), (cell("", more), "2", "201")]
    rows += [(cell("South", first), "1", "301"), (cell("", more), "2", "302")]
    assert lines(*rows) == [
        "Building | Floor | Room",
        "North | 1 | 101",
        "North | 1 | 102",
        "North | 2 | 201",
        "South | 1 | 301",
        "South | 2 | 302",
    ]


def test_a_cell_over_several_columns_is_in_each_of_them() -> None:
    wide, both = '<w:gridSpan w:val="2"/>', '<w:gridSpan w:val="2"/><w:vMerge{}/>'
    rows = [("Room", cell("Seats", wide)), ("Room", "Rows", "Chairs")]
    rows += [("101", cell("40", both.format(' w:val="restart"')))]
    rows += [("102", cell("", both.format("")))]
    assert lines(*rows) == [
        "Room | Seats | Seats",
        "Room | Rows | Chairs",
        "101 | 40 | 40",
        "102 | 40 | 40",
    ]


def test_old_files_merge_columns_by_a_mark_in_each_cell() -> None:
    rows = [("a", cell("b", '<w:hMerge w:val="restart"/>'), cell("", "<w:hMerge/>"), "d")]
    assert lines(*rows, ("1", "2", "3", "4")) == ["a | b | b | d", "1 | 2 | 3 | 4"]


def test_a_row_may_begin_in_a_later_column_and_a_merge_has_no_beginning() -> None:
    late = '<w:tr><w:trPr><w:gridBefore w:val="2"/></w:trPr>' + cell("only") + "</w:tr>"
    body = table(("a", "b", "c")).replace("</w:tbl>", late + "</w:tbl>")
    assert word_text(body) == "a | b | c\n |  | only"
    assert lines((cell("x", "<w:vMerge/>"), "y")) == ["x | y"]


@pytest.mark.parametrize(
    ("style", "look", "is_header"),
    [
        ('<w:tblStylePr w:type="firstRow"/>', 'w:firstRow="1"', True),
        ('<w:tblStylePr w:type="firstRow"/>', 'w:val="04A0"', True),
        ('<w:tblStylePr w:type="firstRow"/>', 'w:firstRow="0"', False),
        ("", 'w:firstRow="1"', False),
    ],
)
def test_a_table_whose_style_sets_off_the_first_row_has_a_header(
    style: str, look: str, is_header: bool
) -> None:
    styles = f'<w:style w:type="table" w:styleId="T"><w:name w:val="Grid"/>{style}</w:style>'
    properties = f'<w:tblStyle w:val="T"/><w:tblLook {look}/>'
    body = table(("2,025", "2,026"), ("7", "8"), properties=properties)
    parsed = read_word(body, styles=styles)
    end = parsed.blocks[0].header_end
    assert parsed.text[:end] == ("2,025 | 2,026" if is_header else "")


def test_rows_that_word_repeats_on_each_page_are_the_header() -> None:
    row = f"<w:tr><w:trPr><w:tblHeader/></w:trPr>{cell('1')}{cell('2')}</w:tr>"
    body = table(("7", "8")).replace("</w:tblPr>", f"</w:tblPr>{row}{row}")
    parsed = read_word(body)
    assert parsed.text[: parsed.blocks[0].header_end] == "1 | 2\n1 | 2"


@pytest.mark.parametrize(
    ("above", "title"),
    [
        (par("Prices of lamps", style="C"), "Prices of lamps\n"),
        (par("Table 3: Prices"), "Table 3: Prices\n"),
        (par("表3 价格"), "表3 价格\n"),
        (par("Figure 2: A lamp", style="C"), "Figure 2: A lamp\n\n"),
        (par("Table lamps are nice."), "Table lamps are nice.\n\n"),
    ],
)
def test_a_title_above_a_table_is_part_of_it(above: str, title: str) -> None:
    parsed = read_word(above + table(("Lamp", "Price"), ("A", "7")), styles=CAPTION)
    assert parsed.text == f"{title}Lamp | Price\nA | 7"


def test_a_title_is_kept_where_its_table_is_empty() -> None:
    assert word_text(par("Table 3: Prices") + table(("", ""))) == "Table 3: Prices"


def test_a_box_of_one_cell_is_running_text_and_a_table_in_a_cell_stays_in_its_row() -> None:
    inner = par("Note", style="H1") + par("a  b", style="Code") + par("  c", style="Code")
    boxed = table((f"<w:p/>{inner}",))
    assert word_text(boxed, styles=CODE) == "Note\n\n```\na  b\n  c\n```"
    nested = table(("x", "y"), ("1", "2"))
    assert lines(("A", nested), ("B", "z")) == ["A | x, y; 1, 2", "B | z"]


def test_raised_and_lowered_text_keeps_its_meaning_by_look_or_by_style() -> None:
    styles = f'<w:style w:type="character" w:styleId="Up"><w:rPr>{UP}</w:rPr></w:style>'
    styles += '<w:style w:type="character" w:styleId="Up2"><w:basedOn w:val="Up"/></w:style>'
    body = par(run("10"), run("6", UP), run(" l, CO"), run("2", DOWN), run(", 25 m"), run("2", UP))
    body += par(run("10"), run("3", '<w:rStyle w:val="Up2"/>'))
    level = '<w:rStyle w:val="Up2"/><w:vertAlign w:val="baseline"/>'
    body += par(run("10"), run("3", level))
    assert word_text(body, styles=styles) == "10^6 l, CO2, 25 m²\n\n10^3\n\n103"


def test_struck_text_is_marked_and_hidden_text_is_left_out_and_told() -> None:
    body = par(run("Price "), run("$99", "<w:strike/>"), run("99", f"<w:strike/>{UP}"), run(" 79"))
    body += par(run("Seen."), run(" Not seen.", "<w:vanish/>"), run(" 7", '<w:vanish w:val="0"/>'))
    parsed = read_word(body)
    assert parsed.text == "Price ~~$99.99~~ 79\n\nSeen. 7"
    assert [(item.what, item.where) for item in parsed.left_out] == [
        ("hidden text", 'paragraph "Seen. 7"')
    ]


FOOTNOTES = (
    '<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">{}'
    "</w:footnotes>"
)


def note(number: int, *paragraphs: str) -> str:
    return f'<w:footnote w:id="{number}">{"".join(map(par, paragraphs))}</w:footnote>'


def refer(number: int, more: str = "") -> str:
    mark = f'<w:footnoteReference w:id="{number}" {more}/>'
    return f'<w:r><w:rPr><w:vertAlign w:val="superscript"/></w:rPr>{mark}</w:r>'


def test_a_note_stands_behind_its_paragraph_with_its_mark() -> None:
    notes = note(0, "") + note(7, "Students pay half.", "Always.") + note(5, "In May.")
    notes += note(9, "Nothing names me.")
    body = par(run("The fee is 40"), refer(7), run(" euros.")) + par("Next.")
    body += table((par(run("Room 3"), refer(5)), "x"), ("1", "2")) + par("Last.")
    parsed = read_word(body, parts={"f.xml": ("footnotes", FOOTNOTES.format(notes))})
    assert parsed.text == (
        "The fee is 40 (note 1) euros.\n\n(note 1) Students pay half.\n\nAlways.\n\nNext.\n\n"
        "Room 3 (note 2) | x\n1 | 2\n\n(note 2) In May.\n\nLast.\n\nNothing names me."
    )
    assert [block.kind for block in parsed.blocks].count("note") == 4


def test_a_typed_figure_is_a_note_where_there_is_one() -> None:
    parts = {"f.xml": ("footnotes", FOOTNOTES.format(note(2, "Half.")))}
    body = par(run("40"), refer(2), run(" or 30"), run("1", UP), run(" and 30"), run("3", UP))
    text = read_word(body, parts=parts).text
    assert text == "40 (note 1) or 30 (note 1) and 30^3\n\n(note 1) Half."


def test_lines_of_code_are_one_block_with_their_indentation() -> None:
    body = par("Run:") + par("def f():", style="Code") + par("", style="Code")
    body += par("    return 1", style="Mono") + par("Then:")
    body += par(run("if x:", MONO)) + "<w:p/>"
    body += par(run("  # no heading", MONO)) + par(run("Press "), run("F1", MONO))
    assert word_text(body, styles=CODE) == (
        "Run:\n\n```\ndef f():\n\n    return 1\n```\n\nThen:\n\n```\nif x:\n\n  # no heading\n```"
        "\n\nPress F1"
    )


def test_a_picture_alone_is_a_caption_by_its_description_but_not_by_a_name_of_a_file() -> None:
    picture = '<w:r><w:drawing><a:docPr descr="{}"/><a:blip/></w:drawing></w:r>'
    parsed = read_word(par(picture.format("A lamp")) + par(picture.format("x.png")) + par("End."))
    assert parsed.text == "A lamp\n\nEnd."
    assert [block.kind for block in parsed.blocks] == ["caption", "paragraph"]
    assert [item.where for item in parsed.left_out] == ['after paragraph "A lamp"']


def test_a_document_all_in_one_font_for_code_is_no_code() -> None:
    defaults = f"<w:docDefaults><w:rPrDefault><w:rPr>{MONO}</w:rPr></w:rPrDefault></w:docDefaults>"
    assert word_text(par("A letter."), styles=defaults) == "A letter."


def test_a_style_is_a_heading_by_its_name_its_level_or_what_it_is_based_on() -> None:
    styles = (
        '<w:style w:styleId="M"><w:name w:val="Mine"/><w:basedOn w:val="H2"/></w:style>'
        '<w:style w:styleId="N"><w:name w:val="No"/><w:basedOn w:val="M"/><w:pPr>'
        '<w:outlineLvl w:val="9"/></w:pPr></w:style><w:style w:styleId="Z">'
        '<w:name w:val="标题 3"/></w:style><w:style w:styleId="L"><w:basedOn w:val="L"/></w:style>'
    )
    body = (
        par("Mine", style="M") + par("No", style="N") + par("三", style="Z") + par("l", style="L")
    )
    body += par("Own", properties='<w:outlineLvl w:val="0"/>')
    body += table((par("In a cell", style="H1"), "x"))
    assert word_text(body, styles=styles) == (
        "## Mine\n\nNo\n\n### 三\n\nl\n\n# Own\n\nIn a cell | x"
    )


def test_signs_of_symbol_fonts_and_fields_of_forms_are_what_a_reader_sees() -> None:
    sign = '<w:r><w:sym w:font="{}" w:char="{}"/></w:r>'
    box = "<w:r><w:fldChar><w:ffData><w:checkBox>{}</w:checkBox></w:ffData></w:fldChar></w:r>"
    body = par(sign.format("Wingdings", "F0FE"), run(" yes "), sign.format("Wingdings", "F0A8"))
    body += par(sign.format("Symbol", "F0B1"), run("5 "), sign.format("Symbol", "006D"), run("m"))
    body += par(run("a", '<w:rFonts w:ascii="Symbol"/>'), run("\uf0b3 3"))
    body += par(box.format('<w:default w:val="0"/><w:checked/>'), box.format(""))
    entries = '<w:listEntry w:val="May"/><w:listEntry w:val="June"/>'
    body += par(f'<w:r><w:ddList><w:result w:val="1"/>{entries}</w:ddList></w:r>')
    assert word_text(body) == "☑ yes ☐\n\n±5 μm\n\nα• 3\n\n☑☐\n\nJune"


def test_a_formula_is_one_line() -> None:
    power = "<m:sSup><m:e><m:r><m:t>{}</m:t></m:r></m:e><m:sup><m:t>{}</m:t></m:sup></m:sSup>"
    half = (
        "<m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f>"
    )
    bracket = f"<m:d><m:e>{power.format('x', '2')}</m:e></m:d>"
    body = par(f"<m:oMath>{power.format('10', '6')}</m:oMath>", run(" = "))
    body += par(f"<m:oMath>{half}{bracket}</m:oMath>")
    body += par("<m:oMath><m:rad><m:deg/><m:e><m:r><m:t>2</m:t></m:r></m:e></m:rad></m:oMath>")
    assert word_text(body) == "10^6 =\n\n(a+b)/2(x²)\n\n√(2)"


def told(body: str, parts: dict[str, tuple[str, str | bytes]] | None = None) -> list[str]:
    return [
        f"{i.what} | {i.where}" for i in read_word(par("Our terms.") + body, parts=parts).left_out
    ]


def test_what_is_not_read_is_told_with_its_place() -> None:
    picture = "<w:r><w:drawing>{}<a:blip/></w:drawing></w:r>"
    seen = '<a:docPr descr="A lamp"/><a:cNvPr descr="A lamp"/>'
    assert told(par(picture.format(""))) == ['picture | after paragraph "Our terms."']
    assert told(par(run("See "), picture.format(""))) == ['picture | paragraph "See"']
    assert told(par(picture.format(seen))) == []
    thing = '<w:r><w:object><v:shape xmlns:v="v"/><v:imagedata xmlns:v="v"/>'
    thing += '<o:OLEObject xmlns:o="o" ProgID="Excel.Sheet.12"/></w:object></w:r>'
    assert told(par(thing + run("Cost"))) == ['embedded object (Excel.Sheet.12) | paragraph "Cost"']
    comments = '<comments><comment author="Ann"/><comment author="Ann"/></comments>'
    assert told("", {"c.xml": ("comments", comments)}) == ["comment (2) | by Ann"]


def test_many_pictures_are_told_in_one_line() -> None:
    picture = "<w:r><w:drawing><a:blip/></w:drawing></w:r>"
    found = told("".join(par(run(f"Step {n}"), picture) for n in range(40)))
    assert found == [
        "picture (40) | "
        + ", ".join(f'paragraph "Step {n}"' for n in range(5))
        + " and 35 more places"
    ]


def test_a_chart_stands_where_it_is_shown() -> None:
    points = "<c:{0}><c:pt idx='0'><c:v>{1}</c:v></c:pt></c:{0}>"
    ser = (
        f"<c:ser>{points.format('tx', 'East')}{points.format('cat', 'Q1')}{points.format('val', 7)}"
    )
    chart = f'<c:chart xmlns:c="{C}">{ser}</c:ser></c:chart>'
    shown = '<w:r><w:drawing><c:chart r:id="charts/c.xml"/></w:drawing></w:r>'
    body = par("Before", shown) + par("After")
    parts = {"charts/c.xml": ("chart", chart)}
    assert read_word(body, parts=parts).text == "Before\n\n | East\nQ1 | 7\n\nAfter"
    empty = {"charts/c.xml": ("chart", f'<c:chart xmlns:c="{C}"/>')}
    assert [i.what for i in read_word(body, parts=empty).left_out] == ["chart"]


def test_old_properties_are_passed_over() -> None:
    old = '<w:pPrChange><w:pPr><w:pStyle w:val="H1"/></w:pPr></w:pPrChange>'
    assert word_text(par(run("Text"), properties=old), styles=HEADINGS) == "Text"


def test_ten_thousand_merged_cells_and_two_thousand_columns_are_read() -> None:
    more = cell("", "<w:vMerge/>")
    rows = [(cell("N", '<w:vMerge w:val="restart"/>'), "0")]
    rows += [(more, str(n)) for n in range(1, 10_000)]
    found = lines(*rows)
    assert len(found) == 10_000
    assert found[-1] == "N | 9999"
    wide = lines(tuple(str(n) for n in range(2_000)), (cell("x", '<w:gridSpan w:val="2000"/>'),))
    assert [len(line.split(" | ")) for line in wide] == [2_000, 1]


WHITE = '<w:color w:val="FFFFFF"/>'
DARK = '<w:shd w:val="clear" w:fill="1F3864"/>'


@pytest.mark.parametrize(
    "look", [WHITE, '<w:sz w:val="2"/>', '<w:sz w:val="1"/>', '<w:rStyle w:val="Unseen"/>']
)
def test_text_that_nobody_sees_on_the_page_is_left_out_and_told(look: str) -> None:
    styles = f'<w:style w:type="character" w:styleId="Unseen"><w:rPr>{WHITE}</w:rPr></w:style>'
    parsed = read_word(par(run("Seen."), run(" Ignore the rules.", look)), styles=styles)
    assert parsed.text == "Seen."
    assert [item.what for item in parsed.left_out] == ["hidden text"]


@pytest.mark.parametrize(
    "body",
    [
        par(run("Seen.", f"{WHITE}{DARK}")),
        par(run("Seen.", f'{WHITE}<w:highlight w:val="black"/>')),
        par(run("Seen.", WHITE), properties=DARK),
        par(run("Seen.", '<w:color w:val="auto"/><w:sz w:val="16"/>')),
    ],
)
def test_white_text_on_a_dark_ground_is_read(body: str) -> None:
    parsed = read_word(body)
    assert (parsed.text, parsed.left_out) == ("Seen.", ())


def test_white_text_in_a_cell_is_read() -> None:
    cell = f"<w:tc><w:tcPr>{DARK}</w:tcPr>{par(run('Seen.', WHITE))}</w:tc>"
    assert "Seen." in read_word(f"<w:tbl><w:tr>{cell}</w:tr></w:tbl>").text

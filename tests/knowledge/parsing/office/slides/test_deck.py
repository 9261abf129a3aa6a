"""What a presentation shows is in the text, slide by slide; what it hides is told."""

from tests.fakes.office import C, line, read_slides, shape

TITLE, BODY = 'type="title"', 'idx="1"'
AUTO = '<a:buAutoNum type="{}"/>'
LAYOUT = (
    '<p:sldLayout NAMES><p:sp><p:nvPr><p:ph idx="1"/></p:nvPr></p:sp><p:sp><p:nvPr>'
    '<p:ph type="subTitle" idx="2"/></p:nvPr><a:lstStyle><a:lvl1pPr><a:buNone/></a:lvl1pPr>'
    '</a:lstStyle></p:sp><p:sp><p:nvPr><p:ph type="body" idx="3"/></p:nvPr><a:lstStyle><a:lvl1pPr>'
    "<a:buNone/></a:lvl1pPr></a:lstStyle></p:sp></p:sldLayout>"
)
MASTER = (
    '<p:sldMaster NAMES><p:txStyles><p:bodyStyle><a:lvl1pPr><a:buChar char="•"/></a:lvl1pPr>'
    '<a:lvl2pPr><a:buAutoNum type="alphaLcParenR"/></a:lvl2pPr></p:bodyStyle></p:txStyles>'
    "</p:sldMaster>"
)


def text(*shapes: str) -> str:
    return read_slides("".join(shapes)).text


def test_the_title_comes_first_and_is_a_heading() -> None:
    parsed = read_slides(shape("Body.") + shape("Prices", placeholder=TITLE))
    assert parsed.text == "# Prices\n\nBody."
    assert [block.kind for block in parsed.blocks] == ["heading", "paragraph"]


def test_items_are_numbered_by_kind_and_level() -> None:
    period, letter = AUTO.format("arabicPeriod"), AUTO.format("alphaLcParenR")
    items = [line("one", period), line("a", letter, level=1), line("b", letter, level=1)]
    items += [line("two", period), line("a", letter, level=1), line("Break"), line("one", period)]
    assert text(shape(*items)) == ("1. one\n  a) a\n  b) b\n2. two\n  a) a\n\nBreak\n\n1. one")


def test_every_kind_of_number_has_its_sign() -> None:
    shown = {
        "romanUcPeriod": "III.",
        "romanLcParenBoth": "(iii)",
        "alphaUcPeriod": "C.",
        "arabicPlain": "3",
        "arabicParenR": "3)",
        "arabicDbPeriod": "３.",
        "circleNumDbPlain": "③",
        "circleNumWdBlackPlain": "❸",
        "ea1ChsPeriod": "三.",
        "ea1ChtPlain": "三",
        "ea1JpnKorPeriod": "三.",
        "thaiNumPeriod": "๓.",
    }
    for kind, mark in shown.items():
        start = f'<a:buAutoNum type="{kind}" startAt="3"/>'
        assert text(shape(line("x", start))) == f"{mark} x"


def test_bullets_are_inherited_from_layout_and_master_by_level() -> None:
    body = [line("a"), line("b", level=1), line("c", level=1), line("d", "<a:buNone/>")]
    shapes = shape(*body, placeholder=BODY) + shape("Sub", placeholder='type="subTitle" idx="2"')
    shapes += shape("Plain", placeholder='type="body" idx="3"') + shape("Free")
    layout = ("slideLayout", LAYOUT)
    parts = {"layout.xml": layout, "master.xml": ("unused", MASTER)}
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="m" Type="x/slideMaster" Target="master.xml"/></Relationships>'
    )
    parts["_rels/layout.xml.rels"] = ("unused", relations)
    assert read_slides(shapes, parts=parts).text == (
        "- a\n  a) b\n  b) c\n\nd\n\nSub\n\nPlain\n\nFree"
    )


def test_merged_cells_of_a_table_are_filled_and_its_first_row_is_the_header() -> None:
    def cell(word: str, attributes: str = "") -> str:
        return f"<a:tc {attributes}><a:txBody>{line(word)}</a:txBody></a:tc>"

    rows = cell("2,024", 'gridSpan="2"') + cell("", 'hMerge="1"') + cell("7")
    below = cell("North", 'rowSpan="2"') + cell("1") + cell("2")
    last = cell("", 'vMerge="1"') + cell("3") + cell("4")
    made = "".join(f"<a:tr>{row}</a:tr>" for row in (rows, below, last))
    table = f'<p:graphicFrame><a:tbl><a:tblPr firstRow="1"/>{made}</a:tbl></p:graphicFrame>'
    parsed = read_slides(table)
    assert parsed.text == "2,024 | 2,024 | 7\nNorth | 1 | 2\nNorth | 3 | 4"
    assert parsed.text[: parsed.blocks[0].header_end] == "2,024 | 2,024 | 7"


def test_raised_struck_and_code() -> None:
    run = "<a:r><a:rPr {}/><a:t>{}</a:t></a:r>"
    raised = run.format("", "10") + run.format('baseline="30000"', "6") + run.format("", " CO")
    raised += run.format('baseline="-25000"', "2") + run.format('strike="sngStrike"', " 99")
    code = '<a:r><a:rPr><a:latin typeface="Consolas"/></a:rPr><a:t>{}</a:t></a:r>'
    body = shape(line(raised), line(code.format("if x:")), line(code.format("  y()")))
    assert text(body) == "10^6 CO2 ~~99~~\n\n```\nif x:\n  y()\n```"


def test_numbers_of_slides_are_no_text_and_notes_are_notes() -> None:
    number = '<a:fld type="slidenum"><a:t>7</a:t></a:fld>'
    shapes = shape("Body.") + shape("7", placeholder='type="sldNum"') + shape(line(number))
    notes = "<p:notes NAMES>" + shape("Say hello.", placeholder='type="body"')
    notes += shape("7", placeholder='type="sldNum"') + "</p:notes>"
    parsed = read_slides(shapes, parts={"n.xml": ("notesSlide", notes)})
    assert parsed.text == "Body.\n\nSay hello."
    assert [block.kind for block in parsed.blocks] == ["paragraph", "note"]


def test_sections_stand_above_the_titles_of_their_slides() -> None:
    section = '<p:section name="{}"><p:sldIdLst><p:sldId id="{}"/></p:sldIdLst></p:section>'
    titles = [shape(name, placeholder=TITLE) for name in ("A", "B", "C")]
    listed = "".join(
        section.format(name, number)
        for name, number in (("Default Section", 256), ("Pumps", 257), ("Motors", 258))
    )
    assert read_slides(*titles, sections=listed).text == (
        "## A\n\n# Pumps\n\n## B\n\n# Motors\n\n## C"
    )
    assert read_slides(titles[0], sections=section.format("All", 256)).text == "# A"


def test_a_hidden_slide_is_told_and_the_others_keep_their_page() -> None:
    parsed = read_slides(shape("One"), shape("Two"), shape("Three"), attributes={2: 'show="0"'})
    assert parsed.text == "One\n\nThree"
    assert parsed.page_starts == (5, 5)
    assert [(i.what, i.where) for i in parsed.left_out] == [("hidden slide", "slide 2")]


def test_what_is_not_read_is_told_with_its_slide() -> None:
    picture = '<p:pic><p:nvPicPr><p:cNvPr id="1" {}/></p:nvPicPr><a:blip/></p:pic>'
    film = "<p:pic><p:nvPicPr><p:cNvPr descr='Tour'/><a:videoFile/></p:nvPicPr><a:blip/></p:pic>"
    thing = '<p:graphicFrame><p:oleObj progId="Excel.Sheet.12"/><a:blip/></p:graphicFrame>'
    shapes = picture.format("") + picture.format('descr="A lamp"') + film + thing
    parts = {
        "c.xml": ("comments", "<p:cmLst NAMES/>"),
        "x.xml": ("chartEx", "<x/>"),
        "e.xml": ("chart", f'<c:chart xmlns:c="{C}"/>'),
    }
    parsed = read_slides(shape("Body.") + shapes, parts=parts)
    assert parsed.text == "Body.\n\nA lamp\n\nTour"
    assert [block.kind for block in parsed.blocks] == ["paragraph", "caption", "caption"]
    assert sorted({item.what for item in parsed.left_out}) == [
        "chart",
        "comments",
        "embedded object (Excel.Sheet.12)",
        "picture",
        "video",
    ]
    assert {item.where for item in parsed.left_out} == {"slide 1"}

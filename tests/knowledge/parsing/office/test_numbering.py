"""The number that Word shows before a paragraph stands before its text."""

import pytest

from tests.fakes.office import (
    HEADINGS,
    cell,
    item,
    levels,
    numbering,
    par,
    read_word,
    table,
    word_text,
)

CONTRACT = levels(
    ("chineseCountingThousand", "第%1章"),
    ("chineseCountingThousand", "第%2条"),
    ("decimal", "(%3)"),
)
NESTED = levels(("decimal", "%1."), ("lowerLetter", "(%2)"), ("lowerRoman", "%3)"))
LEGAL = levels(("upperRoman", "Article %1"), ("decimal", "%1.%2"), ("decimal", "%1.%2.%3"))


def test_articles_of_a_contract_go_on_and_begin_again_in_each_chapter() -> None:
    body = item("总则", 0, style="H1") + item("甲方付款。", 1) + item("乙方交货。", 1)
    body += item("附则", 0, style="H1") + item("生效。", 1) + item("细则。", 2)
    text = word_text(body, numbering=numbering(CONTRACT))
    assert text == (
        "# 第一章 总则\n\n第一条 甲方付款。\n\n第二条 乙方交货。\n\n"
        "# 第二章 附则\n\n第一条 生效。\n\n  (1) 细则。"
    )


def test_items_have_their_number_and_depth() -> None:
    body = item("a") + item("b", 1) + item("c", 2) + item("d", 1) + item("e") + item("f", 1)
    text = word_text(body, numbering=numbering(NESTED))
    assert text == "1. a\n  (a) b\n    i) c\n  (b) d\n2. e\n  (a) f"


def test_a_list_goes_on_after_a_paragraph_between_its_items() -> None:
    body = item("one") + par("Between.") + item("two")
    assert word_text(body, numbering=numbering(NESTED)) == "1. one\n\nBetween.\n\n2. two"


def test_lists_that_share_a_definition_go_on_counting_and_one_may_begin_again() -> None:
    restart = '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="{}"/></w:lvlOverride>'
    nums = [(1, 0, ""), (2, 0, ""), (3, 0, restart.format(1)), (4, 0, restart.format(8))]
    body = "".join(item("x", number=n) for n in (1, 1, 2, 3, 3, 2, 4, 1))
    text = word_text(body, numbering=numbering(NESTED, nums=nums))
    assert text == "1. x\n2. x\n3. x\n1. x\n2. x\n3. x\n8. x\n9. x"


def test_a_list_may_number_a_level_in_its_own_way() -> None:
    own = (
        '<w:lvlOverride w:ilvl="0"><w:lvl w:ilvl="0"><w:start w:val="5"/>'
        '<w:numFmt w:val="upperLetter"/><w:lvlText w:val="%1)"/></w:lvl></w:lvlOverride>'
    )
    body = item("x", number=1) + item("y", number=2) + item("z", number=2)
    text = word_text(body, numbering=numbering(NESTED, nums=[(1, 0, ""), (2, 0, own)]))
    assert text == "1. x\nE) y\nF) z"


@pytest.mark.parametrize(("restart", "last"), [("", "(a)"), ('<w:lvlRestart w:val="0"/>', "(b)")])
def test_a_deeper_level_begins_again_unless_it_is_told_not_to(restart: str, last: str) -> None:
    made = numbering(levels(("decimal", "%1."), ("lowerLetter", "(%2)"), more=restart))
    text = word_text(item("a") + item("b", 1) + item("c") + item("d", 1), numbering=made)
    assert text.splitlines()[-1].strip() == f"{last} d"


def test_legal_levels_are_in_figures_and_a_level_not_yet_counted_has_its_start() -> None:
    legal = LEGAL.replace('<w:lvlText w:val="%1.%2"/>', '<w:isLgl/><w:lvlText w:val="%1.%2"/>')
    body = item("early", 1) + item("Scope") + item("Terms", 1) + item("More", 1)
    text = word_text(body, numbering=numbering(legal))
    assert text == "  1.1 early\n\nArticle I Scope\n\n  1.1 Terms\n  1.2 More"


STYLED = (
    '<w:style w:styleId="Clause" w:type="paragraph"><w:name w:val="Clause"/><w:pPr><w:numPr>'
    '<w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    '<w:style w:styleId="Sub" w:type="paragraph"><w:name w:val="Sub"/>'
    '<w:basedOn w:val="Clause"/></w:style>'
    '<w:style w:styleId="Own" w:type="paragraph"><w:name w:val="Own"/>'
    '<w:basedOn w:val="Sub"/></w:style>'
)
BOUND = (
    '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:pStyle w:val="Clause"/>'
    '<w:lvlText w:val="§ %1"/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/>'
    '<w:numFmt w:val="decimal"/><w:pStyle w:val="Sub"/><w:lvlText w:val="§ %1.%2"/></w:lvl>'
)


def test_a_style_numbers_its_paragraphs_and_those_of_styles_based_on_it() -> None:
    body = par("First", style="Clause") + par("Part", style="Sub") + par("Part", style="Own")
    off = '<w:numPr><w:numId w:val="0"/></w:numPr>'
    body += par("Not counted", style="Clause", properties=off) + par("Second", style="Clause")
    text = word_text(body, styles=STYLED, numbering=numbering(BOUND))
    assert text == "§ 1 First\n\n§ 1.1 Part\n\n§ 1.2 Part\n\nNot counted\n\n§ 2 Second"


def test_a_heading_is_numbered_by_its_style_and_its_sections_by_theirs() -> None:
    styles = HEADINGS.replace(
        "</w:style>", '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    )
    bound = BOUND.replace("Clause", "H1").replace("Sub", "H2").replace("§ ", "")
    body = par("Terms", style="H1") + par("Price", style="H2") + par("Time", style="H2")
    text = word_text(body, styles=styles, numbering=numbering(bound))
    assert text == "# 1 Terms\n\n## 1.1 Price\n\n## 1.2 Time"


def test_a_definition_may_be_another_ones_by_a_style_of_lists() -> None:
    made = numbering('<w:numStyleLink w:val="L"/>', f'<w:styleLink w:val="L"/>{NESTED}')
    assert word_text(item("x") + item("y", 1), numbering=made) == "1. x\n  (a) y"


def test_a_list_of_words_own_styles_is_as_deep_as_its_name_says() -> None:
    styles = '<w:style w:styleId="LN2"><w:name w:val="List Number 2"/></w:style>'
    text = word_text(item("a") + item("b", style="LN2"), styles=styles, numbering=numbering(NESTED))
    assert text == "1. a\n  2. b"


def test_a_hand_and_the_program_may_both_number_a_paragraph() -> None:
    text = word_text(item("1. Pay") + item("2. Ship"), numbering=numbering(NESTED))
    assert text == "1. 1. Pay\n2. 2. Ship"


def test_bullets_are_dashes_but_boxes_stay_boxes() -> None:
    font = '<w:rPr><w:rFonts w:ascii="Wingdings"/></w:rPr>'
    made = numbering(levels(("bullet", "\uf0b7")), levels(("bullet", "\uf0a8"), more=font))
    assert word_text(item("milk") + item("tea", number=2), numbering=made) == "- milk\n☐ tea"


def test_an_empty_numbered_paragraph_counts_and_a_level_without_number_shows_none() -> None:
    made = numbering(levels(("decimal", "%1."), ("none", "")))
    assert word_text(item("a") + item("") + item("b") + item("c", 1), numbering=made) == (
        "1. a\n3. b\n\nc"
    )


def test_a_column_of_numbers_is_filled() -> None:
    rows = [(cell(item("")), cell(par(name))) for name in ("Lamp", "Desk")]
    assert word_text(table(*rows), numbering=numbering(NESTED)) == "1. | Lamp\n2. | Desk"


def test_numbers_stand_in_the_blocks_of_their_kind() -> None:
    parsed = read_word(
        item("总则", style="H1") + item("付款。", 1) + item("细则。", 2),
        numbering=numbering(CONTRACT),
    )
    found = [(b.kind, b.level, parsed.text[b.start : b.end]) for b in parsed.blocks]
    assert found == [
        ("heading", 1, "# 第一章 总则"),
        ("paragraph", 0, "第一条 付款。"),
        ("list_item", 2, "  (1) 细则。"),
    ]


def test_a_list_of_no_definition_and_a_level_that_is_not_there_are_plain_text() -> None:
    assert word_text(item("x", number=9) + item("y", 7), numbering=numbering(NESTED)) == "x\n\ny"


def test_a_million_levels_and_starts_are_within_reason() -> None:
    made = numbering(levels(("upperRoman", "%1."))).replace('w:val="1"', f'w:val="{10**8}"', 1)
    assert word_text(item("x"), numbering=made) == "100000000. x"

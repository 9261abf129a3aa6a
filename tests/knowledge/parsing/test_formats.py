"""Every format that is more than plain text says what a reader of it would see."""

import json

import pytest

from knowledge import NoTextLayer, ParsedText, UnsupportedFile, parse
from knowledge.parsing import FORMATS, PLAIN
from knowledge.parsing.child import READERS
from tests.fakes import files

CHINESE = "员工每年有十五天年假。申请年假需要提前两周，由部门经理批准。"


def pages_of(parsed: ParsedText) -> list[str]:
    bounds = [0, *parsed.page_starts, len(parsed.text)]
    return [parsed.text[a:b].strip() for a, b in zip(bounds, bounds[1:], strict=False)]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_of_every_suffix_is_read_as_its_format(suffix: str) -> None:
    parsed = parse(f"a{suffix}", files.OF_FORMAT[FORMATS[suffix]]("one lamp"))
    assert parsed.format == FORMATS[suffix]
    assert "one lamp" in parsed.text


def test_every_format_has_a_reader_and_stands_in_the_hint() -> None:
    formats = set(FORMATS.values())
    assert READERS.keys() == formats - PLAIN
    assert [name for name in sorted(formats) if name not in UnsupportedFile.hint.lower()] == []


def test_a_pdf_keeps_its_pages() -> None:
    parsed = parse("a.pdf", files.pdf("one lamp", "", "three lamps"))
    assert pages_of(parsed) == ["one lamp", "", "three lamps"]
    assert parsed.format == "pdf"


def test_a_pdf_of_pictures_says_so() -> None:
    with pytest.raises(NoTextLayer, match="pictures"):
        parse("scan.pdf", files.pdf("", ""))


def test_word_gives_headings_paragraphs_and_tables() -> None:
    cells = "".join(f"<w:tc>{files.paragraph(text)}</w:tc>" for text in ("Lamp", "12"))
    body = files.paragraph("Prices", style="1") + files.paragraph("All in euro.")
    body += f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>" + files.paragraph("Ends.")
    parsed = parse("a.docx", files.zipped(files.word_parts(body)))
    assert parsed.text == "# Prices\n\nAll in euro.\n\nLamp | 12\n\nEnds."


def test_word_gives_text_boxes_once_and_deleted_text_struck() -> None:
    box = "<w:txbxContent>" + files.paragraph("in the box") + "</w:txbxContent>"
    twice = f"<w:Choice>{box}</w:Choice><w:Fallback>{box}</w:Fallback>"
    gone = "<w:del><w:r><w:t>gone</w:t></w:r></w:del><w:r><w:delText>gone</w:delText></w:r>"
    body = f"<w:p><w:r><w:t>around</w:t>{twice}</w:r>{gone}</w:p>"
    parsed = parse("a.docx", files.zipped(files.word_parts(body)))
    assert parsed.text == "in the box\n\naround~~gone~~"


def test_strict_word_reads_alike() -> None:
    space = "http://purl.oclc.org/ooxml/wordprocessingml/main"
    parts = files.word_parts(files.paragraph(CHINESE), space=space, kinds=files.STRICT_R)
    assert parse("a.docx", files.zipped(parts)).text == CHINESE


def test_excel_gives_values_not_formulas_and_leaves_out_hidden_sheets() -> None:
    row = (
        '<row><c r="A1" t="s"><v>0</v></c><c r="C1"><f>1+1</f><v>2</v></c>'
        '<c r="D1" s="1"><v>46082</v></c><c s="2"><v>0.155</v></c>'
        '<c t="inlineStr"><is><t>in line</t></is></c><c t="b"><v>1</v></c></row>'
    )
    hidden = '<row><c t="inlineStr"><is><t>secret</t></is></c></row>'
    made = files.workbook({"Prices": row, "Old": hidden}, strings=["Lamp"], hidden=["Old"])
    text = parse("a.xlsx", made).text
    assert text == "# Prices\n\nLamp |  | 2 | 2026-03-01 | 16% | in line | TRUE"


def test_powerpoint_gives_slides_as_pages_with_their_notes() -> None:
    parsed = parse("a.pptx", files.slides("First", "Second"))
    assert pages_of(parsed) == ["First\n\nnotes of First", "Second\n\nnotes of Second"]


def test_a_book_is_read_in_order() -> None:
    parsed = parse("a.epub", files.book("<h1>One</h1><p>in spring</p>", "<p>in autumn</p>"))
    assert parsed.text == "# One\n\nin spring\n\nin autumn"


def test_a_web_page_gives_text_and_tables_but_no_scripts_or_menus() -> None:
    page = (
        "<title>Shop</title><script>var x='<p>script</p>'</script><style>p{}</style>"
        "<nav><a>menu</a></nav><h2>Prices &amp; times</h2><p>All\n in <b>euro</b>."
        "<table><tr><th>Lamp<td>12<tr><td>Desk<td><ul><li>a<li>b</ul></table><ul><li>x</ul>"
    )
    text = parse("a.html", page.encode()).text
    expected = "# Shop\n\n## Prices & times\n\nAll in euro.\n\nLamp | 12\nDesk | - a - b\n\n- x"
    assert text == expected


def test_a_page_that_is_all_menu_is_kept() -> None:
    assert parse("a.html", b"<nav><a>Opening times</a></nav>").text == "Opening times"


@pytest.mark.parametrize(
    ("declared", "encoding", "text"),
    [
        ("gb2312", "gb18030", CHINESE + "㐀镕"),
        ("big5", "big5", "員工每年有十五天年假"),
        ("shift_jis", "cp932", "株式会社①の佐藤"),
        ("iso-8859-1", "cp1252", "Größe – 12 €"),
        ("utf-8", "utf-16", CHINESE),
        ("gb2312", "utf-8", CHINESE),
        ("no-such", "gb18030", CHINESE),
    ],
)
def test_a_page_is_read_as_browsers_read_it(declared: str, encoding: str, text: str) -> None:
    page = f'<meta charset="{declared}"><p>{text}</p>'.encode(encoding)
    assert parse("a.html", page).text == text


def test_mail_gives_headers_body_and_names_of_attachments() -> None:
    mail = (
        b"Subject: =?gbk?B?xOq80Q==?=\nFrom: a@example.com\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/mixed; boundary="b"\n\n--b\n'
        b"Content-Type: text/plain; charset=gb2312\nContent-Transfer-Encoding: 8bit\n\n"
    )
    mail += CHINESE.encode("gb18030") + b"\n--b\nContent-Disposition: attachment;"
    mail += b' filename="prices.xlsx"\n\nPK\n--b--\n'
    parsed = parse("a.eml", mail)
    lines = parsed.text.split("\n")
    assert lines[0].startswith("Subject: 年")
    assert lines[1:3] == ["From: a@example.com", "Attachments: prices.xlsx"]
    assert lines[4] == CHINESE
    assert [(left.what, left.where) for left in parsed.left_out] == [("attachment", "prices.xlsx")]
    assert parsed.encoding == "gb18030"


def test_mail_in_html_only_is_read_as_a_page() -> None:
    mail = b"Subject: Hi\nContent-Type: text/html; charset=utf-8\n\n<p>See <b>below</b></p>"
    assert parse("a.eml", mail).text == "Subject: Hi\n\nSee below"


def test_a_text_that_is_no_mail_is_refused() -> None:
    with pytest.raises(UnsupportedFile, match="not an e-mail"):
        parse("a.eml", b"Just a note.\n")


def test_an_office_file_under_a_wrong_name_is_refused_with_the_right_one() -> None:
    with pytest.raises(UnsupportedFile, match=r"is docx inside; rename it to end in \.docx"):
        parse("a.xlsx", files.word("The plan"))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_tables_in_text_are_read_whatever_separates_them(separator: str) -> None:
    rows = [["name", "town"], ["Lamp", '"a, b; c"'], ["Desk", "x"]]
    table = "\r\n".join(separator.join(row) for row in rows)
    assert parse("a.csv", table.encode()).text == "name | town\nLamp | a, b; c\nDesk | x"


@pytest.mark.parametrize(
    ("encoding", "table"),
    [
        ("cp932", "名前,年齢,住所\n佐藤太郎,30,東京\n三木英子,25,大阪\n高橋淳,35,名古屋"),
        ("gb18030", "标题,正文\n年假,员工每年有十五天年假。\n报销,请保留发票。"),
    ],
)
def test_tables_come_in_the_encodings_of_east_asia(encoding: str, table: str) -> None:
    assert parse("a.csv", table.encode(encoding)).text == table.replace(",", " | ")


CHAT = [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "Here."}]


@pytest.mark.parametrize(
    "rows",
    [
        [{"messages": CHAT}],
        [{"conversations": [{"from": t["role"], "value": t["content"]} for t in CHAT]}],
        [{"messages": [{**t, "content": [{"type": "text", "text": t["content"]}]} for t in CHAT]}],
        CHAT,
    ],
)
def test_chat_logs_become_turns(rows: list[object]) -> None:
    expected = "user: Where?\n\nassistant: Here."
    assert parse("a.json", json.dumps(rows).encode()).text == expected
    lines = "\n".join(json.dumps(row) for row in rows)
    assert parse("a.jsonl", lines.encode()).text == expected


def test_other_json_becomes_fields() -> None:
    rows = [{"question": "Where?", "answer": 3, "tags": ["a", "b"], "more": {"x": True}}]
    text = parse("a.json", json.dumps(rows).encode()).text
    assert text == "question: Where?\nanswer: 3\ntags: a, b\nmore > x: true"


def test_json_in_chinese_and_gbk_is_read() -> None:
    row = json.dumps({"question": "假期？", "answer": CHINESE}, ensure_ascii=False)
    assert CHINESE in parse("a.jsonl", row.encode("gbk")).text

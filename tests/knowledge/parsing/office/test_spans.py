"""Words of Word that are linked, deleted, read aloud, hidden, or behind a box to check."""

import pytest

from tests.fakes import files
from tests.fakes.office import par, read_word, run, table, word_text

ADDRESS = "https://forms.example/returns"
LINK = {"a": ("hyperlink", ADDRESS), "m": ("hyperlink", "mailto:help@a.example")}
MARK = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'


def _link(words: str, relation: str = "a") -> str:
    return f'<w:hyperlink r:id="{relation}">{run(words)}</w:hyperlink>'


def _field(instruction: str, words: str) -> str:
    told = f"<w:r><w:instrText>{instruction}</w:instrText></w:r>"
    return f"{MARK.format('begin')}{told}{MARK.format('separate')}{run(words)}{MARK.format('end')}"


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        (_link("this form"), f"Fill in this form ({ADDRESS}) soon."),
        (_link(ADDRESS), f"Fill in {ADDRESS} soon."),
        (_link("us", "m"), "Fill in us (help@a.example) soon."),
        (_link("it", "absent"), "Fill in it soon."),
        ('<w:hyperlink w:anchor="b">' + run("part 2") + "</w:hyperlink>", "Fill in part 2 soon."),
        (_field(f' HYPERLINK "{ADDRESS}" \\o "tip" ', "it"), f"Fill in it ({ADDRESS}) soon."),
        (_field(' HYPERLINK \\l "_Toc1" ', "it"), "Fill in it soon."),
        (_field(" DATE ", "9 May"), "Fill in 9 May soon."),
        (
            f"<w:fldSimple w:instr='HYPERLINK \"{ADDRESS}\"'>{run('it')}</w:fldSimple>",
            f"Fill in it ({ADDRESS}) soon.",
        ),
        (
            _field(f' HYPERLINK "{ADDRESS}"', _field(" REF x ", "it")),
            f"Fill in it ({ADDRESS}) soon.",
        ),
    ],
)
def test_an_address_stands_behind_words_that_do_not_show_it(runs: str, text: str) -> None:
    assert read_word(par(run("Fill in "), runs, run(" soon.")), parts=LINK).text == text


def test_an_address_stands_below_a_heading_and_in_its_cell() -> None:
    body = par(_link("Returns"), style="H1") + table(("Form", "Where"), ("R1", par(_link("here"))))
    text = f"# Returns\n\n({ADDRESS})\n\nForm | Where\nR1 | here ({ADDRESS})"
    assert read_word(body, parts=LINK).text == text


def test_fields_that_never_end_break_nothing() -> None:
    body = par(MARK.format("end"), run("a"), MARK.format("separate"), MARK.format("begin"))
    body += par(_field(f'HYPERLINK "{ADDRESS}"', "b").removesuffix(MARK.format("end"))) + par("c")
    assert word_text(body) == "a\n\nb\n\nc"


def test_tracked_deletions_are_struck_and_moved_text_stands_in_its_new_place() -> None:
    gone = "<w:del><w:r><w:delText>14</w:delText></w:r></w:del>"
    body = par(run("within "), gone, f"<w:ins>{run(' 30')}</w:ins>", run(" days"))
    body += f"<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>{run('Stays.')}</w:p>"
    body += par(f"<w:moveFrom>{run('old place')}</w:moveFrom>", run("New place."))
    assert word_text(body) == "within ~~14~~ 30 days\n\nStays.\n\nNew place."


def test_how_a_word_is_read_stands_behind_its_paragraph() -> None:
    ruby = "<w:r><w:ruby><w:rubyPr/><w:rt>{}</w:rt><w:rubyBase>{}</w:rubyBase></w:ruby></w:r>"
    body = par(ruby.format(run("hàn"), run("汉")), ruby.format(run("zì"), run("字")), run("考试"))
    assert word_text(body) == "汉字考试 (汉字: hàn zì)"


def _box(state: str, content: str) -> str:
    box = f'<w14:checkbox xmlns:w14="w14">{state}<w14:checkedState w14:val="2612"/></w14:checkbox>'
    return f"<w:sdt><w:sdtPr>{box}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"


@pytest.mark.parametrize(
    ("box", "text"),
    [
        (_box('<w14:checked w14:val="1"/>', run("☒")), "☑ yes"),
        (_box('<w14:checked w14:val="0"/>', run("☐")), "☐ yes"),
        (_box('<w14:checked w14:val="1"/>', run("X") + run("X")), "☑ yes"),
        (_box('<w14:checked w14:val="1"/>', ""), "☑ yes"),
        (
            _box(
                '<w14:checked w14:val="1"/>',
                '<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>',
            ),
            "☑ yes",
        ),
        (
            "<w:sdt><w:sdtPr><w:text/></w:sdtPr><w:sdtContent>"
            + run("N")
            + "</w:sdtContent></w:sdt>",
            "N yes",
        ),
        (run("þ", '<w:rFonts w:ascii="Wingdings"/>'), "☑ yes"),
        (run("a", '<w:rFonts w:ascii="Webdings"/>'), "✓ yes"),
    ],
)
def test_a_box_says_whether_it_is_checked(box: str, text: str) -> None:
    assert word_text(par(box, run(" yes")) + par("After")) == f"{text}\n\nAfter"


def test_drawings_and_rows_that_are_hidden_are_left_out_and_told() -> None:
    box = "<w:txbxContent>{}</w:txbxContent>"
    drawing = '<w:r><w:drawing><a:docPr hidden="1" descr="d"/>{}</w:drawing></w:r>'
    shape = '<w:r><w:pict><v:shape xmlns:v="v" style="visibility:hidden"/>{}</w:pict></w:r>'
    row = (
        f"<w:tr><w:trPr><w:hidden/></w:trPr><w:tc>{par('62')}</w:tc><w:tc>{par('63')}</w:tc></w:tr>"
    )
    body = par(run("Price"), drawing.format(box.format(par("61")))) + par(run("99"))
    body += par(shape.format(box.format(par("60")))) + table(("a", "b")).replace(
        "</w:tbl>", f"{row}</w:tbl>"
    )
    parsed = read_word(body + par("After"))
    assert parsed.text == "Price\n\n99\n\na | b\n\nAfter"
    assert [item.what for item in parsed.left_out] == ["hidden text (4)"]


def test_a_watermark_is_read_and_a_control_is_told() -> None:
    mark = '<w:r><w:pict><v:textpath xmlns:v="v" string="DRAFT"/></w:pict></w:r>'
    control = '<w:r><w:object><v:imagedata xmlns:v="v"/><w:control/></w:object></w:r>'
    parsed = read_word(par(mark) + par(run("Yes"), control))
    assert parsed.text == "DRAFT\n\nYes"
    assert [item.what for item in parsed.left_out] == ["form control"]


HTML = "<p>In <b>box 12</b>.</p>"
ARCHIVE = (
    "MIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\n"
    "Content-Type: text/html; charset={}\nContent-Transfer-Encoding: quoted-printable\n\n"
    "{}\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAAA\n--b--\n"
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.htm", HTML),
        ("chunk1", f"<html><body>{HTML}</body></html>"),
        ("chunk.dat", f"\ufeff<!DOCTYPE html>{HTML}".encode("utf-16-le")),
        ("a.mht", ARCHIVE.format("utf-8", "<p>In box=2012.</p>")),
        ("afchunk.bin", "From: x\n" + ARCHIVE.format("gb2312", "<p>In box =\n12.</p>")),
        ("a.txt", "In box 12."),
        ("a.docx", files.word("In box 12.")),
    ],
)
def test_a_document_inserted_whole_is_read_where_it_stands(name: str, content: str | bytes) -> None:
    body = par("Before.") + f'<w:altChunk r:id="{name}"/>' + par("After.")
    parsed = read_word(body, parts={name: ("aFChunk", content)})
    assert parsed.text == "Before.\n\nIn box 12.\n\nAfter."
    assert parsed.left_out == ()


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.rtf", "{\\rtf1 box 12}", "not opened"),
        ("chunk.rtf", "{\\rtf1 box 12}", "rich text"),
        ("a.mht", ARCHIVE.replace("text/html", "image/gif"), "no page"),
        ("chunk.bin", b"\x89PNG\x00\x01", "PNG"),
        ("a.docx", b"PK nothing", "a.docx"),
        ("absent", b"", "part"),
    ],
)
def test_a_document_that_cannot_be_inserted_is_told(
    name: str, content: str | bytes, why: str
) -> None:
    parts = {} if name == "absent" else {name: ("aFChunk", content)}
    parsed = read_word(par("Before.") + f'<w:altChunk r:id="{name}"/>' + par("After."), parts=parts)
    assert parsed.text == "Before.\n\nAfter."
    assert [item.what for item in parsed.left_out] == ["inserted document"]
    assert why in parsed.left_out[0].why


def test_a_word_file_in_an_inserted_one_is_told() -> None:
    relations = {"r1": ("styles", "styles.xml"), "x": ("aFChunk", "b.docx")}
    inner = files.word_parts(par("In box 12.") + f'<w:altChunk xmlns:r="{files.R}" r:id="x"/>')
    inner |= {
        "word/_rels/document.xml.rels": files.relations(relations),
        "word/b.docx": files.word("b"),
    }
    parts = {"a.docx": ("aFChunk", files.zipped(inner))}
    parsed = read_word('<w:altChunk r:id="a.docx"/>', parts=parts)
    assert parsed.text == "In box 12."
    assert [item.what for item in parsed.left_out] == ["inserted document"]


def test_what_an_inserted_page_hides_is_told() -> None:
    page = "<p>In box 12.</p><p hidden>In box 13.</p>"
    parsed = read_word('<w:altChunk r:id="a.htm"/>', parts={"a.htm": ("aFChunk", page)})
    assert parsed.text == "In box 12."
    assert [(item.what, item.where) for item in parsed.left_out] == [
        ("hidden text", "part word/a.htm, line 1")
    ]

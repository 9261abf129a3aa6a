"""Scans and pictures, from file to text."""

import io

import pypdfium2
import pytest

from knowledge import NoTextLayer, ParsedText, ParseLimits, parse
from knowledge.parsing import NotRead, Ocr
from knowledge.parsing.recognition import scan
from tests.fakes import pictures
from tests.fakes.grids import Page, Placed, placed_pdf
from tests.fakes.pictures import Print
from tests.source_tree import ROOT

LETTER = [
    "The pump of hall 7 stands still from 9 to 11 June.",
    "Call extension 4471 before you enter the hall.",
    "Gloves are kept in locker 12 beside the gate.",
]
CHINESE = (
    "仓库管理办法第三条七号仓库的水泵每周二上午九点检修，检修期间请拨打分机4471登记后进入。"
    "手套存放在大门旁的12号柜子里，用完放回原处。第四条夜班人员须在二十二点前到岗，"
    "设备编号为BX-059，额定压力为71千帕。"
)
WORDS = Page([Placed(50, 700, "Words of a page.", 12)])


def test_a_leaning_noisy_page_of_each_language_is_read_without_a_fault() -> None:
    english = pictures.saved(pictures.page(LETTER, Print(lean=1, grain=8)), "WEBP", quality=60)
    assert parse("a.webp", english).text.split("\n") == LETTER
    chinese = parse("a.webp", (ROOT / "tests" / "cases" / "scan_zh.webp").read_bytes())
    assert "".join(chinese.text.split()) == CHINESE


def without_spaces(parsed: ParsedText) -> str:
    return "".join(parsed.text.split())


def test_a_scan_is_read_page_by_page_and_a_blank_page_is_told() -> None:
    blank = pictures.page([])
    content = pictures.scanned_pdf(
        pictures.page(LETTER[:2], Print(lean=1)), blank, pictures.page(LETTER)
    )
    parsed = parse("scan.pdf", content)
    assert [page for page, _ in parsed.recognised] == [1, 3]
    assert min(sure for _, sure in parsed.recognised) > 0.9
    assert parsed.left_out == (NotRead("page", "page 2", "no text was recognised on it"),)
    second = parsed.text[parsed.page_starts[1] :]
    assert "extension 4471" in parsed.text[: parsed.page_starts[0]]
    assert "locker 12" in second


def test_only_pages_without_text_are_recognised_unless_all_are_asked_for() -> None:
    content = placed_pdf([WORDS, Page([])])
    found = {ocr: parse("a.pdf", content, ocr=ocr).recognised for ocr in ("auto", "always")}
    assert found["auto"] == ()
    assert [page for page, _ in found["always"]] == [1]


def test_a_document_with_text_starts_no_recognition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(scan, "recognise_pages")
    assert parse("a.pdf", placed_pdf([WORDS])).text == "Words of a page."


def test_nothing_is_recognised_where_that_is_not_wanted() -> None:
    picture = pictures.page(LETTER)
    for name, content in (
        ("a.png", pictures.saved(picture, "PNG")),
        ("a.pdf", pictures.scanned_pdf(picture)),
    ):
        with pytest.raises(NoTextLayer, match="picture"):
            parse(name, content, ocr="never")


def stamped(scan: bytes, words: str) -> bytes:
    """Return a scan with words in the text layer of its page."""
    document = pypdfium2.PdfDocument(scan)
    stamp = pypdfium2.PdfDocument(placed_pdf([Page([Placed(20, 20, words, 8)])]))
    page = document[0]
    page.insert_obj(stamp.page_as_xobject(0, document).as_pageobject())
    page.gen_content()
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_a_stamp_in_the_text_layer_hides_no_scan() -> None:
    scan = stamped(pictures.scanned_pdf(pictures.page(LETTER)), "Scanned by hand 7")
    assert "Scanned by hand 7" in parse("a.pdf", scan, ocr="never").text
    parsed = parse("a.pdf", scan)
    assert [page for page, _ in parsed.recognised] == [1]
    assert "extension 4471" in parsed.text


def test_a_title_on_a_photo_stays_as_the_text_layer_has_it() -> None:
    scan = stamped(pictures.scanned_pdf(pictures.page([])), "Annual report")
    parsed = parse("a.pdf", scan)
    assert (parsed.text, parsed.recognised, parsed.left_out) == ("Annual report", (), ())


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_turned_page_is_read(turned: int) -> None:
    picture = pictures.page(LETTER).rotate(turned, expand=True)
    parsed = parse("a.png", pictures.saved(picture, "PNG"))
    assert "extension 4471 before you enter" in parsed.text


def test_columns_are_read_one_after_the_other() -> None:
    left = [f"The left column says line {number} here" for number in range(1, 7)]
    right = [f"and the right one has number {number} now" for number in range(1, 7)]
    picture = pictures.columns([left, right], Print(size=(1_400, 400), lean=1))
    text = without_spaces(parse("a.png", pictures.saved(picture, "PNG")))
    assert text.index("line6here") < text.index("number1now")


def test_cells_of_a_row_stay_on_one_line() -> None:
    cells = [["Pump", "VT-055", "VT-056", "VT-057"], ["Noise", "95", "71", "64"]]
    picture = pictures.columns([*cells, ["Hall", "North", "South", "Yard"]], Print(size=(900, 300)))
    lines = parse("a.png", pictures.saved(picture, "PNG")).text.split("\n")
    assert "VT-056 | 71 | South" in lines


def test_of_too_many_pages_the_first_are_read_and_the_rest_is_told() -> None:
    content = pictures.tiff(*[pictures.page([line]) for line in LETTER])
    parsed = parse("a.tiff", content, limits=ParseLimits(ocr_pages=1))
    assert "hall 7" in parsed.text
    why = "it is beyond the first 1 (knowledge.ocr_pages)"
    assert parsed.left_out == (NotRead("page", "pages 2-3", why),)


@pytest.mark.parametrize("ocr", ["auto", "always"])
def test_an_empty_scan_gives_no_text(ocr: Ocr) -> None:
    with pytest.raises(NoTextLayer, match="no text was recognised"):
        parse("a.pdf", pictures.scanned_pdf(pictures.page([])), ocr=ocr)


def test_an_empty_picture_is_refused_with_the_reason_once() -> None:
    with pytest.raises(NoTextLayer) as refused:
        parse("a.png", pictures.saved(pictures.page([]), "PNG"))
    assert str(refused.value) == "'a.png' gave no text (no text was recognised on it)"

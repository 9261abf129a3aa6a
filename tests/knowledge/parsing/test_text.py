"""What a file says is read as it was written; what is wrong with its bytes is told."""

import codecs

import pytest

from knowledge.errors import ParseLimitExceeded, UnknownEncoding, UnsupportedFile
from knowledge.parsing import ParseLimits, named_encoding, parse
from knowledge.parsing.text import Charset, Decoded, decode, read_text

CHINESE = "员工每年有十五天年假。申请年假需要提前两周。"


def _told(read: Decoded, what: str) -> list[tuple[str, str]]:
    return [(one.where, one.why) for one in read.not_read if one.what == what]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            b"caf\xe9 \xe2\x80\x93 \xe2\x82\xac 5, \xe2\x80\x9cdaily\xe2\x80\x9d",
            "caf� – € 5, “daily”",
        ),
        ("退货政策：收到商品".encode()[:-1], "退货政策：收到商�"),
        ("退货政策：收到商品".encode()[1:], "��货政策：收到商品"),
        ("价格\n".encode() + b"5 \x80\n" + "库存充足".encode(), "价格\n5 �\n库存充足"),
        ("多行\n".encode() * 40 + b"\xff" + "末行".encode(), "多行\n" * 40 + "�末行"),
    ],
)
def test_utf_8_with_a_bad_byte_stays_utf_8(content: bytes, text: str) -> None:
    read = read_text("a.txt", content)
    assert (read.text, read.encoding) == (text, "utf-8")
    line = text[: text.index("�")].count("\n") + 1
    ((where, why),) = _told(read, "bytes")
    assert where.startswith(f"line {line}")
    assert why == "they are not utf-8; U+FFFD stands for each"


def test_a_file_of_two_encodings_keeps_what_can_be_read() -> None:
    lines = [("第一行正常。\n" * 3).encode(), "第二行\n".encode("gbk"), "第三行正常。".encode()]
    read = read_text("a.md", b"".join(lines))
    assert read.text.startswith("第一行正常。\n" * 3)
    assert read.text.endswith("\n第三行正常。")
    assert _told(read, "bytes")


def test_a_sign_that_stands_in_the_file_is_no_fault() -> None:
    assert read_text("a.txt", "already � lost, 已经丢失".encode()).not_read == ()


def test_letters_that_a_database_wrote_as_two_halves_are_one() -> None:
    content = "发货 ".encode() + b"\xed\xa0\xbd\xed\xb8\x80" + " 完成".encode()
    assert read_text("a.txt", content).text == "发货 😀 完成"
    alone = "发货 ".encode() + b"\xed\xa0\xbd" + " 完成".encode()
    assert read_text("a.txt", alone).text == "发货 � 完成"


@pytest.mark.parametrize(
    "content",
    [
        bytes([0, 1, 2, 255, 254]),
        bytes([255, 254, 0, 1, 2]),
        bytes([0, 1, 2, 255]),
        bytes(range(32)) * 4,
        b"name\x00\x01\x02\x03\x04\x05",
        bytes([0xFF, 0xFE]) + bytes(range(1, 200)),
        "退货".encode() + bytes(3),
    ],
)
def test_bytes_that_are_no_text_are_refused(content: bytes) -> None:
    with pytest.raises(UnsupportedFile, match="a.txt"):
        read_text("a.txt", content)


@pytest.mark.parametrize(
    "encoding",
    ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "iso2022_jp"],
)
@pytest.mark.parametrize("text", ["Returns are free.\nNo fee.", "返品は無料です\nよろしく"])
def test_wide_and_shifted_text_is_read_with_and_without_a_mark(text: str, encoding: str) -> None:
    assert read_text("a.txt", text.encode(encoding)).text == text


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_a_mark_tells_the_encoding_and_is_no_letter(mark: bytes, encoding: str) -> None:
    read = read_text("a.txt", mark + "Löhne 工资".encode(encoding))
    assert read == Decoded("Löhne 工资", encoding)


def test_japanese_of_the_older_standard_is_read() -> None:
    content = "返品は無料です".encode("iso2022_jp").replace(b"\x1b$B", b"\x1b$@")
    assert read_text("a.txt", content) == Decoded("返品は無料です", "iso2022_jp")


def test_an_encoding_of_ascii_bytes_is_believed_where_it_is_declared() -> None:
    content = "员工有十五天年假".encode("hz")
    assert content.isascii()
    assert read_text("a.html", content, declared="hz-gb-2312").text == "员工有十五天年假"


def test_every_end_of_line_is_one_and_a_zero_byte_is_nothing() -> None:
    read = read_text("a.log", b"one\rtwo\r\nthree\x00\n" + b"and more words\n" * 40)
    assert read.text == "one\ntwo\nthree\n" + "and more words\n" * 40


@pytest.mark.parametrize(
    ("opening", "kind"),
    [
        (b"%PDF-1.7\n", "a PDF"),
        (b"PK\x03\x04", "a ZIP or Office file"),
        (b"\xd0\xcf\x11\xe0", "an old Office file"),
        (b"\x89PNG", "a PNG image"),
        (b"\xff\xd8\xff", "a JPEG image"),
        (b"GIF89a", "a GIF image"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"\x7fELF", "a program"),
        (b"SQLite format 3\x00", "a database"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_what_it_is(opening: bytes, kind: str) -> None:
    with pytest.raises(UnsupportedFile, match=f"'a.txt' is {kind}, not text"):
        read_text("a.txt", opening + b"words")


def test_code_points_that_are_no_letters_make_no_text() -> None:
    with pytest.raises(UnsupportedFile, match="is binary"):
        read_text("a.txt", ("退货" + "\uffff" * 4).encode())


def test_utf_16_that_is_cut_keeps_its_text() -> None:
    read = read_text("a.txt", CHINESE.encode("utf-16")[:-1])
    assert read.text == CHINESE[:-1] + "�"
    assert _told(read, "bytes")


def test_a_byte_that_windows_does_not_know_is_one_sign() -> None:
    read = read_text("a.txt", "Größe \x81 und Länge, außen\n".encode("latin-1") * 4)
    assert read.encoding == "cp1252"
    assert read.text.count("�") == 4


def test_a_guess_is_told_as_one_and_naming_the_encoding_ends_it() -> None:
    content = "LED 灯泡 9W E27 warm white".encode("gbk")
    ((where, why),) = _told(read_text("a.txt", content), "encoding")
    assert where == "whole file"
    assert "is a guess, " in why
    assert "name its encoding" in why
    named = read_text("a.txt", content, charset=Charset("gb18030"))
    assert named == Decoded("LED 灯泡 9W E27 warm white", "gb18030")


def test_what_is_sure_is_not_told() -> None:
    assert read_text("a.txt", CHINESE.encode("gbk")) == Decoded(CHINESE, "gb18030")
    assert decode("a.txt", CHINESE.encode("gbk")) == (CHINESE, "gb18030")


@pytest.mark.parametrize("text", ["谢谢", "一", "茅台", "小叶", "小叶" * 8])
def test_letters_that_are_utf_8_as_well_are_read_as_named(text: str) -> None:
    assert parse("a.txt", text.encode("gbk"), encoding="gbk").text == text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (CHINESE.encode(), "not gb18030: its bytes are UTF-8"),
        (CHINESE.encode("utf-8-sig"), "not gb18030: it begins with the mark of utf-8"),
        (CHINESE.encode("utf-16"), "not gb18030: it begins with the mark of utf-16-le"),
    ],
)
def test_bytes_that_are_another_encoding_for_certain_are_read_so_and_told(
    content: bytes, reason: str
) -> None:
    read = read_text("a.txt", content, charset=Charset("gb18030"))
    assert read.text == CHINESE
    assert _told(read, "encoding") == [("whole file", reason)]
    assert named_encoding("a.txt", content, "gb18030") == read.encoding


def test_a_wrong_name_is_refused_with_what_to_do() -> None:
    with pytest.raises(UnsupportedFile, match=r"not utf-8: \d+ places .* name the right encoding"):
        parse("a.txt", CHINESE.encode("gbk"), encoding="utf-8")
    with pytest.raises(UnknownEncoding, match="'gb99' is no encoding"):
        parse("a.csv", b"a,b\n1,2", encoding="gb99")


def test_a_right_name_is_believed_though_there_are_faults() -> None:
    content = (CHINESE * 20).encode("gbk") + b"\xff\n" * 6
    read = read_text("a.txt", content, charset=Charset("gb18030"))
    assert read.text == CHINESE * 20 + "�\n" * 6
    ((where, _),) = _told(read, "bytes")
    assert where == "line 1 and further places, 6 in all"


def test_a_mark_that_says_more_than_the_name_is_not_told() -> None:
    read = read_text("a.txt", CHINESE.encode("utf-16"), charset=Charset("utf-16"))
    assert read == Decoded(CHINESE, "utf-16-le")


def test_a_name_changes_nothing_where_a_format_has_its_own_encoding() -> None:
    assert named_encoding("a.docx", b"PK", "gbk") is None
    assert named_encoding("a.txt", b"plain", None) is None
    assert named_encoding("a.csv", b"plain", "gbk") == "gb18030"


@pytest.mark.parametrize("name", ["a.csv", "a.json", "a.html", "a.md"])
def test_every_format_of_text_is_read_in_the_encoding_named(name: str) -> None:
    content = '{"a": "谢谢"}'.encode("gbk")  # letters of UTF-8 as well
    parsed = parse(name, content, encoding="gb2312")
    assert "谢谢" in parsed.text
    assert parsed.encoding == "gb18030"
    assert parsed.left_out == ()


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.html", "a.md"])
def test_faults_are_told_of_every_format_of_text(name: str) -> None:
    parsed = parse(name, '{"备注": "谢谢，请尽快'.encode() + b'\xff"}')
    assert [(one.what, one.where) for one in parsed.left_out] == [("bytes", "line 1")]


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("gb2312", "utf-8"), ("utf-8", "gbk"), ("iso-8859-1", "gbk"), ("utf-16", "utf-8")],
)
def test_a_page_that_lies_about_its_encoding_is_read_all_the_same(
    declared: str, encoding: str
) -> None:
    page = f'<?xml version="1.0" encoding="{declared}"?><p>{CHINESE}</p>'
    assert parse("a.html", page.encode(encoding)).text == CHINESE


def test_a_file_of_one_long_line_is_refused_within_the_limits() -> None:
    limits = ParseLimits(chars=100_000)
    for name in ("a.csv", "a.txt", "a.json"):
        with pytest.raises(ParseLimitExceeded, match="100,000 characters"):
            parse(name, b"1," * 50_001 * 4, limits=limits)

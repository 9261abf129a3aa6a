import os

import pytest

from knowledge import EmptyDocument, UnsupportedFile
from knowledge.parsing import parse

CHINESE = "员工每年有十五天年假。申请年假需要提前两周，由部门经理批准。未休的年假可以顺延一个季度。"
TRADITIONAL = (
    "員工每年有十五天年假。申請年假需要提前兩週，由部門經理批准。未休的年假可以順延一個季度。"
)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (CHINESE, "utf-8"),
        (CHINESE, "utf-8-sig"),
        (CHINESE, "gbk"),
        (CHINESE, "gb18030"),
        (CHINESE, "utf-16"),
        (TRADITIONAL, "big5"),
        ("Returns are free for thirty days.", "utf-16-le"),
        ("Das Café öffnet für Gäste um zehn Uhr, auch am Feiertag.", "cp1252"),
    ],
)
def test_text_is_read_in_the_encodings_people_send(text: str, encoding: str) -> None:
    assert parse("note.txt", text.encode(encoding)).text == text


def test_line_ends_become_one_kind() -> None:
    assert parse("note.md", b"a\r\nb\rc\n").text == "a\nb\nc\n"


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        ("image.txt", b"\x89PNG\r\n\x1a\n" + bytes(64)),
        ("report.md", b"%PDF-1.7\n1 0 obj"),
        ("sheet.txt", b"PK\x03\x04" + bytes(32)),
        ("noise.txt", os.urandom(4096)),
        ("zeros.txt", bytes(500)),
        ("sheet.xlsx", b"plain"),
    ],
)
def test_what_is_no_text_is_refused_with_a_reason(filename: str, content: bytes) -> None:
    with pytest.raises(UnsupportedFile, match=filename):
        parse(filename, content)


@pytest.mark.parametrize("content", [b"", b" \n\t ", b"\xef\xbb\xbf\n"])
def test_a_blank_file_is_refused(content: bytes) -> None:
    with pytest.raises(EmptyDocument):
        parse("blank.txt", content)


def test_the_suffix_decides_the_format() -> None:
    assert parse("a.MD", b"# A").format == "markdown"
    assert parse("README", b"# A").format == "text"

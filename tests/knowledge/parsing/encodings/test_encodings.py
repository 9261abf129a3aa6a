"""The names of encodings, as people and files write them."""

import pytest

from knowledge.errors import UnknownEncoding
from knowledge.parsing.encodings import ENCODINGS, encoding_name


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("GBK", "gb18030"),
        ("gb2312", "gb18030"),
        ("CP936", "gb18030"),
        ("GB 18030", "gb18030"),
        ("Big5", "big5hkscs"),
        ("cp950", "big5hkscs"),
        ("Shift-JIS", "cp932"),
        ("x-sjis", "cp932"),
        ("EUC-KR", "cp949"),
        ("latin-1", "cp1252"),
        ("ISO-8859-1", "cp1252"),
        ("windows-1252", "cp1252"),
        ("ascii", "utf-8"),
        ("UTF8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("UTF-16LE", "utf-16-le"),
        ("UTF_16", "utf-16"),
        ("koi8_r", "koi8-r"),
        ("iso-8859-15", "iso8859-15"),
        ("iso-2022-jp", "iso2022_jp"),
    ],
)
def test_an_encoding_is_known_by_each_of_its_names(name: str, encoding: str) -> None:
    assert encoding_name(name) == encoding


def test_each_encoding_is_known_by_its_own_name_and_reads_text() -> None:
    assert [encoding_name(name) for name in ENCODINGS] == list(ENCODINGS)
    assert all("a".encode(name).decode(name) == "a" for name in ENCODINGS)


@pytest.mark.parametrize("name", ["klingon", "base64", "rot13", "../etc", "utf-7", "zip", "idna"])
def test_an_unknown_name_is_refused_with_what_to_write(name: str) -> None:
    with pytest.raises(UnknownEncoding, match=r"write utf-8, gb18030 \(also gbk"):
        encoding_name(name)


def test_a_long_name_is_not_repeated_whole() -> None:
    with pytest.raises(UnknownEncoding) as refused:
        encoding_name("x" * 5_000)
    assert len(str(refused.value)) < 300

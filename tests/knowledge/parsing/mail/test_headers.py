"""Subjects, names of people and of files are read however a program wrote them."""

import base64
from email import message_from_bytes
from email.message import Message

import pytest

from knowledge.parsing.mail.headers import charset_of, file_name, from_base64, header_text
from tests.fakes.mails import word

CHINESE = "关于朱镕公司采购合同的通知"  # 镕 is not in GB2312
GBK = CHINESE.encode("gbk")
BASE64 = base64.b64encode(GBK)


def _header(value: bytes, name: bytes = b"Subject", hint: str = "") -> str:
    message = message_from_bytes(name + b": " + value + b"\n\n")
    return header_text(message, name.decode(), hint=hint)


@pytest.mark.parametrize(
    "value",
    [
        word(GBK),
        word(GBK, "GBK"),
        b"=?gb18030*zh?b?" + BASE64 + b"?=",
        word(GBK[:7]) + b"\n " + word(GBK[7:]),  # amid a letter
        b"=?gb2312?B?%s?=\r\n =?gb2312?B?%s?=" % (BASE64[:10], BASE64[10:]),  # amid a group
        b"=?gb2312?B?%s\n %s?=" % (BASE64[:12], BASE64[12:]),  # folded inside the word
        word(GBK[:8]) + word(GBK[8:]),
        b"=?gb2312?Q?" + b"".join(b"=%02X" % byte for byte in GBK) + b"?=",
        GBK,
        CHINESE.encode(),
    ],
)
def test_a_chinese_subject_is_read(value: bytes) -> None:
    assert _header(value, hint="gb2312") == CHINESE


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            b"=?utf-8?Q?Gr=C3=B6=C3?= =?utf-8?q?=9Fe_12?= and =?ISO-8859-1?Q?caf=E9?=",
            "Größe 12 and café",
        ),
        (b'"=?gb2312?B?1cXI/Q==?=" <z@example.com>', '"张三" <z@example.com>'),
        (b"Re: =?utf-8?q?How are you??=", "Re: How are you?"),
        (b"=?no-such?B?5bm0?=", "年"),
        ("Größe".encode("latin-1"), "Größe"),
        (b"=?a?b?=?a?b?", "=?a?b?=?a?b?"),
        (b"plain  words\n folded", "plain words folded"),
    ],
)
def test_words_beside_text_are_read(value: bytes, text: str) -> None:
    assert _header(value, hint="iso-8859-1") == text


def test_raw_bytes_without_a_hint_are_detected() -> None:
    assert _header("关于年度体检安排的通知".encode("gbk")) == "关于年度体检安排的通知"


def test_raw_bytes_of_a_short_name_are_read_as_hinted() -> None:
    assert _header("Да".encode("koi8-r"), hint="koi8-r") == "Да"


def test_a_single_letter_beyond_the_charset_named_is_read() -> None:
    assert _header(word("镕".encode("gbk"))) == "镕"


def test_headers_of_one_name_are_joined() -> None:
    assert header_text(message_from_bytes(b"To: a@x\nTo: b@x\n\n"), "To") == "a@x, b@x"


PERCENT = "%C4%EA%B6%C8%B1%A8"


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        (f"Content-Disposition: attachment; filename*=gb2312''{PERCENT}.pdf", "年度报.pdf"),
        (
            f"Content-Disposition: attachment; filename*1=.pdf; filename*0*=GBK''{PERCENT}",
            "年度报.pdf",
        ),
        (
            "Content-Disposition: attachment; filename=\"a.pdf\"; filename*=UTF-8''%E6%8A%A5.pdf",
            "报.pdf",
        ),
        ('Content-Type: application/pdf; name="=?gb2312?B?us/NrC5wZGY=?="', "合同.pdf"),
        ("Content-Disposition: attachment; filename==?gb2312?B?us/NrC5wZGY=?=", "合同.pdf"),
        (
            'Content-Disposition: attachment;\n filename*0="=?UTF-8?B?5oql5Z";\n'
            ' filename*1="GKLnBkZg==?="',
            "报告.pdf",
        ),
        ("Content-Disposition: attachment; filename*=utf-8''a; filename*0*=utf-8''b", ""),
        ("Content-Disposition: attachment; filename*=\x00''a.pdf", "a.pdf"),
        ("Content-Type: text/plain", ""),
    ],
)
def test_names_of_files_are_read(headers: str, name: str) -> None:
    assert file_name(message_from_bytes(headers.encode() + b"\n\n")) == name


def test_a_name_in_raw_bytes_is_read_as_the_text_beside_it() -> None:
    raw = 'Content-Disposition: attachment; filename="报价单.pdf"\n\n'.encode("gbk")
    assert file_name(message_from_bytes(raw), hint="gb2312") == "报价单.pdf"


@pytest.mark.parametrize("value", ['"GB2312"', "gb2312;", "=gb2312", "'gb2312'", "gb\x002312"])
def test_the_name_of_an_encoding_may_be_untidy(value: str) -> None:
    message = Message()
    message["Content-Type"] = f"text/plain; charset={value}"
    assert charset_of(message) == "gb2312"


@pytest.mark.parametrize(
    "encoded", [b"aGVsbG8=", b"aGVs\nbG8", b"aG!Vs*bG8=", b"aGVsbG8=A", b"aGU=bGxv"]
)
def test_base64_is_read_as_far_as_it_goes(encoded: bytes) -> None:
    assert from_base64(encoded) == b"hello"

"""Parts are found where a boundary is broken, and bytes where an encoding is."""

import base64
from email import message_from_bytes

import pytest

from knowledge.errors import DamagedFile
from knowledge.parsing.mail.mime import open_mail, part_bytes, parts_of, raw_encoding
from tests.fakes.mails import HEAD, mail, part, several, word

PARTS = b"--x1\nContent-Type: text/plain\n\none\n--x1\nContent-Type: text/plain\n\ntwo\n"
LONG = "The code of the door is 7741. " * 8 + "Größe"
LINES = base64.encodebytes(LONG.encode())


@pytest.mark.parametrize("named", ["; boundary=x1", '; boundary="zz"', "", "; boundary"])
@pytest.mark.parametrize("end", [b"--x1--\n", b""])
def test_parts_are_found_whatever_boundary_is_named(named: str, end: bytes) -> None:
    message = message_from_bytes(f"Content-Type: multipart/mixed{named}\n\n".encode() + PARTS + end)
    assert [part_bytes(item).strip() for item in parts_of("a.eml", message)] == [b"one", b"two"]


def test_a_multipart_without_parts_has_none() -> None:
    text = b"Content-Type: multipart/mixed; boundary=x\n\n-----Original-----\nFrom: a\n\nwords"
    assert parts_of("a.eml", message_from_bytes(text)) == []


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        (LINES, LONG),
        (LINES[:30] + b"!*" + LINES[30:77] + b"  \t\n\n" + LINES[77:], LONG),
        (
            LINES + b"___________\nmailing list\nfooter\n",
            f"{LONG}\n\n___________\nmailing list\nfooter",
        ),
        (b"This is text, code 7741.\nRegards", "This is text, code 7741.\nRegards"),
        (base64.b64encode(b"hello")[:-1] + b"AA", "hello"),
        (b"", ""),
    ],
)
def test_base64_with_junk_is_read(encoded: bytes, text: str) -> None:
    message = message_from_bytes(b"Content-Transfer-Encoding: Base64 \n\n" + encoded)
    assert part_bytes(message).decode().rstrip("\x00") == text


def test_a_second_line_of_a_header_may_lack_its_space() -> None:
    head = (
        b"Subject: "
        + word("年度".encode("gbk"))
        + b"\n"
        + word("报告".encode("gbk"))
        + b"\nFrom: a\n"
    )
    message = open_mail("a.eml", b"\xef\xbb\xbf\r\n" + head + b"\nwords")
    assert message.keys() == ["Subject", "From"]
    assert part_bytes(message) == b"words"


def test_a_mail_nested_beyond_all_measure_is_refused() -> None:
    level = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
    with pytest.raises(DamagedFile, match="one by one"):
        open_mail("a.eml", HEAD + b"".join(level % (n, n) for n in range(2_000)))


def test_a_mail_that_cannot_be_taken_apart_is_refused() -> None:
    kind = b"Content-Type: multipart/mixed; boundary*=x; boundary*0*=y\n\n"
    with pytest.raises(DamagedFile, match="save it as text"):
        open_mail("a.eml", HEAD + kind + PARTS)


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (several(part("x", "image/png"), part("年", charset="gb2312")), "gb2312"),
        (several(several(part("年", charset="big5"), boundary="in")), "big5"),
        (part("x", charset="us-ascii"), ""),
        (several(part(mail(part("年", charset="gbk")), "message/rfc822")), ""),
    ],
)
def test_the_encoding_of_headers_is_that_of_the_text(body: bytes, charset: str) -> None:
    assert raw_encoding(message_from_bytes(mail(body))) == charset

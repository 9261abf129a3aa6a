"""All that a mail says is read, in order; what is not read is told."""

import base64

import pytest

from knowledge import ParseLimitExceeded, UnsupportedFile, parse
from knowledge.parsing.blocks import Content, Paragraph, render
from knowledge.parsing.mail import read_mail
from knowledge.parsing.text import Charset
from tests.fakes.mails import HEAD, mail, part, several

TOP = "Subject: T\nFrom: a@example.com"
PICTURE = part(b"x", "image/png", 'Content-Disposition: inline; filename="plan.png"')
EVENT = (
    "BEGIN:VEVENT\nSUMMARY:Drill\nDTSTART:20260414T093000\n"
    "DESCRIPTION:Meet in the yard.\nEND:VEVENT"
)


def _read(body: bytes, head: bytes = HEAD) -> Content:
    return read_mail("a.eml", mail(body, head), 100_000)


def _text(body: bytes, head: bytes = HEAD) -> str:
    return render(_read(body, head).blocks).text


def _told(body: bytes) -> list[str]:
    return [left.where for left in _read(body).not_read]


def test_text_after_a_picture_is_read() -> None:
    body = several(
        part("The plan:"), PICTURE, part("The code is 7741."), part("<p>Bye</p>", "text/html")
    )
    assert _text(body) == f"{TOP}\nAttachments: plan.png\n\nThe plan:\n\nThe code is 7741.\n\nBye"
    assert _told(body) == ["plan.png"]


def test_a_page_with_its_pictures_is_read() -> None:
    versions = several(
        part("Use HTML."), part("<p>Gate 7741</p>", "text/html"), kind="alternative", boundary="in"
    )
    body = several(versions, part(b"x", "image/gif"), kind="related")
    assert _text(body) == f"{TOP}\n\nGate 7741"
    assert _told(body) == ["image/gif"]


def test_a_forwarded_mail_is_read_with_its_headers() -> None:
    inner = "Subject: 转发\nFrom: c@example.com\nContent-Type: text/plain; charset=gb2312\n\n付款"
    body = several(part("See below."), part(inner.encode("gbk"), "message/rfc822"), part("Bye"))
    said = "Subject: 转发\nFrom: c@example.com\n\n付款"
    assert _text(body) == f"{TOP}\n\nSee below.\n\n{said}\n\nBye"


@pytest.mark.parametrize("kind", ["message/rfc822", 'application/octet-stream; name="old.eml"'])
def test_a_mail_inside_may_be_encoded(kind: str) -> None:
    inner = base64.encodebytes(HEAD + b"\nThe code is 7741.")
    body = several(part(inner, kind, "Content-Transfer-Encoding: base64"))
    assert _text(body).endswith(f"{TOP}\n\nThe code is 7741.")


def test_a_mail_inside_that_cannot_be_taken_apart_is_told() -> None:
    inner = b"Content-Type: multipart/mixed; boundary*=x; boundary*0*=y\n\nwords"
    encoded = part(
        base64.encodebytes(inner), "x/y; name=a.eml", "Content-Transfer-Encoding: base64"
    )
    body = several(part("See:"), encoded)
    assert _text(body) == f"{TOP}\nAttachments: a.eml\n\nSee:"
    assert "cannot be taken apart" in _read(body).not_read[0].why


def test_mails_of_a_digest_and_reports_are_read() -> None:
    digest = several(b"\nSubject: one\n\nfirst", b"\nSubject: two\n\nsecond", kind="digest")
    assert _text(digest) == f"{TOP}\n\nSubject: one\n\nfirst\n\nSubject: two\n\nsecond"
    status = part("Reporting-MTA: dns; mx\n\nAction: failed\n", "message/delivery-status")
    assert _text(several(part("Lost."), status, kind="report")) == (
        f"{TOP}\n\nLost.\n\nReporting-MTA: dns; mx\nAction: failed"
    )


def test_an_invitation_is_read_once() -> None:
    calendar = part(EVENT, "text/calendar; method=REQUEST")
    versions = several(part("Meet in the yard."), calendar, kind="alternative", boundary="in")
    file = part(EVENT, "application/ics", "Content-Disposition: attachment; filename=invite.ics")
    assert _text(several(versions, file)) == (
        f"{TOP}\nAttachments: invite.ics\n\nMeet in the yard.\n\n"
        "Event: Drill\nWhen: 2026-04-14 09:30"
    )


def test_attached_text_is_read_and_other_files_are_told() -> None:
    body = several(
        part("Files:"),
        part("姓名;天数\n张三;15".encode("gbk"), 'application/octet-stream; name="天数.csv"'),
        part("gate 7741", 'text/plain; name="notes.txt"'),
        part(b'{"a": [1, {"b": null}]}', "application/json; name=x.json"),
        part(b"\x00\x01\xff" * 99, "text/plain; name=y.txt"),
        part(b"x", "application/pdf; name=z.pdf"),
        part(b"x", "application/pkcs7-mime; name=s.p7m"),
    )
    text = _text(body)
    assert "Attachments: 天数.csv, notes.txt, x.json, y.txt, z.pdf, s.p7m" in text
    assert "Attachment 天数.csv:\n\n姓名 | 天数\n张三 | 15" in text
    assert "Attachment notes.txt:\n\ngate 7741" in text
    assert "b: null" in text
    assert _told(body) == ["y.txt", "z.pdf", "s.p7m"]


@pytest.mark.parametrize(
    ("kind", "name", "why"),
    [
        ("application/octet-stream", "Winmail.dat", "have the mail sent again as HTML"),
        ("application/ms-tnef", "a.dat", "have the mail sent again as HTML"),
        ("application/pkcs7-signature", "smime.p7s", "it signs the mail and says nothing"),
        ("application/pgp-signature", "signature.asc", "it signs the mail and says nothing"),
        ("message/partial", "2.txt.part", "it is a piece of a mail that was sent in several"),
        ("application/octet-stream", "plan.dwg", "send it as a document of its own"),
    ],
)
def test_of_a_file_that_is_no_document_it_is_said_what_to_do(
    kind: str, name: str, why: str
) -> None:
    body = several(part("Hello"), part(b"x", kind, f'Content-Disposition: a; filename="{name}"'))
    (left,) = _read(body).not_read
    assert left.where == name
    assert why in left.why


def test_a_file_that_is_too_long_is_left_out_and_a_text_refused() -> None:
    long = part("words " * 100, "text/plain; name=long.txt")
    content = read_mail("a.eml", mail(several(part("Hello"), long)), 120)
    assert [(left.where, "120 characters" in left.why) for left in content.not_read] == [
        ("long.txt", True)
    ]
    with pytest.raises(ParseLimitExceeded, match="120 characters"):
        read_mail("a.eml", mail(part("words " * 100)), 120)
    with pytest.raises(ParseLimitExceeded):
        read_mail("a.eml", b"Subject: " + b"words " * 100 + b"\n\nx", 120)


@pytest.mark.parametrize(
    ("charset", "encoding", "text"),
    [
        ("gb2312", "gbk", "朱镕公司"),
        ("us-ascii", "gbk", "本合同的付款期限为收货后四十五天，逾期按日计息。"),
        ("", "gbk", "本合同的付款期限为收货后四十五天，逾期按日计息。"),
        ("no-such", "utf-8", "付款期限"),
        ("iso-8859-1", "cp1252", "Größe – 12 €"),
    ],
)
def test_a_text_is_read_in_the_encoding_it_is_in(charset: str, encoding: str, text: str) -> None:
    kind = f"text/plain; charset={charset}" if charset else "text/plain"
    assert _text(part(text.encode(encoding), kind)) == f"{TOP}\n\n{text}"


def test_what_the_user_says_holds_for_texts_that_name_no_encoding() -> None:
    body = several(part("退貨".encode("big5")), part("付款", charset="gbk"))
    content = read_mail("a.eml", mail(body), 1_000, charset=Charset(named="big5hkscs"))
    assert render(content.blocks).text == f"{TOP}\n\n退貨\n\n付款"


def test_what_the_user_says_holds_for_letters_that_are_utf_8_as_well() -> None:
    charset = Charset(named="gb18030")
    for kind, text in (("text/plain", "谢谢"), ("text/html", "<p>谢谢</p>")):
        content = read_mail("a.eml", mail(part(text.encode("gbk"), kind)), 1_000, charset=charset)
        assert render(content.blocks).text == f"{TOP}\n\n谢谢"
        assert content.encoding == "gb18030"


def test_a_mail_without_text_is_told_as_ascii() -> None:
    assert _read(PICTURE).encoding == "ascii"


def test_what_is_told_of_a_part_is_told_of_the_mail() -> None:
    choices = "".join(f"<option>{n}" for n in range(40))
    body = several(
        part('id,size\n1,"5 inch\n2,6', "text/csv"),
        part(f"<p>Hello<select>{choices}</select>", "text/html"),
    )
    quotes, entries = _read(body).not_read
    assert quotes.what == "quotes"
    assert entries.what == "10 choices of a form"


def test_who_gets_a_copy_is_told() -> None:
    assert (
        _text(part("Hello"), HEAD + b"Cc: b@example.com\n") == f"{TOP}\nCc: b@example.com\n\nHello"
    )


def test_a_line_of_a_chat_log_is_a_turn() -> None:
    body = part('{"role": "user", "content": "Where?"}', "application/json; name=a.jsonl")
    assert _text(body).endswith("Attachment a.jsonl:\n\nuser: Where?")


def test_a_file_of_no_kind_is_told() -> None:
    body = several(part("Hello"), b'Content-Disposition: attachment; filename="plan.dwg"\n\nAC1032')
    assert _text(body) == f"{TOP}\nAttachments: plan.dwg\n\nHello"
    assert _told(body) == ["plan.dwg"]


def test_a_text_that_is_cut_off_is_read_and_told() -> None:
    cut = base64.b64encode("员工每年有十五天年假。请提前三天申请".encode())[:-2]
    body = part(cut, "text/plain", "Content-Transfer-Encoding: base64")
    assert "十五天年假。请提前三天申" in _text(body)
    assert _read(body).not_read


def test_an_encoding_named_in_the_way_of_file_names_is_read() -> None:
    body = part("请查收。".encode("gbk"), "text/plain; charset*=us-ascii'en'gb2312")
    assert _text(body) == f"{TOP}\n\n请查收。"


def test_raw_bytes_of_headers_are_read_as_the_text_is() -> None:
    head = "Subject: 采购通知\nFrom: 王五 <w@example.com>\n".encode("gbk")
    expected = "Subject: 采购通知\nFrom: 王五 <w@example.com>\n\n请查收。"
    assert _text(part("请查收。", charset="gbk"), head) == expected
    assert _text(part("<meta charset=gbk>请查收。".encode("gbk"), "text/html"), head) == expected


def test_raw_bytes_of_headers_are_read_as_a_text_that_names_no_encoding() -> None:
    said = "Склад закрыт в субботу, ключ лежит на проходной."
    head = "Subject: Да\nFrom: a@example.com\n".encode("koi8-r")
    assert _text(part(said.encode("koi8-r")), head) == (
        f"Subject: Да\nFrom: a@example.com\n\n{said}"
    )


def test_lines_that_were_broken_to_be_sent_are_whole_again() -> None:
    kind = "text/plain; format=flowed; delsp=yes"
    assert _text(part("保修期为三 \n年。\n-- \nAnn", kind)) == f"{TOP}\n\n保修期为三年。\n-- \nAnn"
    assert _text(part("three \nyears", "text/plain; format=flowed")) == f"{TOP}\n\nthree years"


def test_what_stands_around_the_parts_is_read() -> None:
    body = (
        several(part("Hello")).replace(b"\n\n", b"\n\nThis is a MIME message.\n", 1)
        + b"\nList footer\n"
    )
    assert _text(body) == f"{TOP}\n\nHello\n\nList footer"
    assert _text(several().replace(b"--b1--", b"only words")) == f"{TOP}\n\nonly words"


def _nested(levels: int) -> bytes:
    body = part("The key is under mat 7741.")
    for n in range(levels):
        body = several(part(f"below {n}"), part(mail(body), "message/rfc822"), boundary=f"b{n}")
    return body


def test_fifty_forwards_are_read_and_more_are_told() -> None:
    assert _text(_nested(50)).endswith(
        "below 0\n\nSubject: T\nFrom: a@example.com\n\nThe key is under mat 7741."
    )
    assert _told(_nested(50)) == []
    assert [left.why for left in _read(_nested(70)).not_read] == [
        "it lies 120 parts deep: send it as a document of its own"
    ]
    assert _text(_nested(300)).count("below") == 60


def test_a_text_of_many_paragraphs_is_one_block() -> None:
    paragraphs = [f"Short paragraph {n}." for n in range(4_000)]
    _, body = _read(part("\n \n\n".join(paragraphs))).blocks
    assert body == Paragraph("\n\n".join(paragraphs))


def test_quotes_are_kept_however_deep() -> None:
    quotes = "\n".join(">" * n + f" line {n}" for n in range(51))
    assert _text(part(quotes)) == f"{TOP}\n\n{quotes.strip()}"


def test_every_kind_of_part_is_read_where_nothing_can_be_opened() -> None:
    calendar = part(EVENT, "text/calendar", "Content-Transfer-Encoding: base64")
    encoded = calendar.split(b"\n\n")[0] + b"\n\n" + base64.encodebytes(EVENT.encode())
    quoted = part(
        "=E9=97=A8 7741", "text/html; charset=utf-8", "Content-Transfer-Encoding: quoted-printable"
    )
    rows = part(
        "a,b\n1,2", "text/csv", "Content-Disposition: attachment; filename*=gbk''%B1%A8.csv"
    )
    raw = part(mail(b"\nin", "Subject: 关于年度体检安排的通知\n".encode("gbk")), "message/rfc822")
    text = parse("a.eml", mail(several(quoted, encoded, rows, raw))).text
    for words in (
        "门 7741",
        "Event: Drill",
        "Attachment 报.csv:",
        "a | b",
        "关于年度体检安排的通知",
    ):
        assert words in text


def test_a_mail_says_who_wrote_or_what_about() -> None:
    with pytest.raises(UnsupportedFile, match="not an e-mail"):
        read_mail("a.eml", b"Content-Type: text/plain\n\nwords", 1_000)

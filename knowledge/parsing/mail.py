"""Mail: who wrote when about what, the body, and the names of what was attached.

It knows MIME; it does not read attachments: send each as a document of its own.
"""

import re
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage, MIMEPart
from email.policy import default

from knowledge.errors import UnsupportedFile
from knowledge.parsing.blocks import Content, NotRead, Paragraph
from knowledge.parsing.html import READ_AS, add_html
from knowledge.parsing.text import decode
from knowledge.parsing.writer import BlockWriter, too_much_text

_PARTS = re.compile(r"\n(?:[^\S\n]*\n)+")
HEADERS = ("Subject", "From", "To", "Cc", "Date")


def read_mail(filename: str, content: bytes, chars: int) -> Content:
    """Return the message, with the encoding of its body.

    Raises:
        UnsupportedFile: It has no header of a mail.
        ParseLimitExceeded: It has more than `chars` characters.
    """
    message = message_from_bytes(content, policy=default)
    assert isinstance(message, EmailMessage)
    lines = [f"{name}: {value}" for name in HEADERS if (value := _header(message, name))]
    if not lines:
        raise UnsupportedFile(f"{filename!r} is not an e-mail: it has neither sender nor subject")
    attached = [name for part in message.iter_attachments() if (name := part.get_filename())]
    if attached:
        lines.append(f"Attachments: {', '.join(attached)}")
    body = message.get_body(preferencelist=("plain", "html"))
    head = Paragraph("\n".join(lines))
    not_read = [
        NotRead("attachment", name, "send it as a document of its own") for name in attached
    ]
    if body is None:
        return Content([head], "ascii", not_read)
    said = _body(filename, body, chars)
    return Content([head, *said.blocks], said.encoding, [*not_read, *said.not_read])


def warm_up() -> None:
    """Read a mail of every kind, so that all that the library imports late is imported."""
    subject = (
        b"Subject: =?gbk?B?yKE=?=\nTo: <a@example.com>\nDate: Mon, 2 Mar 2026 10:00:00 +0800\n"
    )
    read_mail("", subject + b"Content-Type: text/html\n\n<p>a</p>", 1_000)
    part = b"--b\nContent-Disposition: attachment; filename*=utf-8''a.txt\n\na\n--b--\n"
    read_mail("", subject + b"Content-Type: multipart/mixed; boundary=b\n\n" + part, 1_000)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return " ".join(str(message.get(name, "")).split())
    except (MessageError, ValueError, IndexError, AttributeError, TypeError):
        return ""  # the library fails on some malformed headers; the rest of the mail is good


def _body(filename: str, body: MIMEPart, chars: int) -> Content:
    payload = body.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    declared = str(body.get_content_charset("")).lower()
    text, encoding = decode(filename, raw, declared=READ_AS.get(declared, declared))
    if body.get_content_subtype() != "html":
        if len(text) > chars:
            raise too_much_text(chars)
        return Content([Paragraph(part) for part in _PARTS.split(text.strip())], encoding)
    writer = BlockWriter(chars)
    add_html(writer, text)
    return Content(writer.blocks, encoding, writer.not_read)

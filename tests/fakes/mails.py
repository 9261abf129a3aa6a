"""Mails, written byte by byte, as programs send them and as they should not."""

import base64

HEAD = b"Subject: T\nFrom: a@example.com\n"


def part(text: str | bytes, kind: str = "text/plain", *headers: str, charset: str = "") -> bytes:
    """Return a part with its headers; text is written in `charset`, which it then names."""
    lines = [f"Content-Type: {kind}" + (f"; charset={charset}" if charset else ""), *headers]
    body = text if isinstance(text, bytes) else text.encode(charset or "utf-8")
    return "\n".join(lines).encode() + b"\n\n" + body


def several(*parts: bytes, kind: str = "mixed", boundary: str = "b1") -> bytes:
    """Return a multipart of these parts."""
    mark = boundary.encode()
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\n\n'.encode()
    return (
        head + b"".join(b"--" + mark + b"\n" + item + b"\n" for item in parts) + b"--%s--\n" % mark
    )


def mail(body: bytes, head: bytes = HEAD) -> bytes:
    """Return a mail; `body` begins with the headers that tell what it is."""
    return head + body


def word(text: bytes, charset: str = "gb2312") -> bytes:
    """Return bytes as an encoded word."""
    return b"=?%s?B?%s?=" % (charset.encode(), base64.b64encode(text))

"""MIME as mail programs write it, well or badly: the parts of a part, and the bytes in one.

It knows boundaries and transfer encodings; it does not know what any part is for.
"""

import re
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message

from knowledge.errors import DamagedFile
from knowledge.parsing.mail.headers import UNTOLD, charset_of, from_base64

_UNFOLDED = re.compile(rb"(?<=\n)(?==\?[\w.:*-]+\?[bq]\?)", re.IGNORECASE)
_BEGINNING = re.compile(rb"\A(?:\xef\xbb\xbf|\s)+")
_BOUNDARY = re.compile(rb"(?mi)^--(\S[^\r\n]{0,200}?)[ \t]*\r?\n(?=content-[\w-]+:)")
_BASE64_LETTERS = re.compile(rb"[A-Za-z0-9+/=]+")


def open_mail(filename: str, content: bytes) -> Message:
    """Return a mail; its headers are as they came.

    A second line of a header that begins with an encoded word but no space is taken as such.

    Raises:
        DamagedFile: It is nested more deeply than can be followed, or cannot be taken apart.
    """
    content = _UNFOLDED.sub(b" ", _BEGINNING.sub(b"", content))
    try:
        return message_from_bytes(content)
    except RecursionError as exc:
        message = f"{filename!r} nests its parts too deeply; send the mails inside it one by one"
        raise DamagedFile(message) from exc
    except (TypeError, ValueError, LookupError, MessageError) as exc:  # malformed parameters
        message = f"{filename!r} cannot be taken apart ({exc}); save it as text and send that"
        raise DamagedFile(message) from exc


def parts_of(filename: str, part: Message) -> list[Message]:
    """Return the parts of a multipart; where its boundary is wrong, by the one that is there.

    Raises:
        DamagedFile: As `open_mail`.
    """
    if not part.is_multipart():
        raw = part_bytes(part)
        if not (found := _BOUNDARY.search(raw)):
            return []
        boundary = re.sub(rb'(["\\])', rb"\\\1", found[1])
        head = b'Content-Type: multipart/mixed; boundary="%s"\n\n' % boundary
        part = open_mail(filename, head + raw)
    return items_of(part)


def items_of(part: Message) -> list[Message]:
    """Return the parts, or the mails, that a part is made of; none where it is text."""
    payload = part.get_payload() if part.is_multipart() else []
    return [item for item in payload if isinstance(item, Message)]


def raw_encoding(message: Message) -> str:
    """Return the encoding that raw bytes in the headers of a mail should have; maybe empty."""
    parts = [message]
    while parts:
        part = parts.pop()
        if part.get_content_maintype() == "multipart":
            parts += reversed(items_of(part))
        elif part.get_content_maintype() == "text" and (charset := charset_of(part)):
            return "" if charset in UNTOLD else charset
    return ""


def part_bytes(part: Message) -> bytes:
    """Return the bytes of a part that has no parts, as they were before they were sent."""
    way = str(part.get("content-transfer-encoding", "")).strip().lower()
    if way.startswith("base64"):
        del part["content-transfer-encoding"]  # the library gives up at one letter too many
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    return _from_base64_lines(raw) if way.startswith("base64") else raw


def _from_base64_lines(raw: bytes) -> bytes:
    """Return what is written in base64, and after it the text that others put between or below."""
    lines = [line for line in raw.splitlines() if line.strip()]
    if not lines or _is_text(lines[0]):
        return raw  # it only claims to be base64
    end = next((at for at, line in enumerate(lines, 1) if line.rstrip().endswith(b"=")), 0)
    if end and any(map(_is_text, lines[end:])):
        lines, texts = lines[:end], lines[end:]
    else:
        texts = list(filter(_is_text, lines))
    decoded = from_base64(b"".join(line for line in lines if not _is_text(line)))
    return b"\n\n".join(filter(None, (decoded, b"\n".join(texts))))


def _is_text(line: bytes) -> bool:
    """Say whether a line is words, not base64."""
    written = b"".join(_BASE64_LETTERS.findall(line))
    is_odd = (len(line) - len(written)) * 4 > len(line)
    return is_odd or (b" " in line.strip() and len(written) % 4 > 0)

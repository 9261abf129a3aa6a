"""Mail: who wrote when about what, all that is said, and the names of what was attached.

It knows what makes a file a mail; its parts, headers and meetings have modules of their own.
"""

from knowledge.errors import UnsupportedFile
from knowledge.parsing.blocks import Content
from knowledge.parsing.mail.mime import open_mail
from knowledge.parsing.mail.parts import HEADERS, MailReader
from knowledge.parsing.text import UNSAID, Charset

__all__ = ["read_mail", "warm_up"]

_EVERY_KIND = b"""\
Subject: =?gbk?B?yKE=?=
To: <a@example.com>
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html
Content-Transfer-Encoding: quoted-printable

<p>a</p>
--b
Content-Disposition: attachment; filename*=utf-8''a.csv
Content-Transfer-Encoding: base64

YSxiCg==
--b
Content-Type: text/calendar

BEGIN:VEVENT
DTSTART:20260302T100000
END:VEVENT
--b--
"""


def read_mail(filename: str, content: bytes, chars: int, *, charset: Charset = UNSAID) -> Content:
    """Return the message, with the encoding of its text.

    `charset` is what the user says of texts that do not name their encoding.

    Raises:
        UnsupportedFile: It has no header of a mail.
        DamagedFile: It is nested more deeply than can be followed.
        ParseLimitExceeded: It has more than `chars` characters.
    """
    message = open_mail(filename, content)
    if not any(str(message.get(name, "")).strip() for name in HEADERS):
        raise UnsupportedFile(f"{filename!r} is not an e-mail: it has neither sender nor subject")
    reader = MailReader(filename, chars, charset)
    return Content(reader.read(message), reader.encoding or "ascii", reader.not_read)


def warm_up() -> None:
    """Read a mail of every kind, so that all that the library imports late is imported."""
    read_mail("", _EVERY_KIND, 1_000)

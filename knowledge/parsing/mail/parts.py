"""The parts of a mail in order: what is read of each, and how.

It knows kinds of parts and mails inside mails; how MIME is taken apart is the business of `mime`,
what a header says that of `headers`. Attachments are read where they are text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import Message
from pathlib import PurePosixPath

from knowledge.errors import DamagedFile, ParseLimitExceeded, UnsupportedFile
from knowledge.parsing.blocks import Block, NotRead, Paragraph, Table
from knowledge.parsing.chat import read_json
from knowledge.parsing.encodings import READ_AS
from knowledge.parsing.html import add_html, page_markup
from knowledge.parsing.mail.alternatives import fullest, unsaid
from knowledge.parsing.mail.headers import (
    UNTOLD,
    charset_of,
    file_name,
    header_text,
    parameter,
    raw_text,
)
from knowledge.parsing.mail.meetings import read_meetings
from knowledge.parsing.mail.mime import items_of, open_mail, part_bytes, parts_of, raw_encoding
from knowledge.parsing.tables import read_table
from knowledge.parsing.text import UNSAID, Charset, read_text
from knowledge.parsing.writer import MAX_NOT_READ, BlockWriter, too_much_text

HEADERS = ("Subject", "From", "To", "Cc", "Date")
MAX_DEPTH = 120  # of parts in parts: 50 mails forwarded one in the other nest 100 deep
FORMATS = {
    "text/html": "html", "application/xhtml+xml": "html", "text/x-amp-html": "html",
    "text/enriched": "html", "text/csv": "csv", "text/tab-separated-values": "csv",
    "text/calendar": "calendar", "application/ics": "calendar", "application/json": "json",
    "message/rfc822": "mail", "message/global": "mail", "message/news": "mail",
    ".txt": "text", ".text": "text", ".log": "text", ".md": "text", ".markdown": "text",
    ".csv": "csv", ".tsv": "csv", ".html": "html", ".htm": "html", ".ics": "calendar",
    ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".eml": "mail",
}  # fmt: skip
"""Suffix of a name, or else kind of part → how it is read; other kinds of text as plain text."""
ALONE = "send it as a document of its own"
SEALED = "it is encrypted or sealed: save the mail without that, and send it again"
PACKED = "Outlook packed text and files into it: have the mail sent again as HTML or plain text"
SIGNED = "it signs the mail and says nothing"
NOT_READ = {
    "text/rtf": ALONE,
    "message/partial": "it is a piece of a mail that was sent in several",
    "message/external-body": "it was not sent along",
    "application/pgp-encrypted": SEALED,
    "application/pkcs7-mime": SEALED,
    "application/x-pkcs7-mime": SEALED,
    "application/pgp-signature": SIGNED,
    "application/pkcs7-signature": SIGNED,
    "application/x-pkcs7-signature": SIGNED,
    "application/ms-tnef": PACKED,
    "application/vnd.ms-tnef": PACKED,
    "winmail.dat": PACKED,
}
"""Kind of part or name → why it is not read."""
_BLANK_LINES = re.compile(r"\n(?:[^\S\n]*\n)+")
_FLOWED = re.compile(r"(?m)(?<!^--)(?<=[^\s>]) \n(?![>\s]|-- ?$)")


@dataclass
class _Open:
    """The mail that is being read: the names of its files, the encoding of raw bytes in it."""

    hint: str
    names: list[str] = field(default_factory=list)


class MailReader:
    """One reading of a mail, with the mails inside it."""

    def __init__(self, filename: str, chars: int, charset: Charset = UNSAID) -> None:
        """Begin to read a file of which at most `chars` characters may come.

        `charset` is what the user says of texts that do not name their encoding.
        """
        self._filename = filename
        self._charset = charset
        self._chars = self._left = chars
        self._depth = 0
        self._mail = _Open("")
        self._meetings: set[str] = set()  # many come twice, in the text and as a file
        self.encoding = ""
        self.not_read: list[NotRead] = []

    def read(self, message: Message) -> list[Block]:
        """Return what a mail says: its headers, then its parts.

        Raises:
            ParseLimitExceeded: It has more text than allowed.
        """
        around, self._mail = self._mail, _Open(raw_encoding(message))
        said = self._part(message)
        lines = [
            f"{name}: {words}"
            for name in HEADERS
            if (words := header_text(message, name, hint=self._mail.hint))
        ]
        if self._mail.names:
            lines.append(f"Attachments: {', '.join(self._mail.names)}")
        self._mail = around
        head = [Paragraph("\n".join(lines))] if lines else []
        self._charge(head)
        return [*head, *said]

    def _part(self, part: Message) -> list[Block]:
        if self._depth == MAX_DEPTH:
            self._leave_out(part.get_content_type(), f"it lies {MAX_DEPTH} parts deep: {ALONE}")
            return []
        self._depth += 1
        is_multipart = part.get_content_maintype() == "multipart"
        try:
            return self._multipart(part) if is_multipart else self._single(part)
        except DamagedFile as exc:
            self._leave_out(part.get_content_type(), str(exc))
            return []
        finally:
            self._depth -= 1

    def _multipart(self, part: Message) -> list[Block]:
        parts = parts_of(self._filename, part)
        if not parts:
            return self._file(part, "text", "")
        said = [self._part(item) for item in parts]
        if part.get_content_subtype() == "alternative":
            meetings = [item.get_content_type() == "text/calendar" for item in parts]
            pairs = list(zip(said, meetings, strict=True))
            texts = fullest(blocks for blocks, is_meeting in pairs if not is_meeting)
            told = [block for blocks, is_meeting in pairs if is_meeting for block in blocks]
            return [*texts, *unsaid(told, texts)]
        blocks = [block for blocks in said for block in blocks]
        return [*self._outside(part.preamble), *blocks, *self._outside(part.epilogue)]

    def _outside(self, text: str | None) -> list[Block]:
        """Return what stands before or after the parts: mailing lists write there."""
        if not text or not text.strip() or "MIME" in text:
            return []
        return [Paragraph(_BLANK_LINES.sub("\n\n", raw_text(text, self._mail.hint).strip()))]

    def _single(self, part: Message) -> list[Block]:
        kind = part.get_content_type()
        name = file_name(part, hint=self._mail.hint)
        if name:
            self._mail.names.append(name)
        known = FORMATS.get(PurePosixPath(name.lower()).suffix) or FORMATS.get(kind)
        if known == "mail":
            return self._forwarded(part)
        if kind.startswith("message/") and kind not in NOT_READ:
            return self._report(part)
        is_text = kind.startswith("text/") and kind not in NOT_READ
        if not known and (not is_text or (name and "content-type" not in part)):
            self._leave_out(name or kind, NOT_READ.get(name.lower()) or NOT_READ.get(kind, ALONE))
            return []
        return self._file(part, known or "text", name)

    def _forwarded(self, part: Message) -> list[Block]:
        mails = items_of(part) or [open_mail(self._filename, part_bytes(part))]
        way = part.get("content-transfer-encoding", "")
        for at, mail in enumerate(mails):
            if way and not mail.keys():  # all of it is encoded, which no standard allows
                mail["content-transfer-encoding"] = way
                mails[at] = open_mail(self._filename, part_bytes(mail))
        return [block for mail in mails for block in self.read(mail)]

    def _report(self, part: Message) -> list[Block]:
        """Return what a report says: it is written as headers."""
        lines = [
            f"{name}: {header_text(item, name, hint=self._mail.hint)}"
            for item in items_of(part)
            for name in item.keys()
        ]
        return [Paragraph("\n".join(lines))] if lines else []

    def _file(self, part: Message, file_format: str, name: str) -> list[Block]:
        """Return what text or a file of text says; why it is not read is told."""
        try:
            blocks = self._blocks(part, file_format, name or self._filename)
            self._charge(blocks)
        except (UnsupportedFile, DamagedFile) as exc:
            self._leave_out(name or part.get_content_type(), str(exc))
            return []
        except ParseLimitExceeded as exc:
            if not name:
                raise too_much_text(self._chars) from exc
            self._leave_out(name, f"with it the mail has {too_much_text(self._chars)}")
            return []
        return [Paragraph(f"Attachment {name}:"), *blocks] if name and blocks else blocks

    def _blocks(self, part: Message, file_format: str, name: str) -> list[Block]:
        raw, named = part_bytes(part), charset_of(part)
        declared = "" if named in UNTOLD else READ_AS.get(named, named)
        if file_format == "html" and not declared:
            read = page_markup(name, raw, self._charset)
        else:
            charset = UNSAID if declared else self._charset
            read = read_text(name, raw, declared=declared, charset=charset)
        text, encoding = read.text, read.encoding
        self.encoding = self.encoding or encoding
        self.not_read += read.not_read
        if encoding != "utf-8":
            self._mail.hint = self._mail.hint or encoding
        if file_format == "text":
            return _text_blocks(part, text)
        if file_format == "html":
            return self._page(text)
        if file_format == "calendar":
            return self._calendar(text)
        if file_format == "csv":
            table = read_table(name, text, self._left)
            self.not_read += table.not_read
            return list(table.blocks)
        return list(read_json(name, text, self._left, lines=file_format == "jsonl"))

    def _page(self, markup: str) -> list[Block]:
        writer = BlockWriter(self._left)
        add_html(writer, markup)
        self.not_read += writer.not_read
        return writer.blocks

    def _calendar(self, text: str) -> list[Block]:
        blocks = [item for item in read_meetings(text) if item.text not in self._meetings]
        self._meetings.update(item.text for item in blocks)
        return list(blocks)

    def _charge(self, blocks: Sequence[Block]) -> None:
        chars = sum(map(_length, blocks))
        if chars > self._left:
            raise too_much_text(self._chars)
        self._left -= chars

    def _leave_out(self, where: str, why: str) -> None:
        if len(self.not_read) < MAX_NOT_READ:
            self.not_read.append(NotRead("attachment", where, why))


def _text_blocks(part: Message, text: str) -> list[Block]:
    """Return plain text as one paragraph, blank lines inside it, as a text file has it."""
    if parameter(part, "content-type", "format").lower() == "flowed":
        is_glued = parameter(part, "content-type", "delsp").lower() == "yes"
        text = _FLOWED.sub("" if is_glued else " ", text)
    words = _BLANK_LINES.sub("\n\n", text.strip())
    return [Paragraph(words)] if words else []


def _length(block: Block) -> int:
    if isinstance(block, Table):
        return sum(len(cell) for row in block.rows for cell in row)
    return len(getattr(block, "text", ""))

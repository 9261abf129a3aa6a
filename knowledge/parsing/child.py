"""The inside of the process that reads one file: limits itself, reads, answers, ends.

It knows which reader reads which format. It takes one line of JSON and the file from stdin and
writes one line of JSON to stdout. Before it looks into the file it gives up, for good, the right to
open anything: no file, no socket, no further memory or processor time than allowed.
"""

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from knowledge.errors import EmptyDocument, KnowledgeError, PasswordRequired, UnsupportedFile
from knowledge.parsing.blocks import Content, PageStart, PlacedBlock, SheetStart, render, told_tags
from knowledge.parsing.encodings import ENCODINGS
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.rights import give_up_rights
from knowledge.parsing.text import Charset, Decoded, is_encoding, read_text
from knowledge.parsing.words.pictures import blocks_without_pictures, holds_pictures, told_pictures

Reader = Callable[[], Content]
Recognised = Mapping[int, Mapping[str, Any]]  # page → its lines, as `recognition` found them

OLD_OFFICE = b"\xd0\xcf\x11\xe0"
LOCKED_OFFICE = "EncryptedPackage".encode("utf-16-le")
DECLARED = (*ENCODINGS, "ascii", "latin-1", "gb2312", "gbk", "big5", "shift_jis", "euc_kr")
"""Encodings a page or mail may declare, and zip's own; any other counts as not declared."""


@dataclass(frozen=True, slots=True)
class Source:
    """The file to read, and what reading it may cost."""

    filename: str
    content: bytes
    file_format: str
    password: str | None
    limits: ParseLimits
    charset: Charset
    recognised: Recognised

    def read(self) -> Decoded:
        """Return its text."""
        return read_text(self.filename, self.content, charset=self.charset)


def main() -> None:
    """Read the order from stdin, answer on stdout."""
    order = json.loads(sys.stdin.buffer.readline())
    content = sys.stdin.buffer.read()
    limits = ParseLimits(**order["limits"])
    filename = order["filename"]
    charset = Charset(**order["charset"])
    recognised = {int(number): page for number, page in order["recognised"].items()}
    source = Source(
        filename, content, order["format"], order["password"], limits, charset, recognised
    )
    reader = _reader(source)
    give_up_rights(memory_mb=limits.memory_mb, seconds=limits.seconds)
    try:
        reply = _reply(filename, reader())
    except KnowledgeError as exc:
        reply = {"error": type(exc).__name__, "message": str(exc)}
    except (MemoryError, RecursionError):
        message = f"reading {filename!r} takes more than knowledge.parse_memory_mb"
        reply = {"error": "ParseLimitExceeded", "message": message}
    except Exception as exc:  # the last border: the file broke its reader
        message = f"{filename!r} cannot be read: {type(exc).__name__}: {exc}"
        reply = {"error": "DamagedFile", "message": message[:1_000]}
    sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
    sys.stdout.buffer.flush()


def _reader(source: Source) -> Reader:
    """Return what reads the file, with everything imported that it will need."""
    if source.file_format not in HOLDS_NO_ENCODED_TEXT:
        _load_encodings()
    return READERS[source.file_format](source)


def _pdf(source: Source) -> Reader:
    from knowledge.parsing.pdf import read_pdf

    def read() -> Content:
        name, content, password = source.filename, source.content, source.password
        return read_pdf(name, content, password, limits=source.limits, recognised=source.recognised)

    return read


def _picture(source: Source) -> Reader:
    from knowledge.parsing.pdf import read_recognised

    return lambda: read_recognised(source.filename, source.recognised, source.limits)


def _office(source: Source) -> Reader:
    from knowledge.parsing.office import parts_reader, read_office

    add_parts = parts_reader(source.file_format, source.content)

    def read() -> Content:
        name, content, file_format = source.filename, source.content, source.file_format
        _check_zip(name, content, file_format)
        return read_office(name, content, file_format, source.limits, add_parts=add_parts)

    return read


def _epub(source: Source) -> Reader:
    from knowledge.parsing.epub import read_epub

    return lambda: read_epub(source.filename, source.content, source.limits)


def _html(source: Source) -> Reader:
    from knowledge.parsing.html import read_html

    chars, charset = source.limits.chars, source.charset
    return lambda: read_html(source.filename, source.content, chars, charset=charset)


def _mail(source: Source) -> Reader:
    from knowledge.parsing.mail import read_mail, warm_up

    warm_up()
    chars, charset = source.limits.chars, source.charset
    return lambda: read_mail(source.filename, source.content, chars, charset=charset)


def _table(source: Source) -> Reader:
    from knowledge.parsing.tables import read_table

    def read() -> Content:
        file = source.read()
        table = read_table(source.filename, file.text, source.limits.chars)
        return Content(table.blocks, file.encoding, [*file.not_read, *table.not_read])

    return read


def _json(source: Source) -> Reader:
    from knowledge.parsing.chat import read_json

    def read() -> Content:
        file = source.read()
        lines = source.file_format == "jsonl"
        blocks = read_json(source.filename, file.text, source.limits.chars, lines=lines)
        return Content(blocks, file.encoding, file.not_read)

    return read


READERS: dict[str, Callable[[Source], Reader]] = {
    "pdf": _pdf,
    **dict.fromkeys(("png", "jpeg", "tiff", "webp"), _picture),
    "docx": _office,
    "xlsx": _office,
    "pptx": _office,
    "epub": _epub,
    "html": _html,
    "eml": _mail,
    "csv": _table,
    "json": _json,
    "jsonl": _json,
}
"""Format → what imports its reader. Formats of plain text need no child."""
HOLDS_NO_ENCODED_TEXT = {"pdf", "png", "jpeg", "tiff", "webp"}


def _load_encodings() -> None:
    from knowledge.parsing.text import read_text

    for encoding in DECLARED:
        is_encoding(encoding)
    read_text("", "Größe".encode("cp1252"))  # the detector's letters are looked up at first use


def _check_zip(filename: str, content: bytes, file_format: str) -> None:
    if content.startswith(OLD_OFFICE):
        if LOCKED_OFFICE in content:
            raise PasswordRequired(
                f"{filename!r} is password-protected; Office files with a password cannot be opened"
            )
        raise UnsupportedFile(
            f"{filename!r} is an old binary Office file; save it as {file_format}"
        )
    if not content.startswith(b"PK"):
        raise UnsupportedFile(f"{filename!r} is not a {file_format} file, despite its name")


def _reply(filename: str, content: Content) -> dict[str, Any]:
    """Return the answer: the text, and where blocks, pages and sheets stand in it."""
    rendered, pictures = render(content.blocks), list[str]()
    tags = rendered.tags
    if holds_pictures(rendered.text):
        blocks, pictures = blocks_without_pictures(content.blocks)
        rendered = render(blocks)
    is_text = any(not isinstance(block, PageStart | SheetStart) for block in content.blocks)
    if not (is_text and rendered.text.strip()):
        raise EmptyDocument(f"{filename!r} contains no text")
    not_read = [*content.not_read, *told_pictures(pictures), *told_tags(tags)]
    return {
        # half of a surrogate pair is no text; it can be neither stored nor sent
        "text": rendered.text.encode("utf-8", "replace").decode(),
        "page_starts": rendered.page_starts,
        "blocks": [_values(block) for block in rendered.blocks],
        "sheets": rendered.sheets,
        "left_out": [(item.what, item.where, item.why) for item in not_read],
        "encoding": content.encoding,
        "pictures": content.pictures,
        "recognised": content.recognised,
    }


def _values(block: PlacedBlock) -> tuple[str | int, ...]:
    """Return the values of a block; `dataclasses.astuple` copies each, at ten times the cost."""
    return block.kind, block.start, block.end, block.level, block.header_end, block.title

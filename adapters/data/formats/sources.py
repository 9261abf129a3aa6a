"""What kind of file holds the rows, by its content, and in which encoding.

The name decides nothing but what content leaves open. Knows bytes; does not know what rows are.
"""

import codecs
import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from adapters.data.formats.keys import MEANINGFUL, known_name
from adapters.data.formats.refusals import UnreadableFile

HEAD_BYTES = 256 * 1024  # looked at to tell kind and encoding
SEPARATORS = (",", "\t", ";")
# Of letters beyond ASCII; rows of simplified Chinese dialogues have 1.0 and 0.33 (median) of those
# that Korean has not.
MIN_CHINESE_SHARE, MIN_OTHER_SHARE = 0.85, 0.1
LAST_KOREAN = 0xC8

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UNMARKED = (
    (b"{\0", "utf-16-le"),
    (b"[\0", "utf-16-le"),
    (b"\0{", "utf-16-be"),
    (b"\0[", "utf-16-be"),
)
_NOT_ROWS = (
    (b"\x1f\x8b", "is packed (gzip); unpack it first"),
    (b"BZh", "is packed (bzip2); unpack it first"),
    (b"\xfd7zXZ", "is packed (xz); unpack it first"),
    (b"\x28\xb5\x2f\xfd", "is packed (zstd); unpack it first"),
    (b"\xd0\xcf\x11\xe0", "is an old or locked Excel file; save it as .xlsx without a password"),
    (b"%PDF", "is a PDF, not a file of rows"),
)

_BETWEEN_TEXTS = re.compile(rb'[\n"]')  # bytes that are no part of a letter

FileKind = Literal["jsonl", "json", "csv", "xlsx", "parquet"]


@dataclass(frozen=True, slots=True)
class Source:
    """A file, or the content of one, that is opened anew each time it is read."""

    file: Path
    open: Callable[[], BinaryIO]

    @classmethod
    def of_content(cls, content: bytes, name: str) -> "Source":
        """Return the source of a content in memory."""
        return cls(Path(name), lambda: io.BytesIO(content))

    @classmethod
    def of_file(cls, file: Path) -> "Source":
        """Return the source of a file."""
        return cls(file, lambda: file.open("rb"))


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is.

    Attributes:
        kind: `jsonl` is one value a line, `json` a list of values or values over several lines.
        encoding: Python's name; empty of files that are no text.
        separator: Of the cells of a CSV file.
    """

    kind: FileKind
    encoding: str = ""
    separator: str = ","


def recognise(source: Source) -> Recognised:
    """Say what a file is.

    Raises:
        UnreadableFile: It cannot be opened, is of a kind that holds no rows, or is no text.
    """
    try:
        with source.open() as stream:
            head = stream.read(HEAD_BYTES)
    except OSError as exc:
        raise UnreadableFile(f"cannot be read: {exc.strerror}") from exc
    for start, reason in _NOT_ROWS:
        if head.startswith(start):
            raise UnreadableFile(reason)
    if head.startswith(b"PAR1"):
        return Recognised("parquet")
    if head.startswith(b"PK\x03\x04"):
        return Recognised("xlsx")
    encoding = _find_encoding(head)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    return _recognise_text(text.lstrip("\ufeff"), encoding, source.file.suffix.casefold())


def _find_encoding(head: bytes) -> str:
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    for start, name in _UNMARKED:
        if head.startswith(start):
            return name
    # Texts one by one: rows of another encoding among the others do not decide for the file.
    wide = [text for text in _BETWEEN_TEXTS.split(head) if not text.isascii()]
    broken = [text for text in wide if not _is_utf8(text)]
    if len(broken) * 2 <= len(wide):
        return "utf-8"
    if _looks_like_gb18030(b"\n".join(broken)):
        return "gb18030"
    raise UnreadableFile("is not UTF-8 text, nor GB18030; save it as UTF-8")


def _is_utf8(line: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(line)  # the last letter may be cut
    except UnicodeDecodeError:
        return False
    return True


def _looks_like_gb18030(head: bytes) -> bool:
    """Say whether bytes are Chinese in GB18030 and not another encoding that decodes as it.

    Nearly all of real text is of GB 2312's first level (lead bytes B0 to D7, in the order of
    pinyin) and its full-width marks (A1, A3); Big5 and Shift JIS read as GB18030 fall all over the
    table, and Korean ends at C8 and has the marks of ASCII.
    """
    try:
        text = codecs.getincrementaldecoder("gb18030")().decode(head)
    except UnicodeDecodeError:
        return False
    wide = [letter.encode("gb18030") for letter in text if letter > "\x7f"]
    leads = [pair[0] for pair in wide if len(pair) == 2 and pair[1] >= 0xA1]
    marks = sum(lead in (0xA1, 0xA3) for lead in leads)
    usual = marks + sum(0xB0 <= lead <= 0xD7 for lead in leads)
    no_korean = marks + sum(lead > LAST_KOREAN for lead in leads)
    return usual >= MIN_CHINESE_SHARE * len(wide) and no_korean >= MIN_OTHER_SHARE * len(wide)


def _recognise_text(text: str, encoding: str, suffix: str) -> Recognised:
    start = text.lstrip()
    if start.startswith("["):
        return Recognised("json", encoding)
    line = start.partition("\n")[0].strip()
    if start.startswith("{"):
        return Recognised("json" if line == "{" else "jsonl", encoding)
    separator = max(SEPARATORS, key=lambda sign: len(_known(line, sign)))
    if suffix in (".csv", ".tsv") or len(_known(line, separator)) > 1:
        return Recognised("csv", encoding, separator)
    return Recognised("jsonl", encoding)


def _known(line: str, separator: str) -> Sequence[str]:
    cells = next(csv.reader([line], delimiter=separator), [])
    return [cell for cell in cells if known_name(cell) in MEANINGFUL]

"""Source file in, plain text out: one file per family of formats.

It knows suffixes and who reads them, and that whatever is more than plain text is read in a child
process (`sandbox`); it does not know chunks, tenants or storage.
"""

from pathlib import PurePosixPath

from knowledge.errors import EmptyDocument, ParseLimitExceeded, UnsupportedFile
from knowledge.parsing.blocks import NotRead, told_tags
from knowledge.parsing.encodings import encoding_name
from knowledge.parsing.letters import without_invisible, without_tags
from knowledge.parsing.limits import Ocr, ParseLimits
from knowledge.parsing.parsed import ParsedText
from knowledge.parsing.recognition.scan import PICTURES, parse_scan
from knowledge.parsing.sandbox import Request, parse_in_child
from knowledge.parsing.text import Charset, encoding_if_named, read_text
from knowledge.parsing.words.comments import without_comments
from knowledge.parsing.words.parts import lines_of
from knowledge.parsing.words.pictures import holds_pictures, told_pictures, without_pictures
from knowledge.parsing.writer import too_much_text

__all__ = [
    "FORMATS",
    "NotRead",
    "Ocr",
    "ParseLimits",
    "ParsedText",
    "may_be_scan",
    "named_encoding",
    "parse",
]

FORMATS: dict[str, str] = {
    ".txt": "text",
    ".text": "text",
    ".log": "text",
    ".md": "markdown",
    ".markdown": "markdown",
    ".pdf": "pdf",
    ".docx": "docx",
    ".docm": "docx",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".pptx": "pptx",
    ".pptm": "pptx",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".epub": "epub",
    ".eml": "eml",
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".webp": "webp",
}
"""Suffix → format. A name without suffix is read as plain text."""
PLAIN = {"text", "markdown"}
ENCODED = {*PLAIN, "csv", "json", "jsonl", "html"}
"""Formats whose whole file is text in one encoding."""
MOST_BYTES = 4  # of a letter, in UTF-8, UTF-32 and GB18030
OLD: dict[str, str] = {".doc": ".docx", ".xls": ".xlsx", ".ppt": ".pptx", ".rtf": ".docx"}


def parse(
    filename: str,
    content: bytes,
    *,
    password: str | None = None,
    limits: ParseLimits | None = None,
    encoding: str | None = None,
    language: str = "",
    ocr: Ocr = "auto",
) -> ParsedText:
    r"""Return the text of a source file.

    Args:
        filename: Its suffix decides the format.
        content: Raw bytes, in any encoding that can be detected or is named.
        password: Of a locked PDF.
        limits: What reading it may cost; None: the defaults of `ParseLimits`.
        encoding: Of a text, table, page or mail; None: what it says of itself, or as detected. A
            byte order mark, or bytes that are UTF-8 for certain, count more.
        language: Of the documents around it (ISO 639-1, `zh-Hant`): what is taken where the bytes
            leave it open.
        ocr: Of which pages of a PDF or a picture the text is recognised: `auto`, those without
            text; `always`, all; `never`, none.

    Returns:
        The text with `\n` line ends; offsets of chunks and citations count its code points.
        `page_starts` is filled for PDF, TIFF (pages) and PowerPoint (slides). `left_out` says where
        bytes could not be read, and where the encoding is a guess.

    Raises:
        UnsupportedFile: A format we do not read, another format than the name says, binary
            content, or undecodable bytes.
        UnknownEncoding: Nothing can be read in an encoding of that name.
        EmptyDocument: Nothing but white space; NoTextLayer: pictures without text that could be
            recognised.
        PasswordRequired, WrongPassword: It is locked.
        DamagedFile: Cut off, broken, or hostile.
        ParseLimitExceeded: It would take more memory, time, pages or text than `limits`.
    """
    limits = limits or ParseLimits()
    charset = Charset(encoding_name(encoding) if encoding else "", language)
    suffix = PurePosixPath(filename.lower()).suffix
    file_format = FORMATS.get(suffix, "text" if not suffix else None)
    if file_format is None:
        raise UnsupportedFile(_unread(filename, suffix))
    if not content:
        raise EmptyDocument(f"{filename!r} is empty")
    if file_format in ENCODED - {"html"} and len(content) > MOST_BYTES * limits.chars:
        raise too_much_text(limits.chars)
    if file_format not in PLAIN:
        request = Request(filename, content, file_format, password, limits, charset)
        return parse_scan(request, ocr) if may_be_scan(filename) else parse_in_child(request)
    read = read_text(filename, content, charset=charset)
    text, tags = without_tags(read.text)
    text, left_out = _seen(without_invisible(text), file_format)
    if not text.strip():
        raise EmptyDocument(f"{filename!r} contains no text")
    if len(text) > limits.chars:
        raise ParseLimitExceeded(
            f"{filename!r} has more than {limits.chars:,} characters (knowledge.parse_chars)"
        )
    return ParsedText(
        text, file_format, read.encoding, left_out=(*read.not_read, *left_out, *told_tags(tags))
    )


def named_encoding(filename: str, content: bytes, encoding: str | None) -> str | None:
    """Return in what a file is read if this encoding is named; None where that changes nothing.

    Raises:
        UnknownEncoding: Nothing can be read in an encoding of that name.
    """
    named = encoding_name(encoding) if encoding else ""
    if not named or FORMATS.get(PurePosixPath(filename.lower()).suffix, "text") not in ENCODED:
        return None
    return encoding_if_named(content, named)


def _seen(text: str, file_format: str) -> tuple[str, tuple[NotRead, ...]]:
    """Return what a reader of the text sees, and what is told of the rest."""
    left_out: list[NotRead] = []
    if holds_pictures(text):
        text, lines = without_pictures(text)
        left_out = told_pictures(lines_of(lines))
    if file_format == "markdown":
        text, comments = without_comments(text)
        left_out += comments
    return text, tuple(left_out)


def may_be_scan(filename: str) -> bool:
    """Whether a file of this name may have pages whose text has to be recognised."""
    file_format = FORMATS.get(PurePosixPath(filename.lower()).suffix)
    return file_format == "pdf" or file_format in PICTURES


def _unread(filename: str, suffix: str) -> str:
    if suffix in OLD:
        return f"{filename!r}: {suffix} is not supported; save it as {OLD[suffix]} and send that"
    return f"{filename!r}: cannot read {suffix!r} files; send {', '.join(sorted(FORMATS))}"

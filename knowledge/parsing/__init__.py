"""Source file in, plain text out: one file per family of formats.

It knows suffixes and who reads them, and that whatever is more than plain text is read in a child
process (`sandbox`); it does not know chunks, tenants or storage.
"""

from pathlib import PurePosixPath

from knowledge.errors import EmptyDocument, ParseLimitExceeded, UnsupportedFile
from knowledge.parsing.blocks import NotRead
from knowledge.parsing.limits import Ocr, ParseLimits
from knowledge.parsing.parsed import ParsedText
from knowledge.parsing.recognition.scan import PICTURES, parse_scan
from knowledge.parsing.sandbox import Request, parse_in_child
from knowledge.parsing.text import decode

__all__ = ["FORMATS", "NotRead", "Ocr", "ParseLimits", "ParsedText", "may_be_scan", "parse"]

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
OLD: dict[str, str] = {".doc": ".docx", ".xls": ".xlsx", ".ppt": ".pptx", ".rtf": ".docx"}


def parse(
    filename: str,
    content: bytes,
    *,
    password: str | None = None,
    limits: ParseLimits | None = None,
    ocr: Ocr = "auto",
) -> ParsedText:
    r"""Return the text of a source file.

    Args:
        filename: Its suffix decides the format.
        content: Raw bytes, in any encoding that can be detected.
        password: Of a locked PDF.
        limits: What reading it may cost; None: the defaults of `ParseLimits`.
        ocr: Of which pages of a PDF or a picture the text is recognised: `auto`, those without
            text; `always`, all; `never`, none.

    Returns:
        The text with `\n` line ends; offsets of chunks and citations count its code points.
        `page_starts` is filled for PDF, TIFF (pages) and PowerPoint (slides).

    Raises:
        UnsupportedFile: A format we do not read, another format than the name says, binary
            content, or undecodable bytes.
        EmptyDocument: Nothing but white space; NoTextLayer: pictures without text that could be
            recognised.
        PasswordRequired, WrongPassword: It is locked.
        DamagedFile: Cut off, broken, or hostile.
        ParseLimitExceeded: It would take more memory, time, pages or text than `limits`.
    """
    limits = limits or ParseLimits()
    suffix = PurePosixPath(filename.lower()).suffix
    file_format = FORMATS.get(suffix, "text" if not suffix else None)
    if file_format is None:
        raise UnsupportedFile(_unread(filename, suffix))
    if not content:
        raise EmptyDocument(f"{filename!r} is empty")
    if file_format not in PLAIN:
        request = Request(filename, content, file_format, password, limits)
        return parse_scan(request, ocr) if may_be_scan(filename) else parse_in_child(request)
    text, encoding = decode(filename, content)
    if not text.strip():
        raise EmptyDocument(f"{filename!r} contains no text")
    if len(text) > limits.chars:
        raise ParseLimitExceeded(
            f"{filename!r} has more than {limits.chars:,} characters (knowledge.parse_chars)"
        )
    return ParsedText(text=text, format=file_format, encoding=encoding)


def may_be_scan(filename: str) -> bool:
    """Whether a file of this name may have pages whose text has to be recognised."""
    file_format = FORMATS.get(PurePosixPath(filename.lower()).suffix)
    return file_format == "pdf" or file_format in PICTURES


def _unread(filename: str, suffix: str) -> str:
    if suffix in OLD:
        return f"{filename!r}: {suffix} is not supported; save it as {OLD[suffix]} and send that"
    return f"{filename!r}: cannot read {suffix!r} files; send {', '.join(sorted(FORMATS))}"

"""Source file in, plain text out: one file per family of formats.

It knows suffixes and who reads them, and that whatever is more than plain text is read in a child
process (`sandbox`); it does not know chunks, tenants or storage.
"""

from pathlib import PurePosixPath

from knowledge.errors import EmptyDocument, ParseLimitExceeded, UnsupportedFile
from knowledge.parsing.blocks import NotRead
from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.parsed import ParsedText
from knowledge.parsing.sandbox import parse_in_child
from knowledge.parsing.text import decode
from knowledge.parsing.words.comments import without_comments
from knowledge.parsing.words.parts import lines_of
from knowledge.parsing.words.pictures import holds_pictures, told_pictures, without_pictures

__all__ = ["FORMATS", "NotRead", "ParseLimits", "ParsedText", "parse"]

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
) -> ParsedText:
    r"""Return the text of a source file.

    Args:
        filename: Its suffix decides the format.
        content: Raw bytes, in any encoding that can be detected.
        password: Of a locked PDF.
        limits: What reading it may cost; None: the defaults of `ParseLimits`.

    Returns:
        The text with `\n` line ends; offsets of chunks and citations count its code points.
        `page_starts` is filled for PDF (pages) and PowerPoint (slides).

    Raises:
        UnsupportedFile: A format we do not read, another format than the name says, binary
            content, or undecodable bytes.
        EmptyDocument: Nothing but white space; NoTextLayer: pages that are pictures.
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
        return parse_in_child(filename, content, file_format, password=password, limits=limits)
    text, encoding = decode(filename, content)
    text, left_out = _seen(text, file_format)
    if not text.strip():
        raise EmptyDocument(f"{filename!r} contains no text")
    if len(text) > limits.chars:
        raise ParseLimitExceeded(
            f"{filename!r} has more than {limits.chars:,} characters (knowledge.parse_chars)"
        )
    return ParsedText(text=text, format=file_format, encoding=encoding, left_out=left_out)


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


def _unread(filename: str, suffix: str) -> str:
    if suffix in OLD:
        return f"{filename!r}: {suffix} is not supported; save it as {OLD[suffix]} and send that"
    return f"{filename!r}: cannot read {suffix!r} files; send {', '.join(sorted(FORMATS))}"

"""Source file in, plain text out: one file per family of formats.

It knows suffixes and who reads them; it does not know chunks, tenants or storage.
"""

from pathlib import PurePosixPath

from knowledge.errors import EmptyDocument, UnsupportedFile
from knowledge.parsing.text import ParsedText, decode

__all__ = ["FORMATS", "ParsedText", "parse"]

FORMATS: dict[str, str] = {
    ".txt": "text",
    ".text": "text",
    ".log": "text",
    ".md": "markdown",
    ".markdown": "markdown",
}
"""Suffix → format. A name without suffix is read as plain text."""


def parse(filename: str, content: bytes) -> ParsedText:
    r"""Return the text of a source file.

    Args:
        filename: Its suffix decides the format.
        content: Raw bytes, in any encoding that can be detected.

    Returns:
        The text with `\n` line ends; offsets of chunks and citations count its code points.

    Raises:
        UnsupportedFile: A format we do not read, binary content, or undecodable bytes.
        EmptyDocument: Nothing but white space.
    """
    suffix = PurePosixPath(filename.lower()).suffix
    file_format = FORMATS.get(suffix, "text" if not suffix else None)
    if file_format is None:
        readable = ", ".join(sorted(FORMATS))
        raise UnsupportedFile(f"{filename!r}: cannot read {suffix!r} files yet; send {readable}")
    text, encoding = decode(filename, content)
    if not text.strip():
        raise EmptyDocument(f"{filename!r} holds no text")
    return ParsedText(text=text, format=file_format, encoding=encoding)

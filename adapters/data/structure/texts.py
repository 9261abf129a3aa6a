"""Texts without an answer yet: documents, and conversations as one text.

They pass through steps as rows, and a step makes rows with answers from them. It knows neither
how a document is parsed nor what is made of it.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from adapters.data.rows import Message, Row

DOCUMENT: Final = "document"
"""Meta `kind` of a row that is one user turn with a text: nothing can be trained on it as it is."""

_HAN = re.compile(r"[\u3400-\u9fff]")
_SPEAKERS: Final[Mapping[bool, Mapping[str, str]]] = {  # by whether it is Chinese
    True: {"system": "说明", "user": "用户", "assistant": "客服"},
    False: {"system": "Note", "user": "User", "assistant": "Agent"},
}
_LINE_ENDS = re.compile(r"\r\n?")
_PARAGRAPH_ENDS = re.compile(r"(?<=\n)")


def document_row(text: str, file: Path, *, line: int = 1) -> Row:
    """Return a document as a row for `structure` and `annotate`; its source is the file's name."""
    return Row((Message("user", text),), {"kind": DOCUMENT, "source": file.name}, file, line)


def is_document(row: Row) -> bool:
    """Return whether a row is a text without an answer."""
    return row.meta.get("kind") == DOCUMENT


def as_text(row: Row) -> str:
    """Return a document's text, or a conversation with the speaker before each turn.

    Lines end with a line feed alone, so that patterns need not know where a file was written.
    """
    if is_document(row):
        return _LINE_ENDS.sub("\n", row.messages[0].content)
    said = "\n".join(turn.content for turn in row.messages)
    names = _SPEAKERS[is_chinese(said)]
    colon = "：" if is_chinese(said) else ": "
    lines = (f"{names[turn.role]}{colon}{turn.content}" for turn in row.messages)
    return _LINE_ENDS.sub("\n", "\n".join(lines))


def inherited(row: Row) -> dict[str, object]:
    """Return the metadata that a row made from `row` keeps."""
    return {k: v for k, v in row.meta.items() if (k, v) != ("kind", DOCUMENT)}


def is_chinese(text: str) -> bool:
    """Return whether a text is written in Chinese: a tenth of it is Han letters."""
    return 10 * len(_HAN.findall(text)) >= len(text) > 0


def pieces(text: str, max_chars: int) -> Iterator[str]:
    """Yield a text in pieces of at most `max_chars`, cut between lines where that is possible."""
    piece = ""
    for line in _PARAGRAPH_ENDS.split(text):
        if piece.strip() and len(piece) + len(line) > max_chars:
            yield piece.strip()
            piece = ""
        piece += line
        while len(piece) > max_chars:  # a line without end
            yield piece[:max_chars].strip()
            piece = piece[max_chars:]
    if piece.strip():
        yield piece.strip()

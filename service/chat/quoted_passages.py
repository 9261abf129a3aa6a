"""Passages as a prompt quotes them: between marks, so that the model can tell them from the rest.

What a document says cannot end the quotation or begin a passage of another name: the marks, and a
number in brackets at the beginning of a line, are split by a space without width. It knows text; it
does not know which passages are quoted, nor what the model was told of the marks.
"""

import re
from collections.abc import Sequence
from typing import Protocol

from adapters import PASSAGE_MARKS, PASSAGES_ARE_DATA
from service.engine.control_tokens import SPLIT

OPENING, CLOSING = PASSAGE_MARKS
_HAN = re.compile(r"[\u3400-\u9fff]")
_MARK = re.compile(r"([<\uff1c\u2039\u3008])(?=\s*[/\uff0f]?\s*passages?\b)", re.IGNORECASE)
_NUMBER = re.compile(r"^(\s*\[)(?=\d{1,3}\])", re.MULTILINE)
_UNSEEN = re.compile(r"[\U000e0000-\U000e007f\u202a-\u202e\u2066-\u2069]")
_LINE_ENDS = re.compile(r"[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]|\r\n?")


class Shown(Protocol):
    """The parts of a passage that are shown to the model."""

    @property
    def source(self) -> str:
        """Where it is from: the document's path, the headings above it, its page."""

    @property
    def text(self) -> str:
        """Its text."""


def quote(passages: Sequence[Shown]) -> str:
    """Return numbered passages between marks that no text in them can write."""
    lines = [
        f"[{n}] {' '.join(as_quoted(p.source).split())}: {as_quoted(p.text)}"
        for n, p in enumerate(passages, start=1)
    ]
    return "\n".join([OPENING, *lines, CLOSING])


def as_quoted(text: str) -> str:
    """Return a text that holds no mark, no number of a passage, and no letters nobody sees.

    Tag characters and changes of direction are what hidden instructions are written with.
    """
    if not text.isascii():
        text = _UNSEEN.sub("", text)
    text = _LINE_ENDS.sub("\n", text)
    return _NUMBER.sub(rf"\1{SPLIT}", _MARK.sub(rf"\1{SPLIT}", text))


def told(declared: str, question: str) -> str:
    """Return the sentence on the marks, in the language of the instructions or of the question.

    The instructions decide where there are any: one system message is read from the cache.
    """
    return PASSAGES_ARE_DATA["zh" if _HAN.search(declared.strip() or question) else "en"]

"""Collects running text, table rows and headings into lines, whatever format they come from.

It knows paragraphs, cells and frames inside frames; it does not know where text comes from.
Headings are marked as in Markdown, cells of a row are joined by ` | `.
"""

import re

from knowledge.errors import ParseLimitExceeded

CELL_SEPARATOR = " | "
_MANY_BREAKS = re.compile(r"\n{3,}")
_SPACES = re.compile(r"[ \t\u00a0]+")


class Blocks:
    """Text on its way to a page: paragraphs in order, with frames for cells and text boxes."""

    def __init__(self, chars: int) -> None:
        """Begin an empty page of at most `chars` characters."""
        self._left = self._chars = chars
        self._frames: list[tuple[list[str], list[str]]] = [([], [])]  # (lines, words of the next)
        self._rows: list[list[str]] = []

    def text(self, words: str) -> None:
        """Add words to the paragraph.

        Raises:
            ParseLimitExceeded: It is more text than allowed.
        """
        self._left -= len(words)
        if self._left < 0:
            raise too_much_text(self._chars)
        self._frames[-1][1].append(words)

    def end_paragraph(self, *, heading: int = 0, mark: str = "") -> None:
        """End the paragraph; `heading` is its level, 0 for plain text, `mark` stands before it."""
        lines, words = self._frames[-1]
        text = "\n".join(_SPACES.sub(" ", line).strip() for line in "".join(words).split("\n"))
        words.clear()
        if text.strip():
            if heading:
                text = f"{'#' * min(heading, 6)} {' '.join(text.split())}"
            lines.extend((f"{mark}{text.strip()}", "") if not mark else (f"{mark}{text.strip()}",))

    def push(self) -> None:
        """Begin a frame of its own: a cell, a text box."""
        self._frames.append(([], []))

    def pop(self) -> list[str]:
        """End the frame and return its lines."""
        self.end_paragraph()
        return self._frames.pop()[0]

    def pop_into_page(self) -> None:
        """End the frame; its lines go before the paragraph that was open around it."""
        self._frames[-2][0].extend(self.pop())

    def begin_row(self) -> None:
        """Begin a row of cells."""
        self.end_paragraph()
        self._rows.append([])

    def end_cell(self) -> None:
        """End the frame; its text is the next cell of the row."""
        self._rows[-1].append(" ".join(" ".join(self.pop()).split()))

    def cell(self, text: str) -> None:
        """Add a cell to the row."""
        self._left -= len(text) + len(CELL_SEPARATOR)
        if self._left < 0:
            raise too_much_text(self._chars)
        self._rows[-1].append(" ".join(text.split()))

    def end_row(self) -> None:
        """End the row: a line of its own."""
        cells = self._rows.pop()
        if any(cells):
            self._frames[-1][0].append(CELL_SEPARATOR.join(cells).rstrip(" |"))

    def end_table(self) -> None:
        """Leave a blank line after a table."""
        self.end_paragraph()
        self._frames[-1][0].append("")

    def page(self) -> str:
        """Return all text so far and begin another page."""
        self.end_paragraph()
        lines = self._frames[-1][0]
        text = _MANY_BREAKS.sub("\n\n", "\n".join(lines)).strip()
        lines.clear()
        return text


def too_much_text(chars: int) -> ParseLimitExceeded:
    """Return the error for more text than allowed."""
    return ParseLimitExceeded(f"more than {chars:,} characters of text (knowledge.parse_chars)")

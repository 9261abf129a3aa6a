"""Comments in a Markdown text, which nobody sees who reads the page it makes.

It knows HTML's comments and link definitions that are used as such (`[//]: # (…)`); code keeps
them. It does not know hidden elements of HTML in Markdown: they stay.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from knowledge.parsing.blocks import NotRead, PlacedBlock
from knowledge.parsing.markdown import markdown_blocks
from knowledge.parsing.words.parts import Remainder, lines_of, told

WHY = "a comment: who reads the page does not see it"
BEGIN, END = "<!--", "-->"
_DEFINITION = re.compile(
    r"^ {0,3}\[(?://|comment|_)\]:[ \t]*(?:#|<>)[ \t]*(?:\(.*\)|\".*\"|'.*')[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)


def without_comments(text: str) -> tuple[str, list[NotRead]]:
    """Return a Markdown text without its comments, and what is told of them."""
    if BEGIN not in text and "]: " not in text:
        return text, []
    places = sorted([*_comments(text), *(found.span() for found in _DEFINITION.finditer(text))])
    if not places:
        return text, []
    codes = [block for block in markdown_blocks(text) if block.kind == "code"]
    starts = [block.start for block in codes]
    left = Remainder(text)
    for start, end in places:
        at = bisect_right(starts, start)
        before = codes[max(0, at - 1) : at]
        if start >= left.place and not _is_code(text, start, before):
            left.drop(start, end)
    return left.text(), told("hidden text", lines_of(left.lines), WHY)


def _comments(text: str) -> Iterator[tuple[int, int]]:
    end = 0
    while (start := text.find(BEGIN, end)) >= 0:
        close = text.find(END, start + 2)  # `<!-->` is a whole one (HTML Standard 13.2.5.44)
        if close < 0:
            return
        end = close + len(END)
        yield start, end


def _is_code(text: str, at: int, before: Sequence[PlacedBlock]) -> bool:
    """Say whether a place is in a block of code, or between backticks in its line."""
    if before and at < before[0].end:
        return True
    line = text.rfind("\n", 0, at) + 1
    return text.count("`", line, at) % 2 == 1

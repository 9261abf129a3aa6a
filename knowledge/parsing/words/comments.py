"""Comments in a Markdown text, which nobody sees who reads the page it makes.

It knows HTML's comments and link definitions that are used as such (`[//]: # (…)`); code keeps
them. It does not know hidden elements of HTML in Markdown: they stay.
"""

import re

from knowledge.parsing.blocks import NotRead
from knowledge.parsing.words.parts import Remainder, lines_of, told

WHY = "a comment: who reads the page does not see it"
BEGIN, END = "<!--", "-->"
_MARK = re.compile(
    r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})"
    r"|(?P<begin><!--)"
    r"|^ {0,3}\[(?://|comment|_)\]:[ \t]*(?:#|<>)[ \t]*(?:\(.*\)|\".*\"|'.*')[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_INDENTED = re.compile(r"(?: {4}|\t)")


def without_comments(text: str) -> tuple[str, list[NotRead]]:
    """Return a Markdown text without its comments, and what is told of them."""
    if BEGIN not in text and "]:" not in text:
        return text, []
    left = Remainder(text)
    fence, at = "", 0  # the open one, and where the search goes on
    while found := _MARK.search(text, at):
        start, at = found.span()
        if mark := found["fence"]:
            is_end = bool(fence) and mark.startswith(fence)
            fence = "" if is_end else fence or mark
        elif not (fence or _is_code(text, start)):
            at = _end(text, start) if found["begin"] else at
            if at < 0:
                break
            left.drop(start, at)
    return left.text(), told("hidden text", lines_of(left.lines), WHY)


def _end(text: str, start: int) -> int:
    """Return where a comment ends; -1: never."""
    close = text.find(END, start + 2)  # `<!-->` is a whole one (HTML Standard 13.2.5.44)
    return close + len(END) if close >= 0 else -1


def _is_code(text: str, at: int) -> bool:
    """Say whether a place is in an indented line, or between backticks in its line."""
    line = text.rfind("\n", 0, at) + 1
    return _INDENTED.match(text, line) is not None or text.count("`", line, at) % 2 == 1

"""Code in web pages: its lines as they stand, without the numbers a highlighter puts beside them.

It knows how highlighters write code; it does not know programming languages.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from knowledge.parsing.blocks import Block, Code

_NUMBERS = re.compile(
    r"(?:^|[\s_-])(?:line-?no(?:s|number)?|linenumbers?|line-numbers?|gutter|blob-num|ln-n(?:um|umbers)?)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)


class CodeText:
    """Preformatted text on its way to a block."""

    def __init__(self) -> None:
        """Begin an empty text."""
        self._pieces: list[str] = []
        self._is_at_start = True  # of a line

    def add(self, text: str) -> None:
        """Add text as it stands."""
        if text:
            self._pieces.append(text)
            self._is_at_start = text.endswith("\n")

    def part(self) -> None:
        """Begin a line, unless one has just begun."""
        if not self._is_at_start:
            self.add("\n")

    def lines(self) -> str:
        """Return the text: without white space at the ends of lines and no-break spaces."""
        text = "".join(self._pieces).replace("\xa0", " ")
        return "\n".join(line.rstrip() for line in text.split("\n"))


def is_line_number(names: str) -> bool:
    """Say whether an element of these classes holds the numbers of lines."""
    return _NUMBERS.search(names) is not None


def without_line_numbers(blocks: Sequence[Block]) -> Iterable[Block]:
    """Return the blocks but for code that only numbers the lines of the code after it."""
    counting = {
        number
        for number, (block, after) in enumerate(pairwise(blocks))
        if isinstance(block, Code) and isinstance(after, Code) and _counts(block, after)
    }
    return [block for number, block in enumerate(blocks) if number not in counting]


def _counts(block: Code, after: Code) -> bool:
    numbers = block.text.split()
    if not numbers[0].isdecimal() or len(numbers[0]) > 9:
        return False
    first = int(numbers[0])
    if len(numbers) != after.text.count("\n") + 1:
        return False
    return numbers == [str(number) for number in range(first, first + len(numbers))]

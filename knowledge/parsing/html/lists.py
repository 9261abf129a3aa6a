"""Lists of web pages: the number or letter a browser shows before each item.

It knows HTML's attributes for it and the style of the list or item itself (`list-style-type`); it
does not know style sheets.
"""

import re
from collections import Counter
from dataclasses import dataclass
from html.parser import HTMLParser

from knowledge.parsing.counting import count

Attributes = dict[str, str | None]

LISTS = frozenset(("ol", "ul", "menu", "dir"))
BULLET = "-"
_NUMBER = re.compile(r"\s*([+-]?\d{1,9})")
_LETTERS = 26
_LIST_STYLE = re.compile(
    r"list-style(?:-type)?\s*:[^;]*?(?<![\w-])"
    r"(none|decimal|(?:lower|upper)-(?:alpha|latin|roman))(?![\w-])",
    re.IGNORECASE,
)
_TYPES = {
    "none": "", "decimal": "1", "lower-roman": "i", "upper-roman": "I",
    "lower-alpha": "a", "lower-latin": "a", "upper-alpha": "A", "upper-latin": "A",
}  # fmt: skip
ROMAN = {"i": "lowerRoman", "I": "upperRoman"}


@dataclass(slots=True)
class OpenList:
    """A list whose items are read."""

    is_numbered: bool
    style: str = "1"
    number: int = 1  # of the next item
    step: int = 1

    def mark(self, attributes: Attributes) -> str:
        """Return the mark of the next item."""
        if not self.is_numbered:
            return BULLET
        self.number = number_of(attributes.get("value"), self.number)
        style = _type_of(attributes, self.style)
        written = _written(self.number, style)
        self.number += self.step
        return f"{written}." if style else BULLET


def open_list(tag: str, attributes: Attributes, items: int) -> OpenList:
    """Return a list that begins; `items`: how many a reversed one has."""
    if tag != "ol":
        return OpenList(is_numbered=False)
    is_reversed = "reversed" in attributes
    start = number_of(attributes.get("start"), items if is_reversed else 1)
    style = _type_of(attributes, "1")
    return OpenList(is_numbered=True, style=style, number=start, step=-1 if is_reversed else 1)


def _type_of(attributes: Attributes, otherwise: str) -> str:
    """Return how numbers are written, as the attribute `type` says it; nothing: not at all."""
    found = _LIST_STYLE.search(attributes.get("style") or "")
    return _TYPES[found[1].lower()] if found else attributes.get("type") or otherwise


def number_of(value: str | None, otherwise: int) -> int:
    """Return the number that an attribute begins with."""
    found = _NUMBER.match(value or "")
    return int(found[1]) if found else otherwise


def count_items(markup: str) -> list[int]:
    """Return how many items each reversed list has, in order: it counts down from there."""
    if "reversed" not in markup.lower():
        return []
    counter = _ItemCounter()
    counter.feed(markup)
    return [counter.items[number] for number in sorted(counter.reversed)]


class _ItemCounter(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.items: Counter[int] = Counter()
        self.reversed: list[int] = []
        self._open: list[int] = []
        self._lists = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in LISTS:
            self._open.append(self._lists)
            if tag == "ol" and "reversed" in dict(attrs):
                self.reversed.append(self._lists)
            self._lists += 1
        elif tag == "li" and self._open:
            self.items[self._open[-1]] += 1

    def handle_endtag(self, tag: str) -> None:
        if tag in LISTS and self._open:
            self._open.pop()


def _written(number: int, style: str) -> str:
    if style in ROMAN:
        return count(number, ROMAN[style]) if number > 0 else str(number)
    if style not in ("a", "A") or number < 1:
        return str(number)
    letters = ""
    while number:
        number, place = divmod(number - 1, _LETTERS)
        letters = chr(ord(style) + place) + letters
    return letters

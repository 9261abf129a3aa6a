"""The words of strings in a workbook, whose runs may be raised, lowered, struck or signs.

It knows runs (ECMA-376 18.4); it does not know cells.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from knowledge.parsing.limits import ParseLimits
from knowledge.parsing.words.symbols import is_symbol_font, readable
from knowledge.parsing.writer import BlockWriter, too_much_text
from knowledge.parsing.xml import Event

OFF = ("0", "false")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


@dataclass(slots=True)
class _Look:
    """How a run stands; `font`: of signs."""

    rise: str = ""
    is_struck: bool = False
    font: str = ""


class Words:
    """The words of a string, run by run."""

    def __init__(self, limits: ParseLimits) -> None:
        """Begin an empty string."""
        self._writer = BlockWriter(limits.chars)
        self._runs: list[str] = []
        self._looks: dict[int, _Look] = {}  # run → how it stands, where not as usual
        self._look: _Look | None = None  # of the run that is open

    def add(self, words: str) -> None:
        """Add words of the run."""
        if self._look:
            self._looks[len(self._runs)] = self._look
        self._runs.append(words)

    def note(self, name: str, attributes: Mapping[str, str]) -> None:
        """Take a run's begin, or one of its properties."""
        if name == "r":
            self._look = None
        elif name == "vertAlign":
            self._open().rise = attributes.get("val", "")
        elif name == "strike":
            self._open().is_struck = attributes.get("val", "1") not in OFF
        elif name == "rFont" and is_symbol_font(attributes.get("val", "")):
            self._open().font = attributes["val"]

    def take(self) -> str:
        """Return the words and begin the next string."""
        text = self._written() if self._looks else "".join(self._runs)
        self._runs.clear()
        self._looks.clear()
        self._look = None
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text

    def _open(self) -> _Look:
        self._look = self._look or _Look()
        return self._look

    def _written(self) -> str:
        self._writer.push()
        ways = {"superscript": self._writer.raised, "subscript": self._writer.lowered}
        for run, words in enumerate(self._runs):
            look = self._looks.get(run, _Look())
            usual = self._writer.struck if look.is_struck else self._writer.text
            ways.get(look.rise, usual)(readable(words, look.font) if look.font else words)
        return " ".join(getattr(block, "text", "") for block in self._writer.pop())


RUN_PROPERTIES = ("r", "vertAlign", "strike", "rFont")


def shared_strings(parts: Iterator[Iterator[Event]], limits: ParseLimits) -> list[str]:
    """Return the strings that cells name by their number.

    Raises:
        ParseLimitExceeded: It is more text than allowed.
    """
    strings: list[str] = []
    words = Words(limits)
    left = limits.chars
    for events in parts:
        in_text = False
        for kind, name, attributes in events:
            if kind == "text":
                if in_text:
                    words.add(name)
            elif name == "t":
                in_text = kind == "start"
            elif name == "si" and kind == "end":
                strings.append(words.take())
                left -= len(strings[-1])
                if left < 0:
                    raise too_much_text(limits.chars)
            elif kind == "start" and name in RUN_PROPERTIES:
                words.note(name, attributes)
    return strings
